//! Unsubscribing by a reader's own hand, what it takes to undo a slip, and why people go. Readers
//! who leave at the same moment share a commit, see `db::group_commit`.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::domain::UnixMillis;
use crate::domain::subscriber::{SubscriberId, SubscriberStatus};
use crate::store::db::error::{Result, StoreError};
use crate::store::db::group_commit::{Ticket, answer_all};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::{Inner, Store};
use crate::store::db::tx::{Durability, Write};
use crate::store::db::values::json;
use crate::store::queue::notices;
use crate::store::queue::run::share_issue;
use crate::store::reader::subscribers::{is_suppressed, lock};

/// What people read on a delivery that was cancelled by its reader's leaving.
const NOTE: &str = "the subscriber unsubscribed";

statements! {
    /// In the order of their ids, so that two groups don't wait for each other in a ring.
    LEAVERS = "
        SELECT id, status FROM subscriber
        WHERE id IN (SELECT CAST(e.value ->> 's' AS BIGINT) FROM {each}) ORDER BY id {lock}";

    END = "
        WITH v AS MATERIALIZED (
            SELECT CAST(e.value ->> 's' AS BIGINT) AS s, CAST(e.value ->> 'at' AS BIGINT) AS left_at FROM {each})
        UPDATE subscriber AS p SET status = 'unsubscribed', ended_at = COALESCE(p.ended_at, v.left_at)
        FROM v WHERE p.id = v.s";

    SUPPRESS_LEAVERS = "
        INSERT INTO suppression (email_hash, reason, created_at)
        SELECT e.value ->> 'h', 'unsubscribed', CAST(e.value ->> 'at' AS BIGINT) FROM {each} WHERE TRUE
        ON CONFLICT (email_hash) DO NOTHING";

    NOTE_LEAVING = "
        INSERT INTO leaving (subscriber, left_at, was)
        SELECT CAST(e.value ->> 's' AS BIGINT), CAST(e.value ->> 'at' AS BIGINT), e.value ->> 'was' FROM {each}
        WHERE e.value ->> 'was' IN ('pending', 'active')
        ON CONFLICT (subscriber, left_at) DO NOTHING";

    /// As `CANCEL_OPEN` of one subscriber.
    CANCEL_LEAVERS = "
        WITH v AS MATERIALIZED (
            SELECT CAST(e.value ->> 's' AS BIGINT) AS s, CAST(e.value ->> 'at' AS BIGINT) AS left_at FROM {each})
        UPDATE delivery AS d SET state = 'cancelled', due_at = NULL, finished_at = v.left_at,
            cancelled_by = 'leaving', note = $2
        FROM v WHERE d.subscriber = v.s AND d.state IN ('queued', 'deferred')
          AND d.issue IN (SELECT number FROM issue WHERE finished_at IS NULL)
        RETURNING subscriber";

    /// What this very leaving cancelled, if its run is not over. A letter that waits for its
    /// reader's hour waits on, and one that waits for the winner of a test is held as before; if
    /// that was named meanwhile, it is due.
    REVIVE = "
        UPDATE delivery SET state = CASE WHEN attempts = 0 THEN 'queued' ELSE 'deferred' END,
            due_at = CASE WHEN enqueued_at > $3 THEN enqueued_at ELSE $3 END, finished_at = NULL,
            cancelled_by = NULL, note = 'the subscriber took the leaving back'
        WHERE subscriber = $1 AND state = 'cancelled' AND finished_at = $2 AND cancelled_by = 'leaving'
          AND issue IN (SELECT number FROM issue WHERE finished_at IS NULL)";

    LAST = "SELECT left_at, reason, words, undone_at FROM leaving WHERE subscriber = $1 ORDER BY left_at DESC LIMIT 1";

    LEAVING = "SELECT was, undone_at FROM leaving WHERE subscriber = $1 AND left_at = $2";

    UNDO = "UPDATE leaving SET undone_at = $3 WHERE subscriber = $1 AND left_at = $2";

    GIVE_REASON = "
        UPDATE leaving SET reason = $2, words = $3 WHERE subscriber = $1 AND undone_at IS NULL
        AND left_at = (SELECT MAX(l.left_at) FROM leaving l WHERE l.subscriber = $1)";

    REASONS = "
        SELECT COALESCE(reason, 'none') AS reason, COUNT(*) AS n FROM leaving WHERE undone_at IS NULL
        GROUP BY COALESCE(reason, 'none')",
        may_scan("leaving", "for an operator, who seldom asks");

    WORDS = "
        SELECT left_at, words FROM leaving WHERE words IS NOT NULL AND undone_at IS NULL
        ORDER BY left_at DESC, subscriber LIMIT $1",
        may_scan("leaving", "for an operator, who seldom asks");

    BACK = "
        UPDATE subscriber SET status = $3, ended_at = NULL
        WHERE id = $1 AND status = 'unsubscribed' AND ended_at = $2";

    LIFT = "DELETE FROM suppression WHERE email_hash = $1 AND reason = 'unsubscribed' AND created_at = $2";
}

