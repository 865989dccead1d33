//! The queue: claims and outcomes, the one joint between the ledger and the relay.
//!
//! Every batch is one JSON parameter. The MATERIALIZED names are what makes SQLite look rows up by key: without them
//! its planner walks the whole table and the batch for each row of it.

use std::num::NonZeroU32;

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::domain::UnixMillis;
use crate::domain::delivery::{Claimed, Finished, Reply, Transition, Variant};
use crate::domain::issue::IssueNumber;
use crate::domain::subject::Arm;
use crate::domain::subscriber::SubscriberId;
use crate::store::db::dialect::Engine;
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Query, Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Write, patiently};
use crate::store::db::values::{address, json, small};
use crate::store::queue::worker_lease::{AND_GONE, LEASE, WorkerLease};

/// Longest reply that is kept, in characters.
const REPLY_CHARS: usize = 500;

statements! {
    /// The turn's one statement, so that on SQLite it needs no transaction around it. `k` says what
    /// becomes of a row: 0 sent, 1 begun, 2 claimed, 3 cancelled because its subscriber has left.
    /// `$6` is 1 if what is claimed is for later: the row is `ahead` until its letter is begun, and
    /// a worker that ends before leaves it untried.
    ///
    /// Sent wins over whatever has become of the row meanwhile (another worker's claim, a cancellation): the relay has the
    /// letter, and the row must say so, or it would be sent again. Begun is only what is still ours.
    ///
    /// The CAST is there for SQLite, which looks at the value of a bare `LIMIT $3` when it plans and so compiles the whole
    /// statement anew each time it is bound: half the CPU of a run.
    ///
    /// At most one issue is unfinished, so `MIN` names it: with one number the index gives the rows in order, with a join
    /// they would all be sorted for each claim. The address comes along if the subscriber is active at this moment.
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

    /// The words of a refusal often quote the address: those about an erased subscriber are not kept.
    FAILED = "
        WITH v AS MATERIALIZED (
            SELECT CAST(e.value ->> 'i' AS BIGINT) AS i, CAST(e.value ->> 's' AS BIGINT) AS s,
                   CAST(e.value ->> 'c' AS BIGINT) AS code, e.value ->> 'e' AS enhanced, e.value ->> 't' AS words,
                   e.value ->> 'n' AS note,
                   EXISTS (SELECT 1 FROM subscriber p WHERE p.id = CAST(e.value ->> 's' AS BIGINT)) AS known
            FROM {each})
        UPDATE delivery AS d SET state = 'failed', due_at = NULL, lease_until = NULL, worker = NULL, finished_at = $2,
            ahead = 0, reply_code = v.code, reply_enhanced = v.enhanced,
            reply_text = CASE WHEN v.known THEN v.words ELSE '' END, note = CASE WHEN v.known THEN v.note END
        FROM v WHERE d.issue = v.i AND d.subscriber = v.s AND d.state = 'sending' AND d.worker = $3";

    /// Deferred and returned rows; what has nobody to go to any more is cancelled instead.
    BACK = "
        WITH v AS MATERIALIZED (
            SELECT CAST(e.value ->> 'i' AS BIGINT) AS i, CAST(e.value ->> 's' AS BIGINT) AS s,
                   CAST(e.value ->> 'c' AS BIGINT) AS code, e.value ->> 'e' AS enhanced, e.value ->> 't' AS words,
                   e.value ->> 'n' AS note, CAST(e.value ->> 'd' AS BIGINT) AS due,
                   CAST(e.value ->> 'u' AS BIGINT) AS unknowns, CAST(e.value ->> 'r' AS BIGINT) AS returned,
                   EXISTS (SELECT 1 FROM subscriber p WHERE p.id = CAST(e.value ->> 's' AS BIGINT)) AS known,
                   EXISTS (SELECT 1 FROM subscriber p WHERE p.id = CAST(e.value ->> 's' AS BIGINT) AND p.status = 'active')
                   AND EXISTS (SELECT 1 FROM issue o WHERE o.number = CAST(e.value ->> 'i' AS BIGINT)
                               AND o.finished_at IS NULL) AS wanted
            FROM {each})
        UPDATE delivery AS d SET
            state = CASE WHEN NOT v.wanted THEN 'cancelled' WHEN d.attempts = v.returned THEN 'queued' ELSE 'deferred' END,
            attempts = d.attempts - v.returned,
            unknowns = d.unknowns + v.unknowns,
            due_at = CASE WHEN v.wanted THEN v.due END,
            finished_at = CASE WHEN NOT v.wanted THEN $2 END,
            cancelled_by = CASE WHEN NOT v.wanted THEN 'unwanted' END,
            lease_until = NULL, worker = NULL, ahead = 0,
            reply_code = CASE WHEN v.returned = 1 THEN d.reply_code ELSE v.code END,
            reply_enhanced = CASE WHEN v.returned = 1 THEN d.reply_enhanced ELSE v.enhanced END,
            reply_text = CASE WHEN v.returned = 1 THEN d.reply_text WHEN v.known THEN v.words ELSE '' END,
            note = CASE WHEN v.known THEN v.note END
        FROM v WHERE d.issue = v.i AND d.subscriber = v.s AND d.state = 'sending' AND d.worker = $3";

    /// Postgres only: holds off `unsubscribe` and `erase` until the row is back, so that they find it. Always after the
    /// issue and before the deliveries, like everybody, so that nobody waits in a ring.
    BACK_SUBSCRIBERS = "
        SELECT id FROM subscriber WHERE id IN (SELECT CAST(e.value ->> 's' AS BIGINT) FROM {each}) ORDER BY id FOR SHARE", postgres_only();

    /// Postgres only: holds off `cancel` and `pause` for the length of a turn; turns don't hold off each other.
    SHARE_ISSUE = "SELECT number FROM issue WHERE finished_at IS NULL FOR SHARE", postgres_only();

    /// What workers that are gone had claimed: `$3` is 1 for the rows whose letter was not begun, 0
    /// for the others.
    ///
    /// `IN (SELECT number …)` makes one look-up an issue in the index by state; an index of its own would be written twice
    /// with every letter for something that happens once a start.
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
        FROM gone AS g WHERE issue = g.i AND subscriber = g.s AND state = 'sending' AND worker <> $2 AND ahead = $3", on_postgres(&[("{and gone}", AND_GONE)]);

    NEXT_DUE = "SELECT MIN(due_at) AS due FROM delivery
        WHERE issue = (SELECT MIN(number) FROM issue WHERE state = 'running') AND state IN ('queued', 'deferred')
          AND held = 0";

    DONE = "{nothing is open}", with(&[("{nothing is open}", NOTHING_IS_OPEN)]);

    FINISH = "
        UPDATE issue SET state = 'finished', finished_at = $1 WHERE state = 'running' AND number IN ({nothing is open})
        RETURNING number", with(&[("{nothing is open}", NOTHING_IS_OPEN)]);
}

