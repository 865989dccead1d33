//! One edition of the letter, and the run that takes it to its readers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::time::UnixMillis;

/// An issue's number: 1, 2, 3, … It is the primary key, so two runs can't both make number 12.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IssueNumber(pub i64);

impl fmt::Display for IssueNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where the run of an issue stands. An issue exists from the commit that enqueues
/// its deliveries on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IssueState {
    /// Deliveries are due, in flight or waiting for another try.
    Running,
    /// Stopped by an operator or by a refusal about us; nothing starts until `resume`.
    Paused,
    /// Every delivery is final.
    Finished,
    /// Called off by an operator; what had not been sent never will be.
    Cancelled,
}

impl IssueState {
    pub const ALL: [Self; 4] = [Self::Running, Self::Paused, Self::Finished, Self::Cancelled];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for IssueState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for IssueState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or_else(|| format!("issue state {text:?} is unknown"))
    }
}

/// An issue ready to be enqueued: chosen, composed and rendered, with nobody's name on it yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewIssue {
    /// The schedule's local slot (`2026-11-17T09:00:00 America/New_York`), or none when an operator
    /// asked for the run.
    pub slot: Option<String>,
    /// Comparisons published after this moment belong to a later issue.
    pub cutoff_at: UnixMillis,
    pub subject: String,
    pub preheader: String,
    /// The rendered letter with slots, as `letter::Stencil` writes and reads it. The ledger
    /// keeps it whole, so that a run that goes on after a crash or an upgrade sends every reader
    /// the same letter.
    pub stencil: String,
    /// Featured comparisons by slug, in the order of the letter.
    pub featured: Vec<String>,
    /// "Also compared" by slug: mentioned with a line and a link, and free to be featured later.
    pub mentioned: Vec<String>,
}

/// An issue as the store has it, without its stencil.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Issue {
    pub number: IssueNumber,
    pub slot: Option<String>,
    pub state: IssueState,
    pub cutoff_at: UnixMillis,
    pub subject: String,
    pub preheader: String,
    pub created_at: UnixMillis,
    pub finished_at: Option<UnixMillis>,
    /// Why the run is paused, in words for the operator.
    pub pause_reason: Option<String>,
}
