//! Subscribers, and the suppressions that outlive them.

use std::collections::BTreeMap;

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::domain::delivery::CancelledBy;
use crate::domain::subscriber::{LinkEpoch, Subscriber, SubscriberId, SubscriberStatus};
use crate::domain::{EmailAddress, UnixMillis};
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::Write;
use crate::store::db::values::address;

const COLUMNS: &str = "id, email, name, status, timezone, source, created_at, activated_at, ended_at, epoch";

statements! {
    BY_EMAIL = "SELECT {columns} FROM subscriber WHERE email = $1", with(&[("{columns}", COLUMNS)]);

    BY_ID = "SELECT {columns} FROM subscriber WHERE id = $1", with(&[("{columns}", COLUMNS)]);

    AFTER = "
        SELECT {columns} FROM subscriber WHERE id > $1 ORDER BY id LIMIT $2", with(&[("{columns}", COLUMNS)]);

    OF_STATUS_AFTER = "
        SELECT {columns} FROM subscriber WHERE id > $1 AND status = $3 ORDER BY id LIMIT $2",
        with(&[("{columns}", COLUMNS)]);

    COUNT = "SELECT status, COUNT(*) AS n FROM subscriber GROUP BY status",
        may_scan("subscriber", "counts everybody");

    COUNT_SUPPRESSED = "SELECT COUNT(*) AS n FROM suppression",
        may_scan("suppression", "counts everybody");

    SUPPRESSED = "SELECT 1 AS there FROM suppression WHERE email_hash = $1";

    /// As it is typed, or as it is mostly written.
    KNOWN = "
        SELECT id, email, status, epoch FROM subscriber WHERE email IN ($1, $2)
        ORDER BY CASE WHEN email = $1 THEN 0 ELSE 1 END LIMIT 1";

    LOCK = "SELECT status FROM subscriber WHERE id = $1 {lock}";

    /// What is open belongs to an unfinished issue, so this needs no index of its own: one key
    /// look-up an issue.
    CANCEL_OPEN = "
        UPDATE delivery SET state = 'cancelled', due_at = NULL, finished_at = $2, cancelled_by = $3, note = $4
        WHERE subscriber = $1 AND state IN ('queued', 'deferred')
          AND issue IN (SELECT number FROM issue WHERE finished_at IS NULL)";
}

impl Store {
    pub async fn subscriber(&self, email: &EmailAddress) -> Result<Option<Subscriber>> {
        let row = self.inner.query(&BY_EMAIL).bind(email.expose()).fetch_optional(&self.inner.read).await?;
        row.as_ref().map(subscriber).transpose()
    }

    pub async fn subscriber_by_id(&self, id: SubscriberId) -> Result<Option<Subscriber>> {
        let row = self.inner.query(&BY_ID).bind(id.0).fetch_optional(&self.inner.read).await?;
        row.as_ref().map(subscriber).transpose()
    }

    /// The next page of at most `limit` subscribers with an id above `after`, by id (keyset, for
    /// exports that stream).
    pub async fn subscribers_after(
        &self,
        after: SubscriberId,
        status: Option<SubscriberStatus>,
        limit: i64,
    ) -> Result<Vec<Subscriber>> {
        let statement = if status.is_some() { &OF_STATUS_AFTER } else { &AFTER };
        let mut query = self.inner.query(statement).bind(after.0).bind(limit);
        if let Some(status) = status {
            query = query.bind(status.as_str());
        }
        query.fetch_all(&self.inner.read).await?.iter().map(subscriber).collect()
    }

    /// How many there are of each status; a status without anybody is there with 0.
    pub async fn count_subscribers(&self) -> Result<BTreeMap<&'static str, i64>> {
        let mut counts: BTreeMap<_, _> = SubscriberStatus::ALL.iter().map(|s| (s.as_str(), 0)).collect();
        let rows = self.inner.query(&COUNT).fetch_all(&self.inner.read).await?;
        for row in rows {
            counts.insert(status(&row)?.as_str(), row.try_get("n")?);
        }
        Ok(counts)
    }

    pub async fn count_suppressed(&self) -> Result<i64> {
        let row = self.inner.query(&COUNT_SUPPRESSED).fetch_one(&self.inner.read).await?;
        Ok(row.try_get("n")?)
    }

    pub async fn is_suppressed(&self, hash: &str) -> Result<bool> {
        let row = self.inner.query(&SUPPRESSED).bind(hash).fetch_optional(&self.inner.read).await?;
        Ok(row.is_some())
    }
}

/// Whom somebody means who typed an address at a form. What is written to them goes to the address
/// that is kept, never to the one that was typed: characters that look alike fold to the same name,
/// and lead to other mailboxes.
pub(in crate::store) struct KnownMailbox {
    pub(in crate::store) id: SubscriberId,
    pub(in crate::store) email: EmailAddress,
    pub(in crate::store) status: SubscriberStatus,
    pub(in crate::store) epoch: LinkEpoch,
}

pub(in crate::store) async fn known(
    tx: &mut Write<'_>,
    typed: &EmailAddress,
) -> Result<Option<KnownMailbox>> {
    let typed = typed.expose();
    let row = tx.query(&KNOWN).bind(typed).bind(typed.to_lowercase()).fetch_optional(&mut *tx.tx).await?;
    let read = |row: AnyRow| {
        Ok(KnownMailbox {
            id: SubscriberId(row.try_get("id")?),
            email: address(row.try_get("email")?)?,
            status: status(&row)?,
            epoch: LinkEpoch(row.try_get("epoch")?),
        })
    };
    row.map(read).transpose()
}

/// Locks a reader's row to the end of the transaction and gives its status; none: there is no such
/// reader.
pub(in crate::store) async fn lock(tx: &mut Write<'_>, id: SubscriberId) -> Result<Option<SubscriberStatus>> {
    let row = tx.query(&LOCK).bind(id.0).fetch_optional(&mut *tx.tx).await?;
    row.as_ref().map(status).transpose()
}

pub(in crate::store) async fn is_suppressed(tx: &mut Write<'_>, hash: &str) -> Result<bool> {
    Ok(tx.query(&SUPPRESSED).bind(hash).fetch_optional(&mut *tx.tx).await?.is_some())
}

pub(in crate::store) async fn cancel_open(
    tx: &mut Write<'_>,
    id: SubscriberId,
    now: UnixMillis,
    by: CancelledBy,
    note: &str,
) -> Result<u64> {
    let done = tx.query(&CANCEL_OPEN).bind(id.0).bind(now.0).bind(by.as_str()).bind(note);
    let done = done.execute(&mut *tx.tx).await?;
    Ok(done.rows_affected())
}

fn status(row: &AnyRow) -> Result<SubscriberStatus> {
    let text: String = row.try_get("status")?;
    text.parse().map_err(|_| StoreError::content("subscriber status", text))
}

fn subscriber(row: &AnyRow) -> Result<Subscriber> {
    Ok(Subscriber {
        id: SubscriberId(row.try_get("id")?),
        email: address(row.try_get("email")?)?,
        name: row.try_get("name")?,
        status: status(row)?,
        timezone: row.try_get("timezone")?,
        source: row.try_get("source")?,
        created_at: UnixMillis(row.try_get("created_at")?),
        activated_at: row.try_get::<Option<i64>, _>("activated_at")?.map(UnixMillis),
        ended_at: row.try_get::<Option<i64>, _>("ended_at")?.map(UnixMillis),
        epoch: LinkEpoch(row.try_get("epoch")?),
    })
}
