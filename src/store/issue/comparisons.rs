//! Comparisons: kept as the JSON of their file, keyed by slug.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::domain::UnixMillis;
use crate::domain::comparison::{Comparison, StoredComparison};
use crate::domain::issue::IssueNumber;
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Write};
use crate::store::db::values::json;

statements! {
    CANDIDATES = "SELECT body FROM comparison
        WHERE featured_in IS NULL AND published_at > $1 AND published_at <= $2 ORDER BY published_at, slug";

    CARRIED = "SELECT l.issue, l.role, c.body
        FROM issue_comparison l JOIN comparison c ON c.slug = l.slug
        WHERE l.issue IN (SELECT CAST(e.value AS BIGINT) FROM {texts}) ORDER BY l.issue DESC, l.role, l.position";

    ADD = "
        INSERT INTO comparison (slug, published_at, body, imported_at, updated_at) VALUES ($1, $2, $3, $4, $4)
        ON CONFLICT (slug) DO NOTHING";

    REPLACE = "UPDATE comparison SET published_at = $2, body = $3, updated_at = $4 WHERE slug = $1 AND body <> $3";

    COMPARISON = "SELECT body, imported_at, updated_at, featured_in FROM comparison WHERE slug = $1";

    TOPICS = "SELECT DISTINCT topic FROM comparison_topic",
        may_scan("comparison_topic", "a list of all topics");

    COMPARISONS = "
        SELECT body, imported_at, updated_at, featured_in FROM comparison
        ORDER BY published_at DESC, slug LIMIT $1",
        may_scan("comparison", "a list of all comparisons");

    DROP_TOPICS = "DELETE FROM comparison_topic WHERE slug = $1";

    PUT_TOPIC = "INSERT INTO comparison_topic (topic, slug) VALUES ($1, $2) ON CONFLICT (topic, slug) DO NOTHING";
}

/// What an import of one comparison did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ComparisonChange {
    Added,
    Updated,
    Unchanged,
}

/// A comparison in an issue.
#[derive(Clone, PartialEq, Debug)]
pub struct Carried {
    pub issue: IssueNumber,
    /// Featured, or else mentioned with a line.
    pub featured: bool,
    pub comparison: Comparison,
}

impl Store {
    /// Adds a comparison or, if its text differs, replaces it. What featured it stays as it is.
    pub async fn put_comparison(&self, c: &Comparison, now: UnixMillis) -> Result<ComparisonChange> {
        let body =
            serde_json::to_string(c).map_err(|error| StoreError::content("comparison", error.to_string()))?;
        let mut tx = self.inner.begin(Durability::Full).await?;
        let added = tx
            .query(&ADD)
            .bind(&c.slug)
            .bind(c.published().0)
            .bind(&body)
            .bind(now.0)
            .execute(&mut *tx.tx)
            .await?;
        if added.rows_affected() == 1 {
            put_topics(&mut tx, c).await?;
            tx.commit().await?;
            return Ok(ComparisonChange::Added);
        }
        let updated = tx
            .query(&REPLACE)
            .bind(&c.slug)
            .bind(c.published().0)
            .bind(&body)
            .bind(now.0)
            .execute(&mut *tx.tx)
            .await?;
        if updated.rows_affected() > 0 {
            put_topics(&mut tx, c).await?;
        }
        tx.commit().await?;
        Ok(match updated.rows_affected() {
            0 => ComparisonChange::Unchanged,
            _ => ComparisonChange::Updated,
        })
    }

    pub async fn comparison(&self, slug: &str) -> Result<Option<StoredComparison>> {
        self.inner
            .query(&COMPARISON)
            .bind(slug)
            .fetch_optional(&self.inner.read)
            .await?
            .map(|row| stored(&row))
            .transpose()
    }

    /// The categories of all comparisons, in alphabetical order; of those that differ in case
    /// alone, one.
    pub async fn topics(&self) -> Result<Vec<String>> {
        let rows = self.inner.query(&TOPICS).fetch_all(&self.inner.read).await?;
        let mut topics = rows.iter().map(|row| Ok(row.try_get("topic")?)).collect::<Result<Vec<String>>>()?;
        // Sorted here: the two engines sort by different rules.
        topics.sort_by_key(|topic| (topic.to_lowercase(), topic.clone()));
        topics.dedup_by_key(|topic| topic.to_lowercase());
        Ok(topics)
    }

    /// Newest first.
    pub async fn comparisons(&self, limit: i64) -> Result<Vec<StoredComparison>> {
        self.inner
            .query(&COMPARISONS)
            .bind(limit)
            .fetch_all(&self.inner.read)
            .await?
            .iter()
            .map(stored)
            .collect()
    }

    /// What the given issues carried: issue by issue, the featured ones first, in the order of the
    /// letter.
    pub async fn comparisons_in(&self, issues: &[IssueNumber]) -> Result<Vec<Carried>> {
        let rows = self.inner.query(&CARRIED).bind(json(&issues)?).fetch_all(&self.inner.read).await?;
        let carried = |row: &AnyRow| {
            let issue = IssueNumber(row.try_get("issue")?);
            let featured = row.try_get::<String, _>("role")? == "featured";
            Ok(Carried { issue, featured, comparison: parsed(row)? })
        };
        rows.iter().map(carried).collect()
    }

    /// Comparisons that no issue has featured, published after `after` and at or before `until`;
    /// oldest first.
    pub async fn candidates(&self, after: UnixMillis, until: UnixMillis) -> Result<Vec<Comparison>> {
        self.inner
            .query(&CANDIDATES)
            .bind(after.0)
            .bind(until.0)
            .fetch_all(&self.inner.read)
            .await?
            .iter()
            .map(parsed)
            .collect()
    }
}

async fn put_topics(tx: &mut Write<'_>, c: &Comparison) -> Result<()> {
    let old = tx.query(&DROP_TOPICS).bind(&c.slug);
    old.execute(&mut *tx.tx).await?;
    for tool in &c.tools {
        tx.query(&PUT_TOPIC).bind(tool.category.trim()).bind(&c.slug).execute(&mut *tx.tx).await?;
    }
    Ok(())
}

fn parsed(row: &AnyRow) -> Result<Comparison> {
    let body: String = row.try_get("body")?;
    serde_json::from_str(&body).map_err(|error| StoreError::content("a comparison with", error.to_string()))
}

pub(in crate::store) fn stored(row: &AnyRow) -> Result<StoredComparison> {
    Ok(StoredComparison {
        comparison: parsed(row)?,
        imported_at: UnixMillis(row.try_get("imported_at")?),
        updated_at: UnixMillis(row.try_get("updated_at")?),
        featured_in: row.try_get::<Option<i64>, _>("featured_in")?.map(IssueNumber),
    })
}
