//! Issues: looked up, paused, resumed, called off and counted.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::domain::class::{Class, Refused};
use crate::domain::delivery::{DeliveryState, Reply, Status, Tally};
use crate::domain::issue::{Issue, IssueNumber};
use crate::domain::subscriber::SubscriberId;
use crate::domain::{EmailAddress, UnixMillis};
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Write};
use crate::store::db::values::{address, small};

statements! {
    CANCEL_OPEN = "
        UPDATE delivery SET state = 'cancelled', due_at = NULL, finished_at = $2, cancelled_by = 'operator',
            note = 'the issue was called off'
        WHERE issue = $1 AND state IN ('queued', 'deferred')";

    /// One look in the index by state for each of the two.
    REFUSED = "
        SELECT state, reply_code, reply_enhanced, COUNT(*) AS n FROM delivery
        WHERE issue = $1 AND state IN ('deferred', 'failed') GROUP BY state, reply_code, reply_enhanced";

    /// Whether any reader may have the letter.
    MAY_BE_OUT = "
        SELECT 1 AS there WHERE EXISTS (SELECT 1 FROM delivery WHERE issue = $1 AND state = 'sent')
            OR EXISTS (SELECT 1 FROM delivery WHERE issue = $1 AND state = 'sending')
            OR EXISTS (SELECT 1 FROM delivery WHERE issue = $1 AND unknowns > 0)
            OR EXISTS (SELECT 1 FROM condensed WHERE issue = $1 AND (state = 'sent' OR unknowns > 0))";

    /// One statement, so that rows that are condensed at this moment are counted once. The unknowns
    /// come as a row of their own, without a state.
    TALLY = "
        SELECT state, COUNT(*) AS n, 0 AS unknowns FROM delivery WHERE issue = $1 GROUP BY state
        UNION ALL
        SELECT NULL AS state, 0 AS n, COUNT(*) AS unknowns FROM delivery WHERE issue = $1 AND unknowns > 0
        UNION ALL
        SELECT state, deliveries AS n, unknowns FROM condensed WHERE issue = $1";

    DELIVERIES = "
        SELECT d.subscriber, s.email, d.state, d.attempts, d.reply_code, d.reply_enhanced, d.reply_text, d.note
        FROM delivery d LEFT JOIN subscriber s ON s.id = d.subscriber
        WHERE d.issue = $1 AND d.state = $2 AND d.subscriber > $3 ORDER BY d.subscriber LIMIT $4";

    ONE = "
        {issue} WHERE number = $1", with(&[("{issue}", ISSUE)]);

    NEWEST = "
        {issue} ORDER BY number DESC LIMIT $1", with(&[("{issue}", ISSUE)]);

    UNFINISHED = "
        {issue} WHERE finished_at IS NULL ORDER BY number", with(&[("{issue}", ISSUE)]);

    LAST = "SELECT number, cutoff_at FROM issue WHERE released = 0 ORDER BY number DESC LIMIT 1";

    NEXT_NUMBER = "SELECT COALESCE(MAX(number), 0) + 1 AS next FROM issue";

    STENCIL = "SELECT stencil FROM issue WHERE number = $1";

    PAUSE = "UPDATE issue SET state = 'paused', pause_reason = $2 WHERE number = $1 AND state = 'running'";

    RESUME = "UPDATE issue SET state = 'running', pause_reason = NULL WHERE number = $1 AND state = 'paused'";

    CANCEL = "
        UPDATE issue SET state = 'cancelled', finished_at = $2, pause_reason = NULL
        WHERE number = $1 AND finished_at IS NULL";

    RELEASE_COMPARISONS = "UPDATE comparison SET featured_in = NULL WHERE featured_in = $1";

    RELEASE = "UPDATE issue SET released = 1 WHERE number = $1";
}

const ISSUE: &str = "SELECT number, slot, state, cutoff_at, subject, preheader, created_at, finished_at, pause_reason FROM issue";

/// The newest issue's cut-off and number: where the next window begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LastIssue {
    pub number: IssueNumber,
    pub cutoff_at: UnixMillis,
}

/// One failed (or deferred) delivery for the operator's eyes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryRow {
    pub subscriber: SubscriberId,
    /// None once the subscriber is erased.
    pub email: Option<EmailAddress>,
    pub state: DeliveryState,
    pub attempts: u32,
    pub reply: Option<Reply>,
    pub note: Option<String>,
}

