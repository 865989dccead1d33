//! An issue goes into the queue, in one commit.

use std::collections::HashSet;

use serde::Serialize;
use sqlx::Row as _;

use crate::domain::UnixMillis;
use crate::domain::issue::{IssueNumber, NewIssue};
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Lock, Write};
use crate::store::db::values::json;
use crate::store::issue::enqueued::Enqueued;
use crate::store::issue::issues::next_number;
use crate::store::issue::subject_test::Subjects;
use crate::store::issue::variants::Choices;

statements! {
    /// The featured comparisons that are in the store, with the issue that has featured them
    /// already.
    FEATURE_TAKEN = "SELECT slug, featured_in FROM comparison WHERE slug IN (SELECT e.value ->> 'slug' FROM {each})";

    FEATURE = "UPDATE comparison SET featured_in = $2 WHERE slug IN (SELECT e.value ->> 'slug' FROM {each})";

    LIST_COMPARISONS = "
        INSERT INTO issue_comparison (issue, role, position, slug)
        SELECT $2, e.value ->> 'role', CAST(e.value ->> 'position' AS BIGINT), e.value ->> 'slug' FROM {each}";

    /// A suppressed address is never active, since what suppresses it also ends the status (and an
    /// import looks). So the status alone says who gets the letter.
    FAN_OUT = "
        INSERT INTO delivery (issue, subscriber, state, enqueued_at, due_at)
        SELECT $1, s.id, 'queued', $2, $2 FROM subscriber s WHERE s.status = 'active' ORDER BY s.id";

    PUT = "
        INSERT INTO issue (number, slot, state, cutoff_at, subject, preheader, stencil, created_at)
        VALUES ($1, $2, 'running', $3, $4, $5, $6, $7)";

    OTHER = "SELECT number FROM issue WHERE finished_at IS NULL OR number >= $1 OR slot = $2 ORDER BY number LIMIT 1";

    SKIPPED = "SELECT slot FROM slot_skip WHERE slot = $1";
}

/// An issue to enqueue, with what readers chose and what an operator wrote.
#[derive(Clone, Debug)]
pub struct Enqueue {
    /// Which one it is, and it must still be the next.
    pub number: IssueNumber,
    pub issue: NewIssue,
    pub choices: Choices,
    pub subjects: Subjects,
}

impl Enqueue {
    /// One letter for everybody, under a subject that nobody had a word in.
    pub fn new(number: IssueNumber, issue: NewIssue) -> Self {
        Self { number, issue, choices: Choices::default(), subjects: Subjects::default() }
    }
}

#[derive(Serialize)]
struct Listed<'a> {
    role: &'a str,
    position: usize,
    slug: &'a str,
}

fn listed<'a>(role: &'a str, slugs: &'a [String]) -> Vec<Listed<'a>> {
    slugs.iter().enumerate().map(|(position, slug)| Listed { role, position, slug }).collect()
}

impl Store {
    /// Writes the issue, its comparisons and one delivery for each active, unsuppressed subscriber,
    /// in one commit. Refuses (`Taken`) if its number is not the next any more, if the slot has an
    /// issue or a skip, if a featured comparison is featured, or if an issue is running or paused.
    ///
    /// Every choice of topics has a letter of its own, at the hours that readers chose. Who has
    /// paused, and whom nothing is left for, gets a row that is cancelled and says so. With a test
    /// of two subjects, some of them are drawn for it and the others wait (see
    /// [`Store::decide_subject_test`]).
    ///
    /// # Errors
    /// `NoSuchComparison` if a slug is not in the store; then nothing was written.
    pub async fn enqueue(&self, new: &Enqueue, now: UnixMillis) -> Result<Enqueued> {
        let Enqueue { number, issue, choices, subjects } = new;
        let number = *number;
        let mut tx = self.inner.begin(Durability::Full).await?;
        tx.lock(Lock::Ledger).await?;
        let featured = json(&listed("featured", &issue.featured))?;
        if let Some(by) = taken(&mut tx, number, issue, &featured).await? {
            return Ok(Enqueued::Taken { by });
        }
        if !self.is_as_written(&mut tx, number, subjects.written.as_ref()).await? {
            return Ok(Enqueued::Outdated);
        }
        put(&mut tx, number, issue, &featured, now).await?;
        let fan = tx.query(&FAN_OUT).bind(number.0).bind(now.0).execute(&mut *tx.tx).await?;
        if let Some(refusal) = self.choose(&mut tx, number, choices, fan.rows_affected(), now).await? {
            return Ok(refusal);
        }
        if let Some(test) = &subjects.test {
            self.begin_test(&mut tx, number, test, now).await?;
        }
        tx.commit().await?;
        let audience = i64::try_from(fan.rows_affected()).unwrap_or(i64::MAX);
        Ok(Enqueued::Started { number, audience })
    }
}

/// What stands in the way, if anything does.
async fn taken(
    tx: &mut Write<'_>,
    number: IssueNumber,
    issue: &NewIssue,
    featured: &str,
) -> Result<Option<Option<IssueNumber>>> {
    let other = tx.query(&OTHER).bind(number.0).bind(issue.slot.as_deref()).fetch_all(&mut *tx.tx).await?;
    if let Some(row) = other.first() {
        return Ok(Some(Some(IssueNumber(row.try_get("number")?))));
    }
    if next_number(tx).await? != number {
        return Ok(Some(None));
    }
    let skip = tx.query(&SKIPPED).bind(issue.slot.as_deref()).fetch_all(&mut *tx.tx).await?;
    if !skip.is_empty() {
        return Ok(Some(None));
    }
    let mut there = HashSet::new();
    for row in &tx.query(&FEATURE_TAKEN).bind(featured).fetch_all(&mut *tx.tx).await? {
        if let Some(by) = row.try_get::<Option<i64>, _>("featured_in")? {
            return Ok(Some(Some(IssueNumber(by))));
        }
        there.insert(row.try_get::<String, _>("slug")?);
    }
    match issue.featured.iter().find(|slug| !there.contains(*slug)) {
        Some(slug) => Err(StoreError::NoSuchComparison { slug: slug.clone() }),
        None => Ok(None),
    }
}

/// Writes the issue and its comparisons down.
async fn put(
    tx: &mut Write<'_>,
    number: IssueNumber,
    issue: &NewIssue,
    featured: &str,
    now: UnixMillis,
) -> Result<()> {
    tx.query(&PUT)
        .bind(number.0)
        .bind(issue.slot.as_deref())
        .bind(issue.cutoff_at.0)
        .bind(&issue.subject)
        .bind(&issue.preheader)
        .bind(&issue.stencil)
        .bind(now.0)
        .execute(&mut *tx.tx)
        .await?;
    let mentioned = json(&listed("mentioned", &issue.mentioned))?;
    for list in [featured, &mentioned] {
        tx.query(&LIST_COMPARISONS).bind(list).bind(number.0).execute(&mut *tx.tx).await?;
    }
    tx.query(&FEATURE).bind(featured).bind(number.0).execute(&mut *tx.tx).await?;
    Ok(())
}
