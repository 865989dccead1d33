//! What readers chose, at the moment when an issue is enqueued: which letter, when, or none.
//!
//! Everybody gets a row first, as if nobody had chosen. Then one statement goes over the rows of those who did, so that a list
//! without choices pays nothing for them. The bare plus before `preference.subscriber` keeps SQLite from going over all subscribers
//! and looking for each in the few choices.

use std::collections::HashMap;
use std::num::NonZeroU32;

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::domain::UnixMillis;
use crate::domain::delivery::Variant;
use crate::domain::issue::IssueNumber;
use crate::store::db::dialect::Engine;
use crate::store::db::error::Result;
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::Write;
use crate::store::db::values::{arm, json, small};
use crate::store::issue::enqueued::Enqueued;

statements! {
    /// The number of the choice of topics stands in the row beside the letter: readers of different
    /// choices may get the same letter, and it says to each what they chose.
    ///
    /// The hour chosen is when the letter begins to be due, so its age and its Date count from there.
    BY_CHOICE = "
        WITH c AS MATERIALIZED (
            SELECT preference.subscriber AS s, t.letter, t.choice, preference.resume_on, h.due_at AS due,
                   CASE WHEN preference.paused_until > $2 THEN 'pause'
                        WHEN t.choice IS NOT NULL AND t.letter IS NULL THEN 'topics' END AS why
            FROM preference
            JOIN subscriber p ON p.id = +preference.subscriber AND p.status = 'active'
            LEFT JOIN issue_topics t ON t.issue = $1 AND t.topics = preference.topics
            LEFT JOIN issue_hour h ON h.issue = $1 AND h.zone = COALESCE(p.timezone, '') AND h.at_hour = preference.at_hour)
        UPDATE delivery AS d SET
            state = CASE WHEN c.why IS NULL THEN 'queued' ELSE 'cancelled' END,
            letter = COALESCE(c.letter, 0), choice = c.choice,
            due_at = CASE WHEN c.why IS NULL THEN COALESCE(c.due, d.due_at) END,
            enqueued_at = CASE WHEN c.why IS NULL THEN COALESCE(c.due, d.enqueued_at) ELSE d.enqueued_at END,
            finished_at = CASE WHEN c.why IS NOT NULL THEN $2 END,
            cancelled_by = c.why,
            note = CASE c.why WHEN 'pause' THEN 'the reader has paused until ' || c.resume_on
                              WHEN 'topics' THEN 'nothing in it of the topics that the reader chose' END
        FROM c WHERE d.issue = $1 AND d.subscriber = c.s AND d.state = 'queued'";

    /// Whether a choice was made since the letters were rendered that none of them is for. `$2` is 0 where hours are not heard.
    UNFORESEEN = "
        SELECT 1 AS there FROM preference JOIN subscriber p ON p.id = +preference.subscriber AND p.status = 'active'
        WHERE (preference.topics IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM issue_topics t WHERE t.issue = $1 AND t.topics = preference.topics))
           OR ($2 = 1 AND preference.at_hour IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM issue_hour h WHERE h.issue = $1 AND h.zone = COALESCE(p.timezone, '')
                  AND h.at_hour = preference.at_hour))
        LIMIT 1";

    PUT_TOPICS = "
        INSERT INTO issue_topics (issue, topics, choice, letter)
        SELECT $2, e.value ->> 'topics', CAST(e.value ->> 'choice' AS BIGINT), CAST(e.value ->> 'letter' AS BIGINT)
        FROM {each}";

    PUT_HOURS = "
        INSERT INTO issue_hour (issue, zone, at_hour, due_at)
        SELECT $2, e.value ->> 'zone', CAST(e.value ->> 'hour' AS BIGINT), CAST(e.value ->> 'due' AS BIGINT) FROM {each}";

    CHOICES = "SELECT choice, topics FROM issue_topics WHERE issue = $1";

    VARIANTS = "SELECT letter, arm, stencil FROM issue_variant WHERE issue = $1 ORDER BY arm, letter";

    /// Who waits for an hour is enqueued as of that hour; what the pace put off is not. Who waits
    /// for the winner of a test is not counted, whatever hour they chose.
    WAITING = "
        SELECT COUNT(*) AS n, MIN(due_at) AS next, MAX(due_at) AS last FROM delivery
        WHERE issue = $1 AND state IN ('queued', 'deferred') AND held = 0 AND due_at > $2
          AND state = 'queued' AND enqueued_at > $2";

    TOPICS = "
        SELECT preference.topics, COUNT(*) AS readers
        FROM preference JOIN subscriber p ON p.id = +preference.subscriber AND p.status = 'active'
        WHERE preference.topics IS NOT NULL GROUP BY preference.topics ORDER BY readers DESC, preference.topics";

    HOURS = "
        SELECT DISTINCT COALESCE(p.timezone, '') AS zone, preference.at_hour AS hour
        FROM preference JOIN subscriber p ON p.id = +preference.subscriber AND p.status = 'active'
        WHERE preference.at_hour IS NOT NULL";

    ANY_CHOICE = "SELECT 1 AS there FROM preference LIMIT 1";

    CANCELLED = "SELECT COUNT(*) AS n FROM delivery WHERE issue = $1 AND state = 'cancelled'";

    PUT_VARIANT = "INSERT INTO issue_variant (issue, letter, arm, subject, slugs, stencil) VALUES ($1, $2, $3, $4, $5, $6)";
}

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
    /// The letter of this number, which carries less.
    Letter(NonZeroU32),
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

