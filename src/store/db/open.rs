//! Opening a store: the URL, the pools and what each connection is told first.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, Connection as _, Executor as _};
use tokio::sync::Mutex;

use crate::private::{self, Existing};
use crate::store::db::dialect::Engine;
use crate::store::db::error::{Result, StoreError};
use crate::store::db::group_commit::Leavers;
use crate::store::db::store::{Inner, Location, Store};

/// Longest wait for a server that does not answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Readers of a SQLite file; with WAL they never wait for the writer.
const SQLITE_READERS: u32 = 4;
/// Connections to Postgres: web, worker and a few more.
const POSTGRES_CONNECTIONS: u32 = 10;

// busy_timeout comes first: setting the journal mode takes a lock.
const WRITER: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 4000;";
// Another process's commit takes a millisecond or three, and SQLite's own waiting soon looks only
// every 100 ms: who is woken late misses each gap between the commits of one that writes all the
// time. Its first few looks are a millisecond apart; then it gives up, and the next look is ours,
// see `tx::patiently`.
const LOOK_OFTEN: &str = "PRAGMA busy_timeout = 5";
// A cache that holds the index of a million addresses, nearly; and a log that is copied into the
// file once it is long (in pages of 4 KB: 64 MB), not at every commit, since each writes to the
// same pages of the index again.
const BULK: &str =
    "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -48000; PRAGMA wal_autocheckpoint = 16384;";
/// How long an import's connection outlives it, with its cache.
const BULK_IDLE: Duration = Duration::from_secs(5);
// A small cache: readers look up single rows, or walk past a million once, and there are several of
// them.
const READER: &str = "PRAGMA busy_timeout = 10000; PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -512;";
// A plan made while the table was empty would scan it for the rest of a run of a million: plan for
// what is there.
const POSTGRES: &str =
    "SET plan_cache_mode = force_custom_plan; SET lock_timeout = '30s'; SET client_min_messages = warning;";

impl Store {
    /// Opens `sqlite:PATH` (created if absent, with its folders) or `postgres://…`. Refuses a
    /// schema that is not this binary's, with the remedy in the error, except that an empty
    /// database is migrated on the spot.
    ///
    /// # Errors
    /// `Url`, `Unreachable`, `SchemaNewer`, `SchemaOlder`, `Foreign`. Never with a password.
    pub async fn open(url: &str) -> Result<Self> {
        let store = Self::open_unchecked(url).await?;
        store.check_schema().await?;
        Ok(store)
    }

    /// Opens without looking at the schema, for `db migrate`.
    ///
    /// # Errors
    /// As [`Store::open`], less those about the schema.
    pub async fn open_unchecked(url: &str) -> Result<Self> {
        sqlx::any::install_default_drivers();
        match url.strip_prefix("sqlite:") {
            Some(path) => open_file(path).await,
            None if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                open_server(url).await
            }
            None => Err(StoreError::Url("is neither SQLite nor Postgres".to_owned())),
        }
    }
}

async fn open_file(path: &str) -> Result<Store> {
    let (path, options) = file_options(path)?;
    let place = path.display().to_string();
    let fail = |detail: String| StoreError::Unreachable {
        place: place.clone(),
        detail,
        remedy: "check the path and the rights on its folder",
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        private::folder(folder).map_err(|error| fail(error.to_string()))?;
    }
    if path.is_dir() {
        return Err(fail("it is a folder".to_owned()));
    }
    // Empty, and its owner's alone; the log and the index beside it get the rights of the file.
    drop(private::file(&path, Existing::Keep).map_err(|error| fail(error.to_string()))?);
    // One connection by hand sets WAL. A pool would try again for a minute before it told anybody.
    if let Err(error) = prepare(&options).await {
        return Err(match StoreError::from(error) {
            StoreError::Unwritable { detail } => fail(detail),
            error => error,
        });
    }
    let normal = writer(&options, None, "PRAGMA synchronous = NORMAL");
    let bulk = writer(&options, Some(BULK_IDLE), BULK);
    let durable = writer(&options, None, "PRAGMA synchronous = FULL");
    let read = file_pool(SQLITE_READERS)
        .after_connect(|connection, _| Box::pin(async move { connection.execute(READER).await.map(|_| ()) }))
        .connect_lazy_with(options.clone());
    let pools = Pools { read, normal, bulk, durable };
    Ok(store(Engine::Sqlite, Location::File(path), options, place, pools))
}

