//! What connections and the ledger say to each other.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::delivery::mailer::Letters;
use crate::delivery::outcome::transition::Signal;
use crate::domain::delivery::{Claimed, Finished};
use crate::domain::issue::IssueNumber;
use crate::domain::subscriber::SubscriberId;

/// What a connection tells the ledger: what became of its letters, and what it asks for.
pub(super) struct Turn {
    pub finished: Vec<(Finished, Signal)>,
    pub request: Request,
}

pub(super) enum Request {
    Nothing,
    /// A letter, whenever there is one.
    Job(oneshot::Sender<Job>),
    /// To end the letter that it holds, and the next one if there is one. Answered with the next
    /// commit.
    Grant(DeliveryKey, oneshot::Sender<Grant>),
}

pub(super) type DeliveryKey = (IssueNumber, SubscriberId);

/// The answer after the commit that wrote down all that the connection had told.
pub(super) struct Grant {
    /// Whether the letter may end: its row says that an attempt is under way.
    pub granted: bool,
    pub next: Option<Job>,
}

/// A letter to send, claimed and committed as being sent.
pub(super) struct Job {
    pub claimed: Claimed,
    pub letters: Arc<dyn Letters>,
}

impl Job {
    pub(super) fn key(&self) -> DeliveryKey {
        (self.claimed.issue, self.claimed.subscriber)
    }
}
