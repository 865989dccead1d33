//! One pass over what is due, from the claims to the report.

mod batching;
mod connection;
mod fillers;
mod ledger;
mod messages;
mod pacer;
pub(super) mod pass;
pub(super) mod progress;
mod speed;
