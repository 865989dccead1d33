//! The pace of a run, in the same commit as its claims: what one worker takes, another finds taken,
//! and a restart goes on there.
//!
//! [`Store::record_and_claim_ahead`] knows nothing of this; [`Store::record_and_claim_paced`] is
//! for a run with a rate, a ceiling, or a domain that has to be spared. It looks at the head of the
//! queue before it claims: letters of a domain that is not due for one get the time of their slot
//! as `due_at` and count as no attempt, and the letters behind them move up.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use sqlx::Row as _;

use crate::domain::UnixMillis;
use crate::domain::delivery::{Claimed, Finished};
use crate::domain::issue::IssueNumber;
use crate::domain::pace::{Gcra, Lane, UNLIMITED, tomorrow};
use crate::domain::subscriber::SubscriberId;
use crate::store::db::error::Result;
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Lock, Write};
use crate::store::db::values::json;
use crate::store::queue::deliveries::{Claims, GIVEN};
use crate::store::queue::rate_state::{ALL, Pacing, RateState, lane};
use crate::store::queue::run::share_issue;
use crate::store::queue::worker_lease::{LEASE, WorkerLease};

/// The most letters that one claim puts off, and so the most that it reads to find those behind
/// them.
const MOST_PUT_OFF: usize = 8192;
/// The fewest and the most rows that are looked at in one go.
const WINDOW: (usize, usize) = (64, 4096);

statements! {
    /// The head of the queue, as [`Store::record_and_claim`] would claim it.
    PEEK = "
        SELECT q.issue, q.subscriber, (SELECT p.email FROM subscriber p WHERE p.id = q.subscriber) AS email
        FROM delivery q
        WHERE q.issue = (SELECT MIN(number) FROM issue WHERE state = 'running')
          AND q.state IN ('queued', 'deferred') AND q.held = 0 AND q.due_at <= $1
        ORDER BY q.due_at, q.subscriber LIMIT $2 {skip locked}";

    /// As `deliveries::RECORD_AND_CLAIM` claims, of rows that have been looked at.
    CLAIM_THESE = "
        WITH v AS MATERIALIZED (
            SELECT CAST(e.value ->> 'i' AS BIGINT) AS i, CAST(e.value ->> 's' AS BIGINT) AS s FROM {each}),
        due AS MATERIALIZED (
            SELECT i, s, EXISTS (SELECT 1 FROM subscriber p WHERE p.id = v.s AND p.status = 'active') AS wanted FROM v)
        UPDATE delivery SET
            state = CASE WHEN wanted THEN 'sending' ELSE 'cancelled' END,
            attempts = attempts + CASE WHEN wanted THEN 1 ELSE 0 END,
            due_at = NULL,
            lease_until = CASE WHEN wanted THEN $3 END,
            worker = CASE WHEN wanted THEN $4 END,
            finished_at = CASE WHEN NOT wanted THEN $2 END,
            ahead = CASE WHEN wanted THEN 1 ELSE 0 END,
            cancelled_by = CASE WHEN NOT wanted THEN 'unwanted' END,
            note = CASE WHEN wanted THEN note ELSE 'not an active subscriber any more' END
        FROM due WHERE issue = due.i AND subscriber = due.s AND state IN ('queued', 'deferred')
        RETURNING {given}", with(&[("{given}", GIVEN)]);

    PUT_OFF = "
        WITH v AS MATERIALIZED (
            SELECT CAST(e.value ->> 'i' AS BIGINT) AS i, CAST(e.value ->> 's' AS BIGINT) AS s,
                   CAST(e.value ->> 'd' AS BIGINT) AS due FROM {each})
        UPDATE delivery AS d SET due_at = v.due
        FROM v WHERE d.issue = v.i AND d.subscriber = v.s AND d.state IN ('queued', 'deferred')";

    SLOWED = "SELECT key, tat, booked, factor, slowed_at FROM pace WHERE factor < 1000000",
        may_scan("pace", "a row for each domain with a rate of its own");
}

