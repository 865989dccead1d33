//! What everybody may read: comparisons whose time has come, and issues of which a letter has left.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::domain::UnixMillis;
use crate::domain::comparison::{StoredComparison, Votes};
use crate::domain::issue::{Issue, IssueNumber};
use crate::store::db::error::Result;
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::values::small;
use crate::store::issue::comparisons::stored;
use crate::store::issue::issues::issue;
use crate::store::reader::votes::Total;

/// An issue is public from its first letter on; one that was called off before that never was. Two
/// states of a delivery mean an attempt at least, and both are found in the index by state.
const IS_PUBLIC: &str = "o.released = 0 AND (o.finished_at IS NOT NULL
            OR EXISTS (SELECT 1 FROM delivery d WHERE d.issue = o.number AND d.state = 'sending')
            OR EXISTS (SELECT 1 FROM delivery d WHERE d.issue = o.number AND d.state = 'sent')
            OR EXISTS (SELECT 1 FROM delivery d WHERE d.issue = o.number AND d.unknowns > 0))";

const ISSUE: &str =
    "SELECT o.number, o.slot, o.state, o.cutoff_at, o.subject, o.preheader, o.created_at, o.finished_at,
               o.pause_reason FROM issue o";

const COMPARISON: &str = "SELECT body, imported_at, updated_at, featured_in FROM comparison";

statements! {
    PUBLIC_ISSUES = "
        {issue} WHERE {is public} ORDER BY o.number DESC LIMIT $1 OFFSET $2",
        with(&[("{issue}", ISSUE), ("{is public}", IS_PUBLIC)]);

    PUBLIC_ISSUE = "
        {issue} WHERE o.number = $1 AND {is public}",
        with(&[("{issue}", ISSUE), ("{is public}", IS_PUBLIC)]);

    PUBLIC_COMPARISON = "
        {comparison} WHERE slug = $1 AND published_at <= $2", with(&[("{comparison}", COMPARISON)]);

    PUBLIC_COMPARISONS = "
        {comparison} WHERE published_at <= $2 ORDER BY published_at DESC, slug LIMIT $1",
        with(&[("{comparison}", COMPARISON)]);

    PUBLIC_SLUGS = "
        SELECT slug, CASE WHEN updated_at > published_at THEN updated_at ELSE published_at END AS changed_at
        FROM comparison WHERE published_at <= $2 ORDER BY published_at DESC, slug LIMIT $1";

    FIGURES = "
        SELECT c.updated_at, o.number AS issue, a.ship AS ship_a, a.skip AS skip_a, a.changed_at AS changed_a,
               b.ship AS ship_b, b.skip AS skip_b, b.changed_at AS changed_b
        FROM comparison c LEFT JOIN issue o ON o.number = c.featured_in AND {is public}
        LEFT JOIN vote_total a ON a.tool = $3 LEFT JOIN vote_total b ON b.tool = $4
        WHERE c.slug = $1 AND c.published_at <= $2", with(&[("{is public}", IS_PUBLIC)]);

    LISTS_VERSION = "
        SELECT (SELECT COUNT(*) FROM comparison WHERE published_at <= $1) AS comparisons,
               (SELECT MAX(updated_at) FROM comparison) AS updated_at,
               (SELECT COUNT(*) FROM issue o WHERE {is public}) AS issues,
               (SELECT COUNT(*) FROM subject_test WHERE winner = 'b') AS renamed",
        with(&[("{is public}", IS_PUBLIC)]);
}

/// What the page of a comparison shows besides the comparison itself. As long as it is the same, so
/// is the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Figures {
    /// When the comparison was last imported with another text.
    pub updated_at: UnixMillis,
    /// The public issue that featured it.
    pub issue: Option<IssueNumber>,
    /// The votes cast here, on the first tool and on the second.
    pub totals: [Total; 2],
}

/// What the lists of everything depend on. As long as it is the same, so are they.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListsVersion {
    pub comparisons: i64,
    /// When any comparison was last imported with another text.
    pub updated_at: UnixMillis,
    pub issues: i64,
    /// Issues that are known by another subject than they began with.
    pub renamed: i64,
}

