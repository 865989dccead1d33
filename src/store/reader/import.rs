//! Subscribers on their way in, by the thousand.

use std::collections::HashSet;

use serde::Serialize;
use sqlx::Row as _;

use crate::domain::subscriber::{NewSubscriber, SubscriberStatus, SuppressionReason};
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Lock, Write};
use crate::store::db::values::json;

/// Rows a statement: the text of more would only hold memory.
const ROWS: usize = 1_000;

statements! {
    /// Of `[place, email, hash]`, those that stay out. Only they come back: reading rows costs more
    /// than finding them.
    STAY_OUT = "
        SELECT CAST(e.value ->> 0 AS BIGINT) AS place, CASE WHEN s.id IS NULL THEN 0 ELSE 1 END AS known
        FROM {each}
        LEFT JOIN subscriber s ON s.email = e.value ->> 1
        LEFT JOIN suppression x ON x.email_hash = e.value ->> 2
        WHERE s.id IS NOT NULL OR x.email_hash IS NOT NULL";

    /// No row of it is there: we have looked, and nobody else adds any. Both engines walk the array
    /// in its order, so that ids (and with them the order of delivery) follow the file.
    ADD = "
        INSERT INTO subscriber (email, name, status, timezone, source, created_at, activated_at, ended_at)
        SELECT e.value ->> 0, e.value ->> 1, e.value ->> 2, e.value ->> 3, e.value ->> 4, CAST(e.value ->> 5 AS BIGINT),
               CAST(e.value ->> 6 AS BIGINT), CAST(e.value ->> 7 AS BIGINT)
        FROM {each}";

    /// The suppressions that come with imported rows whose status is an end: `[hash, reason,
    /// ended_at]`.
    SUPPRESS = "
        INSERT INTO suppression (email_hash, reason, created_at)
        SELECT e.value ->> 0, e.value ->> 1, CAST(e.value ->> 2 AS BIGINT) FROM {each} WHERE true
        ON CONFLICT (email_hash) DO NOTHING";
}

/// What became of one row of a subscriber import, in the order of the batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SubscriberChange {
    Added,
    /// The address was there already (in the store, or earlier in the file); nothing was changed.
    Duplicate,
    /// The address is suppressed and stays out.
    Suppressed,
}

/// One row as [`ADD`] reads it: an array, since a key by its place is found soonest.
#[derive(Serialize)]
struct Added<'a>(&'a str, Option<&'a str>, &'a str, Option<&'a str>, &'a str, i64, Option<i64>, Option<i64>);

impl<'a> Added<'a> {
    fn new(row: &'a NewSubscriber) -> Self {
        let at = row.created_at.0;
        Self(
            row.email.expose(),
            row.name.as_deref(),
            row.status.as_str(),
            row.timezone.as_deref(),
            &row.source,
            at,
            (row.status == SubscriberStatus::Active).then_some(at),
            row.status.is_ended().then_some(at),
        )
    }
}

fn reason(status: SubscriberStatus) -> Option<SuppressionReason> {
    match status {
        SubscriberStatus::Pending | SubscriberStatus::Active => None,
        SubscriberStatus::Unsubscribed => Some(SuppressionReason::Unsubscribed),
        SubscriberStatus::Bounced => Some(SuppressionReason::Bounced),
        SubscriberStatus::Complained => Some(SuppressionReason::Complained),
    }
}

impl Store {
    /// One batch (some 10,000 rows at most: nobody else writes meanwhile) in one transaction. A
    /// known address is left exactly as it is. `hashes` are the suppression hashes of the rows, in
    /// their order. A row whose status is an end is kept and its address suppressed, so that it
    /// stays out even after an erasure.
    pub async fn add_subscribers(
        &self,
        rows: &[NewSubscriber],
        hashes: &[String],
    ) -> Result<Vec<SubscriberChange>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        if rows.len() != hashes.len() {
            return Err(StoreError::Statement(format!("{} rows with {} hashes", rows.len(), hashes.len())));
        }
        // An import that a power cut takes back is repeated: no fsync.
        let mut tx = self.inner.begin(Durability::Bulk).await?;
        tx.lock(Lock::Intake).await?;
        let (mut seen, mut changes) = (HashSet::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for (rows, hashes) in rows.chunks(ROWS).zip(hashes.chunks(ROWS)) {
            let chunk = self.changes(&mut tx, rows, hashes, &mut seen).await?;
            self.write(&mut tx, rows, hashes, &chunk).await?;
            changes.extend(chunk);
        }
        tx.commit().await?;
        Ok(changes)
    }

    /// What becomes of each row, given the addresses that the batch `seen` before.
    async fn changes<'a>(
        &self,
        tx: &mut Write<'_>,
        rows: &'a [NewSubscriber],
        hashes: &[String],
        seen: &mut HashSet<&'a str>,
    ) -> Result<Vec<SubscriberChange>> {
        let look: Vec<_> = rows
            .iter()
            .zip(hashes)
            .enumerate()
            .map(|(place, (row, hash))| (place, row.email.expose(), hash))
            .collect();
        let out = tx.query(&STAY_OUT).bind(json(&look)?).fetch_all(&mut *tx.tx).await?;
        let mut changes: Vec<_> = rows
            .iter()
            .map(|row| match seen.insert(row.email.expose()) {
                true => SubscriberChange::Added,
                false => SubscriberChange::Duplicate,
            })
            .collect();
        for row in out {
            let (place, known): (i64, i32) = (row.try_get("place")?, row.try_get("known")?);
            let change = usize::try_from(place).ok().and_then(|place| changes.get_mut(place));
            let change = change.ok_or_else(|| StoreError::content("place in a batch", place.to_string()))?;
            if known == 1 {
                *change = SubscriberChange::Duplicate;
            } else if *change == SubscriberChange::Added {
                *change = SubscriberChange::Suppressed;
            }
        }
        Ok(changes)
    }

    /// Inserts the rows that are to be added.
    async fn write(
        &self,
        tx: &mut Write<'_>,
        rows: &[NewSubscriber],
        hashes: &[String],
        changes: &[SubscriberChange],
    ) -> Result<()> {
        let (mut fresh, mut ended) = (Vec::with_capacity(rows.len()), Vec::new());
        for ((row, hash), change) in rows.iter().zip(hashes).zip(changes) {
            if *change == SubscriberChange::Added {
                fresh.push(Added::new(row));
                ended.extend(reason(row.status).map(|reason| (hash, reason.as_str(), row.created_at.0)));
            }
        }
        if !fresh.is_empty() {
            tx.query(&ADD).bind(json(&fresh)?).execute(&mut *tx.tx).await?;
        }
        if !ended.is_empty() {
            tx.query(&SUPPRESS).bind(json(&ended)?).execute(&mut *tx.tx).await?;
        }
        Ok(())
    }
}
