//! The run of the one issue that is on its way: kept from ending meanwhile, when something is next
//! due, and finished.

use sqlx::Row as _;

use crate::domain::UnixMillis;
use crate::domain::issue::IssueNumber;
use crate::store::db::dialect::Engine;
use crate::store::db::error::Result;
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Write};

statements! {
    /// Postgres only: holds off `cancel` and `pause` for the length of a transaction; those who
    /// share it don't hold off each other.
    SHARE_ISSUE = "SELECT number FROM issue WHERE finished_at IS NULL FOR SHARE", postgres_only();

    NEXT_DUE = "SELECT MIN(due_at) AS due FROM delivery
        WHERE issue = (SELECT MIN(number) FROM issue WHERE state = 'running') AND state IN ('queued', 'deferred')
          AND held = 0";

    NEXT_QUEUED = "
        SELECT MIN(due_at) AS due FROM delivery
        WHERE issue = (SELECT MIN(number) FROM issue WHERE state = 'running')
        AND state IN ('queued', 'deferred') AND held = 0 AND state = 'queued'";

    DONE = "{nothing is open}", with(&[("{nothing is open}", NOTHING_IS_OPEN)]);

    FINISH = "
        UPDATE issue SET state = 'finished', finished_at = $1 WHERE state = 'running' AND number IN ({nothing is open})
        RETURNING number", with(&[("{nothing is open}", NOTHING_IS_OPEN)]);
}

/// Running issues of which nothing is open.
const NOTHING_IS_OPEN: &str = "SELECT number FROM issue WHERE state = 'running'
        AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.issue = issue.number AND d.state IN ('queued', 'deferred'))
        AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.issue = issue.number AND d.state = 'sending')";

impl Store {
    /// When the next delivery of a running issue becomes due, if one waits; those that wait for the
    /// winner of a test have no time.
    pub async fn next_due(&self) -> Result<Option<UnixMillis>> {
        let row = self.inner.query(&NEXT_DUE).fetch_one(&self.inner.read).await?;
        Ok(row.try_get::<Option<i64>, _>("due")?.map(UnixMillis))
    }

    /// When the next letter that has not been refused becomes due: those that wait for a slot are
    /// among them, and those that wait for the winner of a test are not.
    pub async fn next_queued(&self) -> Result<Option<UnixMillis>> {
        let row = self.inner.query(&NEXT_QUEUED).fetch_one(&self.inner.read).await?;
        Ok(row.try_get::<Option<i64>, _>("due")?.map(UnixMillis))
    }

    /// Marks running issues without open deliveries finished; returns their numbers.
    pub async fn finish_done(&self, now: UnixMillis) -> Result<Vec<IssueNumber>> {
        // Asked often and true once a week: look without taking the writer's place.
        if self.inner.query(&DONE).fetch_all(&self.inner.read).await?.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.inner.begin(Durability::Full).await?;
        let rows = tx.query(&FINISH).bind(now.0).fetch_all(&mut *tx.tx).await?;
        tx.commit().await?;
        rows.iter().map(|row| Ok(IssueNumber(row.try_get("number")?))).collect()
    }
}

/// Keeps the issue from being paused, cancelled or decided until the transaction ends.
pub(in crate::store) async fn share_issue(tx: &mut Write<'_>) -> Result<()> {
    if tx.engine == Engine::Postgres {
        tx.query(&SHARE_ISSUE).fetch_all(&mut *tx.tx).await?;
    }
    Ok(())
}
