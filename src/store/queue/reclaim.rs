//! What workers that are gone had claimed goes back into the queue.

use crate::domain::UnixMillis;
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Write};
use crate::store::queue::run::share_issue;
use crate::store::queue::worker_lease::{AND_GONE, WorkerLease};

statements! {
    /// What workers that are gone had claimed: `$3` is 1 for the rows whose letter was not begun, 0
    /// for the others.
    ///
    /// `IN (SELECT number …)` makes one look-up an issue in the index by state; an index of its own
    /// would be written twice with every letter for something that happens once a start.
    RECLAIM = "
        WITH gone AS MATERIALIZED (
            SELECT q.issue AS i, q.subscriber AS s,
                   EXISTS (SELECT 1 FROM subscriber p WHERE p.id = q.subscriber AND p.status = 'active')
                   AND EXISTS (SELECT 1 FROM issue o WHERE o.number = q.issue AND o.finished_at IS NULL) AS wanted
            FROM delivery q
            WHERE q.issue IN (SELECT number FROM issue) AND q.state = 'sending' AND q.worker <> $2 AND q.ahead = $3
              {and gone})
        UPDATE delivery SET
            state = CASE WHEN NOT g.wanted THEN 'cancelled' WHEN attempts = $3 THEN 'queued' ELSE 'deferred' END,
            due_at = CASE WHEN g.wanted THEN $1 END, finished_at = CASE WHEN NOT g.wanted THEN $1 END,
            cancelled_by = CASE WHEN NOT g.wanted THEN 'unwanted' END,
            lease_until = NULL, worker = NULL, ahead = 0, attempts = attempts - $3, unknowns = unknowns + 1 - $3,
            note = CASE $3 WHEN 1 THEN 'the worker stopped before the attempt'
                   ELSE 'the worker stopped in the middle of the attempt' END
        FROM gone AS g WHERE issue = g.i AND subscriber = g.s AND state = 'sending' AND worker <> $2 AND ahead = $3",
        on_postgres(&[("{and gone}", AND_GONE)]);
}

impl Store {
    /// Rows claimed by workers that are gone go back to `deferred`, due now, with an unknown
    /// outcome (or are cancelled, if their subscriber or issue has ended); those claimed ahead,
    /// whose letter was not begun, go back untried. Returns how many are unknown. On SQLite every
    /// other worker is gone, since only one process can be enlisted; on Postgres those whose
    /// advisory lock nobody holds, or whose lease has run out.
    ///
    /// # Errors
    /// `LeaseLost` if our own hold is lost, so that others may be taking *our* rows.
    pub async fn reclaim(&self, me: &WorkerLease, now: UnixMillis) -> Result<u64> {
        me.check().await?;
        let mut tx = self.inner.begin(Durability::Full).await?;
        share_issue(&mut tx).await?;
        let back = async |tx: &mut Write<'_>, ahead: i64| {
            let query = tx.query(&RECLAIM).bind(now.0).bind(me.worker).bind(ahead);
            Ok::<_, StoreError>(query.execute(&mut *tx.tx).await?.rows_affected())
        };
        back(&mut tx, 1).await?;
        let unknown = back(&mut tx, 0).await?;
        tx.commit().await?;
        Ok(unknown)
    }
}
