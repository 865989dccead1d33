//! The test of two subjects: who is drawn, who waits, and which one wins.
//!
//! All of a test is decided in two commits. The one that enqueues the issue draws the lots: a row
//! of the drawn says which subject it gets, and everybody else is queued and held. Held rows are
//! not in the index that claims go by, so that no claim walks over them. The other commit reads the
//! votes, names the winner and releases who is held. So a crash leaves a test that is not decided,
//! or one that is, with its readers released.

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::domain::UnixMillis;
use crate::domain::issue::IssueNumber;
use crate::domain::subject::{Arm, ArmFigures, LEAST_SENT, Terms, Why, Wording, judge};
use crate::domain::subscriber::SubscriberId;
use crate::domain::token::Keyring;
use crate::fault::{self, Point};
use crate::store::db::dialect::Engine;
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Write};
use crate::store::db::values::{arm, json};
use crate::store::issue::variants;
use crate::store::issue::variants::NewVariant;

/// How many drawn readers are written down by one statement.
const BATCH: usize = 10_000;

statements! {
    HOLD = "UPDATE delivery SET held = 1 WHERE issue = $1 AND state = 'queued'";

    /// Who has chosen an hour that is yet to come waits for it and would not have voted in time.
    ELIGIBLE = "SELECT subscriber, due_at FROM delivery
        WHERE issue = $1 AND state = 'queued' AND subscriber > $2 ORDER BY subscriber LIMIT 10000";

    DRAW = "
        WITH v AS MATERIALIZED (
            SELECT CAST(e.value ->> 0 AS BIGINT) AS s, e.value ->> 1 AS arm FROM {each})
        UPDATE delivery AS d SET held = 0, arm = v.arm
        FROM v WHERE d.issue = $2 AND d.subscriber = v.s";

    /// Cancelled rows too: a leaving that is taken back puts them where they were.
    RELEASE = "
        UPDATE delivery SET held = 0, arm = $3,
            due_at = CASE WHEN due_at < $2 THEN $2 ELSE due_at END,
            enqueued_at = CASE WHEN enqueued_at < $2 THEN $2 ELSE enqueued_at END
        WHERE issue = $1 AND held = 1";

    /// Postgres only: takes the rows in the order of the subscribers, as a group that leaves does, so that nobody waits in a ring.
    LOCK_HELD = "
        SELECT COUNT(*) AS n FROM (SELECT q.subscriber FROM delivery q
            WHERE q.issue = $1 AND q.held = 1 ORDER BY q.subscriber FOR UPDATE) held", postgres_only();

    /// As long as a test is not decided, only drawn readers can have been sent a letter. A vote is dated, so what somebody voted
    /// before does not count; who leaves takes their votes along.
    FIGURES = "
        SELECT d.arm, COUNT(*) AS sent,
            CAST(SUM(CASE WHEN EXISTS (
                SELECT 1 FROM vote t WHERE t.subscriber = d.subscriber AND t.voted_at >= d.enqueued_at
                  AND t.tool IN (SELECT e.value FROM {texts})) THEN 1 ELSE 0 END) AS BIGINT) AS voted
        FROM delivery d WHERE d.issue = $2 AND d.state = 'sent'
        GROUP BY d.arm";

    WAITING_FOR_WINNER = "
        SELECT COUNT(*) AS n FROM delivery
        WHERE issue = $1 AND state = 'queued' AND held = 1";

    DUE = "
        SELECT issue FROM subject_test WHERE decided_at IS NULL AND decide_at <= $1
          AND issue = (SELECT MIN(number) FROM issue WHERE state = 'running')";

    LOCK_ISSUE = "SELECT number FROM issue WHERE number = $1 {lock}";

    TEST = "SELECT issue, a, b, share, tools, decide_at, sent_a, voted_a, sent_b, voted_b, winner, why, decided_at
        FROM subject_test WHERE issue = $1";

    PUBLIC_STENCIL = "
        SELECT COALESCE((SELECT v.stencil FROM subject_test t JOIN issue_variant v ON v.issue = t.issue
        WHERE t.issue = o.number AND t.winner = 'b' AND v.letter = 0 AND v.arm = 'b'), o.stencil) AS stencil
        FROM issue o WHERE o.number = $1";

    PUT = "INSERT INTO subject_test (issue, a, b, share, tools, decide_at) VALUES ($1, $2, $3, $4, $5, $6)";

    DECIDE = "
        UPDATE subject_test SET winner = $2, why = $3, decided_at = $4, sent_a = $5, voted_a = $6, sent_b = $7, voted_b = $8
        WHERE issue = $1";

    RENAME = "UPDATE issue SET subject = $2 WHERE number = $1";
}

