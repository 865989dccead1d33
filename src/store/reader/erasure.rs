//! A person is erased: nothing of them stays but a suppression, and what no name hangs on.

use crate::domain::UnixMillis;
use crate::domain::delivery::CancelledBy;
use crate::domain::subscriber::SubscriberId;
use crate::store::db::error::Result;
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::Durability;
use crate::store::queue::notices;
use crate::store::reader::subscribers::{cancel_open, lock};
use crate::store::reader::{signup, votes};

statements! {
    /// Changes of address that others asked for.
    DROP_CHANGES_TO = "DELETE FROM address_change WHERE email = (SELECT email FROM subscriber WHERE id = $1)",
        may_scan("address_change", "those of two weeks; all expire");

    /// Notices that went to others at this address.
    DROP_NOTICES_TO = "DELETE FROM notice WHERE email = (SELECT email FROM subscriber WHERE id = $1)",
        may_scan("notice", "an erasure is seldom, and old notices are forgotten");

    DROP_PERSON = "DELETE FROM subscriber WHERE id = $1";

    SUPPRESS = "
        INSERT INTO suppression (email_hash, reason, created_at) VALUES ($1, 'erased', $2)
        ON CONFLICT (email_hash) DO UPDATE SET reason = 'erased'";

    /// Replies and notes may quote the address.
    FORGET_WORDS = "
        UPDATE delivery SET reply_text = '', note = CASE WHEN state = 'cancelled' THEN 'the subscriber was erased' END
        WHERE subscriber = $1 AND issue IN (SELECT number FROM issue)";

    DROP_PREFERENCE = "DELETE FROM preference WHERE subscriber = $1";

    DROP_CHANGES = "DELETE FROM address_change WHERE subscriber = $1";

    /// Why people leave stays as a count, without their words.
    FORGET_WHY = "UPDATE leaving SET words = NULL WHERE subscriber = $1";
}

impl Store {
    /// Deletes the person's row, keeps a suppression (reason `erased`) and the deliveries' rows
    /// without address. False: there is no such person.
    pub async fn erase(&self, id: SubscriberId, hash: &str, now: UnixMillis) -> Result<bool> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        if lock(&mut tx, id).await?.is_none() {
            return Ok(false);
        }
        // What others wrote of this address first, while it is known.
        for statement in [&DROP_CHANGES_TO, &DROP_NOTICES_TO, &DROP_PERSON] {
            tx.query(statement).bind(id.0).execute(&mut *tx.tx).await?;
        }
        tx.query(&SUPPRESS).bind(hash).bind(now.0).execute(&mut *tx.tx).await?;
        cancel_open(&mut tx, id, now, CancelledBy::Erasure, "the subscriber was erased").await?;
        self.inner.forget_voters(&mut tx, &[id], now).await?;
        votes::take_fence_down(&mut tx, id).await?;
        tx.query(&FORGET_WORDS).bind(id.0).execute(&mut *tx.tx).await?;
        notices::forget(&mut tx, id).await?;
        signup::forget(&mut tx, id).await?;
        for statement in [&DROP_PREFERENCE, &DROP_CHANGES, &FORGET_WHY] {
            tx.query(statement).bind(id.0).execute(&mut *tx.tx).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}
