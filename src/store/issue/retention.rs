//! Old deliveries become counters, and failed ones that an operator wants tried again become due.

use sqlx::Row as _;

use crate::domain::UnixMillis;
use crate::domain::delivery::DeliveryState;
use crate::domain::issue::{IssueNumber, IssueState};
use crate::domain::subscriber::SubscriberId;
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Lock};
use crate::store::db::values::json;

statements! {
    /// The oldest issue that is over for long enough and still has rows to condense.
    RIPE = "
        SELECT number FROM issue WHERE finished_at IS NOT NULL AND finished_at <= $1
          AND (EXISTS (SELECT 1 FROM delivery d WHERE d.issue = issue.number AND d.state = 'sent')
            OR EXISTS (SELECT 1 FROM delivery d WHERE d.issue = issue.number AND d.state = 'cancelled'))
        ORDER BY number LIMIT 1";

    /// Postgres has no LIMIT in a DELETE; the key is looked up in the index by state.
    TAKE_OUT = "
        WITH old AS MATERIALIZED (
            SELECT q.issue AS i, q.subscriber AS s FROM delivery q
            WHERE q.issue = $1 AND q.state = $2 ORDER BY q.subscriber LIMIT $3)
        DELETE FROM delivery WHERE issue = $1 AND state = $2 AND subscriber IN (SELECT s FROM old) RETURNING unknowns";

    ADD_UP = "
        INSERT INTO condensed (issue, state, deliveries, unknowns) VALUES ($1, $2, $3, $4)
        ON CONFLICT (issue, state) DO UPDATE SET deliveries = condensed.deliveries + excluded.deliveries,
            unknowns = condensed.unknowns + excluded.unknowns";

    STILL_THERE = "SELECT 1 AS there FROM delivery WHERE issue = $1 AND state IN ('sent', 'cancelled') LIMIT 1";

    /// The rows that are left of a condensed issue are few. The archive shows the letter whose
    /// subject has won.
    FORGET_VARIANTS = "
        DELETE FROM issue_variant WHERE issue = $1 AND NOT EXISTS (
            SELECT 1 FROM delivery d WHERE d.issue = issue_variant.issue
              AND d.letter = issue_variant.letter AND d.arm = issue_variant.arm)
          AND NOT (letter = 0 AND arm = 'b' AND EXISTS (SELECT 1 FROM subject_test t WHERE t.issue = $1 AND t.winner = 'b'))";

    FORGET_TOPICS = "DELETE FROM issue_topics WHERE issue = $1";

    FORGET_HOURS = "DELETE FROM issue_hour WHERE issue = $1";

    /// A letter that is tried again counts its age anew, or its first refusal for now would be its
    /// last.
    RETRY = "
        WITH v AS MATERIALIZED (SELECT CAST(e.value AS BIGINT) AS s FROM {texts})
        UPDATE delivery AS d SET state = CASE WHEN d.attempts = 0 THEN 'queued' ELSE 'deferred' END, due_at = $2,
            enqueued_at = $2, finished_at = NULL, note = 'an operator asked for another try'
        FROM v WHERE d.issue = $3 AND d.subscriber = v.s AND d.state = 'failed'
          AND EXISTS (SELECT 1 FROM subscriber p WHERE p.id = v.s AND p.status = 'active')";

    STATE = "SELECT state FROM issue WHERE number = $1";

    OTHER = "SELECT number FROM issue WHERE finished_at IS NULL";

    OPEN_AGAIN = "UPDATE issue SET state = 'running', finished_at = NULL WHERE number = $1";
}

/// Why failed letters of an issue were not put back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Requeued {
    /// So many are due again; others belong to readers who have left.
    Again(u64),
    /// There is no such issue.
    Unknown,
    /// It was called off; nothing of it is ever sent.
    Cancelled,
    /// Another issue is on its way, and there is one at a time.
    Busy(IssueNumber),
}

impl Store {
    /// Turns up to `batch` rows of one issue that was over at `before` into counters, in one
    /// commit; failed rows stay, with the words of their relay. Returns how many; 0 when there is
    /// nothing left to condense.
    pub async fn condense(&self, before: UnixMillis, batch: i64) -> Result<u64> {
        // Asked often and true once a week: look without taking the writer's place.
        if self.inner.query(&RIPE).bind(before.0).fetch_all(&self.inner.read).await?.is_empty() {
            return Ok(0);
        }
        let mut tx = self.inner.begin(Durability::Normal).await?;
        tx.lock(Lock::Ledger).await?;
        let Some(issue) = tx.query(&RIPE).bind(before.0).fetch_optional(&mut *tx.tx).await? else {
            return Ok(0);
        };
        let number: i64 = issue.try_get("number")?;
        let mut left = batch;
        for state in [DeliveryState::Sent, DeliveryState::Cancelled] {
            let taken = tx.query(&TAKE_OUT).bind(number).bind(state.as_str()).bind(left);
            let taken = taken.fetch_all(&mut *tx.tx).await?;
            if taken.is_empty() {
                continue;
            }
            let mut unknowns = 0;
            for row in &taken {
                unknowns += i64::from(row.try_get::<i64, _>("unknowns")? > 0);
            }
            let count = i64::try_from(taken.len()).unwrap_or(i64::MAX);
            left -= count;
            let add = tx.query(&ADD_UP).bind(number).bind(state.as_str()).bind(count).bind(unknowns);
            add.execute(&mut *tx.tx).await?;
        }
        let more = tx.query(&STILL_THERE).bind(number).fetch_all(&mut *tx.tx).await?;
        if more.is_empty() {
            // The last of it: letters that no row asks for any more. A failed one may be tried
            // again, and keeps its own.
            for statement in [&FORGET_VARIANTS, &FORGET_TOPICS, &FORGET_HOURS] {
                tx.query(statement).bind(number).execute(&mut *tx.tx).await?;
            }
        }
        tx.commit().await?;
        Ok(u64::try_from(batch - left).unwrap_or(0))
    }

    /// Makes the failed deliveries of `readers` due again at `now`, and a finished issue running;
    /// all or nothing.
    pub async fn requeue(
        &self,
        number: IssueNumber,
        readers: &[SubscriberId],
        now: UnixMillis,
    ) -> Result<Requeued> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        tx.lock(Lock::Ledger).await?;
        let state = tx.query(&STATE).bind(number.0);
        let Some(row) = state.fetch_optional(&mut *tx.tx).await? else { return Ok(Requeued::Unknown) };
        let state: String = row.try_get("state")?;
        match state.parse().map_err(|_| StoreError::content("issue state", state))? {
            IssueState::Cancelled => return Ok(Requeued::Cancelled),
            IssueState::Running | IssueState::Paused => {}
            IssueState::Finished => {
                let other = tx.query(&OTHER);
                if let Some(other) = other.fetch_optional(&mut *tx.tx).await? {
                    return Ok(Requeued::Busy(IssueNumber(other.try_get("number")?)));
                }
                tx.query(&OPEN_AGAIN).bind(number.0).execute(&mut *tx.tx).await?;
            }
        }
        let mut again = 0;
        for batch in readers.chunks(1000) {
            // As texts: the one array that reads the same on both engines.
            let ids: Vec<String> = batch.iter().map(|id| id.0.to_string()).collect();
            let put = tx.query(&RETRY).bind(json(&ids)?).bind(now.0);
            again += put.bind(number.0).execute(&mut *tx.tx).await?.rows_affected();
        }
        if again == 0 {
            // Dropped, so that an issue that was finished stays so.
            return Ok(Requeued::Again(0));
        }
        tx.commit().await?;
        Ok(Requeued::Again(again))
    }
}