#[derive(Serialize)]
struct LeaverRow<'a> {
    s: i64,
    h: &'a str,
    at: i64,
    was: String,
}

/// One leaving, as it was written down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsubscription {
    pub left_at: UnixMillis,
    pub reason: Option<String>,
    pub words: Option<String>,
    pub undone_at: Option<UnixMillis>,
}

/// Why people left: how many gave each reason (none: no reason), and what they wrote, the newest
/// first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UnsubscribeReasons {
    pub counts: BTreeMap<String, i64>,
    pub words: Vec<(UnixMillis, String)>,
}

impl Store {
    /// Sets the status, suppresses the address (reason `unsubscribed`) and cancels what is queued
    /// or deferred, in one durable (fsynced) commit, shared with others who leave at the same
    /// moment. Repeats succeed. None: no such subscriber; else how many deliveries were cancelled.
    /// What was asked for happens even if nobody waits for the answer.
    pub async fn unsubscribe(&self, id: SubscriberId, hash: &str, now: UnixMillis) -> Result<Option<u64>> {
        let (told, is_first) = self.inner.leavers.join(id, hash, now);
        if is_first {
            let inner = self.inner.clone();
            tokio::spawn(async move { inner.commit_leavers().await });
        }
        told.await.map_err(|_| StoreError::Statement("the process stops; try again".to_owned()))?
    }

    /// The newest leaving of a reader.
    pub async fn last_unsubscription(&self, id: SubscriberId) -> Result<Option<Unsubscription>> {
        let row = self.inner.query(&LAST).bind(id.0).fetch_optional(&self.inner.read).await?;
        row.as_ref().map(leaving).transpose()
    }

    /// Takes back the leaving of `left_at`: the status before it, without the suppression that it
    /// wrote, and with the letters of an unfinished run that it cancelled. False, and nothing done,
    /// if something else keeps the address out or the reader has left again. A repeat is true.
    pub async fn undo_unsubscribe(
        &self,
        id: SubscriberId,
        hash: &str,
        left_at: UnixMillis,
        now: UnixMillis,
    ) -> Result<bool> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        share_issue(&mut tx).await?;
        let Some(status) = lock(&mut tx, id).await? else { return Ok(false) };
        let row = tx.query(&LEAVING).bind(id.0).bind(left_at.0).fetch_optional(&mut *tx.tx).await?;
        let Some(row) = row else { return Ok(false) };
        let was: String = row.try_get("was")?;
        if row.try_get::<Option<i64>, _>("undone_at")?.is_some() {
            return Ok(status.as_str() == was);
        }
        if !take_back(&mut tx, id, hash, left_at, &was).await? {
            return Ok(false);
        }
        let undone = tx.query(&UNDO);
        undone.bind(id.0).bind(left_at.0).bind(now.0).execute(&mut *tx.tx).await?;
        let revive = tx.query(&REVIVE).bind(id.0).bind(left_at.0).bind(now.0);
        revive.execute(&mut *tx.tx).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Keeps why a reader left, on the newest leaving; a later word replaces an earlier one. Of
    /// somebody who was erased, or who is here, nothing is kept.
    pub async fn give_unsubscribe_reason(
        &self,
        id: SubscriberId,
        reason: &str,
        words: Option<&str>,
    ) -> Result<()> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        // Under the row, which an erasure takes away.
        if !lock(&mut tx, id).await?.is_some_and(SubscriberStatus::is_ended) {
            return Ok(());
        }
        tx.query(&GIVE_REASON).bind(id.0).bind(reason).bind(words).execute(&mut *tx.tx).await?;
        tx.commit().await
    }

    /// Why people left, with up to `limit` of what they wrote. What was taken back does not count.
    pub async fn unsubscribe_reasons(&self, limit: i64) -> Result<UnsubscribeReasons> {
        let mut reasons = UnsubscribeReasons::default();
        let counts = self.inner.query(&REASONS);
        for row in counts.fetch_all(&self.inner.read).await? {
            reasons.counts.insert(row.try_get("reason")?, row.try_get("n")?);
        }
        let words = self.inner.query(&WORDS);
        for row in words.bind(limit).fetch_all(&self.inner.read).await? {
            reasons.words.push((UnixMillis(row.try_get("left_at")?), row.try_get("words")?));
        }
        Ok(reasons)
    }
}

