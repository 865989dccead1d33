//! One letter owed to one subscriber: its states, what a relay can say of it, and the count
//! that always balances.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::domain::issue::issues::{IssueNumber, IssueState};
use crate::domain::issue::subject::Arm;
use crate::domain::reader::address::EmailAddress;
use crate::domain::reader::subscriber::{LinkEpoch, SubscriberId};
use crate::domain::time::UnixMillis;

/// queued → sending → sent | deferred | failed | cancelled. *Sent*: the relay has answered 250.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    Queued,
    /// Claimed by a worker: the attempt is written down, the answer is not yet.
    Sending,
    /// Refused for now, or its outcome unknown; due again later.
    Deferred,
    Sent,
    Failed,
    Cancelled,
}

impl DeliveryState {
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Sending, Self::Deferred, Self::Sent, Self::Failed, Self::Cancelled];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Deferred => "deferred",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing will ever happen to the delivery again.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Sent | Self::Failed | Self::Cancelled)
    }
}

/// Why a delivery is cancelled. The row keeps it apart from its note, which is for people: a
/// leaving that is taken back puts back what it cancelled, and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CancelledBy {
    /// The reader unsubscribed.
    Leaving,
    /// The reader paused.
    Pause,
    /// The issue has nothing in it of the topics that the reader chose.
    Topics,
    /// The reader was erased.
    Erasure,
    /// An operator called the issue off.
    Operator,
    /// When its turn came, or its attempt came back, the reader was no active subscriber or the
    /// issue was over.
    Unwanted,
}

impl CancelledBy {
    pub const ALL: [Self; 6] =
        [Self::Leaving, Self::Pause, Self::Topics, Self::Erasure, Self::Operator, Self::Unwanted];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Leaving => "leaving",
            Self::Pause => "pause",
            Self::Topics => "topics",
            Self::Erasure => "erasure",
            Self::Operator => "operator",
            Self::Unwanted => "unwanted",
        }
    }
}

/// One of the letters of an issue: what it carries, and under which subject. The default is the
/// whole letter under the issue's own subject.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Variant {
    pub arm: Arm,
    /// Its number among the letters that carry less, for readers who chose topics: 1, 2, 3, …;
    /// none: the whole letter.
    pub letter: Option<NonZeroU32>,
}

/// A delivery that a worker has claimed: what it needs to fill and send one letter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claimed {
    pub issue: IssueNumber,
    pub subscriber: SubscriberId,
    pub email: EmailAddress,
    /// Of the link to the reader's own page.
    pub epoch: LinkEpoch,
    pub name: Option<String>,
    /// Which attempt this is: 1 for the first.
    pub attempt: u32,
    /// When the delivery was enqueued, or the hour its reader chose; the age that
    /// `delivery.max_age` limits counts from here.
    pub enqueued_at: UnixMillis,
    /// Which of the issue's letters it is.
    pub variant: Variant,
    /// The number of the reader's choice among the issue's choices of topics, from 1; none: they
    /// chose no topics. Readers of different choices may get the same letter, which says to each
    /// what they chose.
    pub choice: Option<NonZeroU32>,
}

/// A relay's reply: the basic code, the enhanced status code (RFC 3463) when it gave one,
/// and its words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reply {
    /// 250, 451, 550, …
    pub code: u16,
    /// `5.1.1`, …
    pub enhanced: Option<String>,
    /// At most 500 characters, on one line, control characters dropped.
    pub text: String,
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = &self.enhanced {
            write!(f, " {enhanced}")?;
        }
        if self.text.is_empty() { Ok(()) } else { write!(f, " {}", self.text) }
    }
}

/// What an attempt means for its row. Decided by a pure table from the outcome; written
/// by the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Transition {
    /// The relay took responsibility with a 250.
    Sent { reply: Reply },
    /// Another try at `due_at`. `unknown` when the line dropped after the final dot: the relay may
    /// have taken it.
    Deferred { due_at: UnixMillis, reply: Option<Reply>, note: String, unknown: bool },
    /// Never again for this issue.
    Failed { reply: Option<Reply>, note: String },
    /// The letter was not tried at all (the relay was unreachable, or refuses *us*): the row goes
    /// back as it was, due at `due_at`, and the attempt does not count.
    Returned { due_at: UnixMillis, note: String },
}

/// A finished attempt on its way to the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finished {
    pub issue: IssueNumber,
    pub subscriber: SubscriberId,
    pub transition: Transition,
}

/// How many deliveries of an issue are in which state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Tally {
    pub audience: i64,
    pub queued: i64,
    pub sending: i64,
    pub deferred: i64,
    pub sent: i64,
    pub failed: i64,
    pub cancelled: i64,
    /// Deliveries, in whatever state, that had an attempt whose outcome could not be known.
    pub unknown: i64,
}

impl Tally {
    /// Promise P4: audience = queued + sending + deferred + sent + failed + cancelled.
    pub fn balances(&self) -> bool {
        self.audience == self.open() + self.sent + self.failed + self.cancelled
    }

    /// Deliveries that are not final.
    pub fn open(&self) -> i64 {
        self.queued + self.sending + self.deferred
    }
}

/// What `verdicts status --json` prints: the issue, its state and its tally.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Status {
    pub issue: IssueNumber,
    pub state: IssueState,
    #[serde(flatten)]
    pub tally: Tally,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause_reason: Option<String>,
}
