//! What one reader has chosen: topics, an hour, a pause.

use sqlx::Row as _;

use crate::domain::UnixMillis;
use crate::domain::delivery::CancelledBy;
use crate::domain::preferences::{Pause, Preferences, Topics};
use crate::domain::subscriber::SubscriberId;
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Write};
use crate::store::reader::subscribers::cancel_open;

statements! {
    /// A row that says nothing is none: a run looks at every one of them.
    DROP_EMPTY = "DELETE FROM preference
        WHERE subscriber = $1 AND topics IS NULL AND at_hour IS NULL AND paused_until IS NULL";

    PREFERENCES = "SELECT topics, at_hour, resume_on, paused_until FROM preference WHERE subscriber = $1";

    SET_PERSON = "UPDATE subscriber SET name = $2, timezone = $3 WHERE id = $1";

    PUT = "
        INSERT INTO preference (subscriber, topics, at_hour) VALUES ($1, $2, $3)
        ON CONFLICT (subscriber) DO UPDATE SET topics = excluded.topics, at_hour = excluded.at_hour";

    PUT_PAUSE = "
        INSERT INTO preference (subscriber, resume_on, paused_until) VALUES ($1, $2, $3)
        ON CONFLICT (subscriber) DO UPDATE SET resume_on = excluded.resume_on, paused_until = excluded.paused_until";

    LOCK_READER = "UPDATE subscriber SET status = status WHERE id = $1";
}

impl Store {
    /// What a reader has chosen; the default for who has not.
    pub async fn preferences(&self, id: SubscriberId) -> Result<Preferences> {
        let row = self.inner.query(&PREFERENCES).bind(id.0).fetch_optional(&self.inner.read).await?;
        let Some(row) = row else { return Ok(Preferences::default()) };
        let until = row.try_get::<Option<i64>, _>("paused_until")?;
        let pause = match (row.try_get::<Option<String>, _>("resume_on")?, until) {
            (Some(day), Some(until)) => {
                let resume_on = day.parse().map_err(|_| StoreError::content("a day to resume on", day))?;
                Some(Pause { resume_on, until: UnixMillis(until) })
            }
            _ => None,
        };
        Ok(Preferences {
            topics: row.try_get::<Option<String>, _>("topics")?.as_deref().and_then(Topics::parse),
            at_hour: row.try_get::<Option<i64>, _>("at_hour")?.and_then(|hour| u8::try_from(hour).ok()),
            pause,
        })
    }

    /// Keeps name, zone, topics and hour, in one durable commit; a pause stays as it is. Somebody
    /// erased meanwhile stays so.
    pub async fn set_letter(
        &self,
        id: SubscriberId,
        name: Option<&str>,
        zone: Option<&str>,
        topics: Option<&Topics>,
        at_hour: Option<u8>,
    ) -> Result<()> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        let person = tx.query(&SET_PERSON);
        let person = person.bind(id.0).bind(name).bind(zone).execute(&mut *tx.tx).await?;
        if person.rows_affected() == 0 {
            return Ok(());
        }
        tx.query(&PUT)
            .bind(id.0)
            .bind(topics.map(Topics::to_text))
            .bind(at_hour.map(i64::from))
            .execute(&mut *tx.tx)
            .await?;
        tx.query(&DROP_EMPTY).bind(id.0).execute(&mut *tx.tx).await?;
        tx.commit().await
    }

    /// Begins a pause, or ends it at once, in one durable commit. What is queued for the reader is
    /// cancelled when it begins; nothing of that comes back when it ends.
    pub async fn set_pause(&self, id: SubscriberId, pause: Option<Pause>, now: UnixMillis) -> Result<()> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        if !is_there(&mut tx, id).await? {
            return Ok(());
        }
        let day = pause.map(|pause| pause.resume_on.to_string());
        tx.query(&PUT_PAUSE)
            .bind(id.0)
            .bind(&day)
            .bind(pause.map(|pause| pause.until.0))
            .execute(&mut *tx.tx)
            .await?;
        match day {
            Some(day) => {
                let note = format!("the reader has paused until {day}");
                cancel_open(&mut tx, id, now, CancelledBy::Pause, &note).await?;
            }
            None => {
                tx.query(&DROP_EMPTY).bind(id.0).execute(&mut *tx.tx).await?;
            }
        }
        tx.commit().await
    }
}

/// Locks the reader's row by writing to it, so that an erasure waits, or is seen.
async fn is_there(tx: &mut Write<'_>, id: SubscriberId) -> Result<bool> {
    let row = tx.query(&LOCK_READER).bind(id.0);
    Ok(row.execute(&mut *tx.tx).await?.rows_affected() > 0)
}
