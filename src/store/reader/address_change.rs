//! Changes of address: asked for by a reader, confirmed by whoever reads the new mailbox, told to
//! the old one.
//!
//! What is refused is refused in silence, since the answer would tell a stranger whose addresses
//! are known here. The notice alone says it, to the person whose address it is.

use std::time::Duration;

use sqlx::Row as _;

use crate::domain::notice::{NewNotice, NoticeKind};
use crate::domain::subscriber::{SubscriberId, SubscriberStatus};
use crate::domain::{EmailAddress, UnixMillis};
use crate::store::db::error::Result;
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Write};
use crate::store::db::values::address;
use crate::store::queue::notices;
use crate::store::reader::subscribers::{is_suppressed, lock};

/// How long a confirmation may be pressed.
pub const CHANGE_FOR: Duration = Duration::from_secs(2 * 24 * 3600);
/// How long the old mailbox may take a change back.
pub const TAKE_BACK_FOR: Duration = Duration::from_secs(14 * 24 * 3600);
/// Requests in a day, of one reader and for one new address each: more is somebody who uses us to
/// write to a stranger.
const A_DAY: i64 = 3;
const DAY: Duration = Duration::from_secs(24 * 3600);

statements! {
    EXPIRED = "DELETE FROM address_change WHERE expires_at <= $1";

    ASKED = "
        SELECT COUNT(*) AS n, COUNT(CASE WHEN email = $3 THEN 1 END) AS here FROM address_change
        WHERE requested_at > $1 AND (subscriber = $2 OR email = $3)",
        may_scan("address_change", "those of two weeks; all expire");

    CHANGE = "SELECT subscriber, email, expires_at FROM address_change WHERE id = $1 AND expires_at > $2";

    USE_UP = "DELETE FROM address_change WHERE id = $1 AND subscriber = $2 AND email = $3";

    OLD_ADDRESS = "SELECT email FROM subscriber WHERE id = $1 AND status = 'active'";

    SET_ADDRESS = "UPDATE subscriber SET email = $2 WHERE id = $1";

    DROP_OTHERS = "DELETE FROM address_change WHERE subscriber = $1";

    ANY_EXPIRED = "SELECT 1 AS there FROM address_change WHERE expires_at <= $1 LIMIT 1";

    INSERT = "INSERT INTO address_change (subscriber, email, requested_at, expires_at) VALUES ($1, $2, $3, $4) RETURNING id";

    OWNER = "SELECT id, status FROM subscriber WHERE email = $1";
}

/// A change that waits to be confirmed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddressChange {
    pub subscriber: SubscriberId,
    /// The new address.
    pub email: EmailAddress,
    pub expires_at: UnixMillis,
}

/// What came of asking for a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AskedChange {
    /// The notice is on its way, or is not because the address is suppressed; nobody is told which.
    Asked,
    /// Too often in one day; nothing was written.
    TooOften,
    /// Nobody of this id, or somebody who has left.
    Gone,
}

/// What came of confirming one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Changed {
    /// Done: letters go to the new address.
    Done,
    /// It can't be done any more: left, expired, replaced, or the address is somebody's by now.
    Gone,
}

