//! Who may deliver from this store: the worker's hold, which vanishes with its process however that
//! ends.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::time::Duration;

use sqlx::AnyConnection;
use sqlx::{Connection as _, Row as _};
use tokio::sync::Mutex;

use crate::domain::UnixMillis;
use crate::private::{self, Existing};
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::{Location, Store};
use crate::store::db::tx::{Durability, WORKER_CLASS};

statements! {
    HOLD = "SELECT pg_advisory_lock($1, CAST($2 AS INTEGER))", postgres_only();

    ADD_WORKER = "INSERT INTO worker (enlisted_at) VALUES ($1) RETURNING id";
}

/// How long a claim stands if its worker neither answers nor is known to be gone: beyond the
/// longest an SMTP session may take for one letter (RFC 5321 §4.5.3.2: five minutes each for MAIL
/// and RCPT, two for DATA, ten for the final dot).
pub const LEASE: Duration = Duration::from_secs(30 * 60);

/// Postgres only, for a statement that takes back what is claimed (`q` is the row, `$1` is now): of
/// workers that are gone, whose lock nobody holds, or whose lease has run out. The number is
/// [`WORKER_CLASS`].
pub(in crate::store) const AND_GONE: &str = "
          AND (q.lease_until < $1 OR q.worker NOT IN (
              SELECT CAST(l.objid AS BIGINT) FROM pg_locks l
              WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
                AND l.classid = 1448432203
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())))";

/// The right to deliver from this store: while it lives, rows claimed under its `worker` number are
/// ours.
///
/// On SQLite it is an exclusive lock on a file beside the database, so one process delivers at a
/// time; on Postgres an advisory lock held by a connection, so that many may. Both vanish with the
/// process, however it ends.
pub struct WorkerLease {
    pub worker: i64,
    hold: Hold,
}

enum Hold {
    /// Kept for its lock; the system lets go of it with the last handle.
    File {
        _lock: File,
    },
    Session(Mutex<AnyConnection>),
    /// No hold at all: a worker that others believe gone.
    Lost,
}

impl WorkerLease {
    /// A worker whose hold is lost and who does not know: what a test of late outcomes needs.
    #[doc(hidden)]
    pub fn for_test(worker: i64) -> Self {
        Self { worker, hold: Hold::Lost }
    }

    /// Whether the hold still stands. A file lock does while the process lives; a session may have
    /// been cut off.
    pub(in crate::store) async fn check(&self) -> Result<()> {
        match &self.hold {
            Hold::File { .. } => Ok(()),
            Hold::Lost => Err(StoreError::LeaseLost { worker: self.worker }),
            Hold::Session(session) => {
                let alive = session.lock().await.ping().await;
                alive.map_err(|_| StoreError::LeaseLost { worker: self.worker })
            }
        }
    }
}

impl std::fmt::Debug for WorkerLease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WorkerLease(worker {})", self.worker)
    }
}

impl Store {
    /// Tries to become a worker. None: another process delivers from this SQLite file.
    ///
    /// # Errors
    /// `LockFile` if the file beside the database can't be made.
    pub async fn enlist(&self, now: UnixMillis) -> Result<Option<WorkerLease>> {
        match &self.inner.home {
            Location::File(path) => {
                let Some(lock) = lock_file(path, ".worker.lock")? else { return Ok(None) };
                let worker = self.worker_number(now).await?;
                // A run goes through the rows in their order and once: more than this would hold
                // what is done with.
                sqlx::query("PRAGMA cache_size = -2000").fetch_all(&self.inner.normal).await?;
                Ok(Some(WorkerLease { worker, hold: Hold::File { _lock: lock } }))
            }
            Location::Server(options) => {
                let worker = self.worker_number(now).await?;
                let mut session = AnyConnection::connect_with(options).await?;
                self.inner.query(&HOLD).bind(WORKER_CLASS).bind(worker).execute(&mut session).await?;
                Ok(Some(WorkerLease { worker, hold: Hold::Session(Mutex::new(session)) }))
            }
        }
    }

    /// Tries to become the one that sends notices, which is nobody's worker: a `send` that goes on
    /// for hours keeps no confirmation waiting. None: another process on this SQLite file does.
    ///
    /// # Errors
    /// As [`Store::enlist`].
    pub async fn enlist_for_notices(&self, now: UnixMillis) -> Result<Option<WorkerLease>> {
        match &self.inner.home {
            Location::File(path) => {
                let Some(lock) = lock_file(path, ".notices.lock")? else { return Ok(None) };
                Ok(Some(WorkerLease {
                    worker: self.worker_number(now).await?,
                    hold: Hold::File { _lock: lock },
                }))
            }
            Location::Server(_) => self.enlist(now).await,
        }
    }

    async fn worker_number(&self, now: UnixMillis) -> Result<i64> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        let row = tx.query(&ADD_WORKER).bind(now.0).fetch_all(&mut *tx.tx).await?;
        tx.commit().await?;
        let row = row.first().ok_or(StoreError::Statement("INSERT … RETURNING gave no row".to_owned()))?;
        Ok(row.try_get("id")?)
    }
}

fn lock_file(database: &std::path::Path, suffix: &str) -> Result<Option<File>> {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    let file = PathBuf::from(name);
    let fail = |error: std::io::Error| StoreError::LockFile { file: file.clone(), detail: error.to_string() };
    // Never deleted: whoever removed it could leave two processes with a lock on two files of one
    // name.
    let lock = private::file(&file, Existing::Keep).map_err(fail)?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(fail(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reclaims_looks_for_the_locks_that_workers_hold() {
        assert!(AND_GONE.contains(&format!("l.classid = {WORKER_CLASS}\n")));
    }
}
