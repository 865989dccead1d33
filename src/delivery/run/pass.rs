//! One pass over what is due.
//!
//! A [`pass`] starts one ledger and as many connections as the settings allow. The ledger alone
//! talks to the store. A connection holds at most two letters: one on its way, and the next. With
//! one message it says what became of the first, asks to send the next, and asks for one more to
//! hold; the answer comes after the commit that wrote it down.
//!
//! Why at most one outcome for each connection is unknown after a crash, although two rows are
//! *sending*: a row is claimed with a mark that its letter has not begun. The commit that takes the
//! mark away is the one that records the letter before it on that connection, and no letter's final
//! dot is written before its mark is gone. So of a connection's rows one at most has no mark, the
//! relay can have that one only, and the marked one goes back untried. For the same reason an
//! unsubscribe takes effect for all but that one: a letter to a reader who has left meanwhile is
//! not granted.
//!
//! What is absent: a queue in memory, a transaction that is open while a relay answers, a retry
//! that does not go through the store.

use std::any::Any;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::connection::Connection;
use super::fillers::Fillers;
use super::ledger::Ledger;
use super::progress::{Pass, Progress};
use super::speed::Speed;
use crate::delivery::mailer::Mailer;
use crate::delivery::relay::sessions::Sessions;
use crate::store::{Store, StoreError, WorkerLease};

/// Sends everything that is due of running issues, and returns when nothing is due or in flight any
/// more, when the run was paused, or when `stop` became true: then what is in flight is finished,
/// and nothing more is claimed.
///
/// # Errors
/// The store's error, after some tries to write down what had come back. The connections are cut
/// off then: a letter whose row can't be written is better not sent. Rows that were in flight are
/// found by [`Store::reclaim`].
pub async fn pass(
    store: &Store,
    me: &WorkerLease,
    mailer: &Arc<Mailer>,
    stop: &watch::Receiver<bool>,
    watch: impl Fn(Progress),
) -> Result<Pass, StoreError> {
    mailer.check_restore_guard(store).await?;
    if store.next_due().await?.is_some_and(|due| due <= mailer.now()) {
        mailer.advance_restore_guard(store).await?;
    }
    let connections = mailer.settings.connections.max(1);
    let (turns, mut inbox) = mpsc::channel(connections * 2);
    let sessions = Arc::new(Sessions::default());
    let fillers = Arc::new(Fillers::new(connections));
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let connection = Connection::new(mailer, &sessions, &fillers, &turns, stop);
        tasks.spawn(connection.run());
    }
    drop(turns);
    let done = AtomicU64::new(0);
    let counted = |progress: Progress| {
        done.store(progress.sent + progress.failed, Ordering::Relaxed);
        watch(progress);
    };
    let ledger = Ledger::new(store, me, mailer, stop.clone(), counted);
    let result = tokio::select! {
        result = ledger.run(&mut inbox) => result,
        panic = first_panic(&mut tasks) => std::panic::resume_unwind(panic),
        never = keep_mark(store, mailer) => match never {},
        never = note_speed(store, me, mailer, &done) => match never {},
    };
    drop(inbox);
    if result.is_err() {
        tasks.abort_all();
    }
    while tasks.join_next().await.is_some() {}
    if result.as_ref().is_ok_and(|pass| pass.sent > 0) {
        mailer.advance_restore_guard(store).await?;
    }
    result
}

/// How much of a run an older copy of the database may miss without being known for one.
const MARK_EVERY: Duration = Duration::from_secs(5);

async fn keep_mark(store: &Store, mailer: &Mailer) -> Infallible {
    loop {
        sleep(MARK_EVERY).await;
        // A full disk is the ledger's to find out; the run does not end for this.
        if let Err(error) = mailer.advance_restore_guard(store).await {
            tracing::warn!(%error, "how far the run has come could not be remembered");
        }
    }
}

/// How often a worker notes its speed for `status`.
const NOTE_EVERY: Duration = Duration::from_secs(2);

async fn note_speed(store: &Store, me: &WorkerLease, mailer: &Mailer, done: &AtomicU64) -> Infallible {
    let begun = Instant::now();
    let mut speed = Speed::default();
    speed.sample(Duration::ZERO, 0);
    loop {
        sleep(NOTE_EVERY).await;
        speed.sample(begun.elapsed(), done.load(Ordering::Relaxed));
        if let Some(per_second) = speed.per_second()
            && let Err(error) = store.note_speed(me, per_second, mailer.now()).await
        {
            // Whatever it is, the ledger finds out with its next commit.
            tracing::debug!(%error, "the speed of the run could not be noted");
        }
    }
}

/// The panic of a connection: its letter is lost with it, and the ledger would wait for that for
/// ever.
async fn first_panic(tasks: &mut JoinSet<()>) -> Box<dyn Any + Send> {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended
            && error.is_panic()
        {
            return error.into_panic();
        }
    }
    std::future::pending().await
}