/// What a paced claim gave.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PacedClaims {
    /// As of [`Claims`], whose claims are for later, too.
    pub claimed: Vec<Claimed>,
    pub begun: Vec<(IssueNumber, SubscriberId)>,
    /// Letters that wait for their domain's next slot.
    pub put_off: usize,
    /// When the rate or the day's ceiling lets the next letter go, if none may go now.
    pub held_until: Option<UnixMillis>,
}

#[derive(Serialize)]
struct SlotRow {
    i: i64,
    s: i64,
    d: i64,
}

impl Store {
    /// As [`Store::record_and_claim_ahead`], at the pace that `pacing` says. What is returned as
    /// `held_until` has been looked at under the same lock, so several workers together keep to the
    /// rate exactly.
    ///
    /// # Errors
    /// As [`Store::record_and_claim_ahead`].
    pub async fn record_and_claim_paced(
        &self,
        me: &WorkerLease,
        finished: &[Finished],
        begin: &[(IssueNumber, SubscriberId)],
        want: usize,
        now: UnixMillis,
        pacing: &Pacing<'_>,
    ) -> Result<PacedClaims> {
        let mut tx = self.inner.begin(Durability::Normal).await?;
        share_issue(&mut tx).await?;
        self.record(&mut tx, me, finished, now).await?;
        let begun = match finished.is_empty() && begin.is_empty() {
            true => Vec::new(),
            false => self.claim_in(&mut tx, me, finished, begin, (0, false), now).await?.begun,
        };
        tx.lock(Lock::Paces).await?;
        let mut lanes = RateState::new();
        self.read_rate_state(&mut tx, pacing.slower.iter().map(String::as_str), &mut lanes, now).await?;
        for domain in pacing.slower {
            lanes.entry(domain.clone()).or_insert_with(|| Lane::new(now)).slow(now);
        }
        let mut paced = self.claim_paced(&mut tx, me, want, now, pacing, &mut lanes).await?;
        self.write_rate_state(&mut tx, &lanes).await?;
        self.count_day(&mut tx, paced.claimed.len(), pacing, now).await?;
        tx.commit().await?;
        paced.claimed.sort_by_key(|one| (one.issue, one.subscriber));
        paced.begun = begun;
        Ok(paced)
    }

    /// The domains that are slower than their full rate at `now`.
    pub async fn slowed_domains(&self, now: UnixMillis) -> Result<Vec<(String, Lane)>> {
        let rows = self.inner.query(&SLOWED).fetch_all(&self.inner.read).await?;
        let lanes = rows.iter().map(lane).collect::<Result<Vec<_>>>()?;
        Ok(lanes.into_iter().filter(|(_, lane)| lane.is_slowed(now)).collect())
    }

    async fn claim_paced(
        &self,
        tx: &mut Write<'_>,
        me: &WorkerLease,
        want: usize,
        now: UnixMillis,
        pacing: &Pacing<'_>,
        lanes: &mut RateState,
    ) -> Result<PacedClaims> {
        let mut paced = PacedClaims::default();
        if want == 0 {
            return Ok(paced);
        }
        let mut may = want;
        let mut all = None;
        if let Some(rate) = pacing.rate {
            self.read_rate_state(tx, [ALL].into_iter(), lanes, now).await?;
            let lane = *lanes.entry(ALL.to_owned()).or_insert_with(|| Lane::new(now));
            let gcra = Gcra::new(rate);
            all = Some((gcra, lane.tat));
            may = may.min(gcra.available(lane.tat, now));
            if may == 0 {
                paced.held_until = Some(gcra.next(lane.tat, now));
                return Ok(paced);
            }
        }
        let left = self.left_today(tx, pacing, now).await?;
        if let Some(left) = left {
            may = may.min(left);
            if may == 0 {
                paced.held_until = Some(tomorrow(now));
                return Ok(paced);
            }
        }
        if pacing.domains.is_empty() && pacing.slower.is_empty() {
            paced.claimed = self.claim_in(tx, me, &[], &[], (may, true), now).await?.claimed;
        } else {
            self.claim_around(tx, me, may, now, pacing, lanes, &mut paced).await?;
        }
        let used_up = paced.claimed.len() == may && may < want;
        if let (Some((gcra, tat)), Some(lane)) = (all, lanes.get_mut(ALL)) {
            lane.tat = gcra.take(tat, paced.claimed.len(), now);
            paced.held_until = used_up.then(|| gcra.next(lane.tat, now)).filter(|next| *next > now);
        }
        if used_up && paced.held_until.is_none() && left == Some(may) {
            paced.held_until = Some(tomorrow(now));
        }
        Ok(paced)
    }

