//! One pass over what is due.
//!
//! A [`pass`] starts one ledger and as many connections as the settings allow. The ledger alone talks to the store. A
//! connection holds at most two letters: one on its way, and the next. It says what became of the first and asks for leave to
//! send the next, and for one more to hold, in the same breath; the answer comes after the commit that wrote both down.
//!
//! Why at most one outcome for each connection is unknown after a crash, although two rows are *sending*: a row is claimed
//! with a mark that its letter has not begun. The commit that takes the mark away is the one that records the letter before
//! it on that connection, and no letter's final dot is written before its mark is gone. So of a connection's rows
//! one at most has no mark, the relay can have that one only, and the marked one goes back untried. For the same reason an
//! unsubscribe takes effect for all but that one: leave is refused to a reader who has left meanwhile.
//!
//! What is absent: a queue in memory, a transaction that is open while a relay thinks, a retry that does not go through the store.

use std::any::Any;
use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::backoff::Patience;
use super::connection::Connection;
use super::filling::Fillers;
use super::lanes::Limits;
use super::ledger::Ledger;
use super::pool::Pool;
use super::relays::Relays;
use super::speed::Speed;
use crate::domain::class::Classes;
use crate::domain::delivery::Claimed;
use crate::domain::issue::IssueNumber;
use crate::domain::rate::Rate;
use crate::domain::token::Keyring;
use crate::domain::{EmailAddress, UnixMillis};
use crate::mail::{Outbox, Relay, Wire};
use crate::store::{MarkFile, Store, StoreError, WorkerLease};

/// How letters go out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Sessions at a time, at most.
    pub connections: usize,
    /// None: as fast as the relay takes them.
    pub rate: Option<Rate>,
    /// The wait after a first refusal for now; it doubles from there.
    pub first_retry: Duration,
    /// The age from which on a letter is not tried again.
    pub max_age: Duration,
    /// The wait after a first failed connection attempt, when no other session stands; five times as long after the second.
    pub reconnect: Duration,
    /// How long a pass waits for the next letter that the pace allows; if that takes longer, the pass ends.
    pub linger: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections: 10,
            rate: None,
            first_retry: Duration::from_secs(60),
            max_age: Duration::from_secs(2 * 24 * 3600),
            reconnect: Duration::from_secs(5),
            linger: Duration::from_secs(60 * 60),
        }
    }
}

/// Where letters are handed over.
pub enum Transport {
    Outbox(Outbox),
    Smtp(Box<Relay>),
    /// Several relays, by weight; one that fails is left out.
    Several(Relays),
}

/// A letter as its carrier takes it.
pub(super) enum Ready {
    File(Vec<u8>),
    Wire(Wire),
}

/// The letters of one issue, ready to be filled in for a reader.
pub trait Letters: Send + Sync {
    /// Writes the letter of `claimed` into `out`, which is empty: CRLF line ends, ASCII, the same Message-ID at every attempt.
    fn fill(&self, claimed: &Claimed, now: UnixMillis, out: &mut Vec<u8>);

    /// Whether filling takes so long (a signature does) that it belongs on a thread of its own.
    fn is_work(&self) -> bool {
        false
    }
}

/// Loads the letters of an issue; an error is words for the operator and pauses the run.
pub type Loader = Arc<
    dyn Fn(IssueNumber) -> Pin<Box<dyn Future<Output = Result<Arc<dyn Letters>, String>> + Send>>
        + Send
        + Sync,
>;

/// What the time is. Tests have their own.
pub type Clock = Arc<dyn Fn() -> UnixMillis + Send + Sync>;

/// All that a pass needs besides the store. It remembers nothing from one pass to the next: the pace is the store's.
pub struct Mailer {
    pub(super) carrier: Transport,
    pub(super) settings: Settings,
    /// The envelope's sender: where bounces go.
    pub(super) envelope_from: EmailAddress,
    /// With a tag for each delivery, or without.
    pub(super) verp: bool,
    /// Names the outbox's files after the Message-ID.
    pub(super) keyring: Keyring,
    pub(super) letters: Loader,
    pub(super) clock: Clock,
    pub(super) limits: Arc<Limits>,
    mark: Option<MarkFile>,
}

impl Mailer {
    pub fn new(
        carrier: Transport,
        settings: Settings,
        envelope_from: EmailAddress,
        keyring: Keyring,
        letters: Loader,
    ) -> Self {
        Self {
            carrier,
            settings,
            envelope_from,
            verp: false,
            keyring,
            letters,
            clock: Arc::new(UnixMillis::now),
            limits: Arc::default(),
            mark: None,
        }
    }

