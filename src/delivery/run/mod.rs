//! One pass over what is due: one ledger, many connections, and what they say to each other.
//!
//! - `pass` starts them and says why a crash loses nothing.
//! - `ledger` alone talks to the store. `pacer` and `batching` answer its questions (how many may
//!   go, how long to wait), `waiting` holds the connections that wait for its next commit.
//! - `connection` takes a letter to the relay; `fillers` are the threads that sign letters
//!   meanwhile.
//! - `messages` and `progress` are what is said, and what is counted.

mod batching;
mod connection;
mod fillers;
mod ledger;
mod messages;
mod pacer;
pub(super) mod pass;
pub(super) mod progress;
mod speed;
mod waiting;
