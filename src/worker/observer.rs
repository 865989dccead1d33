//! What a tick tells whoever watches it.

use crate::delivery::Progress;
use crate::domain::delivery::Tally;
use crate::domain::issue::IssueNumber;
use crate::store::SubjectTest;

/// Hears what a tick finds and does; nothing that it does depends on it. Each event may be ignored.
pub trait Observer {
    /// Another process delivers from this database, and this one does not.
    fn elsewhere(&self) {}

    /// So many letters were in flight when a worker ended; they are tried again.
    fn reclaimed(&self, _letters: u64) {}

    fn decided(&self, _test: &SubjectTest) {}

    /// Letters are due: a pass over them begins, which counts from nothing.
    fn pass_begins(&self) {}

    /// After each commit of a pass.
    fn progress(&self, _progress: &Progress) {}

    /// The pass paused the run of an issue.
    fn paused(&self, _issue: IssueNumber, _reason: &str) {}

    /// Every letter of an issue is final.
    fn finished(&self, _issue: IssueNumber, _tally: &Tally) {}

    /// Where the issue stands that is waited for, between two ticks.
    fn counted(&self, _tally: &Tally) {}
}

/// Nobody watches.
impl Observer for () {}
