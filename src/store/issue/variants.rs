//! What readers chose, at the moment when an issue is enqueued: which letter, when, or none.
//!
//! Everybody gets a row first, as if nobody had chosen. Then one statement goes over the rows of those who did, so that a list
//! without choices pays nothing for them. The bare plus before `preference.subscriber` keeps SQLite from going over all subscribers
//! and looking for each in the few choices.

use serde::Serialize;
use sqlx::Row as _;

use crate::domain::UnixMillis;
use crate::domain::issue::IssueNumber;
use crate::store::db::dialect::Engine;
use crate::store::db::error::Result;
use crate::store::db::store::Store;
use crate::store::db::tx::Write;
use crate::store::db::values::json;
use crate::store::issue::enqueued::Enqueued;

/// A choice of topics stands in the row with the letter, as a number of its own (see `Claimed::choice`): readers of different choices
/// may get the same letter, and it says to each what they chose. [`CHOICES`] has the same order.
///
/// The hour chosen is when the letter begins to be due, so its age and its Date count from there.
pub(in crate::store) const BY_CHOICE: &str = "
    WITH t AS MATERIALIZED (
        SELECT topics, variant, ROW_NUMBER() OVER (ORDER BY topics) AS n FROM issue_topics WHERE issue = $1),
    c AS MATERIALIZED (
        SELECT preference.subscriber AS s, COALESCE(t.variant, 0) + 10000 * t.n AS variant, h.due_at AS due,
               CASE WHEN preference.paused_until > $2 THEN 'the reader has paused until ' || preference.resume_on
                    WHEN t.variant = 0 THEN 'nothing in it of the topics that the reader chose' END AS why
        FROM preference
        JOIN subscriber p ON p.id = +preference.subscriber AND p.status = 'active'
        LEFT JOIN t ON t.topics = preference.topics
        LEFT JOIN issue_hour h ON h.issue = $1 AND h.zone = COALESCE(p.timezone, '') AND h.at_hour = preference.at_hour)
    UPDATE delivery AS d SET
        state = CASE WHEN c.why IS NULL THEN 'queued' ELSE 'cancelled' END,
        variant = CASE WHEN c.why IS NULL THEN c.variant END,
        due_at = CASE WHEN c.why IS NULL THEN COALESCE(c.due, d.due_at) END,
        enqueued_at = CASE WHEN c.why IS NULL THEN COALESCE(c.due, d.enqueued_at) ELSE d.enqueued_at END,
        finished_at = CASE WHEN c.why IS NOT NULL THEN $2 END,
        note = c.why
    FROM c WHERE d.issue = $1 AND d.subscriber = c.s AND d.state = 'queued'";

/// Whether a choice was made since the letters were rendered that none of them is for. `$2` is 0 where hours are not heard.
pub(in crate::store) const UNFORESEEN: &str = "
    SELECT 1 AS there FROM preference JOIN subscriber p ON p.id = +preference.subscriber AND p.status = 'active'
    WHERE (preference.topics IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM issue_topics t WHERE t.issue = $1 AND t.topics = preference.topics))
       OR ($2 = 1 AND preference.at_hour IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM issue_hour h WHERE h.issue = $1 AND h.zone = COALESCE(p.timezone, '')
              AND h.at_hour = preference.at_hour))
    LIMIT 1";

pub(in crate::store) const PUT_TOPICS: &str = "
    INSERT INTO issue_topics (issue, topics, variant)
    SELECT $2, e.value ->> 'topics', CAST(e.value ->> 'variant' AS BIGINT) FROM {each}";

pub(in crate::store) const PUT_HOURS: &str = "
    INSERT INTO issue_hour (issue, zone, at_hour, due_at)
    SELECT $2, e.value ->> 'zone', CAST(e.value ->> 'hour' AS BIGINT), CAST(e.value ->> 'due' AS BIGINT) FROM {each}";

/// In the order in which [`BY_CHOICE`] numbers them.
const CHOICES: &str = "SELECT topics FROM issue_topics WHERE issue = $1 ORDER BY topics";

