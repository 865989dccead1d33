//! The queue of letters: what ended is written down and what is due is claimed, in one commit. It
//! is the one joint between the ledger and the relay.
//!
//! Every batch is one JSON parameter. The MATERIALIZED names are what makes SQLite look rows up by
//! key: without them its planner walks the whole table and the batch for each row of it.

use std::num::NonZeroU32;

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::domain::UnixMillis;
use crate::domain::delivery::{Claimed, Finished, Transition, Variant};
use crate::domain::issue::IssueNumber;
use crate::domain::subject::Arm;
use crate::domain::subscriber::{LinkEpoch, SubscriberId};
use crate::store::db::dialect::Engine;
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Query, Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Write, patiently};
use crate::store::db::values::{address, json, small};
use crate::store::queue::record::words;
use crate::store::queue::run::share_issue;
use crate::store::queue::worker_lease::{LEASE, WorkerLease};

statements! {
    /// All in one statement, so that on SQLite it needs no transaction around it. `k` says what
    /// becomes of a row: 0 sent, 1 begun, 2 claimed, 3 cancelled because its subscriber has left.
    /// `$6` is 1 if what is claimed is for later: the row is `ahead` until its letter is begun, and
    /// a worker that ends before leaves it untried.
    ///
    /// Sent wins over whatever has become of the row meanwhile (another worker's claim, a
    /// cancellation): the relay has the letter, and the row must say so, or it would be sent again.
    /// Begun is only what is still ours.
    ///
    /// The CAST is there for SQLite, which looks at the value of a bare `LIMIT $3` when it plans
    /// and so compiles the whole statement anew each time it is bound: half the CPU of a run.
    ///
    /// At most one issue is unfinished, so `MIN` names it: with one number the index gives the rows
    /// in order, with a join they would all be sorted for each claim. The address comes along if
    /// the subscriber is active at this moment.
    RECORD_AND_CLAIM = "
        WITH v AS MATERIALIZED (
            SELECT CAST(e.value ->> 0 AS BIGINT) AS k, CAST(e.value ->> 1 AS BIGINT) AS i,
                   CAST(e.value ->> 2 AS BIGINT) AS s, CAST(e.value ->> 3 AS BIGINT) AS code,
                   e.value ->> 4 AS enhanced, e.value ->> 5 AS words
            FROM {each}),
        due AS MATERIALIZED (
            SELECT q.issue AS i, q.subscriber AS s FROM delivery q
            WHERE q.issue = (SELECT MIN(number) FROM issue WHERE state = 'running')
              AND q.state IN ('queued', 'deferred') AND q.held = 0 AND q.due_at <= $2
              AND NOT EXISTS (SELECT 1 FROM v WHERE v.i = q.issue AND v.s = q.subscriber)
            ORDER BY q.due_at, q.subscriber LIMIT CAST($3 AS BIGINT) {skip locked}),
        todo AS MATERIALIZED (
            SELECT k, i, s, code, enhanced, words FROM v
            UNION ALL
            SELECT CASE WHEN EXISTS (SELECT 1 FROM subscriber p WHERE p.id = due.s AND p.status = 'active')
                   THEN 2 ELSE 3 END, i, s, CAST(NULL AS BIGINT), NULL, NULL FROM due)
        UPDATE delivery SET
            state = CASE k WHEN 0 THEN 'sent' WHEN 3 THEN 'cancelled' ELSE 'sending' END,
            attempts = attempts + CASE k WHEN 2 THEN 1 ELSE 0 END,
            due_at = NULL,
            lease_until = CASE WHEN k IN (1, 2) THEN $4 END,
            worker = CASE WHEN k IN (1, 2) THEN $5 END,
            finished_at = CASE WHEN k IN (0, 3) THEN $2 END,
            reply_code = CASE k WHEN 0 THEN todo.code ELSE reply_code END,
            reply_enhanced = CASE k WHEN 0 THEN todo.enhanced ELSE reply_enhanced END,
            reply_text = CASE k WHEN 0 THEN todo.words ELSE reply_text END,
            ahead = CASE k WHEN 2 THEN $6 ELSE 0 END,
            cancelled_by = CASE k WHEN 3 THEN 'unwanted' END,
            note = CASE k WHEN 2 THEN note WHEN 3 THEN 'not an active subscriber any more' END
        FROM todo
        WHERE issue = todo.i AND subscriber = todo.s
          AND CASE k WHEN 0 THEN state <> 'sent' WHEN 1 THEN state = 'sending' AND worker = $5 ELSE TRUE END
        RETURNING {given}", with(&[("{given}", GIVEN)]);
}