    /// Claims around the letters whose domain is not due for one.
    #[expect(clippy::too_many_arguments, reason = "the parts of one turn")]
    async fn claim_around(
        &self,
        tx: &mut Write<'_>,
        me: &WorkerLease,
        may: usize,
        now: UnixMillis,
        pacing: &Pacing<'_>,
        lanes: &mut RateState,
        paced: &mut PacedClaims,
    ) -> Result<()> {
        let mut room = pacing.room.clone();
        let mut window = (may * 2).clamp(WINDOW.0, WINDOW.1);
        while paced.claimed.len() < may && paced.put_off < MOST_PUT_OFF {
            let rows = tx
                .query(&PEEK)
                .bind(now.0)
                .bind(i64::try_from(window).unwrap_or(i64::MAX))
                .fetch_all(&mut *tx.tx)
                .await?;
            let mut head = Vec::with_capacity(rows.len());
            for row in &rows {
                let email: Option<String> = row.try_get("email")?;
                let domain =
                    email.as_deref().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
                let domain = domain
                    .map(str::to_ascii_lowercase)
                    .filter(|domain| pacing.domains.contains_key(domain) || pacing.slower.contains(domain));
                head.push((row.try_get("issue")?, row.try_get("subscriber")?, domain));
            }
            let domains: HashSet<&str> = head.iter().filter_map(|(.., domain)| domain.as_deref()).collect();
            self.read_rate_state(tx, domains.into_iter(), lanes, now).await?;
            let (mut go, mut late) = (Vec::new(), Vec::new());
            for (i, s, domain) in head {
                if paced.claimed.len() + go.len() == may {
                    break;
                }
                match domain.and_then(|domain| slot(&domain, pacing, &mut room, lanes, now)) {
                    None => go.push(SlotRow { i, s, d: 0 }),
                    Some(due) => late.push(SlotRow { i, s, d: due.0 }),
                }
            }
            let stuck = go.is_empty() && late.is_empty();
            paced.put_off += late.len();
            self.put_off(tx, &late).await?;
            paced.claimed.extend(self.claim_these(tx, me, &go, now).await?);
            if stuck || rows.len() < window {
                break;
            }
            window = WINDOW.1;
        }
        Ok(())
    }

    async fn put_off(&self, tx: &mut Write<'_>, rows: &[SlotRow]) -> Result<()> {
        if !rows.is_empty() {
            tx.query(&PUT_OFF).bind(json(&rows)?).execute(&mut *tx.tx).await?;
        }
        Ok(())
    }

    async fn claim_these(
        &self,
        tx: &mut Write<'_>,
        me: &WorkerLease,
        rows: &[SlotRow],
        now: UnixMillis,
    ) -> Result<Vec<Claimed>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let rows = tx
            .query(&CLAIM_THESE)
            .bind(json(&rows)?)
            .bind(now.0)
            .bind(now.plus(LEASE).0)
            .bind(me.worker)
            .fetch_all(&mut *tx.tx)
            .await?;
        Ok(Claims::read(&rows, &[])?.claimed)
    }
}

/// Whether a letter of `domain` may go now (None), else when to ask again.
fn slot(
    domain: &str,
    pacing: &Pacing<'_>,
    room: &mut HashMap<String, usize>,
    lanes: &mut RateState,
    now: UnixMillis,
) -> Option<UnixMillis> {
    let lane = lanes.get_mut(domain)?;
    let rate = pacing.domains.get(domain).copied().unwrap_or(UNLIMITED);
    let has_room = room.get(domain).is_none_or(|room| *room > 0);
    let due = lane.ask(rate, has_room, now);
    if due.is_none()
        && let Some(room) = room.get_mut(domain)
    {
        *room -= 1;
    }
    due
}