/// What an issue is enqueued with when somebody has a word in its subject. The default is neither.
#[derive(Clone, Debug, Default)]
pub struct Subjects {
    /// What the letters were made with; if that has changed meanwhile, they are made again.
    pub written: Option<Wording>,
    pub test: Option<NewSubjectTest>,
}

/// A test that an issue begins with.
#[derive(Clone, Debug)]
pub struct NewSubjectTest {
    /// The subjects of the whole letter.
    pub a: String,
    pub b: String,
    pub terms: Terms,
    /// The tools of the letter, by slug.
    pub tools: Vec<String>,
    /// The letters under subject B.
    pub letters: Vec<NewVariant>,
    /// Draws the lots.
    pub keyring: Keyring,
}

/// A test of two subjects, as it stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SubjectTest {
    pub issue: IssueNumber,
    pub a: String,
    pub b: String,
    /// In per cent.
    pub share: i64,
    pub decide_at: UnixMillis,
    /// Of A and of B: as of now, or as they stood at the decision.
    pub figures: [ArmFigures; 2],
    /// Readers who wait for the winner.
    pub held: i64,
    pub decided: Option<Decided>,
}

/// How a test ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Decided {
    pub winner: Arm,
    pub why: Why,
    pub at: UnixMillis,
}

impl Store {
    /// The test of an issue; none if it had none.
    pub async fn subject_test(&self, number: IssueNumber) -> Result<Option<SubjectTest>> {
        let row = self.inner.query(&TEST).bind(number.0).fetch_optional(&self.inner.read).await?;
        let Some(row) = row else { return Ok(None) };
        let mut test = test(&row)?;
        if test.decided.is_none() {
            let tools: String = row.try_get("tools")?;
            let sent = self.inner.query(&FIGURES).bind(tools).bind(number.0);
            test.figures = figures(&sent.fetch_all(&self.inner.read).await?)?;
            let held =
                self.inner.query(&WAITING_FOR_WINNER).bind(number.0).fetch_one(&self.inner.read).await?;
            test.held = held.try_get("n")?;
        }
        Ok(Some(test))
    }

    /// The letter that an issue is known by: under the subject that has won, if it is another than the first.
    pub async fn public_stencil(&self, number: IssueNumber) -> Result<Option<String>> {
        let row = self.inner.query(&PUBLIC_STENCIL);
        let row = row.bind(number.0).fetch_optional(&self.inner.read).await?;
        Ok(row.map(|row| row.try_get("stencil")).transpose()?)
    }

    /// Decides the test of the running issue if its time has come: names the winner and makes those due who wait for it, in
    /// one durable commit. Done once, however many ask at the same time; none: there is nothing to decide.
    pub async fn decide_subject_test(&self, now: UnixMillis) -> Result<Option<SubjectTest>> {
        // Asked often and true once an issue: look without taking the writer's place.
        let Some(due) = self.inner.query(&DUE).bind(now.0).fetch_optional(&self.inner.read).await? else {
            return Ok(None);
        };
        let number: i64 = due.try_get("issue")?;
        let mut tx = self.inner.begin(Durability::Full).await?;
        // The issue first, like everybody: this waits for the turns under way, and keeps a pause and a cancellation out.
        tx.query(&LOCK_ISSUE).bind(number).fetch_all(&mut *tx.tx).await?;
        let again = tx.query(&DUE).bind(now.0).fetch_optional(&mut *tx.tx).await?;
        if again.map(|row| row.try_get::<i64, _>("issue")).transpose()? != Some(number) {
            return Ok(None);
        }
        let row = tx.query(&TEST).bind(number).fetch_one(&mut *tx.tx).await?;
        let mut test = test(&row)?;
        let tools: String = row.try_get("tools")?;
        let sent = tx.query(&FIGURES).bind(tools).bind(number);
        test.figures = figures(&sent.fetch_all(&mut *tx.tx).await?)?;
        let (winner, why) = judge(test.figures[0], test.figures[1]);
        if self.inner.engine == Engine::Postgres {
            tx.query(&LOCK_HELD).bind(number).fetch_all(&mut *tx.tx).await?;
        }
        tx.query(&RELEASE).bind(number).bind(now.0).bind(winner.as_str()).execute(&mut *tx.tx).await?;
        test.decided = Some(Decided { winner, why, at: now });
        write_decision(&mut tx, &test).await?;
        fault::point(Point::BeforeDecision);
        tx.commit().await?;
        fault::point(Point::AfterDecision);
        Ok(Some(test))
    }

