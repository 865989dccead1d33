//! How much of each limit is used up: rows, so that a restart forgives nothing, and no other act
//! deletes any of them.

use std::collections::HashMap;

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::domain::UnixMillis;
use crate::domain::signup::Allowance;
use crate::store::db::error::Result;
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::Write;
use crate::store::db::values::json;

statements! {
    USED = "SELECT a.key, a.used, a.ends_at FROM {texts} CROSS JOIN allowance a WHERE a.key = e.value";

    /// A span that is over, or that a clock set back has put out of reach, begins anew.
    USE = "
        INSERT INTO allowance (key, used, ends_at)
        SELECT e.value ->> 0, 1, CAST(e.value ->> 1 AS BIGINT) FROM {each} WHERE TRUE
        ON CONFLICT (key) DO UPDATE SET
            used = CASE WHEN allowance.ends_at > $2 AND allowance.ends_at <= excluded.ends_at THEN allowance.used + 1 ELSE 1 END,
            ends_at = CASE WHEN allowance.ends_at > $2 AND allowance.ends_at <= excluded.ends_at
                THEN allowance.ends_at ELSE excluded.ends_at END";

    OVER = "
        DELETE FROM allowance WHERE key IN (
            SELECT a.key FROM allowance a WHERE a.ends_at <= $1 ORDER BY a.ends_at LIMIT CAST($2 AS BIGINT))";
}

/// Uses one of each; none of them is used if one is used up, and the answer is until when. The same
/// statements whichever it is.
pub(in crate::store) async fn take(
    tx: &mut Write<'_>,
    allowances: &[Allowance],
    now: UnixMillis,
) -> Result<Option<UnixMillis>> {
    let rows = tx.query(&USED).bind(keys(allowances)?).fetch_all(&mut *tx.tx).await?;
    let until = Used::read(&rows)?.up(allowances, now);
    let taken = if until.is_none() { allowances } else { &[] };
    let taken: Vec<_> = taken.iter().map(|a| (&a.key, now.plus(a.span).0)).collect();
    tx.query(&USE).bind(json(&taken)?).bind(now.0).execute(&mut *tx.tx).await?;
    Ok(until)
}

fn keys(allowances: &[Allowance]) -> Result<String> {
    json(&allowances.iter().map(|allowance| &allowance.key).collect::<Vec<_>>())
}

/// How much is used of each, and until when that counts.
struct Used(HashMap<String, (i64, i64)>);

impl Used {
    fn read(rows: &[AnyRow]) -> Result<Self> {
        let read = |row: &AnyRow| Ok((row.try_get("key")?, (row.try_get("used")?, row.try_get("ends_at")?)));
        Ok(Self(rows.iter().map(read).collect::<Result<_>>()?))
    }

    /// What of it stands in a span as long as this one's.
    fn of(&self, key: &str, span: std::time::Duration, now: UnixMillis) -> Option<(i64, i64)> {
        let stands = |(_, ends): &(i64, i64)| *ends > now.0 && *ends <= now.plus(span).0;
        self.0.get(key).copied().filter(stands)
    }

    /// Until when one of them is used up.
    fn up(&self, allowances: &[Allowance], now: UnixMillis) -> Option<UnixMillis> {
        let used_up = |allowance: &Allowance| {
            let (used, ends) = self.of(&allowance.key, allowance.span, now)?;
            let rest = allowance.rest_of.as_ref().map(|(key, all)| {
                let gone = self.of(key, allowance.span, now).map_or(0, |(gone, _)| gone);
                (i64::from(*all) - gone).max(0)
            });
            let most = i64::from(allowance.most);
            (used >= most || rest.is_some_and(|rest| used > rest)).then_some(UnixMillis(ends))
        };
        allowances.iter().filter_map(used_up).max()
    }
}

impl Store {
    /// Until when one of `allowances` is used up; none if all have something left. Writes nothing.
    pub async fn used_up(&self, allowances: &[Allowance], now: UnixMillis) -> Result<Option<UnixMillis>> {
        let rows = self.inner.query(&USED).bind(keys(allowances)?).fetch_all(&self.inner.read).await?;
        Ok(Used::read(&rows)?.up(allowances, now))
    }

    /// Forgets up to `batch` allowances whose span is over; how many.
    pub async fn forget_allowances(&self, now: UnixMillis, batch: i64) -> Result<u64> {
        self.inner.sweep(&OVER, now, batch).await
    }
}
