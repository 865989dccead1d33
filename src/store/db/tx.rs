//! Transactions that write: how they begin, what they wait for, and what a commit survives.

use std::time::{Duration, Instant};

use sqlx::{Any, Transaction};
use tokio::sync::MutexGuard;

use crate::store::db::dialect::Engine;
use crate::store::db::error::{self, Result};
use crate::store::db::store::Inner;

/// Whether a commit has to survive a power cut. A killed process loses nothing either way: the system has the pages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Durability {
    /// What somebody was promised (unsubscribed, erased, enqueued, cancelled, paused).
    Full,
    /// The hot loop. On Postgres the same as `Full`.
    Normal,
    /// Imports, which are repeated after a power cut. On Postgres the same as `Full`.
    Bulk,
}

/// A write transaction. Dropped without `commit`, it is rolled back, and only then is the gate free.
pub(in crate::store) struct Write<'a> {
    pub(in crate::store) tx: Transaction<'static, Any>,
    engine: Engine,
    _gate: Option<MutexGuard<'a, ()>>,
}

/// How long a writer waits for writers of other processes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A transaction that reads first and writes later can't wait for another writer.
const IMMEDIATE: &str = "BEGIN IMMEDIATE";

/// Serialises what must not race between processes; SQLite has it from BEGIN IMMEDIATE.
pub(in crate::store) const LOCK_LEDGER: &str = "SELECT pg_advisory_xact_lock(1448432204, 0)";

/// One import at a time: two that have the same people in another order would wait for each other in a ring.
const LOCK_INTAKE: &str = "SELECT pg_advisory_xact_lock(1448432204, 1)";

impl Inner {
    pub(in crate::store) async fn begin(&self, durability: Durability) -> Result<Write<'_>> {
        let pool = match durability {
            Durability::Full => &self.durable,
            Durability::Normal => &self.normal,
            Durability::Bulk => &self.bulk,
        };
        let engine = self.engine;
        match engine {
            Engine::Sqlite => {
                let gate = self.gate.lock().await;
                let tx = match patiently(|| pool.begin_with(IMMEDIATE)).await {
                    // A full disk makes SQLite roll back by itself, and the driver goes on counting a transaction: without a
                    // new connection nothing could be written until the process is started again.
                    Err(sqlx::Error::InvalidSavePointStatement) => {
                        let _ = pool.acquire().await?.close().await;
                        pool.begin_with(IMMEDIATE).await?
                    }
                    begun => begun?,
                };
                Ok(Write { tx, engine, _gate: Some(gate) })
            }
            Engine::Postgres => Ok(Write { tx: pool.begin().await?, engine, _gate: None }),
        }
    }
}

/// Asks again while another process writes, for as long as SQLite itself would wait. Only for what has done nothing when it
/// says that the database is locked: a BEGIN, or one statement by itself.
pub(in crate::store) async fn patiently<T, F>(
    mut ask: impl FnMut() -> F,
) -> std::result::Result<T, sqlx::Error>
where
    F: Future<Output = std::result::Result<T, sqlx::Error>>,
{
    let since = Instant::now();
    loop {
        match ask().await {
            Err(error) if error::is_locked(&error) && since.elapsed() < PATIENCE => {}
            result => return result,
        }
    }
}

impl Write<'_> {
    pub(in crate::store) async fn commit(self) -> Result<()> {
        Ok(self.tx.commit().await?)
    }

    pub(in crate::store) async fn lock_ledger(&mut self) -> Result<()> {
        if self.engine == Engine::Postgres {
            sqlx::query(LOCK_LEDGER).execute(&mut *self.tx).await?;
        }
        Ok(())
    }

    pub(in crate::store) async fn lock_intake(&mut self) -> Result<()> {
        if self.engine == Engine::Postgres {
            sqlx::query(LOCK_INTAKE).execute(&mut *self.tx).await?;
        }
        Ok(())
    }
}
