//! What an operator wrote for an issue that is not made yet.

use std::time::Duration;

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::domain::UnixMillis;
use crate::domain::issue::IssueNumber;
use crate::domain::subject::{Share, SubjectLine, Terms, Wording};
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Lock, Write};
use crate::store::issue::issues::next_number;

statements! {
    WORDING = "SELECT subject, preheader, against, share, wait_ms FROM wording WHERE issue = $1";

    DROP = "DELETE FROM wording WHERE issue = $1";

    PUT = "
        INSERT INTO wording (issue, subject, preheader, against, share, wait_ms, written_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
}

impl Store {
    /// What an operator wrote for an issue.
    pub async fn wording(&self, number: IssueNumber) -> Result<Option<Wording>> {
        let row = self.inner.query(&WORDING).bind(number.0).fetch_optional(&self.inner.read).await?;
        row.as_ref().map(wording).transpose()
    }

    /// Keeps what an operator wrote for the issue that is made next; none: everything is composed.
    /// False, and nothing written, if that is not the next issue (any more).
    pub async fn set_wording(
        &self,
        number: IssueNumber,
        written: Option<&Wording>,
        now: UnixMillis,
    ) -> Result<bool> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        tx.lock(Lock::Ledger).await?;
        if next_number(&mut tx).await? != number {
            return Ok(false);
        }
        tx.query(&DROP).bind(number.0).execute(&mut *tx.tx).await?;
        if let Some(written) = written {
            let against = written.against.as_ref();
            let millis = |terms: &Terms| i64::try_from(terms.wait.as_millis()).unwrap_or(i64::MAX);
            tx.query(&PUT)
                .bind(number.0)
                .bind(written.subject.as_ref().map(SubjectLine::as_str))
                .bind(written.preheader.as_ref().map(SubjectLine::as_str))
                .bind(against.map(|(subject, _)| subject.as_str()))
                .bind(against.map(|(_, terms)| i64::from(terms.share.percent())))
                .bind(against.map(|(_, terms)| millis(terms)))
                .bind(now.0)
                .execute(&mut *tx.tx)
                .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Whether the letters were made with what an operator has written by now.
    pub(in crate::store) async fn is_as_written(
        &self,
        tx: &mut Write<'_>,
        number: IssueNumber,
        made_with: Option<&Wording>,
    ) -> Result<bool> {
        let row = tx.query(&WORDING).bind(number.0).fetch_optional(&mut *tx.tx).await?;
        Ok(row.as_ref().map(wording).transpose()?.as_ref() == made_with)
    }
}

fn wording(row: &AnyRow) -> Result<Wording> {
    let line = |column: &str| -> Result<Option<SubjectLine>> {
        let text: Option<String> = row.try_get(column)?;
        let parsed = text.as_deref().map(SubjectLine::parse).transpose();
        parsed.map_err(|error| StoreError::content("a written subject of which", error.to_string()))
    };
    let against = match (line("against")?, row.try_get::<Option<i64>, _>("share")?) {
        (Some(subject), Some(percent)) => {
            let share: Share = percent
                .to_string()
                .parse()
                .map_err(|_| StoreError::content("a share", percent.to_string()))?;
            let wait = u64::try_from(row.try_get::<i64, _>("wait_ms")?).unwrap_or(0);
            Some((subject, Terms { share, wait: Duration::from_millis(wait) }))
        }
        _ => None,
    };
    Ok(Wording { subject: line("subject")?, preheader: line("preheader")?, against })
}