/// What a turn gives back of a row, as [`GivenRow`] reads it: one column, since each value of each row costs the way from
/// SQLite's thread, and none of a row that is not being sent. Without an address if its subscriber has left or its run has stopped.
pub(in crate::store) const GIVEN: &str = "CASE state WHEN 'sending' THEN
        CAST({array}(issue, subscriber, attempts, enqueued_at, letter, arm, choice,
            (SELECT p.email FROM subscriber p WHERE p.id = subscriber AND p.status = 'active'
                AND EXISTS (SELECT 1 FROM issue o WHERE o.number = delivery.issue AND o.state = 'running')),
            (SELECT p.name FROM subscriber p WHERE p.id = subscriber)) AS TEXT) END AS given";

/// Issue, subscriber, attempts, when it was enqueued, letter, arm, choice, address, name.
type GivenRow = (i64, i64, i64, i64, u32, Arm, Option<NonZeroU32>, Option<String>, Option<String>);

/// Running issues of which nothing is open.
const NOTHING_IS_OPEN: &str = "SELECT number FROM issue WHERE state = 'running'
        AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.issue = issue.number AND d.state IN ('queued', 'deferred'))
        AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.issue = issue.number AND d.state = 'sending')";

/// A finished attempt as the statements above read it.
#[derive(Serialize, Default)]
struct FinishedRow<'a> {
    i: i64,
    s: i64,
    c: Option<u16>,
    e: Option<&'a str>,
    t: Option<String>,
    n: Option<&'a str>,
    d: i64,
    u: u8,
    r: u8,
}

