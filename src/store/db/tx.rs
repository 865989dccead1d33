//! Transactions that write: how they begin, what they wait for, and what a commit survives.

use std::time::{Duration, Instant};

use sqlx::{Any, Transaction};
use tokio::sync::MutexGuard;

use crate::domain::UnixMillis;
use crate::store::db::dialect::Engine;
use crate::store::db::error::{self, Result};
use crate::store::db::statement::{Query, Statement, statements};
use crate::store::db::store::Inner;

/// Whether a commit has to survive a power cut. A killed process loses nothing either way: the
/// system has the pages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Durability {
    /// What somebody was promised (unsubscribed, erased, enqueued, cancelled, paused).
    Full,
    /// The hot loop. On Postgres the same as `Full`.
    Normal,
    /// Imports, which are repeated after a power cut. On Postgres the same as `Full`.
    Bulk,
}

/// A write transaction. Dropped without `commit`, it is rolled back, and only then is the gate
/// free.
pub(in crate::store) struct Write<'a> {
    pub(in crate::store) tx: Transaction<'static, Any>,
    pub(in crate::store) engine: Engine,
    _gate: Option<MutexGuard<'a, ()>>,
}

/// How long a writer waits for writers of other processes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A transaction that reads first and writes later can't wait for another writer.
const IMMEDIATE: &str = "BEGIN IMMEDIATE";

/// What must not race between processes, beyond the rows themselves. On Postgres each is an
/// advisory lock that is held to the end of the transaction, and they are taken in the order that
/// the head of the store tells; SQLite has one writer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::store) enum Lock {
    /// Which issue comes next, what is written for it, and which slots are dealt with.
    Ledger = 0,
    /// Who is added to the list and who drops off it unconfirmed: two imports that have the same
    /// people in another order would wait for each other in a ring.
    Intake = 1,
    /// The rates, and the day's ceiling.
    Paces = 2,
}

/// The class of the advisory locks of [`Lock`].
const LOCK_CLASS: i32 = 1_448_432_204;

/// The class of the locks by which a living worker is known, one for each worker's number. They
/// belong to a session, not to a transaction: see `queue::worker_lease`.
pub(in crate::store) const WORKER_CLASS: i32 = 1_448_432_203;

statements! {
    /// By class and number.
    TAKE_LOCK = "SELECT pg_advisory_xact_lock($1, $2)", postgres_only();
}

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
                    // A full disk makes SQLite roll back by itself, and the driver goes on counting
                    // a transaction: without a new connection nothing could be written until the
                    // process is started again.
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

    /// Runs a deletion, which takes a time and at most how many rows; how many it took.
    pub(in crate::store) async fn sweep(
        &self,
        statement: &'static Statement,
        before: UnixMillis,
        batch: i64,
    ) -> Result<u64> {
        let mut tx = self.begin(Durability::Normal).await?;
        let gone = tx.query(statement).bind(before.0).bind(batch).execute(&mut *tx.tx).await?;
        tx.commit().await?;
        Ok(gone.rows_affected())
    }
}

/// Asks again while another process writes, for as long as SQLite itself would wait. Only for what
/// has done nothing when it says that the database is locked: a BEGIN, or one statement by itself.
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

    /// A statement to bind and run within this transaction.
    pub(in crate::store) fn query(&self, statement: &'static Statement) -> Query {
        sqlx::query(statement.on(self.engine))
    }

    /// Waits for a lock and keeps it to the end of the transaction.
    pub(in crate::store) async fn lock(&mut self, lock: Lock) -> Result<()> {
        if self.engine == Engine::Postgres {
            self.query(&TAKE_LOCK).bind(LOCK_CLASS).bind(lock as i32).execute(&mut *self.tx).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lock_is_another() {
        let locks = [Lock::Ledger, Lock::Intake, Lock::Paces];
        // Whoever adds a lock is led here by the compiler.
        let known = |lock| match lock {
            Lock::Ledger | Lock::Intake | Lock::Paces => locks.contains(&lock),
        };
        assert!(locks.into_iter().all(known));
        let numbers: std::collections::HashSet<_> = locks.iter().map(|lock| *lock as i32).collect();
        assert_eq!(numbers.len(), locks.len(), "two locks have one number");
        assert_ne!(LOCK_CLASS, WORKER_CLASS, "a worker's number would be one of these locks");
    }
}
