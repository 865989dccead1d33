//! How far the ledger has come, as a number that only grows. Whoever delivers raises it and
//! remembers it outside the database: a copy from a backup has a lower one, and is known for what
//! it is before anybody gets a letter twice.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use sqlx::Row as _;

use crate::domain::UnixMillis;
use crate::domain::issue::IssueNumber;
use crate::private::{self, Existing};
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::{Location, Store};
use crate::store::db::tx::{Durability, Lock};

/// Which database this is, and how far it has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerPosition {
    pub id: String,
    pub generation: i64,
    /// The newest issue and its cut-off, if there is one.
    pub issue: Option<(IssueNumber, UnixMillis)>,
}

statements! {
    READ = "SELECT id, generation,
        (SELECT MAX(number) FROM issue) AS number, (SELECT MAX(cutoff_at) FROM issue WHERE released = 0) AS cutoff
        FROM ledger_mark",
        may_scan("ledger_mark", "one row");

    RAISE = "UPDATE ledger_mark SET generation = generation + 1",
        may_scan("ledger_mark", "one row");

    PAUSE = "
        UPDATE issue SET state = 'paused', pause_reason = 'restored from a backup: readers may have this letter already'
        WHERE finished_at IS NULL RETURNING number";

    STAND_IN = "
        INSERT INTO issue (number, slot, state, cutoff_at, subject, preheader, stencil, created_at, finished_at)
        VALUES ($1, NULL, 'cancelled', $2, 'Sent before the database was restored', '', '', $3, $3)";

    TAKE_ALONG = "UPDATE comparison SET featured_in = $1 WHERE featured_in IS NULL AND published_at <= $2";

    CATCH_UP = "UPDATE ledger_mark SET generation = $1 WHERE generation < $1",
        may_scan("ledger_mark", "one row");
}

impl Store {
    pub async fn ledger_position(&self) -> Result<LedgerPosition> {
        read(&self.inner.query(&READ).fetch_one(&self.inner.read).await?)
    }

    /// Raises the generation, with an fsync: all that was committed before is on disk by then too.
    pub async fn raise_ledger_position(&self) -> Result<LedgerPosition> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        tx.query(&RAISE).execute(&mut *tx.tx).await?;
        let position = read(&tx.query(&READ).fetch_one(&mut *tx.tx).await?)?;
        tx.commit().await?;
        Ok(position)
    }

    /// Makes a restored copy good to go on from, although readers have had more letters than it
    /// knows: an unfinished issue is paused, and the issues that it lacks, up to `known`, are
    /// represented by one that was called off, which takes their numbers and their comparisons, so
    /// that none of those is sent again. Returns the issue it paused.
    pub async fn accept_restored(
        &self,
        known: &LedgerPosition,
        now: UnixMillis,
    ) -> Result<Option<IssueNumber>> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        tx.lock(Lock::Ledger).await?;
        let paused = tx.query(&PAUSE).fetch_all(&mut *tx.tx).await?;
        let here = read(&tx.query(&READ).fetch_one(&mut *tx.tx).await?)?;
        if let Some((number, cutoff)) =
            known.issue.filter(|known| here.issue.is_none_or(|own| own.0 < known.0))
        {
            tx.query(&STAND_IN).bind(number.0).bind(cutoff.0).bind(now.0).execute(&mut *tx.tx).await?;
            tx.query(&TAKE_ALONG).bind(number.0).bind(cutoff.0).execute(&mut *tx.tx).await?;
        }
        tx.query(&CATCH_UP).bind(known.generation).execute(&mut *tx.tx).await?;
        tx.commit().await?;
        paused.first().map(|row| Ok(IssueNumber(row.try_get("number")?))).transpose()
    }
}

fn read(row: &sqlx::any::AnyRow) -> Result<LedgerPosition> {
    let number: Option<i64> = row.try_get("number")?;
    let cutoff: Option<i64> = row.try_get("cutoff")?;
    Ok(LedgerPosition {
        id: row.try_get("id")?,
        generation: row.try_get("generation")?,
        issue: number.map(|number| (IssueNumber(number), UnixMillis(cutoff.unwrap_or(0)))),
    })
}