async fn prepare(options: &AnyConnectOptions) -> std::result::Result<(), sqlx::Error> {
    let mut connection = AnyConnection::connect_with(options).await?;
    let prepared = connection.execute(WRITER).await.map(|_| ());
    let closed = connection.close().await;
    prepared.and(closed)
}

/// The path as it is written, and what the driver reads: it takes `?` for the start of its own
/// options, so the path is encoded for it.
fn file_options(path: &str) -> Result<(PathBuf, AnyConnectOptions)> {
    const ENCODED: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'`')
        .add(b'{')
        .add(b'}')
        .add(b'\\');
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.contains('?') {
        return Err(StoreError::Url(
            "has options after the path, which SQLite does not need here".to_owned(),
        ));
    }
    let path =
        percent_decode_str(path).decode_utf8().map_err(|_| StoreError::Url("is not UTF-8".to_owned()))?;
    if path.is_empty() || path.starts_with(":memory:") {
        return Err(StoreError::Url("names no file".to_owned()));
    }
    let path = Path::new(&*path);
    // Absolute: the URL parser would otherwise tidy `..` away at the front.
    let path =
        std::path::absolute(path).map_err(|error| StoreError::Url(format!("is not usable ({error})")))?;
    let text = path.to_str().ok_or_else(|| StoreError::Url("is not UTF-8".to_owned()))?;
    let url = format!("sqlite://{}?mode=rwc", utf8_percent_encode(text, ENCODED));
    let options = AnyConnectOptions::from_str(&url).map_err(|error| StoreError::Url(error.to_string()))?;
    Ok((path.clone(), options))
}

fn file_pool(connections: u32) -> AnyPoolOptions {
    // A connection to a file does not go stale, so there is nothing to test and nothing to renew.
    AnyPoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(30))
}

fn writer(options: &AnyConnectOptions, idle: Option<Duration>, pragmas: &'static str) -> AnyPool {
    file_pool(1)
        .idle_timeout(idle)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(WRITER).await?;
                connection.execute(pragmas).await?;
                connection.execute(LOOK_OFTEN).await.map(|_| ())
            })
        })
        .connect_lazy_with(options.clone())
}

async fn open_server(url: &str) -> Result<Store> {
    let place = without_password(url)?;
    let fail = |detail: String| StoreError::Unreachable {
        place: place.clone(),
        detail,
        remedy: "check that the server runs, and database.url",
    };
    let options = AnyConnectOptions::from_str(url).map_err(|_| StoreError::Url("is not a URL".to_owned()))?;
    // One connection by hand: a pool would try again for half a minute before it told anybody.
    let first = tokio::time::timeout(CONNECT_TIMEOUT, AnyConnection::connect_with(&options)).await;
    let first = first.map_err(|_| fail(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs())))?;
    let _ = first.map_err(|error| fail(error.to_string()))?.close().await;
    let pool = AnyPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(Duration::from_secs(15))
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute(POSTGRES).await.map(|_| ()) })
        })
        .connect_lazy_with(options.clone());
    let home = Location::Server(options.clone());
    let pools = Pools { read: pool.clone(), normal: pool.clone(), bulk: pool.clone(), durable: pool };
    Ok(store(Engine::Postgres, home, options, place, pools))
}

struct Pools {
    read: AnyPool,
    normal: AnyPool,
    bulk: AnyPool,
    durable: AnyPool,
}

fn store(
    engine: Engine,
    home: Location,
    options: AnyConnectOptions,
    place: String,
    Pools { read, normal, bulk, durable }: Pools,
) -> Store {
    let (gate, leavers) = (Mutex::new(()), Leavers::default());
    Store {
        inner: Arc::new(Inner { engine, home, options, place, read, normal, bulk, durable, gate, leavers }),
    }
}

/// The URL as it may be printed: no password, no options (which may hold one).
fn without_password(url: &str) -> Result<String> {
    // The text is not repeated in the error: it may hold a password.
    let mut url = url::Url::parse(url).map_err(|error| StoreError::Url(format!("is not a URL ({error})")))?;
    if url.password().is_some() {
        let _ = url.set_password(None);
    }
    url.set_query(None);
    Ok(url.to_string())
}