impl Store {
    /// The newest issue's cut-off and number: where the next window begins. An issue that was
    /// called off before one letter left does not count: its comparisons are candidates again.
    pub async fn last_issue(&self) -> Result<Option<LastIssue>> {
        self.inner
            .query(&LAST)
            .fetch_optional(&self.inner.read)
            .await?
            .map(|row| {
                let number = IssueNumber(row.try_get("number")?);
                Ok(LastIssue { number, cutoff_at: UnixMillis(row.try_get("cutoff_at")?) })
            })
            .transpose()
    }

    /// The highest number so far plus one. Only `enqueue` makes it true.
    pub async fn next_number(&self) -> Result<IssueNumber> {
        let row = self.inner.query(&NEXT_NUMBER).fetch_one(&self.inner.read).await?;
        Ok(IssueNumber(row.try_get("next")?))
    }

    pub async fn issue(&self, number: IssueNumber) -> Result<Option<Issue>> {
        let row = self.inner.query(&ONE).bind(number.0).fetch_optional(&self.inner.read).await?;
        row.as_ref().map(issue).transpose()
    }

    /// Newest first.
    pub async fn issues(&self, limit: i64) -> Result<Vec<Issue>> {
        self.inner.query(&NEWEST).bind(limit).fetch_all(&self.inner.read).await?.iter().map(issue).collect()
    }

    pub async fn stencil(&self, number: IssueNumber) -> Result<Option<String>> {
        let query = self.inner.query(&STENCIL).bind(number.0);
        let row = query.fetch_optional(&self.inner.read).await?;
        Ok(row.map(|row| row.try_get("stencil")).transpose()?)
    }

    /// Issues that are running or paused, oldest first. The schema allows one at a time.
    pub async fn unfinished(&self) -> Result<Vec<Issue>> {
        self.inner.query(&UNFINISHED).fetch_all(&self.inner.read).await?.iter().map(issue).collect()
    }

    /// Running → paused, with the reason; false if it was not running.
    pub async fn pause(&self, number: IssueNumber, reason: &str) -> Result<bool> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        let done = tx.query(&PAUSE).bind(number.0).bind(reason).execute(&mut *tx.tx).await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Paused → running; false if it was not paused.
    pub async fn resume(&self, number: IssueNumber) -> Result<bool> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        let done = tx.query(&RESUME).bind(number.0).execute(&mut *tx.tx).await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Cancels everything not final; deliveries being sent at this moment keep their outcome.
    /// Releases the featured comparisons if not one letter had been sent or was in flight. None: no
    /// such issue, or it is over already (finished or cancelled); else the cancelled deliveries.
    pub async fn cancel(&self, number: IssueNumber, now: UnixMillis) -> Result<Option<u64>> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        // The issue first: on Postgres this waits for the claims under way, so that what they
        // claimed is seen below.
        let over = tx.query(&CANCEL).bind(number.0).bind(now.0).execute(&mut *tx.tx).await?;
        if over.rows_affected() == 0 {
            return Ok(None);
        }
        let cancelled = tx.query(&CANCEL_OPEN).bind(number.0).bind(now.0).execute(&mut *tx.tx).await?;
        if tx.query(&MAY_BE_OUT).bind(number.0).fetch_all(&mut *tx.tx).await?.is_empty() {
            tx.query(&RELEASE_COMPARISONS).bind(number.0).execute(&mut *tx.tx).await?;
            tx.query(&RELEASE).bind(number.0).execute(&mut *tx.tx).await?;
        }
        tx.commit().await?;
        Ok(Some(cancelled.rows_affected()))
    }

    /// Zeros for an issue that does not exist.
    pub async fn tally(&self, number: IssueNumber) -> Result<Tally> {
        let mut tally = Tally::default();
        for row in self.inner.query(&TALLY).bind(number.0).fetch_all(&self.inner.read).await? {
            let n: i64 = row.try_get("n")?;
            tally.unknown += row.try_get::<i64, _>("unknowns")?;
            if row.try_get::<Option<String>, _>("state")?.is_none() {
                continue;
            }
            *match delivery_state(&row)? {
                DeliveryState::Queued => &mut tally.queued,
                DeliveryState::Sending => &mut tally.sending,
                DeliveryState::Deferred => &mut tally.deferred,
                DeliveryState::Sent => &mut tally.sent,
                DeliveryState::Failed => &mut tally.failed,
                DeliveryState::Cancelled => &mut tally.cancelled,
            } += n;
            tally.audience += n;
        }
        Ok(tally)
    }

    /// What was refused of an issue and is so still. Nothing for an issue that does not exist.
    pub async fn refused(&self, number: IssueNumber) -> Result<Refused> {
        let mut refused = Refused::default();
        for row in self.inner.query(&REFUSED).bind(number.0).fetch_all(&self.inner.read).await? {
            let reply = row.try_get::<Option<i64>, _>("reply_code")?.map(|code| {
                let enhanced = row.try_get("reply_enhanced")?;
                Ok::<_, StoreError>(Reply {
                    code: u16::try_from(code).unwrap_or(0),
                    enhanced,
                    text: String::new(),
                })
            });
            let letters = row.try_get::<i64, _>("n")?.unsigned_abs();
            let classes = match delivery_state(&row)? {
                DeliveryState::Failed => &mut refused.failed,
                _ => &mut refused.deferred,
            };
            classes.add_many(Class::of(reply.transpose()?.as_ref()), letters);
        }
        Ok(refused)
    }

    pub async fn status(&self, number: IssueNumber) -> Result<Option<Status>> {
        let Some(issue) = self.issue(number).await? else { return Ok(None) };
        let tally = self.tally(number).await?;
        Ok(Some(Status { issue: number, state: issue.state, tally, pause_reason: issue.pause_reason }))
    }

    /// Deliveries in `state`, by subscriber, after `after` (keyset).
    pub async fn deliveries(
        &self,
        number: IssueNumber,
        state: DeliveryState,
        after: SubscriberId,
        limit: i64,
    ) -> Result<Vec<DeliveryRow>> {
        self.inner
            .query(&DELIVERIES)
            .bind(number.0)
            .bind(state.as_str())
            .bind(after.0)
            .bind(limit)
            .fetch_all(&self.inner.read)
            .await?
            .iter()
            .map(delivery)
            .collect()
    }
}

