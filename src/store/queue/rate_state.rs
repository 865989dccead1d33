//! The rows of the pace: read, changed by the rules of [`crate::domain::pace`], and written back
//! within one transaction.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use sqlx::Row as _;

use crate::domain::UnixMillis;
use crate::domain::pace::{FULL, Lane, Warmup, day};
use crate::domain::rate::Rate;
use crate::store::db::error::Result;
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::Write;
use crate::store::db::values::json;

/// The row of the rate of everything; no domain is called so.
pub(in crate::store) const ALL: &str = "*";

statements! {
    PACES = "
        SELECT key, tat, booked, factor, slowed_at FROM pace WHERE key IN (SELECT e.value ->> 'k' FROM {each})";

    PACE = "
        INSERT INTO pace (key, tat, booked, factor, slowed_at)
        SELECT e.value ->> 'k', CAST(e.value ->> 't' AS BIGINT), CAST(e.value ->> 'b' AS BIGINT),
               CAST(e.value ->> 'f' AS BIGINT), CAST(e.value ->> 's' AS BIGINT) FROM {each} WHERE TRUE
        ON CONFLICT (key) DO UPDATE SET tat = excluded.tat, booked = excluded.booked, factor = excluded.factor,
            slowed_at = excluded.slowed_at";

    COUNT_DAY = "
        INSERT INTO warmup_day (day, letters) VALUES ($1, {greatest}(0, $2))
        ON CONFLICT (day) DO UPDATE SET letters = {greatest}(0, warmup_day.letters + $2)";

    DAYS = "
        SELECT (SELECT COUNT(*) FROM warmup_day WHERE day < $1 AND letters > 0) AS days,
        (SELECT letters FROM warmup_day WHERE day = $1) AS today";
}

/// What a claim has to keep to.
#[derive(Clone, Copy, Debug)]
pub struct Pacing<'a> {
    /// Of all letters together.
    pub rate: Option<Rate>,
    pub warmup: &'a Warmup,
    /// Recipient domains, in lower case, that have a limit or were slowed down, with their full
    /// rate.
    pub domains: &'a HashMap<String, Rate>,
    /// How many more letters of a domain may be in flight; absent: as many as there are
    /// connections.
    pub room: &'a HashMap<String, usize>,
    /// Domains that said "slower" since the last claim.
    pub slower: &'a HashSet<String>,
    /// Claimed earlier and given back untried: they do not count against the day's ceiling.
    pub returned: usize,
}

#[derive(Serialize)]
struct KeyRow<'a> {
    k: &'a str,
    t: i64,
    b: i64,
    f: i64,
    s: i64,
}

/// The lanes as a transaction has read and changed them, by their keys.
pub(in crate::store) type RateState = HashMap<String, Lane>;

impl Store {
    /// Reads the rows of `keys` that `lanes` does not have yet.
    pub(in crate::store) async fn read_rate_state<'k>(
        &self,
        tx: &mut Write<'_>,
        keys: impl Iterator<Item = &'k str>,
        lanes: &mut RateState,
        now: UnixMillis,
    ) -> Result<()> {
        let keys: Vec<_> = keys.filter(|key| !lanes.contains_key(*key)).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let asked: Vec<_> = keys.iter().map(|k| HashMap::from([("k", *k)])).collect();
        let rows = tx.query(&PACES).bind(json(&asked)?).fetch_all(&mut *tx.tx).await?;
        for row in &rows {
            let (key, lane) = lane(row)?;
            lanes.insert(key, lane);
        }
        for key in keys {
            lanes.entry(key.to_owned()).or_insert_with(|| Lane::new(now));
        }
        Ok(())
    }

    pub(in crate::store) async fn write_rate_state(
        &self,
        tx: &mut Write<'_>,
        lanes: &RateState,
    ) -> Result<()> {
        if lanes.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = lanes
            .iter()
            .map(|(k, lane)| KeyRow { k, t: lane.tat, b: lane.booked, f: lane.factor, s: lane.slowed_at.0 })
            .collect();
        tx.query(&PACE).bind(json(&rows)?).execute(&mut *tx.tx).await?;
        Ok(())
    }

    /// How many letters the day's ceiling leaves; None: there is none.
    pub(in crate::store) async fn left_today(
        &self,
        tx: &mut Write<'_>,
        pacing: &Pacing<'_>,
        now: UnixMillis,
    ) -> Result<Option<usize>> {
        if pacing.warmup.0.is_empty() {
            return Ok(None);
        }
        let row = tx.query(&DAYS).bind(day(now)).fetch_one(&mut *tx.tx).await?;
        let today = row.try_get::<Option<i64>, _>("today")?.unwrap_or(0);
        let returned = i64::try_from(pacing.returned).unwrap_or(0);
        let days = usize::try_from(row.try_get::<i64, _>("days")?).unwrap_or(usize::MAX);
        Ok(pacing.warmup.left(days, (today - returned).max(0)))
    }

    pub(in crate::store) async fn count_day(
        &self,
        tx: &mut Write<'_>,
        claimed: usize,
        pacing: &Pacing<'_>,
        now: UnixMillis,
    ) -> Result<()> {
        let more = i64::try_from(claimed).unwrap_or(0) - i64::try_from(pacing.returned).unwrap_or(0);
        if pacing.warmup.0.is_empty() || more == 0 {
            return Ok(());
        }
        tx.query(&COUNT_DAY).bind(day(now)).bind(more).execute(&mut *tx.tx).await?;
        Ok(())
    }
}

pub(in crate::store) fn lane(row: &sqlx::any::AnyRow) -> Result<(String, Lane)> {
    let lane = Lane {
        tat: row.try_get("tat")?,
        booked: row.try_get("booked")?,
        factor: row.try_get::<i64, _>("factor")?.clamp(1, FULL),
        slowed_at: UnixMillis(row.try_get("slowed_at")?),
    };
    Ok((row.try_get("key")?, lane))
}
