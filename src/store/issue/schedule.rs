//! The schedule's memory: which slots have been dealt with, and since when slots are owed at all.

use sqlx::Row as _;

use crate::domain::UnixMillis;
use crate::store::db::error::Result;
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Lock};

statements! {
    SLOT_TAKEN = "SELECT 1 AS taken FROM issue WHERE slot = $1
        UNION ALL SELECT 1 AS taken FROM slot_skip WHERE slot = $1";

    SINCE = "SELECT since FROM schedule_since WHERE schedule = $1";

    SKIP_SLOT = "INSERT INTO slot_skip (slot, reason, skipped_at) VALUES ($1, $2, $3)";

    KEEP_SINCE = "INSERT INTO schedule_since (schedule, since) VALUES ($1, $2) ON CONFLICT (schedule) DO NOTHING";
}

impl Store {
    /// Whether the slot has an issue or was skipped.
    pub async fn slot_taken(&self, slot: &str) -> Result<bool> {
        Ok(self.inner.query(&SLOT_TAKEN).bind(slot).fetch_optional(&self.inner.read).await?.is_some())
    }

    /// Writes down that a slot passed without a letter, and why; false if the slot was taken
    /// already.
    pub async fn skip_slot(&self, slot: &str, reason: &str, now: UnixMillis) -> Result<bool> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        tx.lock(Lock::Ledger).await?;
        if !tx.query(&SLOT_TAKEN).bind(slot).fetch_all(&mut *tx.tx).await?.is_empty() {
            return Ok(false);
        }
        tx.query(&SKIP_SLOT).bind(slot).bind(reason).bind(now.0).execute(&mut *tx.tx).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// When the scheduler first looked at this schedule: slots before it are not owed. Written once
    /// per schedule text.
    pub async fn schedule_since(&self, schedule: &str, now: UnixMillis) -> Result<UnixMillis> {
        if let Some(row) = self.inner.query(&SINCE).bind(schedule).fetch_optional(&self.inner.read).await? {
            return Ok(UnixMillis(row.try_get("since")?));
        }
        let mut tx = self.inner.begin(Durability::Full).await?;
        tx.query(&KEEP_SINCE).bind(schedule).bind(now.0).execute(&mut *tx.tx).await?;
        let row = tx.query(&SINCE).bind(schedule).fetch_one(&mut *tx.tx).await?;
        tx.commit().await?;
        Ok(UnixMillis(row.try_get("since")?))
    }
}