/// A letter beside the whole one under the issue's own subject: it carries less, or has the other
/// subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewVariant {
    pub variant: Variant,
    pub subject: String,
    /// Featured comparisons, by slug.
    pub slugs: Vec<String>,
    pub stencil: String,
}

/// What to do for readers who chose. The default serves readers who have not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Choices {
    pub variants: Vec<NewVariant>,
    /// By the text of the topics. Their order gives each its number, from 1.
    pub topics: Vec<(String, Served)>,
    /// When each hour next begins; none: hours are not heard, and letters go with everybody's.
    pub hours: Option<Vec<(ChosenHour, UnixMillis)>>,
}

#[derive(Serialize)]
struct TopicsRow<'a> {
    topics: &'a str,
    choice: usize,
    /// None: nothing is left for them.
    letter: Option<u32>,
}

#[derive(Serialize)]
struct HourRow<'a> {
    zone: &'a str,
    hour: u8,
    due: i64,
}

impl Choices {
    fn topics_rows<'a>(&'a self) -> Vec<TopicsRow<'a>> {
        let letter = |served| match served {
            Served::Whole => Some(0),
            Served::Letter(letter) => Some(letter.get()),
            Served::Nothing => None,
        };
        let row = |(n, (topics, served)): (usize, &'a (String, Served))| TopicsRow {
            topics,
            choice: n + 1,
            letter: letter(*served),
        };
        self.topics.iter().enumerate().map(row).collect()
    }

    fn hour_rows(&self) -> Vec<HourRow<'_>> {
        let hours = self.hours.iter().flatten();
        hours.map(|(at, due)| HourRow { zone: &at.zone, hour: at.hour, due: due.0 }).collect()
    }
}

impl Store {
    /// The choices of topics among active readers, what most of them chose first.
    pub async fn chosen_topics(&self) -> Result<Vec<ChosenTopics>> {
        let rows = self.inner.query(&TOPICS).fetch_all(&self.inner.read).await?;
        rows.iter()
            .map(|row| Ok(ChosenTopics { topics: row.try_get("topics")?, readers: row.try_get("readers")? }))
            .collect()
    }