impl Inner {
    /// Takes a group off the list and answers everybody in it; then the next, if not all who waited
    /// fitted in.
    async fn commit_leavers(&self) {
        loop {
            let turn = self.leavers.turn().await;
            let begun = self.begin(Durability::Full).await;
            let (group, more) = self.leavers.next_group();
            let done = match begun {
                Ok(tx) => self.commit_group(tx, &group).await,
                Err(error) => Err(error),
            };
            drop(turn);
            answer_all(group, done);
            if !more {
                return;
            }
        }
    }

    /// How many deliveries were cancelled, for each of the group whom there is.
    async fn commit_group(&self, mut tx: Write<'_>, group: &[Ticket]) -> Result<BTreeMap<i64, u64>> {
        // The same reader may stand in it twice; the first wins, as it would with commits of their
        // own.
        let mut tickets: BTreeMap<i64, &Ticket> = BTreeMap::new();
        for ticket in group {
            tickets.entry(ticket.id.0).or_insert(ticket);
        }
        let row = |ticket: &Ticket, was: String| LeaverRow { s: ticket.id.0, h: "", at: ticket.at.0, was };
        let asked: Vec<_> = tickets.values().map(|ticket| row(ticket, String::new())).collect();
        let leavers = tx.query(&LEAVERS).bind(json(&asked)?);
        let mut rows = Vec::with_capacity(group.len());
        let mut cancelled = BTreeMap::new();
        for found in leavers.fetch_all(&mut *tx.tx).await? {
            let id: i64 = found.try_get("id")?;
            if let Some(ticket) = tickets.get(&id) {
                rows.push(LeaverRow { h: &ticket.hash, ..row(ticket, found.try_get("status")?) });
                cancelled.insert(id, 0);
            }
        }
        let rows = json(&rows)?;
        for statement in [&END, &SUPPRESS_LEAVERS, &NOTE_LEAVING] {
            tx.query(statement).bind(&rows).execute(&mut *tx.tx).await?;
        }
        let open = tx.query(&CANCEL_LEAVERS).bind(&rows).bind(NOTE);
        for row in open.fetch_all(&mut *tx.tx).await? {
            *cancelled.entry(row.try_get("subscriber")?).or_default() += 1;
        }
        let ids: Vec<String> = cancelled.keys().map(i64::to_string).collect();
        notices::forget_for_leavers(&mut tx, &ids).await?;
        let ids: Vec<SubscriberId> = cancelled.keys().copied().map(SubscriberId).collect();
        let now = tickets.values().map(|ticket| ticket.at).max().unwrap_or_default();
        self.forget_voters(&mut tx, &ids, now).await?;
        tx.commit().await?;
        Ok(cancelled)
    }
}

/// The status and the suppression as they were; false if the address is kept out by something else.
async fn take_back(
    tx: &mut Write<'_>,
    id: SubscriberId,
    hash: &str,
    left_at: UnixMillis,
    was: &str,
) -> Result<bool> {
    let back = tx.query(&BACK);
    let back = back.bind(id.0).bind(left_at.0).bind(was).execute(&mut *tx.tx).await?;
    if back.rows_affected() == 0 {
        return Ok(false);
    }
    tx.query(&LIFT).bind(hash).bind(left_at.0).execute(&mut *tx.tx).await?;
    Ok(!is_suppressed(tx, hash).await?)
}

fn leaving(row: &AnyRow) -> Result<Unsubscription> {
    Ok(Unsubscription {
        left_at: UnixMillis(row.try_get("left_at")?),
        reason: row.try_get("reason")?,
        words: row.try_get("words")?,
        undone_at: row.try_get::<Option<i64>, _>("undone_at")?.map(UnixMillis),
    })
}
