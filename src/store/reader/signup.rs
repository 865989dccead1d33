//! Who asks for the letter, who confirms, and the proof of both.
//!
//! A person who unsubscribed or was erased may come back by confirming: it is their own mailbox
//! that says yes. Who bounced or complained may not, unless an operator clears it up first; the
//! form answers them like everybody, and no mail goes out.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::domain::UnixMillis;
use crate::domain::notice::{NewNotice, NoticeKind};
use crate::domain::signup::{Allowance, Confirmation, Consent, LINK_VALID, SignUp, SignedUp};
use crate::domain::subscriber::{SubscriberId, SubscriberStatus};
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Lock, Write};
use crate::store::db::values::{address, json};
use crate::store::queue::notices;
use crate::store::reader::rate_limits;
use crate::store::reader::subscribers::{lock, lock_all};

statements! {
    /// As it is typed, or as it is mostly written.
    KNOWN = "
        SELECT id, status FROM subscriber WHERE email IN ($1, $2) ORDER BY CASE WHEN email = $1 THEN 0 ELSE 1 END LIMIT 1";

    BARRED = "
        SELECT 1 AS there FROM suppression WHERE email_hash = $1 AND reason IN ('bounced', 'complained')";

    ADD = "
        INSERT INTO subscriber (email, status, source, created_at) VALUES ($1, 'pending', $2, $3) RETURNING id";

    WAIT = "
        INSERT INTO pending (subscriber, asked_at, expires_at) VALUES ($1, $2, $3)
        ON CONFLICT (subscriber) DO UPDATE SET asked_at = excluded.asked_at, expires_at = excluded.expires_at";

    PROVE = "
        INSERT INTO consent (subscriber, asked_at, form, text_id, language, text, ip) VALUES ($1, $2, $3, $4, $5, $6, $7)";

    /// The one that was asked for last is the one that the button confirms.
    CONFIRM_PROOF = "
        UPDATE consent SET confirmed_at = $2 WHERE id = (SELECT MAX(c.id) FROM consent c WHERE c.subscriber = $1)";

    ACTIVATE = "
        UPDATE subscriber SET status = 'active', activated_at = $2, ended_at = NULL
        WHERE id = $1 AND status IN ('pending', 'unsubscribed')";

    LIFT = "DELETE FROM suppression WHERE email_hash = $1 AND reason IN ('unsubscribed', 'erased')";

    /// One reading of everything that decides what a link is worth.
    PENDING_STATE = "
        SELECT s.status, s.email, p.expires_at FROM subscriber s LEFT JOIN pending p ON p.subscriber = s.id WHERE s.id = $1";

    OLD_PENDING = "SELECT subscriber FROM pending WHERE asked_at <= $1 ORDER BY asked_at LIMIT CAST($2 AS BIGINT)";

    FORGET_PROOF = "
        DELETE FROM consent WHERE confirmed_at IS NULL AND subscriber IN (SELECT CAST(e.value AS BIGINT) FROM {texts})";

    FORGET_ASKED = "
        DELETE FROM notice WHERE kind = 'confirm' AND subscriber IN (SELECT CAST(e.value AS BIGINT) FROM {texts})";

    FORGET_PENDING = "
        DELETE FROM pending WHERE asked_at <= $2 AND subscriber IN (SELECT CAST(e.value AS BIGINT) FROM {texts})";

    FORGET_PERSON = "
        DELETE FROM subscriber WHERE status = 'pending' AND id IN (SELECT CAST(e.value AS BIGINT) FROM {texts})";

    DROP_PROOF = "DELETE FROM consent WHERE subscriber = $1";

    DROP_WISH = "DELETE FROM pending WHERE subscriber = $1";

    CONSENTS = "
        SELECT asked_at, confirmed_at, form, text_id, language, text, ip FROM consent
        WHERE subscriber = $1 ORDER BY id";
}

/// Proof, wish and notices of somebody who is erased.
pub(in crate::store) async fn forget(tx: &mut Write<'_>, subscriber: SubscriberId) -> Result<()> {
    for statement in [&DROP_PROOF, &DROP_WISH] {
        tx.query(statement).bind(subscriber.0).execute(&mut *tx.tx).await?;
    }
    Ok(())
}

/// Where a subscriber stands, as far as a confirmation goes.
struct PendingState {
    status: SubscriberStatus,
    email: String,
    expires_at: Option<UnixMillis>,
}

impl PendingState {
    fn read(row: &AnyRow) -> Result<Self> {
        let status: String = row.try_get("status")?;
        Ok(Self {
            status: status.parse().map_err(|_| StoreError::content("subscriber status", status))?,
            email: row.try_get("email")?,
            expires_at: row.try_get::<Option<i64>, _>("expires_at")?.map(UnixMillis),
        })
    }

