//! What a pass has done, and how far it has come.

use crate::domain::UnixMillis;
use crate::domain::class::Classes;
use crate::domain::issue::IssueNumber;

/// What a pass has done, each letter counted once for each attempt that was written down.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pass {
    pub sent: u64,
    pub failed: u64,
    /// For another try, `unknown` among them.
    pub deferred: u64,
    /// Back in the queue untried.
    pub returned: u64,
    /// The line broke after the final dot.
    pub unknown: u64,
    /// Refusals, for now and for good, by their class.
    pub classes: Classes,
    /// Issues that this pass paused, and why.
    pub paused: Vec<(IssueNumber, String)>,
    /// When the pace lets the next letter go, if it ended for that with letters still due.
    pub held_until: Option<UnixMillis>,
    /// Whether it ended because it was told to, with letters still due.
    pub stopped: bool,
}

/// A moment of a pass, for progress bars.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    pub sent: u64,
    pub failed: u64,
    pub deferred: u64,
    pub returned: u64,
    pub unknown: u64,
    pub classes: Classes,
    pub in_flight: usize,
}