impl Store {
    /// Asks the new address, by a notice, whether it wants the letters of `id`. One that is another
    /// reader's gets the notice that it is subscribed already, and a suppressed one gets nothing.
    pub async fn ask_address_change(
        &self,
        id: SubscriberId,
        email: &EmailAddress,
        hash: &str,
        now: UnixMillis,
    ) -> Result<AskedChange> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        if lock(&mut tx, id).await? != Some(SubscriberStatus::Active) {
            return Ok(AskedChange::Gone);
        }
        let asked = tx
            .query(&ASKED)
            .bind(now.minus(DAY).0)
            .bind(id.0)
            .bind(email.expose())
            .fetch_one(&mut *tx.tx)
            .await?;
        if asked.try_get::<i64, _>("n")? >= A_DAY {
            return Ok(AskedChange::TooOften);
        }
        let change = insert(&mut tx, id, email, now, CHANGE_FOR).await?;
        let owner = owner(&mut tx, email).await?;
        let first_today = asked.try_get::<i64, _>("here")? == 0;
        let notice = match owner {
            _ if is_suppressed(&mut tx, hash).await? => None,
            None => {
                let ask = NewNotice::new(NoticeKind::AddressChange, email, id);
                Some(ask.with("change", change.to_string()))
            }
            // Once a day, as at the form for signing up.
            Some((owner, true)) if first_today => {
                Some(NewNotice::new(NoticeKind::AlreadySubscribed, email, owner))
            }
            Some(_) => None,
        };
        if let Some(notice) = notice {
            notices::insert(&mut tx, &notice, now).await?;
        }
        tx.commit().await?;
        Ok(AskedChange::Asked)
    }

    /// The change of this number, if it may still be confirmed.
    pub async fn address_change(&self, change: i64, now: UnixMillis) -> Result<Option<AddressChange>> {
        let row = self.inner.query(&CHANGE).bind(change).bind(now.0).fetch_optional(&self.inner.read).await?;
        row.map(|row| {
            Ok(AddressChange {
                subscriber: SubscriberId(row.try_get("subscriber")?),
                email: address(row.try_get("email")?)?,
                expires_at: UnixMillis(row.try_get("expires_at")?),
            })
        })
        .transpose()
    }

    /// Makes the new address the reader's, tells the old one, and gives it a way back. Suppressions
    /// stay as they are.
    pub async fn change_address(
        &self,
        change: i64,
        wanted: &AddressChange,
        hash: &str,
        now: UnixMillis,
    ) -> Result<Changed> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        let id = wanted.subscriber;
        if lock(&mut tx, id).await?.is_none() {
            return Ok(Changed::Gone);
        }
        let used = tx.query(&USE_UP);
        let used = used.bind(change).bind(id.0).bind(wanted.email.expose()).execute(&mut *tx.tx).await?;
        let taken = owner(&mut tx, &wanted.email).await?.is_some();
        if used.rows_affected() == 0 || taken || is_suppressed(&mut tx, hash).await? {
            return Ok(Changed::Gone);
        }
        let old = tx.query(&OLD_ADDRESS);
        let Some(old) = old.bind(id.0).fetch_optional(&mut *tx.tx).await? else { return Ok(Changed::Gone) };
        let old = address(old.try_get("email")?)?;
        tx.query(&SET_ADDRESS).bind(id.0).bind(wanted.email.expose()).execute(&mut *tx.tx).await?;
        // Other requests are off: what a reader asked for last is what counts.
        let others = tx.query(&DROP_OTHERS);
        others.bind(id.0).execute(&mut *tx.tx).await?;
        let back = insert(&mut tx, id, &old, now, TAKE_BACK_FOR).await?;
        let notice = NewNotice::new(NoticeKind::AddressChanged, &old, id)
            .with("address", wanted.email.to_string())
            .with("change", back.to_string());
        notices::insert(&mut tx, &notice, now).await?;
        tx.commit().await?;
        Ok(Changed::Done)
    }

    /// Forgets changes that nobody confirmed in time; how many.
    pub async fn forget_address_changes(&self, now: UnixMillis) -> Result<u64> {
        let any = self.inner.query(&ANY_EXPIRED);
        if any.bind(now.0).fetch_all(&self.inner.read).await?.is_empty() {
            return Ok(0);
        }
        let mut tx = self.inner.begin(Durability::Normal).await?;
        let gone = tx.query(&EXPIRED).bind(now.0).execute(&mut *tx.tx).await?;
        tx.commit().await?;
        Ok(gone.rows_affected())
    }
}

async fn insert(
    tx: &mut Write<'_>,
    id: SubscriberId,
    email: &EmailAddress,
    now: UnixMillis,
    valid: Duration,
) -> Result<i64> {
    let row = tx
        .query(&INSERT)
        .bind(id.0)
        .bind(email.expose())
        .bind(now.0)
        .bind(now.plus(valid).0)
        .fetch_one(&mut *tx.tx)
        .await?;
    Ok(row.try_get("id")?)
}

/// Whose address it is already, and whether they get the letter.
async fn owner(tx: &mut Write<'_>, email: &EmailAddress) -> Result<Option<(SubscriberId, bool)>> {
    let row = tx.query(&OWNER).bind(email.expose());
    let Some(row) = row.fetch_optional(&mut *tx.tx).await? else { return Ok(None) };
    let active = row.try_get::<String, _>("status")? == SubscriberStatus::Active.as_str();
    Ok(Some((SubscriberId(row.try_get("id")?), active)))
}