/// As [`Store::next_number`], within a transaction that may make it true.
pub(in crate::store) async fn next_number(tx: &mut Write<'_>) -> Result<IssueNumber> {
    Ok(IssueNumber(tx.query(&NEXT_NUMBER).fetch_one(&mut *tx.tx).await?.try_get("next")?))
}

pub(in crate::store) fn issue(row: &AnyRow) -> Result<Issue> {
    let state: String = row.try_get("state")?;
    Ok(Issue {
        number: IssueNumber(row.try_get("number")?),
        slot: row.try_get("slot")?,
        state: state.parse().map_err(|_| StoreError::content("issue state", state))?,
        cutoff_at: UnixMillis(row.try_get("cutoff_at")?),
        subject: row.try_get("subject")?,
        preheader: row.try_get("preheader")?,
        created_at: UnixMillis(row.try_get("created_at")?),
        finished_at: row.try_get::<Option<i64>, _>("finished_at")?.map(UnixMillis),
        pause_reason: row.try_get("pause_reason")?,
    })
}

fn delivery_state(row: &AnyRow) -> Result<DeliveryState> {
    let text: String = row.try_get("state")?;
    let known = DeliveryState::ALL.into_iter().find(|s| s.as_str() == text);
    known.ok_or_else(|| StoreError::content("delivery state", text))
}

fn delivery(row: &AnyRow) -> Result<DeliveryRow> {
    let reply = match row.try_get::<Option<i64>, _>("reply_code")? {
        None => None,
        Some(code) => Some(Reply {
            code: u16::try_from(code).unwrap_or(0),
            enhanced: row.try_get("reply_enhanced")?,
            text: row.try_get::<Option<String>, _>("reply_text")?.unwrap_or_default(),
        }),
    };
    Ok(DeliveryRow {
        subscriber: SubscriberId(row.try_get("subscriber")?),
        email: row.try_get::<Option<String>, _>("email")?.map(address).transpose()?,
        state: delivery_state(row)?,
        attempts: small(row.try_get("attempts")?),
        reply,
        note: row.try_get("note")?,
    })
}