impl<'a> FinishedRow<'a> {
    fn new(finished: &'a Finished) -> Self {
        let row = FinishedRow { i: finished.issue.0, s: finished.subscriber.0, ..Self::default() };
        match &finished.transition {
            Transition::Sent { .. } => row,
            Transition::Failed { reply, note } => FinishedRow { n: Some(note), ..row.said(reply.as_ref()) },
            Transition::Deferred { due_at, reply, note, unknown } => {
                FinishedRow { n: Some(note), d: due_at.0, u: u8::from(*unknown), ..row.said(reply.as_ref()) }
            }
            Transition::Returned { due_at, note } => FinishedRow { n: Some(note), d: due_at.0, r: 1, ..row },
        }
    }

    fn said(self, reply: Option<&'a Reply>) -> Self {
        FinishedRow {
            c: reply.map(|r| r.code),
            e: reply.and_then(|r| r.enhanced.as_deref()),
            t: reply.map(|r| words(&r.text)),
            ..self
        }
    }
}

pub(in crate::store) fn words(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(REPLY_CHARS).collect()
}

/// A row as the turn's statement reads it: `k`, issue, subscriber, and the reply's code, enhanced code and words.
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

/// What a turn gave.
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
        let mut turned = Self::default();
        for row in rows {
            let Some(given) = row.try_get::<Option<&str>, _>("given")? else { continue };
            let (issue, subscriber, attempts, enqueued_at, letter, arm, choice, email, name): GivenRow =
                serde_json::from_str(given).map_err(|error| StoreError::Statement(error.to_string()))?;
            let Some(email) = email else { continue };
            let key = (IssueNumber(issue), SubscriberId(subscriber));
            if begin.contains(&key) {
                turned.begun.push(key);
                continue;
            }
            turned.claimed.push(Claimed {
                issue: key.0,
                subscriber: key.1,
                email: address(email)?,
                name,
                attempt: small(attempts),
                enqueued_at: UnixMillis(enqueued_at),
                variant: Variant { arm, letter: NonZeroU32::new(letter) },
                choice,
            });
        }
        turned.claimed.sort_by_key(|one| (one.issue, one.subscriber));
        Ok(turned)
    }
}

/// What is known, as the turn's statement reads it.
fn rows(finished: &[Finished], begin: &[(IssueNumber, SubscriberId)]) -> Result<String> {
    let sent = finished.iter().filter(|one| is_sent(one));
    let mut rows: Vec<KnownRow<'_>> = sent.map(KnownRow::sent).collect();
    rows.extend(begin.iter().map(|(i, s)| KnownRow(1, i.0, s.0, None, None, None)));
    json(&rows)
}

