//! The worker's other loop: notices, each within a moment of what caused it, however long a run
//! goes on beside it.
//!
//! A notice is claimed before its attempt, one at a time, so a kill leaves at most one in doubt;
//! the next worker sends it again under the same Message-ID. What the relay says of a notice is
//! written on its row and changes nobody's status.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::rest::{AFTER_ERROR, POLL};
use crate::delivery::{Mailer, SingleSession};
use crate::domain::UnixMillis;
use crate::domain::delivery::{Claimed, Transition, Variant};
use crate::domain::issue::IssueNumber;
use crate::domain::notice::{ClaimedNotice, NextNotice};
use crate::domain::signup::PENDING_KEPT;
use crate::domain::subscriber::{LinkEpoch, SubscriberId};
use crate::fault::{self, Point};
use crate::letter::{Latest, NoticeWriter};
use crate::publish::Publisher;
use crate::store::{StoreError, WorkerLease};

/// How often what is over is swept away, and what a worker that is gone had claimed is taken back.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How long a relay that can't be reached is left alone, at most; `delivery.first_retry` if that is
/// less.
const REST: Duration = Duration::from_secs(30);
/// Rows that one sweep deletes from each table.
const SWEPT_AT_ONCE: i64 = 500;
/// How long a notice that is over stays, for an operator who is asked about it.
const KEEP: Duration = Duration::from_secs(30 * 24 * 3600);

/// Sends notices. Nothing that it keeps from one tick to the next matters to a worker that starts
/// anew.
pub struct NoticeLoop {
    sender: NoticeSender,
    /// Notified by the pages of this process when they have queued a notice.
    wake: Arc<Notify>,
    stop: watch::Receiver<bool>,
    /// None as long as another process sends notices.
    lease: Option<WorkerLease>,
    swept_at: Option<UnixMillis>,
    /// The relay takes nothing at the moment: it is left alone until then.
    rests_until: Option<UnixMillis>,
    session: SingleSession,
}

struct NoticeSender {
    publisher: Publisher,
    mailer: Arc<Mailer>,
    writer: NoticeWriter,
}

impl NoticeLoop {
    /// `wake` is notified by the pages of this process when they have queued a notice; `stop` ends
    /// the loop.
    pub fn new(
        publisher: Publisher,
        mailer: Arc<Mailer>,
        writer: NoticeWriter,
        wake: Arc<Notify>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            sender: NoticeSender { publisher, mailer, writer },
            wake,
            stop,
            lease: None,
            swept_at: None,
            rests_until: None,
            session: SingleSession::default(),
        }
    }

    pub(super) async fn run(&mut self) {
        let mut stop = self.stop.clone();
        while !*self.stop.borrow() {
            let span = match self.tick(UnixMillis::now()).await {
                Ok(()) => POLL,
                Err(error) => {
                    tracing::error!(%error, "notices wait for a moment");
                    self.lease = None;
                    AFTER_ERROR
                }
            };
            self.session.close().await;
            tokio::select! {
                () = tokio::time::sleep(span) => {}
                () = self.wake.notified(), if span == POLL => {}
                _ = stop.wait_for(|stopping| *stopping) => {}
            }
        }
    }

    /// Sends what is due and may go, if this process is the one that sends notices.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn tick(&mut self, now: UnixMillis) -> Result<(), StoreError> {
        let (sender, store) = (&self.sender, &self.sender.publisher.store);
        if self.lease.is_none() {
            self.lease = store.enlist_for_notices(now).await?;
            self.swept_at = None;
        }
        let Some(me) = &self.lease else { return Ok(()) };
        if self.swept_at.is_none_or(|at| now.since(at) >= SWEEP_EVERY) {
            sender.sweep(me, now).await?;
            self.swept_at = Some(now);
        }
        if self.rests_until.is_some_and(|until| now < until) {
            return Ok(());
        }
        while !*self.stop.borrow() {
            match store.claim_notice(me, sender.mailer.rate(), now).await? {
                NextNotice::Due(notice) => {
                    if !sender.send(me, &mut self.session, &notice, now).await? {
                        let rest = REST.min(sender.publisher.settings.delivery.first_retry);
                        self.rests_until = Some(UnixMillis::now().plus(rest));
                        break;
                    }
                }
                NextNotice::At(_) | NextNotice::Nothing => break,
            }
        }
        Ok(())
    }
}

impl NoticeSender {
    /// Takes back what a worker that is gone had claimed, and deletes what is over.
    async fn sweep(&self, me: &WorkerLease, now: UnixMillis) -> Result<(), StoreError> {
        let store = &self.publisher.store;
        self.mailer.check_restore_guard(store).await?;
        let found = store.reclaim_notices(me, now).await?;
        if found > 0 {
            tracing::warn!(notices = found, "a worker is gone; the notice it had in hand is sent again");
        }
        store.forget_notices(now.minus(KEEP), SWEPT_AT_ONCE).await?;
        store.forget_allowances(now, SWEPT_AT_ONCE).await?;
        let forgotten = store.forget_pending(now.minus(PENDING_KEPT), SWEPT_AT_ONCE).await?;
        if forgotten > 0 {
            tracing::info!(addresses = forgotten, "never confirmed, so they are deleted");
        }
        Ok(())
    }

    /// False when the relay (or the outbox) could not even be asked: then the others need not try.
    async fn send(
        &self,
        me: &WorkerLease,
        session: &mut SingleSession,
        notice: &ClaimedNotice,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        fault::point(Point::Claim);
        let transition = match self.writer.write(notice, self.latest().await?.as_ref()) {
            Ok(letter) => {
                let id = self.publisher.keyring.notice_message_id(notice.id);
                let name = format!("notice-{:08}-{id}", notice.id.0);
                self.mailer.attempt(session, &stand_in(notice), &name, &letter).await.transition
            }
            Err(error) => Transition::Failed { reply: None, note: error.to_string() },
        };
        let (id, kind, to) = (notice.id.0, notice.kind, &notice.email);
        match &transition {
            Transition::Sent { .. } => tracing::info!(id, %kind, %to, "a notice is sent"),
            Transition::Failed { note, .. } => {
                tracing::error!(id, %kind, %to, %note, "a notice failed and is not tried again");
            }
            Transition::Deferred { note, .. } | Transition::Returned { note, .. } => {
                tracing::warn!(id, %kind, %to, %note, "a notice is tried again later");
            }
        }
        self.publisher.store.finish_notice(me, notice.id, &transition, now).await?;
        Ok(!matches!(transition, Transition::Returned { .. }))
    }

    /// The newest issue that is there for everybody.
    async fn latest(&self) -> Result<Option<Latest>, StoreError> {
        let latest = self.publisher.store.latest_public_issue().await?;
        let site = &self.publisher.settings.site;
        Ok(latest.map(|issue| Latest::new(site, issue.number, &issue.subject)))
    }
}

/// A notice as the table of outcomes reads a row: it looks at the address, the attempt and the age.
fn stand_in(notice: &ClaimedNotice) -> Claimed {
    Claimed {
        issue: IssueNumber(0),
        subscriber: SubscriberId(notice.id.0),
        email: notice.email.clone(),
        epoch: LinkEpoch::default(),
        name: None,
        attempt: notice.attempt,
        enqueued_at: notice.created_at,
        variant: Variant::default(),
        choice: None,
    }
}
