//! How much one client may take.

use std::time::Duration;

/// How much one client, and all of them together, may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// For a head; for a request with its body up to the answer; for each part of an answer.
    pub timeout: Duration,
    /// Connections at a time.
    pub connections: usize,
}
