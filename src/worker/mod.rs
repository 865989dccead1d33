//! The loops around the ticks: is a schedule slot due? Are deliveries due? Is a run done? Beside
//! them, notices.
//!
//! - [`Deliverer::tick`] is the one place where letters of issues are delivered from: by
//!   [`Worker::run`] at every look, and by `verdicts send` for one issue ([`deliver_issue`]). An
//!   [`Observer`] hears what it does.
//! - [`Scheduler::tick`] answers the slots of the schedule.
//! - [`NoticeLoop::tick`] sends notices, on a loop of its own.
//!
//! A worker keeps nothing in memory that matters: every tick reads the store again, so a worker
//! that is killed is replaced by starting another.

mod log;
mod notices;
mod observer;
mod one_issue;
mod rest;
mod schedule;
mod tick;

use std::time::Duration;

use tokio::sync::watch;

use crate::domain::UnixMillis;
use crate::publish::PublishError;

use self::log::LogObserver;
use self::rest::{AFTER_ERROR, POLL, rest};

pub use self::notices::NoticeLoop;
pub use self::observer::Observer;
pub use self::one_issue::{Until, deliver_issue};
pub use self::schedule::{Scheduled, Scheduler};
pub use self::tick::{Deliverer, Ticked};

/// Old deliveries that become counters in one commit, well under the time of a letter.
const CONDENSED_AT_ONCE: i64 = 2000;

/// Schedule, letters and notices, in one process.
pub struct Worker {
    pub scheduler: Scheduler,
    pub deliverer: Deliverer,
    pub notices: NoticeLoop,
    /// How long a delivery keeps its row after its issue is finished.
    pub keep: Duration,
    pub stop: watch::Receiver<bool>,
}

/// The half of a worker that makes and delivers letters of issues.
struct LetterLoop {
    scheduler: Scheduler,
    deliverer: Deliverer,
    keep: Duration,
    log: LogObserver,
}

impl Worker {
    /// Runs until told to stop: letters and notices beside each other. An error of the store or of
    /// a letter is logged and tried again later; it never ends the process, since the pages are
    /// served by it too.
    pub async fn run(self) {
        let Self { scheduler, deliverer, mut notices, keep, stop } = self;
        let letters = LetterLoop { scheduler, deliverer, keep, log: LogObserver::new() };
        tokio::join!(letters.run(&stop), notices.run());
    }
}

impl LetterLoop {
    async fn run(mut self, stop: &watch::Receiver<bool>) {
        while !*stop.borrow() {
            let span = match self.tick(UnixMillis::now()).await {
                Ok(()) => POLL,
                Err(error) => {
                    tracing::error!(%error, "the worker stops for a moment");
                    AFTER_ERROR
                }
            };
            rest(span, stop).await;
        }
    }

    /// One look at everything.
    async fn tick(&mut self, now: UnixMillis) -> Result<(), PublishError> {
        self.deliverer.check_restore_guard().await?;
        match self.scheduler.tick(now).await? {
            Scheduled::NothingDue => {}
            Scheduled::Ran(started) => tracing::info!(%started, "a scheduled slot is due"),
            Scheduled::Skipped(reason) => tracing::warn!(%reason, "a scheduled slot passes without a letter"),
        }
        if matches!(self.deliverer.tick(&self.log, now).await?, Ticked::Idle) {
            let store = &self.scheduler.publisher.store;
            store.condense(now.minus(self.keep), CONDENSED_AT_ONCE).await?;
            store.forget_address_changes(now).await?;
        }
        Ok(())
    }
}
