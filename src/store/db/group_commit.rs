//! Requests that share a commit: most of what one costs is the wait for the disk.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tokio::sync::oneshot;

use crate::domain::UnixMillis;
use crate::domain::subscriber::SubscriberId;
use crate::store::db::error::{Result, StoreError};

/// Readers who wait for the commit that takes them off the list.
#[derive(Default)]
pub(in crate::store) struct Leavers {
    pub(in crate::store) waiting: Mutex<Vec<Ticket>>,
    /// One group at a time.
    pub(in crate::store) turn: tokio::sync::Mutex<()>,
}

pub(in crate::store) struct Ticket {
    pub(in crate::store) id: SubscriberId,
    pub(in crate::store) hash: String,
    pub(in crate::store) at: UnixMillis,
    pub(in crate::store) answer: oneshot::Sender<Result<Option<u64>>>,
}

pub(in crate::store) fn answer_all(group: Vec<Ticket>, done: Result<BTreeMap<i64, u64>>) {
    match done {
        Ok(mut cancelled) => {
            for ticket in group {
                // What is cancelled is cancelled once: a second ticket of the same reader finds
                // nothing left.
                let count = cancelled.get_mut(&ticket.id.0).map(std::mem::take);
                let _ = ticket.answer.send(Ok(count));
            }
        }
        Err(error) => {
            let words = error.to_string();
            for ticket in group {
                let _ = ticket.answer.send(Err(StoreError::Shared(words.clone())));
            }
        }
    }
}
