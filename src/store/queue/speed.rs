//! How fast letters go at this moment. Each worker notes its own speed, so that `status` can say it
//! from another process.

use std::time::Duration;

use sqlx::Row as _;

use crate::domain::UnixMillis;
use crate::store::db::error::Result;
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::Durability;
use crate::store::queue::worker_lease::WorkerLease;

/// How old a note may be that still speaks of this moment; a worker that ended leaves its last one
/// behind.
const FRESH: Duration = Duration::from_secs(15);

statements! {
    FORGET = "DELETE FROM speed WHERE noted_at < $1 OR noted_at > $2",
        may_scan("speed", "a row for each worker");

    NOTE = "
        INSERT INTO speed (worker, milliletters, noted_at) VALUES ($1, $2, $3)
        ON CONFLICT (worker) DO UPDATE SET milliletters = excluded.milliletters, noted_at = excluded.noted_at";

    SPEED = "SELECT CAST(SUM(milliletters) AS BIGINT) AS milliletters FROM speed
        WHERE noted_at >= $1 AND noted_at <= $2",
        may_scan("speed", "a row for each worker");
}

impl Store {
    /// Notes how many letters a second this worker delivers, in place of what it noted before.
    /// Forgets the notes of workers that ended. A power cut may take it back.
    pub async fn note_speed(&self, me: &WorkerLease, per_second: f64, now: UnixMillis) -> Result<()> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a speed fits many times over, and `as` stops at the ends"
        )]
        let milliletters = (per_second.max(0.0) * 1000.0).round() as i64;
        let mut tx = self.inner.begin(Durability::Normal).await?;
        let (oldest, latest) = fresh(now);
        tx.query(&FORGET).bind(oldest).bind(latest).execute(&mut *tx.tx).await?;
        tx.query(&NOTE).bind(me.worker).bind(milliletters).bind(now.0).execute(&mut *tx.tx).await?;
        tx.commit().await
    }

    /// Letters a second of all workers together; none if nobody has noted a speed in the last
    /// seconds.
    pub async fn speed(&self, now: UnixMillis) -> Result<Option<f64>> {
        let (oldest, latest) = fresh(now);
        let row = self.inner.query(&SPEED).bind(oldest).bind(latest).fetch_one(&self.inner.read).await?;
        #[expect(clippy::cast_precision_loss, reason = "a speed for people's eyes")]
        let per_second = |milliletters: i64| milliletters as f64 / 1000.0;
        Ok(row.try_get::<Option<i64>, _>("milliletters")?.map(per_second))
    }
}

/// A clock that was set back must not keep a note fresh for hours.
fn fresh(now: UnixMillis) -> (i64, i64) {
    let span = i64::try_from(FRESH.as_millis()).unwrap_or(i64::MAX);
    (now.0.saturating_sub(span), now.0.saturating_add(span))
}