impl Store {
    /// Rows claimed by workers that are gone go back to `deferred`, due now, with an unknown outcome (or are cancelled,
    /// if their subscriber or issue has ended); those claimed ahead, whose letter was not begun, go back untried.
    /// Returns how many are unknown. On SQLite every other worker is gone, since only one
    /// process can be enlisted; on Postgres those whose advisory lock nobody holds, or whose lease has run out.
    ///
    /// # Errors
    /// `LeaseLost` if our own hold is lost, so that others may be taking *our* rows.
    pub async fn reclaim(&self, me: &WorkerLease, now: UnixMillis) -> Result<u64> {
        me.check().await?;
        let mut tx = self.inner.begin(Durability::Full).await?;
        share_issue(&mut tx, self.inner.engine).await?;
        let back = async |tx: &mut Write<'_>, ahead: i64| {
            let query = tx.query(&RECLAIM).bind(now.0).bind(me.worker).bind(ahead);
            Ok::<_, StoreError>(query.execute(&mut *tx.tx).await?.rows_affected())
        };
        back(&mut tx, 1).await?;
        let unknown = back(&mut tx, 0).await?;
        tx.commit().await?;
        Ok(unknown)
    }

    /// One turn of the ledger, one commit: writes down what `finished`, then claims up to `want` deliveries due at
    /// `now` of running issues for `me`. Finished rows that are no longer ours (the lease ran out, another worker took
    /// over) are left alone unless the transition is Sent. A claimed row's subscriber is active at this moment; others
    /// are cancelled here, so there may be fewer than were due.
    ///
    /// The commit is not fsynced on SQLite: a killed process loses nothing by that, since the system has the pages. A
    /// power cut may take back the last moments; their letters then count as unknown and go again under the same
    /// Message-ID.
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

    /// A turn whose claims are for later: each has to come again as one of `begin` before its letter may end. Until then
    /// a worker that is gone leaves it untried, not unknown. `begun` has those of `begin` that are still ours, their
    /// subscriber active and their issue running; the others have to be given back.
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
            // One statement is a transaction by itself: a third of the way to the writer's thread and back.
            let _gate = self.inner.gate.lock().await;
            let rows = rows(finished, begin)?;
            let turn = || {
                self.record_and_claim_query(rows.clone(), me, (want, ahead), now)
                    .fetch_all(&self.inner.normal)
            };
            return Claims::read(&patiently(turn).await?, begin);
        }
        let mut tx = self.inner.begin(Durability::Normal).await?;
        share_issue(&mut tx, self.inner.engine).await?;
        self.record(&mut tx, me, finished, now).await?;
        let turned = self.claim_in(&mut tx, me, finished, begin, (want, ahead), now).await?;
        tx.commit().await?;
        Ok(turned)
    }

    /// The turn's one statement within a transaction, after [`Self::record`].
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

    /// Writes down what did not end with a 250.
    pub(in crate::store) async fn record(
        &self,
        tx: &mut Write<'_>,
        me: &WorkerLease,
        finished: &[Finished],
        now: UnixMillis,
    ) -> Result<()> {
        let (mut failed, mut back) = (Vec::new(), Vec::new());
        for one in finished {
            match one.transition {
                Transition::Sent { .. } => {}
                Transition::Failed { .. } => failed.push(FinishedRow::new(one)),
                Transition::Deferred { .. } | Transition::Returned { .. } => back.push(FinishedRow::new(one)),
            }
        }
        if !back.is_empty() {
            let rows = json(&back)?;
            if self.inner.engine == Engine::Postgres {
                tx.query(&BACK_SUBSCRIBERS).bind(&rows).execute(&mut *tx.tx).await?;
            }
            tx.query(&BACK).bind(rows).bind(now.0).bind(me.worker).execute(&mut *tx.tx).await?;
        }
        if !failed.is_empty() {
            let rows = json(&failed)?;
            tx.query(&FAILED).bind(rows).bind(now.0).bind(me.worker).execute(&mut *tx.tx).await?;
        }
        Ok(())
    }

    /// When the next delivery of a running issue becomes due, if one waits; those that wait for the
    /// winner of a test have no time.
    pub async fn next_due(&self) -> Result<Option<UnixMillis>> {
        let row = self.inner.query(&NEXT_DUE).fetch_one(&self.inner.read).await?;
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

pub(in crate::store) async fn share_issue(tx: &mut Write<'_>, engine: Engine) -> Result<()> {
    if engine == Engine::Postgres {
        tx.query(&SHARE_ISSUE).fetch_all(&mut *tx.tx).await?;
    }
    Ok(())
}