pub(in crate::store) const VARIANTS: &str =
    "SELECT variant, stencil FROM issue_variant WHERE issue = $1 ORDER BY variant";

/// Who waits for an hour is enqueued as of that hour; what the pace put off is not. Who waits for the winner of a test is further ahead.
pub(in crate::store) const WAITING: &str = "
    SELECT COUNT(*) AS n, MIN(due_at) AS next, MAX(due_at) AS last FROM delivery
    WHERE issue = $1 AND state IN ('queued', 'deferred') AND due_at > $2 AND due_at < 1000000000000000
      AND state = 'queued' AND enqueued_at > $2";

const TOPICS: &str = "
    SELECT preference.topics, COUNT(*) AS readers
    FROM preference JOIN subscriber p ON p.id = +preference.subscriber AND p.status = 'active'
    WHERE preference.topics IS NOT NULL GROUP BY preference.topics ORDER BY readers DESC, preference.topics";

const HOURS: &str = "
    SELECT DISTINCT COALESCE(p.timezone, '') AS zone, preference.at_hour AS hour
    FROM preference JOIN subscriber p ON p.id = +preference.subscriber AND p.status = 'active'
    WHERE preference.at_hour IS NOT NULL";

/// A choice of topics, and how many active readers made it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChosenTopics {
    /// As `Topics::to_text` writes it.
    pub topics: String,
    pub readers: i64,
}

/// An hour of the day that readers of one zone chose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChosenHour {
    /// IANA; empty for a reader whose zone is not known.
    pub zone: String,
    pub hour: u8,
}

/// What those get who made a choice of topics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Served {
    Whole,
    /// The variant of this number.
    Variant(i64),
    /// Nothing is left for them.
    Nothing,
}

/// Letters that wait for the hour that their readers chose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    pub letters: i64,
    /// When the first of them goes, and the last.
    pub next: UnixMillis,
    pub last: UnixMillis,
}

/// A letter that carries less than the whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewVariant {
    /// 1, 2, 3, …
    pub variant: i64,
    pub subject: String,
    /// Featured comparisons, by slug.
    pub slugs: Vec<String>,
    pub stencil: String,
}

/// What to do for readers who chose. The default serves readers who have not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Choices {
    pub variants: Vec<NewVariant>,
    /// By the text of the topics.
    pub topics: Vec<(String, Served)>,
    /// When each hour next begins; none: hours are not heard, and letters go with everybody's.
    pub hours: Option<Vec<(ChosenHour, UnixMillis)>>,
}

#[derive(Serialize)]
struct TopicsRow<'a> {
    topics: &'a str,
    variant: Option<i64>,
}

#[derive(Serialize)]
struct HourRow<'a> {
    zone: &'a str,
    hour: u8,
    due: i64,
}

impl Choices {
    fn topics_rows(&self) -> Vec<TopicsRow<'_>> {
        let variant = |served| match served {
            Served::Whole => None,
            Served::Variant(variant) => Some(variant),
            Served::Nothing => Some(0),
        };
        self.topics.iter().map(|(topics, served)| TopicsRow { topics, variant: variant(*served) }).collect()
    }

    fn hour_rows(&self) -> Vec<HourRow<'_>> {
        let hours = self.hours.iter().flatten();
        hours.map(|(at, due)| HourRow { zone: &at.zone, hour: at.hour, due: due.0 }).collect()
    }
}

