//! What comes of the wish to start an issue.

use crate::domain::issue::IssueNumber;

/// What happened to the wish to start an issue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Enqueued {
    /// The issue and one delivery per active subscriber stand in the ledger, in one commit.
    Started { number: IssueNumber, audience: i64 },
    /// Somebody else was first: the slot is taken, one of the comparisons has been featured, or
    /// another issue is not finished. Nothing was written.
    Taken { by: Option<IssueNumber> },
    /// Somebody chose meanwhile what no letter was made for, or wrote another subject: compose
    /// again. Nothing was written.
    Outdated,
    /// Every reader has paused, or chose topics that it does not touch. Nothing was written.
    NobodyWants,
}
