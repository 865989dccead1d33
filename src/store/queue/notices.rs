//! The queue of notices: written in the transaction of what caused them, claimed before each
//! attempt, one at a time.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::domain::UnixMillis;
use crate::domain::delivery::Transition;
use crate::domain::notice::{ClaimedNotice, NewNotice, NextNotice, NoticeId, NoticeKind};
use crate::domain::pace::{Gcra, Lane};
use crate::domain::rate::Rate;
use crate::domain::subscriber::SubscriberId;
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Lock, Write};
use crate::store::db::values::{address, json, small};
use crate::store::queue::rate_state::{ALL, RateState};
use crate::store::queue::record::words;
use crate::store::queue::worker_lease::{AND_GONE, LEASE, WorkerLease};

/// One notice for the operator's eyes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoticeRow {
    pub kind: NoticeKind,
    /// queued, sending, sent or failed.
    pub state: String,
    pub attempts: u32,
    pub created_at: UnixMillis,
    /// What the relay said last.
    pub reply: Option<String>,
    pub note: Option<String>,
}

statements! {
    INSERT = "
        INSERT INTO notice (kind, email, subscriber, data, state, created_at, due_at)
        VALUES ($1, $2, $3, $4, 'queued', $5, $5) RETURNING id";

    WITHHOLD = "DELETE FROM notice WHERE id = $1 AND CAST($2 AS BIGINT) = 1";

    NEXT = "SELECT MIN(due_at) AS due FROM notice WHERE state = 'queued'";

    CLAIM = "
        UPDATE notice SET state = 'sending', attempts = attempts + 1, due_at = NULL, lease_until = $2, worker = $3, note = NULL
        WHERE id = (SELECT q.id FROM notice q WHERE q.state = 'queued' AND q.due_at <= $1
                    ORDER BY q.due_at, q.id LIMIT 1 {skip locked})
        RETURNING id, kind, email, subscriber, data, attempts, created_at";

    BACK = "
        UPDATE notice AS q SET state = 'queued', due_at = $1, lease_until = NULL, worker = NULL,
            note = 'the worker stopped in the middle of the attempt'
        WHERE q.state = 'sending' AND q.worker <> $2 {and gone}", on_postgres(&[("{and gone}", AND_GONE)]),
        may_scan("q USING INDEX notice_sending", "what is being sent at this moment");

    /// Sent wins over whatever has become of the row meanwhile, as it does in the ledger.
    DONE = "
        UPDATE notice SET state = $3, due_at = $4, finished_at = $5, lease_until = NULL, worker = NULL,
            attempts = attempts - $6, reply_code = $7, reply_enhanced = $8, reply_text = $9, note = $10
        WHERE id = $1 AND (state = 'sending' AND worker = $2 OR $3 = 'sent' AND state = 'queued')";

    OLD = "
        DELETE FROM notice WHERE id IN (
            SELECT q.id FROM notice q WHERE q.finished_at IS NOT NULL AND q.finished_at <= $1
            ORDER BY q.finished_at LIMIT CAST($2 AS BIGINT))";

    TO = "
        SELECT kind, state, attempts, created_at, reply_code, reply_text, note FROM notice
        WHERE subscriber = $1 ORDER BY id DESC LIMIT 10";

    FORGET = "DELETE FROM notice WHERE subscriber = $1";

    FORGET_FOR_LEAVERS = "
        DELETE FROM notice WHERE subscriber IN (SELECT CAST(e.value AS BIGINT) FROM {texts})
          AND state = 'queued' AND kind IN ('already_subscribed', 'welcome')";

    COUNT = "SELECT state, COUNT(*) AS n FROM notice GROUP BY state ORDER BY state",
        may_scan("notice", "for an operator, who seldom asks");
}

/// Puts a notice into the queue, within the transaction of what it is about.
pub(in crate::store) async fn insert(
    tx: &mut Write<'_>,
    notice: &NewNotice,
    now: UnixMillis,
) -> Result<NoticeId> {
    let rows = tx
        .query(&INSERT)
        .bind(notice.kind.as_str())
        .bind(notice.email.expose())
        .bind(notice.subscriber.map(|id| id.0))
        .bind(json(&notice.data)?)
        .bind(now.0)
        .fetch_all(&mut *tx.tx)
        .await?;
    let row = rows.first().ok_or(StoreError::Statement("INSERT … RETURNING gave no row".to_owned()))?;
    Ok(NoticeId(row.try_get("id")?))
}

