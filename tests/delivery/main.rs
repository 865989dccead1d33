//! Runs, sessions and notices, against relays that say and do what a test wants, and against a real one.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod crash;
mod dkim;
mod notices;
mod pacing;
mod pass;
mod promises;
mod relay_replies;
mod smtp_session;
mod tick;
mod troubles;