    /// With limits for domains or days, besides the rate of everything.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = Arc::new(limits);
        self
    }

    /// With a tag in each letter's envelope sender, that leads its bounce back to the delivery.
    #[must_use]
    pub fn with_bounce_address(mut self, bounces: EmailAddress) -> Self {
        (self.envelope_from, self.verp) = (bounces, true);
        self
    }

    /// The envelope's sender of one letter.
    pub(super) fn sender(&self, claimed: &Claimed) -> Cow<'_, EmailAddress> {
        if self.verp {
            Cow::Owned(self.keyring.bounce_address(&self.envelope_from, claimed.issue, claimed.subscriber))
        } else {
            Cow::Borrowed(&self.envelope_from)
        }
    }

    /// With another clock, for tests that move the time.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Remembering outside the database how far it has come, so that no older copy of it is sent from.
    #[must_use]
    pub fn with_mark(mut self, mark: MarkFile) -> Self {
        self.mark = Some(mark);
        self
    }

    /// Refuses an older copy of the database.
    ///
    /// # Errors
    /// [`StoreError::Restored`], or what the store says.
    pub async fn check_mark(&self, store: &Store) -> Result<(), StoreError> {
        match &self.mark {
            Some(mark) => mark.check(store).await,
            None => Ok(()),
        }
    }

    async fn advance_mark(&self, store: &Store) -> Result<(), StoreError> {
        match &self.mark {
            Some(mark) => mark.advance(store).await,
            None => Ok(()),
        }
    }

    /// One reader's letter, made in `space`.
    pub(super) fn letter(&self, letters: &dyn Letters, claimed: &Claimed, mut space: Vec<u8>) -> Ready {
        space.clear();
        letters.fill(claimed, self.now(), &mut space);
        match self.carrier {
            Transport::Outbox(_) => Ready::File(space),
            Transport::Smtp(_) | Transport::Several(_) => Ready::Wire(Wire::new(space)),
        }
    }

    pub(super) fn now(&self) -> UnixMillis {
        (self.clock)()
    }

    pub(super) fn patience(&self) -> Patience {
        Patience { first_retry: self.settings.first_retry, max_age: self.settings.max_age }
    }
}

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

/// Sends everything that is due of running issues, and returns when nothing is due or in flight any more, when the run was
/// paused, or when `stop` became true: then what is in flight is finished, and nothing more is claimed.
///
/// # Errors
/// The store's error, after some tries to write down what was known. The connections are cut off then: a letter whose
/// row can't be written is better not sent. Rows that were in flight are found by [`Store::reclaim`].
pub async fn pass(
    store: &Store,
    me: &WorkerLease,
    post: &Arc<Mailer>,
    stop: &watch::Receiver<bool>,
    watch: impl Fn(Progress),
) -> Result<Pass, StoreError> {
    post.check_mark(store).await?;
    if store.next_due().await?.is_some_and(|due| due <= post.now()) {
        post.advance_mark(store).await?;
    }
    let connections = post.settings.connections.max(1);
    let (turns, mut inbox) = mpsc::channel(connections * 2);
    let pool = Arc::new(Pool::default());
    let fillers = Arc::new(Fillers::new(connections));
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let connection = Connection::new(post, &pool, &fillers, &turns, stop);
        tasks.spawn(connection.run());
    }
    drop(turns);
    let done = AtomicU64::new(0);
    let counted = |progress: Progress| {
        done.store(progress.sent + progress.failed, Ordering::Relaxed);
        watch(progress);
    };
    let ledger = Ledger::new(store, me, post, stop.clone(), counted);
    let result = tokio::select! {
        result = ledger.run(&mut inbox) => result,
        panic = first_panic(&mut tasks) => std::panic::resume_unwind(panic),
        never = keep_mark(store, post) => match never {},
        never = note_speed(store, me, post, &done) => match never {},
    };
    drop(inbox);
    if result.is_err() {
        tasks.abort_all();
    }
    while tasks.join_next().await.is_some() {}
    if result.as_ref().is_ok_and(|pass| pass.sent > 0) {
        post.advance_mark(store).await?;
    }
    result
}

/// How much of a run an older copy of the database may miss without being known for one.
const MARK_EVERY: Duration = Duration::from_secs(5);

async fn keep_mark(store: &Store, post: &Mailer) -> Infallible {
    loop {
        sleep(MARK_EVERY).await;
        // A full disk is the ledger's to find out; the run does not end for this.
        if let Err(error) = post.advance_mark(store).await {
            tracing::warn!(%error, "how far the run has come could not be remembered");
        }
    }
}

/// How often a worker notes its speed for `status`.
const NOTE_EVERY: Duration = Duration::from_secs(2);

async fn note_speed(store: &Store, me: &WorkerLease, post: &Mailer, done: &AtomicU64) -> Infallible {
    let begun = Instant::now();
    let mut speed = Speed::default();
    speed.sample(Duration::ZERO, 0);
    loop {
        sleep(NOTE_EVERY).await;
        speed.sample(begun.elapsed(), done.load(Ordering::Relaxed));
        if let Some(per_second) = speed.per_second()
            && let Err(error) = store.note_speed(me, per_second, post.now()).await
        {
            // Whatever it is, the ledger finds out with its next commit.
            tracing::debug!(%error, "the speed of the run could not be noted");
        }
    }
}

/// A connection that panics takes its letter with it, and the ledger would wait for it for ever.
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
