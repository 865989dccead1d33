//! Changes of address: asked for by a reader, confirmed by whoever reads the new mailbox, told to
//! the old one.
//!
//! What is refused is refused in silence, since the answer would tell a stranger whose addresses
//! are known here. The notice alone says it, to the person whose address it is.

use std::time::Duration;

use sqlx::Row as _;

use crate::domain::notice::{NewNotice, NoticeKind};
use crate::domain::signup::NewAddress;
use crate::domain::subscriber::{LinkEpoch, SubscriberId, SubscriberStatus};
use crate::domain::{EmailAddress, UnixMillis};
use crate::store::db::error::Result;
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Lock, Write};
use crate::store::db::values::address;
use crate::store::queue::notices;
use crate::store::reader::rate_limits;
use crate::store::reader::subscribers::{is_suppressed, known, lock};

/// How long a confirmation may be pressed.
pub const CHANGE_FOR: Duration = Duration::from_secs(2 * 24 * 3600);
/// How long the old mailbox may take a change back.
pub const TAKE_BACK_FOR: Duration = Duration::from_secs(14 * 24 * 3600);

statements! {
    EXPIRED = "DELETE FROM address_change WHERE expires_at <= $1";

    CHANGE = "SELECT subscriber, email, expires_at FROM address_change WHERE id = $1 AND expires_at > $2";

    USE_UP = "DELETE FROM address_change WHERE id = $1 AND subscriber = $2 AND email = $3";

    OLD_ADDRESS = "SELECT email, epoch FROM subscriber WHERE id = $1 AND status = 'active'";

    SET_ADDRESS = "UPDATE subscriber SET email = $2, epoch = epoch + 1 WHERE id = $1";

    /// A wish that the address before had, if one still waits.
    DROP_WISH_BEFORE = "DELETE FROM pending WHERE subscriber = $1";

    DROP_OTHERS = "DELETE FROM address_change WHERE subscriber = $1";

    ANY_EXPIRED = "SELECT 1 AS there FROM address_change WHERE expires_at <= $1 LIMIT 1";

    INSERT = "INSERT INTO address_change (subscriber, email, requested_at, expires_at) VALUES ($1, $2, $3, $4) RETURNING id";

    TAKEN = "SELECT 1 AS there FROM subscriber WHERE email IN ($1, $2)";
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
    /// The notice is on its way, or is not because the address is suppressed or gets enough; nobody
    /// is told which.
    Asked,
    /// The reader has asked too often in one day; nothing was written.
    TooOften,
    /// A limit of the asker's networks is used up until then; nothing was written.
    Limited { until: UnixMillis },
    /// Nobody of this id, or somebody who has left.
    Gone,
}

/// What came of confirming one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Changed {
    /// Done: letters go to the new address, whose links are of this epoch.
    Done { epoch: LinkEpoch },
    /// It can't be done any more: left, expired, replaced, or the address is somebody's by now.
    Gone,
}

impl Store {
    /// Asks the new address, by a notice, whether it wants the letters of a reader. One that is
    /// another reader's gets the notice that it is subscribed already, and a suppressed one gets
    /// nothing. The limits are those of the form for signing up, in the same rows. The same
    /// statements for every address.
    pub async fn ask_address_change(&self, wish: &NewAddress, now: UnixMillis) -> Result<AskedChange> {
        // Without the writer's place: whoever floods us costs a look.
        if let Some(until) = self.used_up(&wish.of_asker, now).await? {
            return Ok(AskedChange::Limited { until });
        }
        let mut tx = self.inner.begin(Durability::Full).await?;
        tx.lock(Lock::Intake).await?;
        if lock(&mut tx, wish.subscriber).await? != Some(SubscriberStatus::Active) {
            return Ok(AskedChange::Gone);
        }
        if let Some(until) = rate_limits::take(&mut tx, &wish.of_asker, now).await? {
            return Ok(AskedChange::Limited { until });
        }
        if rate_limits::take(&mut tx, std::slice::from_ref(&wish.of_reader), now).await?.is_some() {
            return Ok(AskedChange::TooOften);
        }
        write_to(&mut tx, wish, now).await?;
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

    /// Makes the new address the reader's, tells the old one, and gives it a way back. What the old
    /// one knows of links to the reader's own page opens nothing any more. Suppressions stay as
    /// they are.
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
        let email = wanted.email.expose();
        let taken = tx.query(&TAKEN).bind(email).bind(email.to_lowercase());
        let taken = taken.fetch_optional(&mut *tx.tx).await?.is_some();
        if used.rows_affected() == 0 || taken || is_suppressed(&mut tx, hash).await? {
            return Ok(Changed::Gone);
        }
        let old = tx.query(&OLD_ADDRESS);
        let Some(old) = old.bind(id.0).fetch_optional(&mut *tx.tx).await? else { return Ok(Changed::Gone) };
        let epoch = LinkEpoch(old.try_get::<i64, _>("epoch")? + 1);
        let old = address(old.try_get("email")?)?;
        tx.query(&SET_ADDRESS).bind(id.0).bind(wanted.email.expose()).execute(&mut *tx.tx).await?;
        // Other requests are off: what a reader asked for last is what counts.
        for statement in [&DROP_OTHERS, &DROP_WISH_BEFORE] {
            tx.query(statement).bind(id.0).execute(&mut *tx.tx).await?;
        }
        let back = insert(&mut tx, id, &old, now, TAKE_BACK_FOR).await?;
        let notice = NewNotice::new(NoticeKind::AddressChanged, &old, id)
            .with("address", wanted.email.to_string())
            .with("change", back.to_string());
        notices::insert(&mut tx, &notice, now).await?;
        tx.commit().await?;
        Ok(Changed::Done { epoch })
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

/// Queues the notice that fits the new address, if any does.
async fn write_to(tx: &mut Write<'_>, wish: &NewAddress, now: UnixMillis) -> Result<()> {
    let is_silent = rate_limits::take(tx, &wish.of_mailbox, now).await?.is_some();
    let change = insert(tx, wish.subscriber, &wish.email, now, CHANGE_FOR).await?;
    let is_barred = is_suppressed(tx, &wish.hash).await?;
    let known = known(tx, &wish.email).await?;
    let is_free = known.is_none();
    let reader = known.filter(|known| known.status == SubscriberStatus::Active && !is_silent && !is_barred);
    let already = if reader.is_some() { wish.of_already.clone() } else { wish.of_already.of_nobody() };
    let is_told = rate_limits::take(tx, std::slice::from_ref(&already), now).await?.is_some();
    let is_owed = !is_silent && !is_barred && (is_free || reader.is_some() && !is_told);
    let notice = match reader {
        Some(reader) => {
            NewNotice::to_reader(NoticeKind::AlreadySubscribed, &reader.email, reader.id, reader.epoch)
        }
        None => {
            let ask = NewNotice::new(NoticeKind::AddressChange, &wish.email, wish.subscriber);
            ask.with("change", change.to_string())
        }
    };
    notices::insert_unless(tx, !is_owed, &notice, now).await
}
