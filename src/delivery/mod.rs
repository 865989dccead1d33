//! From the queue to the relay and back: claims, pacing, sessions, what an answer means, and the report.
//!
//! [`engine::pass`] is the whole of it: one ledger that owns the store, and connections that each hold two letters at most.
//! What an outcome means is decided in [`transition`] and nowhere else.

pub mod backoff;
pub mod breakdown;
mod by_hand;
mod connection;
pub mod engine;
mod filling;
mod gather;
mod lanes;
mod ledger;
mod pool;
pub mod relays;
mod speed;
pub mod transition;

pub use by_hand::Line;
pub use engine::{Letters, Loader, Mailer, Pass, Progress, Settings, Transport, pass};
pub use lanes::{Limit, Limits};
pub use relays::Relays;
