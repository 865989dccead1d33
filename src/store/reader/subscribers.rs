//! Subscribers, and the suppressions that outlive them.

use std::collections::BTreeMap;

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::domain::delivery::CancelledBy;
use crate::domain::subscriber::{Subscriber, SubscriberId, SubscriberStatus};
use crate::domain::{EmailAddress, UnixMillis};
use crate::store::db::error::{Result, StoreError};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Write};
use crate::store::db::values::address;
use crate::store::queue::notices;
use crate::store::reader::{signup, votes};

/// What is open belongs to an unfinished issue, so this needs no index of its own: one key look-up an issue.
pub(in crate::store) const CANCEL_OPEN: &str = "
    UPDATE delivery SET state = 'cancelled', due_at = NULL, finished_at = $2, cancelled_by = $3, note = $4
    WHERE subscriber = $1 AND state IN ('queued', 'deferred')
      AND issue IN (SELECT number FROM issue WHERE finished_at IS NULL)";

/// Replies and notes may quote the address.
pub(in crate::store) const FORGET_WORDS: &str = "
    UPDATE delivery SET reply_text = '', note = CASE WHEN state = 'cancelled' THEN 'the subscriber was erased' END
    WHERE subscriber = $1 AND issue IN (SELECT number FROM issue)";

/// Rows that have the person's address, whoever they belong to.
pub(in crate::store) const FORGET_ADDRESS: &[&str] = &[
    "DELETE FROM address_change WHERE email = (SELECT email FROM subscriber WHERE id = $1)",
    "DELETE FROM notice WHERE email = (SELECT email FROM subscriber WHERE id = $1)",
];

/// What else is kept of one person. Why people leave stays as a count, without their words.
pub(in crate::store) const FORGET: &[&str] = &[
    "DELETE FROM preference WHERE subscriber = $1",
    "DELETE FROM address_change WHERE subscriber = $1",
    "UPDATE leaving SET words = NULL WHERE subscriber = $1",
];

const COLUMNS: &str = "id, email, name, status, timezone, source, created_at, activated_at, ended_at";

impl Store {
    pub async fn subscriber(&self, email: &EmailAddress) -> Result<Option<Subscriber>> {
        let text = sql(format!("SELECT {COLUMNS} FROM subscriber WHERE email = $1"));
        let row = sqlx::query(text).bind(email.expose()).fetch_optional(&self.inner.read).await?;
        row.as_ref().map(subscriber).transpose()
    }

    pub async fn subscriber_by_id(&self, id: SubscriberId) -> Result<Option<Subscriber>> {
        let text = sql(format!("SELECT {COLUMNS} FROM subscriber WHERE id = $1"));
        let row = sqlx::query(text).bind(id.0).fetch_optional(&self.inner.read).await?;
        row.as_ref().map(subscriber).transpose()
    }

    /// The next page of at most `limit` subscribers with an id above `after`, by id (keyset, for exports that stream).
    pub async fn subscribers_after(
        &self,
        after: SubscriberId,
        status: Option<SubscriberStatus>,
        limit: i64,
    ) -> Result<Vec<Subscriber>> {
        let by_status = if status.is_some() { "AND status = $3" } else { "" };
        let text =
            sql(format!("SELECT {COLUMNS} FROM subscriber WHERE id > $1 {by_status} ORDER BY id LIMIT $2"));
        let mut query = sqlx::query(text).bind(after.0).bind(limit);
        if let Some(status) = status {
            query = query.bind(status.as_str());
        }
        query.fetch_all(&self.inner.read).await?.iter().map(subscriber).collect()
    }

    /// How many there are of each status; a status without anybody is there with 0.
    pub async fn count_subscribers(&self) -> Result<BTreeMap<&'static str, i64>> {
        let mut counts: BTreeMap<_, _> = SubscriberStatus::ALL.iter().map(|s| (s.as_str(), 0)).collect();
        let rows = sqlx::query("SELECT status, COUNT(*) AS n FROM subscriber GROUP BY status")
            .fetch_all(&self.inner.read)
            .await?;
        for row in rows {
            counts.insert(status(&row)?.as_str(), row.try_get("n")?);
        }
        Ok(counts)
    }

    pub async fn count_suppressed(&self) -> Result<i64> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM suppression").fetch_one(&self.inner.read).await?;
        Ok(row.try_get("n")?)
    }

    /// Deletes the person's row, keeps a suppression (reason `erased`) and the deliveries' rows without address.
    pub async fn erase(&self, id: SubscriberId, hash: &str, now: UnixMillis) -> Result<bool> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        // What others wrote of this address first, while it is known: it may stand in their changes, and in notices to them.
        for forget in FORGET_ADDRESS {
            sqlx::query(*forget).bind(id.0).execute(&mut *tx.tx).await?;
        }
        let gone =
            sqlx::query("DELETE FROM subscriber WHERE id = $1").bind(id.0).execute(&mut *tx.tx).await?;
        if gone.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO suppression (email_hash, reason, created_at) VALUES ($1, 'erased', $2)
             ON CONFLICT (email_hash) DO UPDATE SET reason = 'erased'",
        )
        .bind(hash)
        .bind(now.0)
        .execute(&mut *tx.tx)
        .await?;
        cancel_open(&mut tx, id, now, CancelledBy::Erasure, "the subscriber was erased").await?;
        self.inner.forget_voters(&mut tx, &[id], now).await?;
        sqlx::query(votes::TAKE_FENCE_DOWN).bind(id.0).execute(&mut *tx.tx).await?;
        sqlx::query(FORGET_WORDS).bind(id.0).execute(&mut *tx.tx).await?;
        notices::forget(&mut tx, id).await?;
        signup::forget(&mut tx, id).await?;
        for forget in FORGET {
            sqlx::query(*forget).bind(id.0).execute(&mut *tx.tx).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    pub async fn is_suppressed(&self, hash: &str) -> Result<bool> {
        Ok(sqlx::query("SELECT 1 AS there FROM suppression WHERE email_hash = $1")
            .bind(hash)
            .fetch_optional(&self.inner.read)
            .await?
            .is_some())
    }
}

pub(in crate::store) async fn cancel_open(
    tx: &mut Write<'_>,
    id: SubscriberId,
    now: UnixMillis,
    by: CancelledBy,
    note: &str,
) -> Result<u64> {
    let done = sqlx::query(CANCEL_OPEN).bind(id.0).bind(now.0).bind(by.as_str()).bind(note);
    let done = done.execute(&mut *tx.tx).await?;
    Ok(done.rows_affected())
}

fn sql(text: String) -> sqlx::AssertSqlSafe<String> {
    // Safe: assembled from constants of this file only.
    sqlx::AssertSqlSafe(text)
}

fn status(row: &AnyRow) -> Result<SubscriberStatus> {
    let text: String = row.try_get("status")?;
    text.parse().map_err(|_| StoreError::content("subscriber status", text))
}

fn subscriber(row: &AnyRow) -> Result<Subscriber> {
    Ok(Subscriber {
        id: SubscriberId(row.try_get("id")?),
        email: address(row.try_get("email")?)?,
        name: row.try_get("name")?,
        status: status(row)?,
        timezone: row.try_get("timezone")?,
        source: row.try_get("source")?,
        created_at: UnixMillis(row.try_get("created_at")?),
        activated_at: row.try_get::<Option<i64>, _>("activated_at")?.map(UnixMillis),
        ended_at: row.try_get::<Option<i64>, _>("ended_at")?.map(UnixMillis),
    })
}