/// What is given back of a row, as [`GivenRow`] reads it: one column, since each value of each row
/// costs the way from SQLite's thread, and none of a row that is not being sent. Without an address
/// if its subscriber has left or its run has stopped.
pub(in crate::store) const GIVEN: &str = "CASE state WHEN 'sending' THEN
        CAST({array}(issue, subscriber, attempts, enqueued_at, letter, arm, choice,
            (SELECT p.email FROM subscriber p WHERE p.id = subscriber AND p.status = 'active'
                AND EXISTS (SELECT 1 FROM issue o WHERE o.number = delivery.issue AND o.state = 'running')),
            (SELECT p.name FROM subscriber p WHERE p.id = subscriber),
            (SELECT p.epoch FROM subscriber p WHERE p.id = subscriber)) AS TEXT) END AS given";

/// Issue, subscriber, attempts, when it was enqueued, letter, arm, choice, address, name, epoch of
/// the address.
type GivenRow =
    (i64, i64, i64, i64, u32, Arm, Option<NonZeroU32>, Option<String>, Option<String>, Option<LinkEpoch>);

/// A row as [`RECORD_AND_CLAIM`] reads it: `k`, issue, subscriber, and the reply's code, enhanced
/// code and words.
#[derive(Serialize)]
struct KnownRow<'a>(u8, i64, i64, Option<u16>, Option<&'a str>, Option<String>);

impl<'a> KnownRow<'a> {
    fn sent(finished: &'a Finished) -> Self {
        let reply = match &finished.transition {
            Transition::Sent { reply } => Some(reply),
            _ => None,
        };
        let (i, s) = (finished.issue.0, finished.subscriber.0);
        let enhanced = reply.and_then(|reply| reply.enhanced.as_deref());
        Self(0, i, s, reply.map(|reply| reply.code), enhanced, reply.map(|reply| words(&reply.text)))
    }
}

/// What was claimed, and which claims have begun.
#[derive(Debug, Default)]
pub struct Claims {
    pub claimed: Vec<Claimed>,
    pub begun: Vec<(IssueNumber, SubscriberId)>,
}

fn is_sent(one: &Finished) -> bool {
    matches!(one.transition, Transition::Sent { .. })
}

impl Claims {
    pub(in crate::store) fn read(rows: &[AnyRow], begin: &[(IssueNumber, SubscriberId)]) -> Result<Self> {
        let mut claims = Self::default();
        for row in rows {
            let Some(given) = row.try_get::<Option<&str>, _>("given")? else { continue };
            let (issue, subscriber, attempts, enqueued_at, letter, arm, choice, email, name, epoch): GivenRow =
                serde_json::from_str(given).map_err(|error| StoreError::Statement(error.to_string()))?;
            let Some(email) = email else { continue };
            let key = (IssueNumber(issue), SubscriberId(subscriber));
            if begin.contains(&key) {
                claims.begun.push(key);
                continue;
            }
            claims.claimed.push(Claimed {
                issue: key.0,
                subscriber: key.1,
                email: address(email)?,
                epoch: epoch.unwrap_or_default(),
                name,
                attempt: small(attempts),
                enqueued_at: UnixMillis(enqueued_at),
                variant: Variant { arm, letter: NonZeroU32::new(letter) },
                choice,
            });
        }
        claims.claimed.sort_by_key(|one| (one.issue, one.subscriber));
        Ok(claims)
    }
}

/// What is known, as [`RECORD_AND_CLAIM`] reads it.
fn rows(finished: &[Finished], begin: &[(IssueNumber, SubscriberId)]) -> Result<String> {
    let sent = finished.iter().filter(|one| is_sent(one));
    let mut rows: Vec<KnownRow<'_>> = sent.map(KnownRow::sent).collect();
    rows.extend(begin.iter().map(|(i, s)| KnownRow(1, i.0, s.0, None, None, None)));
    json(&rows)
}

