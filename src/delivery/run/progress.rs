//! What a pass has done, and how far it has come.

use crate::domain::UnixMillis;
use crate::domain::class::{Class, Classes};
use crate::domain::delivery::Transition;
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

impl Pass {
    /// One more attempt is written down.
    pub(super) fn count(&mut self, transition: &Transition) {
        match transition {
            Transition::Sent { .. } => self.sent += 1,
            Transition::Failed { reply, .. } => {
                self.failed += 1;
                self.classes.add(Class::of(reply.as_ref()));
            }
            Transition::Returned { .. } => self.returned += 1,
            Transition::Deferred { reply, unknown, .. } => {
                self.classes.add(Class::of(reply.as_ref()));
                self.deferred += 1;
                self.unknown += u64::from(*unknown);
            }
        }
    }

    pub(super) fn progress(&self, in_flight: usize) -> Progress {
        let Self { sent, failed, deferred, returned, unknown, classes, .. } = *self;
        Progress { sent, failed, deferred, returned, unknown, classes, in_flight }
    }
}
