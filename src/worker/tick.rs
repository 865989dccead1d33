//! One look at the queue, by whoever delivers: the lease, what a dead worker left, a subject test
//! that is due, a pass over what is due, and runs that are done.
//!
//! Nothing is kept from one tick to the next but what [`Deliverer`] holds, and nothing of that
//! matters to a process that starts anew: every tick reads the store again.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::observer::Observer;
use crate::delivery::{self, Mailer, Pass};
use crate::domain::UnixMillis;
use crate::store::{Store, StoreError, WorkerLease};

/// Delivers what is due, if this process is the one that delivers.
pub struct Deliverer {
    store: Store,
    mailer: Arc<Mailer>,
    stop: watch::Receiver<bool>,
    /// None as long as another process delivers from this database.
    lease: Option<WorkerLease>,
}

/// What came of a tick.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ticked {
    /// Another process delivers.
    Elsewhere,
    /// Nothing was due.
    Idle,
    Passed(Pass),
}

impl Deliverer {
    /// `stop` ends a pass: what is in flight is finished, and nothing more is claimed.
    pub fn new(store: Store, mailer: Arc<Mailer>, stop: watch::Receiver<bool>) -> Self {
        Self { store, mailer, stop, lease: None }
    }

    /// Whether it was told to stop.
    pub fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn stop(&self) -> &watch::Receiver<bool> {
        &self.stop
    }

    /// Refuses an older copy of the database.
    ///
    /// # Errors
    /// [`StoreError::Restored`], or that of a store that does not answer.
    pub(super) async fn check_restore_guard(&self) -> Result<(), StoreError> {
        self.mailer.check_restore_guard(&self.store).await
    }

    /// Sends what is due, if this process is the one that delivers.
    ///
    /// # Errors
    /// When the store does not answer; what had been read from the relay by then is recorded
    /// (promise P9).
    pub async fn tick(&mut self, observer: &impl Observer, now: UnixMillis) -> Result<Ticked, StoreError> {
        if self.lease.is_none() {
            self.lease = self.store.enlist(now).await?;
        }
        let Some(me) = &self.lease else {
            observer.elsewhere();
            return Ok(Ticked::Elsewhere);
        };
        let ticked = self.deliver(me, observer, now).await;
        if ticked.is_err() {
            // The connection that held the lease may be gone, and rows may stand as ours that none
            // of our connections has. Under a new lease both are like those of a worker that died.
            self.lease = None;
        }
        ticked
    }

    /// The tick of the process that holds the lease.
    async fn deliver(
        &self,
        me: &WorkerLease,
        observer: &impl Observer,
        now: UnixMillis,
    ) -> Result<Ticked, StoreError> {
        let begun = Instant::now();
        self.reclaim(me, observer, now).await?;
        self.decide(observer, now).await?;
        let pass = self.pass(me, observer, now).await?;
        // A pass may have gone on for hours.
        self.finish(observer, now.plus(begun.elapsed())).await?;
        Ok(pass.map_or(Ticked::Idle, Ticked::Passed))
    }

    /// Takes back what a worker that is gone had in flight.
    async fn reclaim(
        &self,
        me: &WorkerLease,
        observer: &impl Observer,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let found = self.store.reclaim(me, now).await?;
        if found > 0 {
            observer.reclaimed(found);
        }
        Ok(())
    }

    /// Names the winner of a subject test whose time has come; that makes letters due.
    async fn decide(&self, observer: &impl Observer, now: UnixMillis) -> Result<(), StoreError> {
        if let Some(test) = self.store.decide_subject_test(now).await? {
            observer.decided(&test);
        }
        Ok(())
    }

    /// Sends what is due; None if nothing is.
    async fn pass(
        &self,
        me: &WorkerLease,
        observer: &impl Observer,
        now: UnixMillis,
    ) -> Result<Option<Pass>, StoreError> {
        if self.store.next_due().await?.is_none_or(|due| due > now) {
            return Ok(None);
        }
        observer.pass_begins();
        let watch = |progress| observer.progress(&progress);
        let pass = delivery::pass(&self.store, me, &self.mailer, &self.stop, watch).await?;
        for (issue, reason) in &pass.paused {
            observer.paused(*issue, reason);
        }
        Ok(Some(pass))
    }

    /// Closes the runs that have no open letter left, whoever sent the last one.
    pub(super) async fn finish(&self, observer: &impl Observer, now: UnixMillis) -> Result<(), StoreError> {
        for issue in self.store.finish_done(now).await? {
            let tally = self.store.tally(issue).await?;
            observer.finished(issue, &tally);
        }
        Ok(())
    }
}