    fn confirmation(&self, now: UnixMillis) -> Confirmation {
        use SubscriberStatus::{Active, Bounced, Complained, Pending, Unsubscribed};
        match (self.status, self.expires_at) {
            (Active, _) => Confirmation::Done,
            (Bounced | Complained, _) | (_, None) => Confirmation::Gone,
            (Pending | Unsubscribed, Some(until)) if until <= now => Confirmation::Expired,
            (Pending | Unsubscribed, Some(_)) => Confirmation::Open,
        }
    }
}

impl Store {
    /// Takes in that somebody asks for the letter: in one durable commit the limits, and for
    /// somebody new (or who had left) the wish, its proof and the notice to confirm; for a reader
    /// the notice that they are one. Whatever the address is, there is a commit, so that the time
    /// it takes tells nothing.
    pub async fn sign_up(&self, ask: &SignUp, now: UnixMillis) -> Result<SignedUp> {
        // Without the writer's place: whoever floods us costs a look.
        if let Some(until) = self.used_up(&ask.of_asker, now).await? {
            return Ok(SignedUp::Limited { until });
        }
        let mut tx = self.inner.begin(Durability::Full).await?;
        // An import looks first and adds later, and nobody else may add meanwhile.
        tx.lock(Lock::Intake).await?;
        if let Some(until) = rate_limits::take(&mut tx, &ask.of_asker, now).await? {
            return Ok(SignedUp::Limited { until });
        }
        if rate_limits::take(&mut tx, &ask.of_mailbox, now).await?.is_none() {
            self.hear(&mut tx, ask, now).await?;
        }
        tx.commit().await?;
        Ok(SignedUp::Heard)
    }

    /// Queues the notice that fits, if any does.
    async fn hear(&self, tx: &mut Write<'_>, ask: &SignUp, now: UnixMillis) -> Result<()> {
        let typed = ask.email.expose();
        let known =
            tx.query(&KNOWN).bind(typed).bind(typed.to_lowercase()).fetch_optional(&mut *tx.tx).await?;
        let barred = tx.query(&BARRED).bind(&ask.hash).fetch_optional(&mut *tx.tx).await?.is_some();
        let known = known
            .map(|row| {
                let status: String = row.try_get("status")?;
                let status = status.parse().map_err(|_| StoreError::content("subscriber status", status))?;
                Ok::<_, StoreError>((SubscriberId(row.try_get("id")?), status))
            })
            .transpose()?;
        match known {
            Some((_, SubscriberStatus::Bounced | SubscriberStatus::Complained)) => Ok(()),
            _ if barred => Ok(()),
            Some((id, SubscriberStatus::Active)) => {
                if rate_limits::take(tx, std::slice::from_ref(&ask.of_already), now).await?.is_none() {
                    let notice = NewNotice::new(NoticeKind::AlreadySubscribed, &ask.email, id);
                    notices::insert(tx, &notice, now).await?;
                }
                Ok(())
            }
            Some((id, SubscriberStatus::Pending | SubscriberStatus::Unsubscribed)) => {
                self.ask_to_confirm(tx, ask, id, now).await
            }
            None => {
                let added = tx.query(&ADD).bind(typed).bind(&ask.evidence.form).bind(now.0);
                let added = added.fetch_all(&mut *tx.tx).await?;
                let row = added
                    .first()
                    .ok_or(StoreError::Statement("INSERT … RETURNING gave no row".to_owned()))?;
                self.ask_to_confirm(tx, ask, SubscriberId(row.try_get("id")?), now).await
            }
        }
    }

    async fn ask_to_confirm(
        &self,
        tx: &mut Write<'_>,
        ask: &SignUp,
        id: SubscriberId,
        now: UnixMillis,
    ) -> Result<()> {
        let proof = &ask.evidence;
        tx.query(&PROVE)
            .bind(id.0)
            .bind(now.0)
            .bind(&proof.form)
            .bind(&proof.text_id)
            .bind(&proof.language)
            .bind(&proof.text)
            .bind(proof.ip.as_deref())
            .execute(&mut *tx.tx)
            .await?;
        wait(tx, &NewNotice::new(NoticeKind::Confirm, &ask.email, id), now).await
    }

    /// What the link of `id` is worth at `now`. Writes nothing.
    pub async fn confirmation(&self, id: SubscriberId, now: UnixMillis) -> Result<Confirmation> {
        let row = self.inner.query(&PENDING_STATE).bind(id.0).fetch_optional(&self.inner.read).await?;
        Ok(match row {
            Some(row) => PendingState::read(&row)?.confirmation(now),
            None => Confirmation::Gone,
        })
    }

