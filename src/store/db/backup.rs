//! Online copies of a SQLite database.

use std::path::{Path, PathBuf};

use sqlx::AnyConnection;
use sqlx::Connection as _;

use crate::private::{self, Existing};
use crate::store::db::error::{Result, StoreError};
use crate::store::db::store::{Location, Store};

impl Store {
    /// An online copy of a SQLite database (VACUUM INTO a temporary name, then renamed); on
    /// Postgres an error that says which pg_dump command to run. Refuses to overwrite.
    ///
    /// # Errors
    /// `BackupExists`, `BackupElsewhere` (Postgres), or `Backup` with what went wrong; no half copy
    /// stays behind.
    pub async fn backup(&self, file: &Path) -> Result<()> {
        if matches!(self.inner.home, Location::Server(_)) {
            return Err(StoreError::BackupElsewhere(format!(
                "the database is on a Postgres server, which has its own backup; run pg_dump --format=custom --file={} '{}'",
                file.display(),
                self.inner.place
            )));
        }
        if file.exists() {
            return Err(StoreError::BackupExists(file.to_owned()));
        }
        let fail = |detail: String| StoreError::Backup { file: file.to_owned(), detail };
        let mut name = file.as_os_str().to_owned();
        name.push(format!(".partial-{}", std::process::id()));
        let partial = PathBuf::from(name);
        // The copy goes into an empty file that is its owner's alone already.
        drop(private::file(&partial, Existing::Replace).map_err(|error| fail(error.to_string()))?);
        let copied = self.copy(&partial).await.map_err(|error| fail(error.to_string()));
        let done = copied.and_then(|()| {
            // On disk before it gets its name: a backup that is there is whole.
            std::fs::File::open(&partial)
                .and_then(|copy| copy.sync_all())
                .and_then(|()| std::fs::rename(&partial, file))
                .map_err(|error| fail(error.to_string()))
        });
        if done.is_err() {
            let _ = std::fs::remove_file(&partial);
        }
        done
    }

    /// On a connection of its own, so that nobody waits for it: the copy is one long read.
    async fn copy(&self, to: &Path) -> Result<()> {
        let to = to.to_str().ok_or(StoreError::Statement("the file's name is not UTF-8".to_owned()))?;
        let mut connection = AnyConnection::connect_with(&self.inner.options).await?;
        let copied = async {
            sqlx::query("PRAGMA busy_timeout = 10000").execute(&mut connection).await?;
            sqlx::query("VACUUM INTO $1").bind(to).execute(&mut connection).await
        };
        let copied = copied.await;
        connection.close().await?;
        copied?;
        Ok(())
    }
}