/// The file outside the database that remembers its mark, one line for each database: `id
/// generation issue cut-off`. It belongs into no backup: what is restored together with it can't be
/// recognised.
#[derive(Clone, Debug)]
pub struct RestoreGuard {
    path: PathBuf,
    /// Whether letters may leave although the file can't be written.
    optional: bool,
}

impl RestoreGuard {
    /// Beside a SQLite file, whose folder can be written. With Postgres in `folder`, which is the
    /// worker's own: if nothing can be written there, the worker goes on without.
    pub fn of(store: &Store, folder: &Path) -> Self {
        match &store.inner.home {
            Location::File(database) => {
                let mut path = database.clone().into_os_string();
                path.push(".ledger-mark");
                Self { path: path.into(), optional: false }
            }
            Location::Server(_) => Self { path: folder.join("verdicts.ledger-mark"), optional: true },
        }
    }

    /// What is remembered of the database with this id.
    ///
    /// # Errors
    /// `GuardFile` if the file is there and can't be read.
    pub fn known(&self, id: &str) -> Result<Option<LedgerPosition>> {
        Ok(Self::find(&self.lines()?, id))
    }

    fn find(lines: &[String], id: &str) -> Option<LedgerPosition> {
        lines.iter().filter_map(|line| parse(line)).find(|position| position.id == id)
    }

    /// Whether the database is where it was left or further.
    ///
    /// # Errors
    /// `Restored` if it is an older copy of itself: letters would go out twice. Else as
    /// [`RestoreGuard::known`].
    pub async fn check(&self, store: &Store) -> Result<()> {
        // The file first: another process may raise both in between, and the database never lags
        // behind what the file has said.
        let remembered = self.lines()?;
        let here = store.ledger_position().await?;
        match Self::find(&remembered, &here.id) {
            Some(known) if known.generation > here.generation => Err(StoreError::Restored {
                place: store.inner.place.clone(),
                here: here.generation,
                known: known.generation,
                file: self.path.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Checks, then raises the mark in the database and in the file: letters may leave.
    ///
    /// # Errors
    /// As [`RestoreGuard::check`]; `GuardFile` if the file can't be written.
    pub async fn advance(&self, store: &Store) -> Result<()> {
        self.check(store).await?;
        // The database first: a crash in between leaves it ahead of the file, which is no older
        // copy.
        match self.remember(&store.raise_ledger_position().await?) {
            Err(error) if self.optional => {
                tracing::warn!(%error, "an old copy of this database would not be recognised");
                Ok(())
            }
            remembered => remembered,
        }
    }

    fn remember(&self, position: &LedgerPosition) -> Result<()> {
        let mut lines = self.lines()?;
        lines.retain(|line| parse(line).is_some_and(|known| known.id != position.id));
        let (issue, cutoff) = position.issue.unwrap_or((IssueNumber(0), UnixMillis(0)));
        lines.push(format!("{} {} {} {}", position.id, position.generation, issue.0, cutoff.0));
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{}.tmp", std::process::id()));
        let partial = PathBuf::from(name);
        let written = private::file(&partial, Existing::Replace).and_then(|mut file| {
            file.write_all((lines.join("\n") + "\n").as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&partial, &self.path)
        });
        written.map_err(|error| {
            let _ = std::fs::remove_file(&partial);
            self.fail(&error)
        })
    }

    fn lines(&self) -> Result<Vec<String>> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(self.fail(&error)),
        }
    }

    fn fail(&self, error: &std::io::Error) -> StoreError {
        StoreError::GuardFile { file: self.path.clone(), detail: error.to_string() }
    }
}

fn parse(line: &str) -> Option<LedgerPosition> {
    let mut words = line.split(' ');
    let id = words.next()?.to_owned();
    let mut number = || words.next()?.parse::<i64>().ok();
    let (generation, issue, cutoff) = (number()?, number()?, number()?);
    Some(LedgerPosition {
        id,
        generation,
        issue: (issue > 0).then_some((IssueNumber(issue), UnixMillis(cutoff))),
    })
}