impl Store {
    /// The choices of topics among active readers, what most of them chose first.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn chosen_topics(&self) -> Result<Vec<ChosenTopics>> {
        let rows = sqlx::query(TOPICS).fetch_all(&self.inner.read).await?;
        rows.iter()
            .map(|row| Ok(ChosenTopics { topics: row.try_get("topics")?, readers: row.try_get("readers")? }))
            .collect()
    }

    /// The hours that active readers chose, each once.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn chosen_hours(&self) -> Result<Vec<ChosenHour>> {
        let rows = sqlx::query(HOURS).fetch_all(&self.inner.read).await?;
        rows.iter()
            .map(|row| {
                let hour: i64 = row.try_get("hour")?;
                Ok(ChosenHour { zone: row.try_get("zone")?, hour: u8::try_from(hour).unwrap_or(0) })
            })
            .collect()
    }

    /// The stencils of an issue that carry less than the whole letter, with their numbers.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn variants(&self, number: IssueNumber) -> Result<Vec<(i64, String)>> {
        let rows = sqlx::query(VARIANTS).bind(number.0).fetch_all(&self.inner.read).await?;
        rows.iter().map(|row| Ok((row.try_get("variant")?, row.try_get("stencil")?))).collect()
    }

    /// The choices of topics that an issue was enqueued with, in the order of their numbers, from 1.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn choices_of(&self, number: IssueNumber) -> Result<Vec<String>> {
        let rows = sqlx::query(CHOICES).bind(number.0).fetch_all(&self.inner.read).await?;
        rows.iter().map(|row| Ok(row.try_get("topics")?)).collect()
    }

    /// The letters of an issue that wait at `now` for the hour that their readers chose; none if there are none.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn waiting_for_hour(&self, number: IssueNumber, now: UnixMillis) -> Result<Option<Waiting>> {
        let row = sqlx::query(WAITING).bind(number.0).bind(now.0).fetch_one(&self.inner.read).await?;
        let letters: i64 = row.try_get("n")?;
        let (next, last) = (row.try_get::<Option<i64>, _>("next")?, row.try_get::<Option<i64>, _>("last")?);
        Ok(next.zip(last).map(|(next, last)| Waiting {
            letters,
            next: UnixMillis(next),
            last: UnixMillis(last),
        }))
    }

    /// Does to the rows of an issue, which are queued for everybody, what their readers chose. A refusal has written
    /// nothing that may stay.
    pub(in crate::store) async fn choose(
        &self,
        tx: &mut Write<'_>,
        number: IssueNumber,
        choices: &Choices,
        audience: u64,
        now: UnixMillis,
    ) -> Result<Option<Enqueued>> {
        let anybody = sqlx::query("SELECT 1 AS there FROM preference LIMIT 1");
        if anybody.fetch_all(&mut *tx.tx).await?.is_empty() {
            return Ok(None);
        }
        let texts = &self.inner.texts;
        for (text, rows) in [
            (&texts.put_topics, json(&choices.topics_rows())?),
            (&texts.put_hours, json(&choices.hour_rows())?),
        ] {
            sqlx::query(text).bind(rows).bind(number.0).execute(&mut *tx.tx).await?;
        }
        if self.inner.engine == Engine::Postgres {
            // Planned for a handful of choices, the statement below goes over all of them for each reader.
            sqlx::raw_sql("ANALYZE issue_topics; ANALYZE issue_hour").execute(&mut *tx.tx).await?;
        }
        let hours = i64::from(choices.hours.is_some());
        let unforeseen = sqlx::query(UNFORESEEN).bind(number.0).bind(hours);
        if !unforeseen.fetch_all(&mut *tx.tx).await?.is_empty() {
            return Ok(Some(Enqueued::Outdated));
        }
        for variant in &choices.variants {
            put_variant(tx, number, variant).await?;
        }
        sqlx::query(BY_CHOICE).bind(number.0).bind(now.0).execute(&mut *tx.tx).await?;
        let cancelled =
            sqlx::query("SELECT COUNT(*) AS n FROM delivery WHERE issue = $1 AND state = 'cancelled'")
                .bind(number.0)
                .fetch_one(&mut *tx.tx)
                .await?;
        let cancelled: i64 = cancelled.try_get("n")?;
        let nobody = audience > 0 && u64::try_from(cancelled).is_ok_and(|cancelled| cancelled == audience);
        Ok(nobody.then_some(Enqueued::NobodyWants))
    }
}

pub(in crate::store) async fn put_variant(
    tx: &mut Write<'_>,
    number: IssueNumber,
    variant: &NewVariant,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO issue_variant (issue, variant, subject, slugs, stencil) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(number.0)
    .bind(variant.variant)
    .bind(&variant.subject)
    .bind(json(&variant.slugs)?)
    .bind(&variant.stencil)
    .execute(&mut *tx.tx)
    .await?;
    Ok(())
}