    /// The hours that active readers chose, each once.
    pub async fn chosen_hours(&self) -> Result<Vec<ChosenHour>> {
        let rows = self.inner.query(&HOURS).fetch_all(&self.inner.read).await?;
        rows.iter()
            .map(|row| {
                let hour: i64 = row.try_get("hour")?;
                Ok(ChosenHour { zone: row.try_get("zone")?, hour: u8::try_from(hour).unwrap_or(0) })
            })
            .collect()
    }

    /// The stencils of an issue beside its own: letters that carry less, and those under subject B.
    pub async fn variants(&self, number: IssueNumber) -> Result<Vec<(Variant, String)>> {
        let rows = self.inner.query(&VARIANTS).bind(number.0).fetch_all(&self.inner.read).await?;
        rows.iter().map(|row| Ok((variant(row)?, row.try_get("stencil")?))).collect()
    }

    /// The choices of topics that an issue was enqueued with, by their numbers.
    pub async fn choices_of(&self, number: IssueNumber) -> Result<HashMap<NonZeroU32, String>> {
        let rows = self.inner.query(&CHOICES).bind(number.0).fetch_all(&self.inner.read).await?;
        let mut choices = HashMap::new();
        for row in &rows {
            let choice = NonZeroU32::new(small(row.try_get("choice")?));
            choices.extend(choice.zip(Some(row.try_get("topics")?)));
        }
        Ok(choices)
    }

    /// The letters of an issue that wait at `now` for the hour that their readers chose; none if there are none.
    pub async fn waiting_for_hour(&self, number: IssueNumber, now: UnixMillis) -> Result<Option<Waiting>> {
        let row = self.inner.query(&WAITING).bind(number.0).bind(now.0).fetch_one(&self.inner.read).await?;
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
        let anybody = tx.query(&ANY_CHOICE);
        if anybody.fetch_all(&mut *tx.tx).await?.is_empty() {
            return Ok(None);
        }
        for (statement, rows) in
            [(&PUT_TOPICS, json(&choices.topics_rows())?), (&PUT_HOURS, json(&choices.hour_rows())?)]
        {
            tx.query(statement).bind(rows).bind(number.0).execute(&mut *tx.tx).await?;
        }
        if self.inner.engine == Engine::Postgres {
            // Planned for a handful of choices, the statement below goes over all of them for each reader.
            sqlx::raw_sql("ANALYZE issue_topics; ANALYZE issue_hour").execute(&mut *tx.tx).await?;
        }
        let hours = i64::from(choices.hours.is_some());
        let unforeseen = tx.query(&UNFORESEEN).bind(number.0).bind(hours);
        if !unforeseen.fetch_all(&mut *tx.tx).await?.is_empty() {
            return Ok(Some(Enqueued::Outdated));
        }
        for variant in &choices.variants {
            put_variant(tx, number, variant).await?;
        }
        tx.query(&BY_CHOICE).bind(number.0).bind(now.0).execute(&mut *tx.tx).await?;
        let cancelled = tx.query(&CANCELLED).bind(number.0).fetch_one(&mut *tx.tx).await?;
        let cancelled: i64 = cancelled.try_get("n")?;
        let nobody = audience > 0 && u64::try_from(cancelled).is_ok_and(|cancelled| cancelled == audience);
        Ok(nobody.then_some(Enqueued::NobodyWants))
    }
}

pub(in crate::store) async fn put_variant(
    tx: &mut Write<'_>,
    number: IssueNumber,
    new: &NewVariant,
) -> Result<()> {
    tx.query(&PUT_VARIANT)
        .bind(number.0)
        .bind(i64::from(new.variant.letter.map_or(0, NonZeroU32::get)))
        .bind(new.variant.arm.as_str())
        .bind(&new.subject)
        .bind(json(&new.slugs)?)
        .bind(&new.stencil)
        .execute(&mut *tx.tx)
        .await?;
    Ok(())
}

fn variant(row: &AnyRow) -> Result<Variant> {
    Ok(Variant { arm: arm(row.try_get("arm")?)?, letter: NonZeroU32::new(small(row.try_get("letter")?)) })
}
