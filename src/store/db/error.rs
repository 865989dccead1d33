//! What can go wrong in the store. Each text is one line that names the thing and the remedy.

use std::path::PathBuf;

/// What the methods of the store give back. Beyond what each tells, any of them may return what the
/// engine says, as a [`StoreError`]; and since each that writes is one transaction, nothing of it
/// has happened then.
pub type Result<T> = std::result::Result<T, StoreError>;

/// What can go wrong in the store, each with the remedy in its text.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("schema is {found}, this binary needs {needed}; install the newer verdicts or restore a backup")]
    SchemaNewer { found: i64, needed: i64 },
    #[error("schema is {found}, this binary needs {needed}; back up, then run \"verdicts db migrate\"")]
    SchemaOlder { found: i64, needed: i64 },
    #[error(
        "the database {place} has tables, and they are not ours; set database.url to a database of its own"
    )]
    Foreign { place: String },
    #[error("database.url {0}; use sqlite:PATH or postgres://user:password@host/database")]
    Url(String),
    #[error("cannot open the database {place}: {detail}; {remedy}")]
    Unreachable { place: String, detail: String, remedy: &'static str },
    #[error(
        "the disk of the database is full ({detail}); free some space and go on, what was committed is safe"
    )]
    DiskFull { detail: String },
    #[error("the database is locked ({detail}); wait for the other process, or stop it, and try again")]
    Locked { detail: String },
    #[error("the database is damaged ({detail}); stop verdicts and restore the last backup")]
    Corrupt { detail: String },
    #[error(
        "the database cannot be written ({detail}); check the disk and the rights on the file and its folder"
    )]
    Unwritable { detail: String },
    #[error(
        "the connection to the database broke or none was free ({detail}); check that the server runs, then try again"
    )]
    Disconnected { detail: String },
    /// A commit that several asked for together; what the engine said, in words.
    #[error("{0}")]
    Shared(String),
    #[error("worker {worker} has lost its hold on the database; start the worker again")]
    LeaseLost { worker: i64 },
    #[error("comparison {slug:?} is not in the store; import it first")]
    NoSuchComparison { slug: String },
    #[error(
        "the store has {what} {value:?}, which this binary does not know; restore a backup or install a newer verdicts"
    )]
    Content { what: &'static str, value: String },
    #[error("the file {} is there already; choose another name for the backup", .0.display())]
    BackupExists(PathBuf),
    #[error("cannot write the backup {}: {detail}; check the folder, its rights and the free space", .file.display())]
    Backup { file: PathBuf, detail: String },
    #[error("{0}")]
    BackupElsewhere(String),
    #[error("cannot use the lock file {}: {detail}; check the rights on its folder", .file.display())]
    LockFile { file: PathBuf, detail: String },
    #[error(
        "the database {place} is an older copy of itself (mark {here}, and {} remembers {known}): what it has as open may \
         have been sent; restore a newer copy, or run \"verdicts db accept-restored\"",
        .file.display()
    )]
    Restored { place: String, here: i64, known: i64, file: PathBuf },
    #[error("cannot use the file {}: {detail}; check its rights and the free space of its folder", .file.display())]
    GuardFile { file: PathBuf, detail: String },
    #[error(
        "the database refused a statement: {0}; run \"verdicts check\", and report it if that finds nothing"
    )]
    Statement(String),
}

impl StoreError {
    /// Whether the same call may work a little later with nobody doing anything about it.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::Disconnected { .. })
    }

    pub(in crate::store) fn content(what: &'static str, value: impl Into<String>) -> Self {
        Self::Content { what, value: value.into() }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // The texts of a database error hold no password: neither driver repeats the URL.
        let detail = error.to_string();
        match &error {
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default();
                match code.len() {
                    5 => of_postgres(&code, database.message().to_owned()),
                    _ => of_sqlite(&code, database.message().to_owned()),
                }
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed => Self::Disconnected { detail },
            sqlx::Error::WorkerCrashed => Self::Disconnected { detail },
            _ => Self::Statement(detail),
        }
    }
}

/// Whether SQLite says that another connection writes.
pub(in crate::store) fn is_locked(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(database) = error else { return false };
    let code = database.code().unwrap_or_default();
    code.len() < 5 && matches!(of_sqlite(&code, String::new()), StoreError::Locked { .. })
}

/// By the SQLSTATE, always five characters (Postgres manual, appendix A).
fn of_postgres(code: &str, detail: String) -> StoreError {
    match code {
        "53100" => StoreError::DiskFull { detail },
        "40001" | "40P01" | "55P03" => StoreError::Locked { detail },
        "XX001" | "XX002" => StoreError::Corrupt { detail },
        "25006" => StoreError::Unwritable { detail },
        _ if ["08", "53", "57"].iter().any(|class| code.starts_with(class)) => {
            StoreError::Disconnected { detail }
        }
        _ => StoreError::Statement(detail),
    }
}

/// By the primary result code: the low octet of the extended one (sqlite.org/rescode.html).
fn of_sqlite(code: &str, detail: String) -> StoreError {
    match code.parse::<i32>().map(|code| code & 0xff) {
        Ok(5 | 6) => StoreError::Locked { detail },
        Ok(13) => StoreError::DiskFull { detail },
        Ok(11 | 26) => StoreError::Corrupt { detail },
        Ok(3 | 8 | 10 | 14 | 23) => StoreError::Unwritable { detail },
        _ => StoreError::Statement(detail),
    }
}