impl Store {
    /// Public issues, the newest first, after leaving out `skip` of them.
    pub async fn public_issues(&self, skip: i64, limit: i64) -> Result<Vec<Issue>> {
        let rows =
            self.inner.query(&PUBLIC_ISSUES).bind(limit).bind(skip).fetch_all(&self.inner.read).await?;
        rows.iter().map(issue).collect()
    }

    pub async fn latest_public_issue(&self) -> Result<Option<Issue>> {
        Ok(self.public_issues(0, 1).await?.pop())
    }

    pub async fn public_issue(&self, number: IssueNumber) -> Result<Option<Issue>> {
        let row = self.inner.query(&PUBLIC_ISSUE).bind(number.0).fetch_optional(&self.inner.read).await?;
        row.as_ref().map(issue).transpose()
    }

    /// A comparison, if it is published by `now`.
    pub async fn public_comparison(&self, slug: &str, now: UnixMillis) -> Result<Option<StoredComparison>> {
        let row = self
            .inner
            .query(&PUBLIC_COMPARISON)
            .bind(slug)
            .bind(now.0)
            .fetch_optional(&self.inner.read)
            .await?;
        row.as_ref().map(stored).transpose()
    }

    /// What is published by `now`, the newest first.
    pub async fn public_comparisons(&self, limit: i64, now: UnixMillis) -> Result<Vec<StoredComparison>> {
        let rows =
            self.inner.query(&PUBLIC_COMPARISONS).bind(limit).bind(now.0).fetch_all(&self.inner.read).await?;
        rows.iter().map(stored).collect()
    }

    /// Slugs of what is published by `now`, the newest first, each with the time of its last
    /// change.
    pub async fn public_slugs(&self, limit: i64, now: UnixMillis) -> Result<Vec<(String, UnixMillis)>> {
        let rows =
            self.inner.query(&PUBLIC_SLUGS).bind(limit).bind(now.0).fetch_all(&self.inner.read).await?;
        let read = |row: &AnyRow| Ok((row.try_get("slug")?, UnixMillis(row.try_get("changed_at")?)));
        rows.iter().map(read).collect()
    }

    /// The figures of a comparison of these two tools; none if it is not published by `now`. Four
    /// look-ups by key.
    pub async fn figures(&self, slug: &str, tools: [&str; 2], now: UnixMillis) -> Result<Option<Figures>> {
        let row = self
            .inner
            .query(&FIGURES)
            .bind(slug)
            .bind(now.0)
            .bind(tools[0])
            .bind(tools[1])
            .fetch_optional(&self.inner.read)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Figures {
            updated_at: UnixMillis(row.try_get("updated_at")?),
            issue: row.try_get::<Option<i64>, _>("issue")?.map(IssueNumber),
            totals: [
                total(&row, ["ship_a", "skip_a", "changed_a"])?,
                total(&row, ["ship_b", "skip_b", "changed_b"])?,
            ],
        }))
    }

    /// What the lists of everything depend on.
    pub async fn lists_version(&self, now: UnixMillis) -> Result<ListsVersion> {
        let row = self.inner.query(&LISTS_VERSION).bind(now.0).fetch_one(&self.inner.read).await?;
        Ok(ListsVersion {
            comparisons: row.try_get("comparisons")?,
            updated_at: UnixMillis(row.try_get::<Option<i64>, _>("updated_at")?.unwrap_or(0)),
            issues: row.try_get("issues")?,
            renamed: row.try_get("renamed")?,
        })
    }
}

fn total(row: &AnyRow, [ship, skip, changed]: [&str; 3]) -> Result<Total> {
    let number = |name: &str| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(name)?.unwrap_or(0));
    let votes = Votes { ship: small(number(ship)?), skip: small(number(skip)?) };
    Ok(Total { votes, changed_at: UnixMillis(number(changed)?) })
}