impl Store {
    /// Writes down what `finished`, then claims up to `want` deliveries due at `now` of running
    /// issues for `me`. Finished rows that are no longer ours (the lease ran out, another worker
    /// took over) are left alone unless the transition is Sent. A claimed row's subscriber is
    /// active at this moment; others are cancelled here, so there may be fewer than were due. All
    /// of it is one commit.
    ///
    /// The commit is not fsynced on SQLite: a killed process loses nothing by that, since the
    /// system has the pages. A power cut may take back the last moments; their letters then count
    /// as unknown and go again under the same Message-ID.
    ///
    /// # Errors
    /// The caller still holds `finished` then.
    pub async fn record_and_claim(
        &self,
        me: &WorkerLease,
        finished: &[Finished],
        want: usize,
        now: UnixMillis,
    ) -> Result<Vec<Claimed>> {
        Ok(self.claim_in_a_commit(me, finished, &[], (want, false), now).await?.claimed)
    }

    /// As [`Store::record_and_claim`], but what is claimed is for later: each has to come again as
    /// one of `begin` before its letter may end. Until then a worker that is gone leaves it
    /// untried, not unknown. `begun` has those of `begin` that are still ours, their subscriber
    /// active and their issue running; the others have to be given back.
    ///
    /// # Errors
    /// As [`Store::record_and_claim`].
    pub async fn record_and_claim_ahead(
        &self,
        me: &WorkerLease,
        finished: &[Finished],
        begin: &[(IssueNumber, SubscriberId)],
        want: usize,
        now: UnixMillis,
    ) -> Result<Claims> {
        self.claim_in_a_commit(me, finished, begin, (want, true), now).await
    }

    async fn claim_in_a_commit(
        &self,
        me: &WorkerLease,
        finished: &[Finished],
        begin: &[(IssueNumber, SubscriberId)],
        (want, ahead): (usize, bool),
        now: UnixMillis,
    ) -> Result<Claims> {
        if finished.is_empty() && begin.is_empty() && want == 0 {
            return Ok(Claims::default());
        }
        let plain = finished.iter().all(is_sent);
        if plain && self.inner.engine == Engine::Sqlite {
            // One statement is a transaction by itself: a third of the way to the writer's thread
            // and back.
            let _gate = self.inner.gate.lock().await;
            let rows = rows(finished, begin)?;
            let query = || {
                self.record_and_claim_query(rows.clone(), me, (want, ahead), now)
                    .fetch_all(&self.inner.normal)
            };
            return Claims::read(&patiently(query).await?, begin);
        }
        let mut tx = self.inner.begin(Durability::Normal).await?;
        share_issue(&mut tx).await?;
        self.record(&mut tx, me, finished, now).await?;
        let claims = self.claim_in(&mut tx, me, finished, begin, (want, ahead), now).await?;
        tx.commit().await?;
        Ok(claims)
    }

    /// Within a transaction, after [`Self::record`].
    pub(in crate::store) async fn claim_in(
        &self,
        tx: &mut Write<'_>,
        me: &WorkerLease,
        finished: &[Finished],
        begin: &[(IssueNumber, SubscriberId)],
        (want, ahead): (usize, bool),
        now: UnixMillis,
    ) -> Result<Claims> {
        let query = self.record_and_claim_query(rows(finished, begin)?, me, (want, ahead), now);
        Claims::read(&query.fetch_all(&mut *tx.tx).await?, begin)
    }

    fn record_and_claim_query(
        &self,
        rows: String,
        me: &WorkerLease,
        (want, ahead): (usize, bool),
        now: UnixMillis,
    ) -> Query {
        self.inner
            .query(&RECORD_AND_CLAIM)
            .bind(rows)
            .bind(now.0)
            .bind(i64::try_from(want).unwrap_or(i64::MAX))
            .bind(now.plus(LEASE).0)
            .bind(me.worker)
            .bind(i64::from(ahead))
    }
}
