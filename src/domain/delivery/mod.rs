//! Deliveries and notices: a row for each letter that somebody is owed, how fast they go, and what
//! relays say of them.

pub mod class;
pub(super) mod deliveries;
pub mod notice;
pub mod pace;
pub mod rate;
pub mod relay;

pub use deliveries::{
    CancelledBy, Claimed, DeliveryState, Finished, Reply, Status, Tally, Transition, Variant,
};