    /// Draws the readers of a test among those who are queued, and lets the others wait. Nothing happens if there are too few
    /// of them for their votes to say anything.
    pub(in crate::store) async fn begin_test(
        &self,
        tx: &mut Write<'_>,
        number: IssueNumber,
        new: &NewSubjectTest,
        now: UnixMillis,
    ) -> Result<()> {
        let (mut queued, mut lots, mut after) = (0, Vec::new(), 0_i64);
        loop {
            let rows = tx.query(&ELIGIBLE).bind(number.0).bind(after).fetch_all(&mut *tx.tx).await?;
            let Some(last) = rows.last() else { break };
            after = last.try_get("subscriber")?;
            queued += rows.len();
            for row in &rows {
                if row.try_get::<i64, _>("due_at")? <= now.0 {
                    let reader: i64 = row.try_get("subscriber")?;
                    lots.push((new.keyring.lot(number, SubscriberId(reader)), reader));
                }
            }
        }
        lots.sort_unstable();
        lots.truncate(new.terms.share.of(queued));
        lots.truncate(lots.len() / 2 * 2);
        if i64::try_from(lots.len() / 2).unwrap_or(i64::MAX) < LEAST_SENT {
            return Ok(());
        }
        tx.query(&HOLD).bind(number.0).execute(&mut *tx.tx).await?;
        let drawn: Vec<(i64, Arm)> =
            lots.iter().zip([Arm::A, Arm::B].into_iter().cycle()).map(|((_, r), arm)| (*r, arm)).collect();
        for batch in drawn.chunks(BATCH) {
            let put = tx.query(&DRAW).bind(json(&batch)?).bind(number.0);
            put.execute(&mut *tx.tx).await?;
        }
        for letter in &new.letters {
            variants::put_variant(tx, number, letter).await?;
        }
        tx.query(&PUT)
            .bind(number.0)
            .bind(&new.a)
            .bind(&new.b)
            .bind(i64::from(new.terms.share.percent()))
            .bind(json(&new.tools)?)
            .bind(now.plus(new.terms.wait).0)
            .execute(&mut *tx.tx)
            .await?;
        Ok(())
    }
}

async fn write_decision(tx: &mut Write<'_>, test: &SubjectTest) -> Result<()> {
    let Some(decided) = test.decided else { return Ok(()) };
    let [a, b] = test.figures;
    tx.query(&DECIDE)
        .bind(test.issue.0)
        .bind(decided.winner.as_str())
        .bind(decided.why.as_str())
        .bind(decided.at.0)
        .bind(a.sent)
        .bind(a.voted)
        .bind(b.sent)
        .bind(b.voted)
        .execute(&mut *tx.tx)
        .await?;
    if decided.winner == Arm::B {
        let name = tx.query(&RENAME);
        name.bind(test.issue.0).bind(&test.b).execute(&mut *tx.tx).await?;
    }
    Ok(())
}

fn test(row: &AnyRow) -> Result<SubjectTest> {
    let count = |column: &str| Ok::<_, StoreError>(row.try_get::<Option<i64>, _>(column)?.unwrap_or(0));
    let text =
        |column: &str| Ok::<_, StoreError>(row.try_get::<Option<String>, _>(column)?.unwrap_or_default());
    let decided = match row.try_get::<Option<i64>, _>("decided_at")? {
        None => None,
        Some(at) => {
            let (winner, why) = (text("winner")?, text("why")?);
            Some(Decided {
                winner: arm(winner)?,
                why: Why::parse(&why).ok_or_else(|| StoreError::content("why a subject won", why))?,
                at: UnixMillis(at),
            })
        }
    };
    Ok(SubjectTest {
        issue: IssueNumber(row.try_get("issue")?),
        a: row.try_get("a")?,
        b: row.try_get("b")?,
        share: row.try_get("share")?,
        decide_at: UnixMillis(row.try_get("decide_at")?),
        figures: [
            ArmFigures { sent: count("sent_a")?, voted: count("voted_a")? },
            ArmFigures { sent: count("sent_b")?, voted: count("voted_b")? },
        ],
        held: 0,
        decided,
    })
}

fn figures(rows: &[AnyRow]) -> Result<[ArmFigures; 2]> {
    let mut figures = [ArmFigures::default(); 2];
    for row in rows {
        let of_arm = &mut figures[usize::from(arm(row.try_get("arm")?)? == Arm::B)];
        *of_arm = ArmFigures { sent: row.try_get("sent")?, voted: row.try_get("voted")? };
    }
    Ok(figures)
}
