//! The handle on an open database, and the connections behind it.

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::AnyPool;
use sqlx::Row as _;
use sqlx::any::AnyConnectOptions;
use tokio::sync::Mutex;

use crate::store::db::dialect::Engine;
use crate::store::db::error::Result;
use crate::store::db::group_commit::Leavers;
use crate::store::db::statement::{Query, Statement, statements};

statements! {
    VERSION = "SELECT MAX(version) AS version FROM schema_version";
}

/// The store. Cheap to clone; every clone shares the pools.
#[derive(Clone)]
pub struct Store {
    pub(in crate::store) inner: Arc<Inner>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.inner.place)
    }
}

/// What every clone of a store shares.
pub(in crate::store) struct Inner {
    pub(in crate::store) engine: Engine,
    pub(in crate::store) home: Location,
    pub(in crate::store) options: AnyConnectOptions,
    /// The database as an operator may see it: without its password.
    pub(in crate::store) place: String,
    pub(in crate::store) read: AnyPool,
    /// Commits without an fsync (SQLite, `synchronous=NORMAL`); on Postgres the one pool for
    /// everything.
    pub(in crate::store) normal: AnyPool,
    /// Imports (SQLite, `synchronous=NORMAL`): a cache for the whole index, which is given back
    /// when the import is over.
    pub(in crate::store) bulk: AnyPool,
    /// Commits with an fsync (SQLite, `synchronous=FULL`); on Postgres the one pool for everything.
    pub(in crate::store) durable: AnyPool,
    /// One writer at a time on SQLite. Waiting here is fair and costs nothing; waiting in
    /// `busy_timeout` is neither.
    pub(in crate::store) gate: Mutex<()>,
    pub(in crate::store) leavers: Leavers,
}

/// Where the database is.
pub(in crate::store) enum Location {
    File(PathBuf),
    Server(AnyConnectOptions),
}

impl Store {
    /// Reads one row: for `/readyz` and `check`.
    pub async fn ping(&self) -> Result<()> {
        let row = self.inner.query(&VERSION).fetch_one(&self.inner.read).await?;
        row.try_get::<Option<i64>, _>("version")?;
        Ok(())
    }

    /// Lets what is running end and closes every connection.
    pub async fn close(&self) {
        self.inner.read.close().await;
        self.inner.normal.close().await;
        self.inner.bulk.close().await;
        self.inner.durable.close().await;
    }

    /// Lets the SQLite file grow no further on this store's fast writers, as a full disk would.
    #[doc(hidden)]
    pub async fn limit_pages_for_test(&self) -> Result<()> {
        for pool in [&self.inner.normal, &self.inner.bulk] {
            sqlx::query("PRAGMA max_page_count = 1").fetch_all(pool).await?;
        }
        Ok(())
    }
}

impl Inner {
    /// A statement to bind and run, in this engine's words.
    pub(in crate::store) fn query(&self, statement: &'static Statement) -> Query {
        sqlx::query(statement.on(self.engine))
    }
}
