//! Readers who leave at the same moment share a commit, since most of what one costs is the wait
//! for the disk: the first to come waits for the writer's place, and takes along all who have come
//! by the time it is free. Each of them is answered after that commit, as if it had been their own.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::domain::UnixMillis;
use crate::domain::subscriber::SubscriberId;
use crate::store::db::error::{Result, StoreError};

/// The most readers in one commit.
const GROUP: usize = 512;

/// How many deliveries were cancelled; none: no such reader.
pub(in crate::store) type Cancelled = Option<u64>;

/// Readers who wait for the commit that takes them off the list.
#[derive(Default)]
pub(in crate::store) struct Leavers {
    waiting: Mutex<Vec<Ticket>>,
    /// One group at a time.
    turn: tokio::sync::Mutex<()>,
}

/// A reader who waits.
pub(in crate::store) struct Ticket {
    pub(in crate::store) id: SubscriberId,
    pub(in crate::store) hash: String,
    pub(in crate::store) at: UnixMillis,
    answer: oneshot::Sender<Result<Cancelled>>,
}

impl Leavers {
    /// Puts a reader on the list. True: it is the first, and its caller has to see to the commit.
    pub(in crate::store) fn join(
        &self,
        id: SubscriberId,
        hash: &str,
        at: UnixMillis,
    ) -> (oneshot::Receiver<Result<Cancelled>>, bool) {
        let (answer, told) = oneshot::channel();
        let mut waiting = self.waiting();
        waiting.push(Ticket { id, hash: hash.to_owned(), at, answer });
        (told, waiting.len() == 1)
    }

    /// Waits until no other group is being committed.
    pub(in crate::store) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Takes the next group off the list, and says whether others are left on it: whoever comes
    /// from then on is not the first, and counts on the caller.
    pub(in crate::store) fn next_group(&self) -> (Vec<Ticket>, bool) {
        let mut waiting = self.waiting();
        let end = waiting.len().min(GROUP);
        let group = waiting.drain(..end).collect();
        (group, !waiting.is_empty())
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Ticket>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells each of a group what came of the commit.
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