    /// Makes a reader of who asked, lifts the suppression of who had left or was erased, and queues
    /// the welcome, in one durable commit. Repeats succeed. `hash` makes the suppression hash of
    /// the address that the store has.
    pub async fn confirm(&self, id: SubscriberId, hash: &str, now: UnixMillis) -> Result<Confirmation> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        // Of two buttons at once, the second waits here and finds the first one's commit.
        if lock(&mut tx, id).await?.is_none() {
            return Ok(Confirmation::Gone);
        }
        let row = tx.query(&PENDING_STATE).bind(id.0).fetch_one(&mut *tx.tx).await?;
        let state = PendingState::read(&row)?;
        match state.confirmation(now) {
            Confirmation::Open => {}
            other => return Ok(other),
        }
        if tx.query(&BARRED).bind(hash).fetch_optional(&mut *tx.tx).await?.is_some() {
            return Ok(Confirmation::Gone);
        }
        tx.query(&DROP_WISH).bind(id.0).execute(&mut *tx.tx).await?;
        tx.query(&ACTIVATE).bind(id.0).bind(now.0).execute(&mut *tx.tx).await?;
        tx.query(&LIFT).bind(hash).execute(&mut *tx.tx).await?;
        tx.query(&CONFIRM_PROOF).bind(id.0).bind(now.0).execute(&mut *tx.tx).await?;
        let email = address(state.email)?;
        notices::insert(&mut tx, &NewNotice::new(NoticeKind::Welcome, &email, id), now).await?;
        tx.commit().await?;
        Ok(Confirmation::Done)
    }

    /// Another notice for a link that has expired, under the limits of asker and mailbox.
    pub async fn ask_again(
        &self,
        id: SubscriberId,
        of_asker: &[Allowance],
        of_mailbox: &[Allowance],
        now: UnixMillis,
    ) -> Result<SignedUp> {
        if let Some(until) = self.used_up(of_asker, now).await? {
            return Ok(SignedUp::Limited { until });
        }
        let mut tx = self.inner.begin(Durability::Full).await?;
        if let Some(until) = rate_limits::take(&mut tx, of_asker, now).await? {
            return Ok(SignedUp::Limited { until });
        }
        let row = tx.query(&PENDING_STATE).bind(id.0).fetch_optional(&mut *tx.tx).await?;
        let state = row.as_ref().map(PendingState::read).transpose()?;
        let waits =
            state.filter(|s| matches!(s.confirmation(now), Confirmation::Expired | Confirmation::Open));
        if let Some(state) = waits
            && rate_limits::take(&mut tx, of_mailbox, now).await?.is_none()
        {
            let email = address(state.email)?;
            wait(&mut tx, &NewNotice::new(NoticeKind::Confirm, &email, id), now).await?;
        }
        tx.commit().await?;
        Ok(SignedUp::Heard)
    }

    /// Every consent of a subscriber, the oldest first.
    pub async fn consents(&self, id: SubscriberId) -> Result<Vec<Consent>> {
        let rows = self.inner.query(&CONSENTS).bind(id.0).fetch_all(&self.inner.read).await?;
        let read = |row: &AnyRow| {
            Ok(Consent {
                asked_at: UnixMillis(row.try_get("asked_at")?),
                confirmed_at: row.try_get::<Option<i64>, _>("confirmed_at")?.map(UnixMillis),
                form: row.try_get("form")?,
                text_id: row.try_get("text_id")?,
                language: row.try_get("language")?,
                text: row.try_get("text")?,
                ip: row.try_get("ip")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Removes up to `batch` of those who asked before `before` and never confirmed, with all that
    /// came with it; somebody who had been here before only loses the wish. How many.
    pub async fn forget_pending(&self, before: UnixMillis, batch: i64) -> Result<u64> {
        let old = |pool| self.inner.query(&OLD_PENDING).bind(before.0).bind(batch).fetch_all(pool);
        if old(&self.inner.read).await?.is_empty() {
            return Ok(0);
        }
        let mut tx = self.inner.begin(Durability::Normal).await?;
        tx.lock(Lock::Intake).await?;
        let rows = tx.query(&OLD_PENDING).bind(before.0).bind(batch).fetch_all(&mut *tx.tx).await?;
        let mut ids = Vec::with_capacity(rows.len());
        for row in &rows {
            ids.push(row.try_get::<i64, _>("subscriber")?.to_string());
        }
        let ids = json(&ids)?;
        lock_all(&mut tx, &ids).await?;
        for statement in [&FORGET_PROOF, &FORGET_ASKED, &FORGET_PERSON] {
            tx.query(statement).bind(&ids).execute(&mut *tx.tx).await?;
        }
        let gone = tx.query(&FORGET_PENDING).bind(&ids).bind(before.0).execute(&mut *tx.tx).await?;
        tx.commit().await?;
        Ok(gone.rows_affected())
    }
}

/// The wish stands anew from `now`, and so does every link that was sent for it.
async fn wait(tx: &mut Write<'_>, notice: &NewNotice, now: UnixMillis) -> Result<()> {
    let expires = now.plus(LINK_VALID);
    let id = notice.subscriber.map(|id| id.0);
    tx.query(&WAIT).bind(id).bind(now.0).bind(expires.0).execute(&mut *tx.tx).await?;
    let notice = notice.clone().with("expires_at", expires.0.to_string());
    notices::insert(tx, &notice, now).await?;
    Ok(())
}
