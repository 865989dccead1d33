//! The loop around a tick: is a schedule slot due? Are deliveries due? Is a run done? Beside it, notices.
//!
//! A worker keeps nothing in its head that matters: every tick reads the store again, so a worker that is killed is
//! replaced by starting another.

mod notices;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use std::sync::Arc;

use crate::delivery::{self, Mailer, Pass, Progress};
use crate::domain::UnixMillis;
use crate::domain::schedule::{Due, Schedule, decide};
use crate::publish::{self, PublishError, Publisher, Started};
use crate::store::{StoreError, WorkerLease};

pub use notices::{NoticeLoop, Notices};

/// How often the store is asked whether something is due: an operator's `send` from another process starts within this.
const POLL: Duration = Duration::from_secs(1);
/// After an error, so that a full disk or a locked database is not asked a thousand times a second.
const AFTER_ERROR: Duration = Duration::from_secs(10);

/// Scheduler and delivery, in one process.
pub struct Worker {
    pub publisher: Publisher,
    pub mailer: Arc<Mailer>,
    pub schedule: Schedule,
    pub keep: Duration,
    pub notices: Notices,
    pub stop: watch::Receiver<bool>,
}

/// How often a run that goes on is logged, in seconds.
const LOG_EVERY: u64 = 30;
/// Old deliveries that become counters in one commit, well under the time of a letter.
const CONDENSED_AT_ONCE: i64 = 2000;

/// The progress of a pass, as lines of the log.
struct Log {
    started: Instant,
    /// When the last line was written, in seconds since the start.
    said: AtomicU64,
}

impl Log {
    fn start() -> Self {
        Self { started: Instant::now(), said: AtomicU64::new(0) }
    }

    fn show(&self, progress: &Progress) {
        let now = self.started.elapsed().as_secs();
        if now < self.said.load(Ordering::Relaxed) + LOG_EVERY {
            return;
        }
        self.said.store(now, Ordering::Relaxed);
        let rate = progress.sent / now.max(1);
        let Progress { sent, failed, deferred, unknown, classes, .. } = *progress;
        tracing::info!(sent, failed, deferred, unknown, refusals = %classes, "{rate} letters a second, the run goes on");
    }
}

/// What came of looking at the schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scheduled {
    NothingDue,
    /// The slot was answered with a letter, or could not be yet.
    Ran(Started),
    /// The slot was too late or too quiet: written down, never sent.
    Skipped(String),
}

impl Worker {
    /// Runs until told to stop: letters and notices beside each other. An error of the store or of a letter is logged and tried again later; it never ends
    /// the process, since the pages are served by it too.
    pub async fn run(&self) {
        tokio::join!(self.run_letters(), self.run_notices());
    }

    async fn run_letters(&self) {
        let mut enlistment = None;
        while !*self.stop.borrow() {
            let rest = match self.tick(&mut enlistment, UnixMillis::now()).await {
                Ok(()) => POLL,
                Err(error) => {
                    tracing::error!(%error, "the worker stops for a moment");
                    AFTER_ERROR
                }
            };
            let mut stop = self.stop.clone();
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                _ = stop.wait_for(|stopping| *stopping) => {}
            }
        }
    }

    /// One look at everything.
    ///
    /// # Errors
    /// When the store does not answer or the week's letter can't be made.
    pub async fn tick(
        &self,
        enlistment: &mut Option<WorkerLease>,
        now: UnixMillis,
    ) -> Result<(), PublishError> {
        self.mailer.check_restore_guard(&self.publisher.store).await?;
        match self.schedule_tick(now).await? {
            Scheduled::NothingDue => {}
            Scheduled::Ran(started) => tracing::info!(%started, "a scheduled slot is due"),
            Scheduled::Skipped(reason) => tracing::warn!(%reason, "a scheduled slot passes without a letter"),
        }
        let pass = self.delivery_tick(enlistment, now).await?;
        if pass.is_none() && enlistment.is_some() {
            self.condense(now).await?;
            self.publisher.store.forget_address_changes(now).await?;
        }
        Ok(())
    }

    /// Turns a batch of deliveries older than `delivery.keep` into counters; only asked when no letter is due.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn condense(&self, now: UnixMillis) -> Result<u64, StoreError> {
        self.publisher.store.condense(now.minus(self.keep), CONDENSED_AT_ONCE).await
    }

    /// Answers the newest slot that is due, if no process has yet (promises P1 and P8).
    ///
    /// # Errors
    /// As [`Worker::tick`].
    pub async fn schedule_tick(&self, now: UnixMillis) -> Result<Scheduled, PublishError> {
        let store = &self.publisher.store;
        let since = store.schedule_since(&self.schedule.text(), now).await?;
        let Some(slot) = self.schedule.latest_at_or_before(now, since) else {
            return Ok(Scheduled::NothingDue);
        };
        if store.slot_taken(&slot.key).await? {
            return Ok(Scheduled::NothingDue);
        }
        let settings = &self.publisher.settings.schedule;
        let reason = match decide(&slot, now, settings.catch_up) {
            Due::TooLate => format!("slot {} was missed by more than schedule.catch_up", slot.key),
            Due::Run => match publish::run(&self.publisher, Some(&slot.key), now).await? {
                Started::Quiet(words) => format!("slot {}: {words}", slot.key),
                // Nobody will want it more a minute from now, and what it would carry rolls over.
                started @ Started::NobodyWants => format!("slot {}: {started}", slot.key),
                // Somebody may yet join, or the unfinished issue end, before catch_up is over.
                Started::Nobody | Started::Taken { .. } => return Ok(Scheduled::NothingDue),
                started @ Started::Running { .. } => return Ok(Scheduled::Ran(started)),
            },
        };
        match store.skip_slot(&slot.key, &reason, now).await? {
            true => Ok(Scheduled::Skipped(reason)),
            false => Ok(Scheduled::NothingDue),
        }
    }

    /// Sends what is due, if this process is the one that delivers.
    ///
    /// # Errors
    /// When the store does not answer; what had been read from the relay by then is recorded (promise P9).
    pub async fn delivery_tick(
        &self,
        enlistment: &mut Option<WorkerLease>,
        now: UnixMillis,
    ) -> Result<Option<Pass>, StoreError> {
        let store = &self.publisher.store;
        if enlistment.is_none() {
            *enlistment = store.enlist(now).await?;
        }
        let Some(me) = enlistment.as_ref() else { return Ok(None) };
        let found = store.reclaim(me, now).await?;
        if found > 0 {
            tracing::warn!(letters = found, "a worker is gone; what it had in flight is tried again");
        }
        if let Some(test) = store.decide_subject_test(now).await? {
            tracing::info!(issue = %test.issue, "{}", publish::decision_words(&test));
        }
        let mut pass = None;
        if store.next_due().await?.is_some_and(|due| due <= now) {
            let log = Log::start();
            let done =
                delivery::pass(store, me, &self.mailer, &self.stop, |progress| log.show(&progress)).await?;
            for (number, reason) in &done.paused {
                tracing::error!(issue = %number, %reason, "the run is paused; mend it, then \"verdicts issue resume {number}\"");
            }
            pass = Some(done);
        }
        for number in store.finish_done(now).await? {
            let tally = store.tally(number).await?;
            tracing::info!(issue = %number, sent = tally.sent, failed = tally.failed, unknown = tally.unknown, "the run is done");
        }
        Ok(pass)
    }
}