/// As [`insert`], and takes it out again if nobody may be written to: as much work, so that its
/// time tells nothing.
pub(in crate::store) async fn insert_unless(
    tx: &mut Write<'_>,
    withheld: bool,
    notice: &NewNotice,
    now: UnixMillis,
) -> Result<()> {
    let id = insert(tx, notice, now).await?;
    tx.query(&WITHHOLD).bind(id.0).bind(i64::from(withheld)).execute(&mut *tx.tx).await?;
    Ok(())
}

/// Those that nobody who has left should get any more.
pub(in crate::store) async fn forget_for_leavers(tx: &mut Write<'_>, ids: &[String]) -> Result<()> {
    tx.query(&FORGET_FOR_LEAVERS).bind(json(&ids)?).execute(&mut *tx.tx).await?;
    Ok(())
}

/// Every notice to a person, with the address in it.
pub(in crate::store) async fn forget(tx: &mut Write<'_>, subscriber: SubscriberId) -> Result<()> {
    tx.query(&FORGET).bind(subscriber.0).execute(&mut *tx.tx).await?;
    Ok(())
}

impl Store {
    /// Puts a notice into the queue, due at once, in a commit of its own.
    pub async fn add_notice(&self, notice: &NewNotice, now: UnixMillis) -> Result<NoticeId> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        let id = insert(&mut tx, notice, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Takes back what a worker that is gone had claimed; how many.
    ///
    /// # Errors
    /// `LeaseLost` if our own hold is lost.
    pub async fn reclaim_notices(&self, me: &WorkerLease, now: UnixMillis) -> Result<u64> {
        me.check().await?;
        let mut tx = self.inner.begin(Durability::Full).await?;
        let back = tx.query(&BACK).bind(now.0).bind(me.worker).execute(&mut *tx.tx).await?;
        tx.commit().await?;
        Ok(back.rows_affected())
    }

    /// Claims the notice that has been due longest, if the rate of all letters lets one go: the
    /// attempt is committed before the relay is asked. A notice goes ahead of letters, and takes
    /// the place of one.
    pub async fn claim_notice(
        &self,
        me: &WorkerLease,
        rate: Option<Rate>,
        now: UnixMillis,
    ) -> Result<NextNotice> {
        // Asked often, and mostly there is none: look without taking the writer's place.
        let next = self.inner.query(&NEXT).fetch_one(&self.inner.read).await?;
        match next.try_get::<Option<i64>, _>("due")?.map(UnixMillis) {
            None => return Ok(NextNotice::Nothing),
            Some(due) if due > now => return Ok(NextNotice::At(due)),
            Some(_) => {}
        }
        let mut tx = self.inner.begin(Durability::Full).await?;
        if let Some(rate) = rate
            && let Some(at) = self.take_ahead(&mut tx, rate, now).await?
        {
            return Ok(NextNotice::At(at));
        }
        let claimed = tx
            .query(&CLAIM)
            .bind(now.0)
            .bind(now.plus(LEASE).0)
            .bind(me.worker)
            .fetch_all(&mut *tx.tx)
            .await?;
        let Some(row) = claimed.first() else { return Ok(NextNotice::Nothing) };
        let notice = notice(row)?;
        tx.commit().await?;
        Ok(NextNotice::Due(notice))
    }

    /// Takes a letter's place at the rate of everything; when to come again if there is none yet.
    async fn take_ahead(
        &self,
        tx: &mut Write<'_>,
        rate: Rate,
        now: UnixMillis,
    ) -> Result<Option<UnixMillis>> {
        tx.lock(Lock::Paces).await?;
        let (mut lanes, gcra) = (RateState::new(), Gcra::new(rate));
        self.read_rate_state(tx, std::iter::once(ALL), &mut lanes, now).await?;
        let lane = lanes.entry(ALL.to_owned()).or_insert_with(|| Lane::new(now));
        if let Some(at) = gcra.wait_ahead(lane.tat, now) {
            return Ok(Some(at));
        }
        lane.tat = gcra.take(lane.tat, 1, now);
        self.write_rate_state(tx, &lanes).await?;
        Ok(None)
    }

    /// Writes down what became of a claimed notice. One that was taken over by another worker
    /// meanwhile is left alone, unless it was sent.
    ///
    /// # Errors
    /// The notice is still claimed then.
    pub async fn finish_notice(
        &self,
        me: &WorkerLease,
        id: NoticeId,
        transition: &Transition,
        now: UnixMillis,
    ) -> Result<()> {
        let (state, due, ends, returned, reply, note) = match transition {
            Transition::Sent { reply } => ("sent", None, Some(now.0), 0, Some(reply), None),
            Transition::Failed { reply, note } => {
                ("failed", None, Some(now.0), 0, reply.as_ref(), Some(note.as_str()))
            }
            Transition::Deferred { due_at, reply, note, .. } => {
                ("queued", Some(due_at.0), None, 0, reply.as_ref(), Some(note.as_str()))
            }
            Transition::Returned { due_at, note } => {
                ("queued", Some(due_at.0), None, 1, None, Some(note.as_str()))
            }
        };
        let mut tx = self.inner.begin(Durability::Full).await?;
        tx.query(&DONE)
            .bind(id.0)
            .bind(me.worker)
            .bind(state)
            .bind(due)
            .bind(ends)
            .bind(returned)
            .bind(reply.map(|reply| i64::from(reply.code)))
            .bind(reply.and_then(|reply| reply.enhanced.clone()))
            .bind(reply.map(|reply| words(&reply.text)))
            .bind(note.map(words))
            .execute(&mut *tx.tx)
            .await?;
        tx.commit().await
    }

    /// Deletes up to `batch` notices that were over at `before`; how many.
    pub async fn forget_notices(&self, before: UnixMillis, batch: i64) -> Result<u64> {
        self.inner.sweep(&OLD, before, batch).await
    }

    /// The last ten notices to a person, the newest first: whoever is asked where a mail has got to
    /// looks here.
    pub async fn notices_to(&self, id: SubscriberId) -> Result<Vec<NoticeRow>> {
        let rows = self.inner.query(&TO).bind(id.0).fetch_all(&self.inner.read).await?;
        let read = |row: &AnyRow| {
            let kind: String = row.try_get("kind")?;
            let code: Option<i64> = row.try_get("reply_code")?;
            let words: Option<String> = row.try_get("reply_text")?;
            Ok(NoticeRow {
                kind: kind.parse().map_err(|_| StoreError::content("notice kind", kind))?,
                state: row.try_get("state")?,
                attempts: small(row.try_get("attempts")?),
                created_at: UnixMillis(row.try_get("created_at")?),
                reply: code.map(|code| format!("{code} {}", words.unwrap_or_default())),
                note: row.try_get("note")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// How many notices are in which state, for the operator.
    pub async fn count_notices(&self) -> Result<Vec<(String, i64)>> {
        let rows = self.inner.query(&COUNT).fetch_all(&self.inner.read).await?;
        rows.iter().map(|row| Ok((row.try_get("state")?, row.try_get("n")?))).collect()
    }
}

fn notice(row: &AnyRow) -> Result<ClaimedNotice> {
    let (kind, data): (String, String) = (row.try_get("kind")?, row.try_get("data")?);
    let kind: NoticeKind = kind.parse().map_err(|_| StoreError::content("notice kind", kind))?;
    Ok(ClaimedNotice {
        id: NoticeId(row.try_get("id")?),
        kind,
        email: address(row.try_get("email")?)?,
        subscriber: row.try_get::<Option<i64>, _>("subscriber")?.map(SubscriberId),
        data: serde_json::from_str(&data)
            .map_err(|_| StoreError::content("data of a notice", kind.as_str()))?,
        attempt: small(row.try_get("attempts")?),
        created_at: UnixMillis(row.try_get("created_at")?),
    })
}
