//! What becomes of letters that did not end with a 250: failed, deferred, or given back untried.

use serde::Serialize;

use crate::domain::UnixMillis;
use crate::domain::delivery::{Finished, Reply, Transition};
use crate::store::db::dialect::Engine;
use crate::store::db::error::Result;
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::Write;
use crate::store::db::values::json;
use crate::store::queue::worker_lease::WorkerLease;

/// Longest reply that is kept, in characters.
const REPLY_CHARS: usize = 500;

statements! {
    /// The words of a refusal often quote the address: those about an erased subscriber are not
    /// kept.
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

    /// Postgres only: holds off `unsubscribe` and `erase` until the row is back, so that they find
    /// it. Always after the issue and before the deliveries, like everybody, so that nobody waits
    /// in a ring.
    BACK_SUBSCRIBERS = "
        SELECT id FROM subscriber WHERE id IN (SELECT CAST(e.value ->> 's' AS BIGINT) FROM {each}) ORDER BY id FOR SHARE",
        postgres_only();
}

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

/// The words of a reply as they are kept.
pub(in crate::store) fn words(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(REPLY_CHARS).collect()
}

impl Store {
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
}
