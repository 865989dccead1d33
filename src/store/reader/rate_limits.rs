//! How much of each limit is used up: rows, so that a restart forgives nothing.

use sqlx::Row as _;

use crate::domain::UnixMillis;
use crate::domain::signup::Allowance;
use crate::store::db::error::Result;
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::Write;

statements! {
    USED = "SELECT used, ends_at FROM allowance WHERE key = $1";

    /// A span that is over, or that a clock set back has put out of reach, begins anew.
    USE = "
        INSERT INTO allowance (key, used, ends_at) VALUES ($1, 1, $3)
        ON CONFLICT (key) DO UPDATE SET
            used = CASE WHEN allowance.ends_at > $2 AND allowance.ends_at <= $3 THEN allowance.used + 1 ELSE 1 END,
            ends_at = CASE WHEN allowance.ends_at > $2 AND allowance.ends_at <= $3 THEN allowance.ends_at ELSE $3 END";

    OVER = "
        DELETE FROM allowance WHERE key IN (
            SELECT a.key FROM allowance a WHERE a.ends_at <= $1 ORDER BY a.ends_at LIMIT CAST($2 AS BIGINT))";
}

/// Uses one of each; none of them is used if one is used up, and the answer is until when.
pub(in crate::store) async fn take(
    tx: &mut Write<'_>,
    allowances: &[Allowance],
    now: UnixMillis,
) -> Result<Option<UnixMillis>> {
    let mut until = None;
    for allowance in allowances {
        let row = tx.query(&USED).bind(&allowance.key).fetch_optional(&mut *tx.tx).await?;
        until = until.max(row.map(|row| used_up(&row, allowance, now)).transpose()?.flatten());
    }
    if until.is_some() {
        return Ok(until);
    }
    for allowance in allowances {
        let ends = now.plus(allowance.span);
        tx.query(&USE).bind(&allowance.key).bind(now.0).bind(ends.0).execute(&mut *tx.tx).await?;
    }
    Ok(None)
}

fn used_up(row: &sqlx::any::AnyRow, allowance: &Allowance, now: UnixMillis) -> Result<Option<UnixMillis>> {
    let (used, ends): (i64, i64) = (row.try_get("used")?, row.try_get("ends_at")?);
    let stands = ends > now.0 && ends <= now.plus(allowance.span).0;
    Ok((stands && used >= i64::from(allowance.most)).then_some(UnixMillis(ends)))
}

impl Store {
    /// Until when one of `allowances` is used up; none if all have something left. Writes nothing.
    pub async fn used_up(&self, allowances: &[Allowance], now: UnixMillis) -> Result<Option<UnixMillis>> {
        let mut until = None;
        for allowance in allowances {
            let row = self.inner.query(&USED).bind(&allowance.key).fetch_optional(&self.inner.read).await?;
            until = until.max(row.map(|row| used_up(&row, allowance, now)).transpose()?.flatten());
        }
        Ok(until)
    }

    /// Forgets up to `batch` allowances whose span is over; how many.
    pub async fn forget_allowances(&self, now: UnixMillis, batch: i64) -> Result<u64> {
        self.inner.sweep(&OVER, now, batch).await
    }
}
