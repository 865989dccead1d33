//! What one reader has chosen: topics, an hour, a pause, a new address.

use sqlx::Row as _;

use super::{Durability, Result, Store, StoreError};
use crate::domain::UnixMillis;
use crate::domain::preferences::{Pause, Preferences, Topics};
use crate::domain::subscriber::SubscriberId;

impl Store {
    /// What a reader has chosen; the default for who has not.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn preferences(&self, id: SubscriberId) -> Result<Preferences> {
        let row = sqlx::query(
            "SELECT topics, at_hour, resume_on, paused_until FROM preference WHERE subscriber = $1",
        )
        .bind(id.0)
        .fetch_optional(&self.inner.read)
        .await?;
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

    /// Keeps what a reader chose: name, zone and preferences, in one durable commit. Somebody erased meanwhile stays so.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn choose_preferences(
        &self,
        id: SubscriberId,
        name: Option<&str>,
        zone: Option<&str>,
        chosen: &Preferences,
    ) -> Result<()> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        let person = sqlx::query("UPDATE subscriber SET name = $2, timezone = $3 WHERE id = $1")
            .bind(id.0)
            .bind(name)
            .bind(zone)
            .execute(&mut *tx.tx)
            .await?;
        if person.rows_affected() == 0 {
            return Ok(());
        }
        if *chosen == Preferences::default() {
            let none = sqlx::query("DELETE FROM preference WHERE subscriber = $1").bind(id.0);
            none.execute(&mut *tx.tx).await?;
            return tx.commit().await;
        }
        sqlx::query(
            "INSERT INTO preference (subscriber, topics, at_hour, resume_on, paused_until) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (subscriber) DO UPDATE SET topics = excluded.topics, at_hour = excluded.at_hour,
                 resume_on = excluded.resume_on, paused_until = excluded.paused_until",
        )
        .bind(id.0)
        .bind(chosen.topics.as_ref().map(Topics::to_text))
        .bind(chosen.at_hour.map(i64::from))
        .bind(chosen.pause.map(|pause| pause.resume_on.to_string()))
        .bind(chosen.pause.map(|pause| pause.until.0))
        .execute(&mut *tx.tx)
        .await?;
        tx.commit().await
    }
}
