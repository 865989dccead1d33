//! Who asks for the letter, who confirms, and the proof of both.
//!
//! A person who unsubscribed or was erased may come back by confirming: it is their own mailbox
//! that says yes. Who bounced or complained may not, unless an operator clears it up first; the
//! form answers them like everybody, and no mail goes out.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::domain::notice::{NewNotice, NoticeKind};
use crate::domain::signup::{Allowance, Confirmation, Consent, Evidence, LINK_VALID, SignUp, SignedUp};
use crate::domain::subscriber::{LinkEpoch, SubscriberId, SubscriberStatus};
use crate::domain::token::ConfirmLink;
use crate::domain::{EmailAddress, UnixMillis};
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;
use crate::store::db::tx::{Durability, Lock, Write};
use crate::store::db::values::{address, json};
use crate::store::queue::notices;
use crate::store::reader::rate_limits;
use crate::store::reader::subscribers::known;

statements! {
    BARRED = "
        SELECT 1 AS there FROM suppression WHERE email_hash = $1 AND reason IN ('bounced', 'complained')";

    /// These three do nothing unless the last parameter is 1, and are asked of every address all
    /// the same.
    ADD = "
        INSERT INTO subscriber (email, status, source, created_at)
        SELECT CAST($1 AS TEXT), 'pending', CAST($2 AS TEXT), CAST($3 AS BIGINT) WHERE CAST($4 AS BIGINT) = 1 RETURNING id";

    WAIT = "
        INSERT INTO pending (subscriber, asked_at, expires_at, request)
        SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($5 AS BIGINT) WHERE CAST($4 AS BIGINT) = 1
        ON CONFLICT (subscriber) DO UPDATE SET asked_at = excluded.asked_at, expires_at = excluded.expires_at
        RETURNING request";

    PROVE = "
        INSERT INTO consent (subscriber, asked_at, form, text_id, language, text, ip)
        SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT),
               CAST($7 AS TEXT)
        WHERE CAST($8 AS BIGINT) = 1 RETURNING id";

    /// The one that was asked for last is the one that the button confirms.
    CONFIRM_PROOF = "
        UPDATE consent SET confirmed_at = $2 WHERE id = (SELECT MAX(c.id) FROM consent c WHERE c.subscriber = $1)";

    ACTIVATE = "
        UPDATE subscriber SET status = 'active', activated_at = $2, ended_at = NULL
        WHERE id = $1 AND status IN ('pending', 'unsubscribed')";

    LIFT = "DELETE FROM suppression WHERE email_hash = $1 AND reason IN ('unsubscribed', 'erased')";

    /// One reading of everything that decides what a link is worth.
    PENDING_STATE = "
        SELECT s.status, s.email, s.epoch, p.expires_at, p.request FROM subscriber s LEFT JOIN pending p ON p.subscriber = s.id WHERE s.id = $1";

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
    epoch: LinkEpoch,
    expires_at: Option<UnixMillis>,
    request: Option<i64>,
}

impl PendingState {
    fn read(row: &AnyRow) -> Result<Self> {
        let status: String = row.try_get("status")?;
        Ok(Self {
            status: status.parse().map_err(|_| StoreError::content("subscriber status", status))?,
            email: row.try_get("email")?,
            epoch: LinkEpoch(row.try_get("epoch")?),
            expires_at: row.try_get::<Option<i64>, _>("expires_at")?.map(UnixMillis),
            request: row.try_get("request")?,
        })
    }

    /// Whether a link was sent for the wish that stands. One of a release before that named none is
    /// good for what was asked then, of somebody who had never been here: their address can't have
    /// been another one.
    fn is_of(&self, link: Option<i64>) -> bool {
        match (link, self.request) {
            (Some(link), Some(own)) => link == own,
            (None, Some(own)) => own == 0 && self.status == SubscriberStatus::Pending,
            (_, None) => false,
        }
    }

    fn confirmation(&self, link: Option<i64>, now: UnixMillis) -> Confirmation {
        use SubscriberStatus::{Active, Bounced, Complained, Pending, Unsubscribed};
        match (self.status, self.expires_at) {
            (Active, _) => Confirmation::Done,
            (Bounced | Complained, _) | (_, None) => Confirmation::Gone,
            _ if !self.is_of(link) => Confirmation::Gone,
            (Pending | Unsubscribed, Some(until)) if until <= now => Confirmation::Expired,
            (Pending | Unsubscribed, Some(_)) => Confirmation::Open,
        }
    }
}

impl Store {
    /// Takes in that somebody asks for the letter: in one durable commit the limits, and for
    /// somebody new (or who had left) the wish, its proof and the notice to confirm; for a reader
    /// the notice that they are one. Whatever the address is, there are the same statements and a
    /// commit, so that the time it takes tells nothing.
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
        hear(&mut tx, ask, now).await?;
        tx.commit().await?;
        Ok(SignedUp::Heard)
    }

    /// What a link is worth at `now`. Writes nothing.
    pub async fn confirmation(&self, link: &ConfirmLink, now: UnixMillis) -> Result<Confirmation> {
        let row =
            self.inner.query(&PENDING_STATE).bind(link.subscriber.0).fetch_optional(&self.inner.read).await?;
        Ok(match row {
            Some(row) => PendingState::read(&row)?.confirmation(link.request(), now),
            None => Confirmation::Gone,
        })
    }

    /// Makes a reader of who asked, lifts the suppression of who had left or was erased, and queues
    /// the welcome, in one durable commit. Repeats succeed. `hash` makes the suppression hash of
    /// the address that the store has.
    pub async fn confirm(&self, link: &ConfirmLink, hash: &str, now: UnixMillis) -> Result<Confirmation> {
        let id = link.subscriber;
        let mut tx = self.inner.begin(Durability::Full).await?;
        let Some(row) = tx.query(&PENDING_STATE).bind(id.0).fetch_optional(&mut *tx.tx).await? else {
            return Ok(Confirmation::Gone);
        };
        let state = PendingState::read(&row)?;
        match state.confirmation(link.request(), now) {
            Confirmation::Open => {}
            other => return Ok(other),
        }
        if tx.query(&BARRED).bind(hash).fetch_optional(&mut *tx.tx).await?.is_some() {
            return Ok(Confirmation::Gone);
        }
        let waited = tx.query(&DROP_WISH).bind(id.0);
        if waited.execute(&mut *tx.tx).await?.rows_affected() == 0 {
            // Two buttons at once: the other one was first, and its commit stands.
            return Ok(Confirmation::Done);
        }
        tx.query(&ACTIVATE).bind(id.0).bind(now.0).execute(&mut *tx.tx).await?;
        tx.query(&LIFT).bind(hash).execute(&mut *tx.tx).await?;
        tx.query(&CONFIRM_PROOF).bind(id.0).bind(now.0).execute(&mut *tx.tx).await?;
        let email = address(state.email)?;
        notices::insert(&mut tx, &NewNotice::to_reader(NoticeKind::Welcome, &email, id, state.epoch), now)
            .await?;
        tx.commit().await?;
        Ok(Confirmation::Done)
    }

    /// Another notice for a link that has expired, under the limits of asker and mailbox.
    pub async fn ask_again(
        &self,
        link: &ConfirmLink,
        of_asker: &[Allowance],
        of_mailbox: &[Allowance],
        now: UnixMillis,
    ) -> Result<SignedUp> {
        if let Some(until) = self.used_up(of_asker, now).await? {
            return Ok(SignedUp::Limited { until });
        }
        let mut tx = self.inner.begin(Durability::Full).await?;
        tx.lock(Lock::Intake).await?;
        if let Some(until) = rate_limits::take(&mut tx, of_asker, now).await? {
            return Ok(SignedUp::Limited { until });
        }
        let id = link.subscriber;
        let row = tx.query(&PENDING_STATE).bind(id.0).fetch_optional(&mut *tx.tx).await?;
        let state = row.as_ref().map(PendingState::read).transpose()?;
        let worth = |state: &PendingState| state.confirmation(link.request(), now);
        let waits = state.filter(|s| matches!(worth(s), Confirmation::Expired | Confirmation::Open));
        if let Some(state) = waits
            && rate_limits::take(&mut tx, of_mailbox, now).await?.is_none()
        {
            let email = address(state.email)?;
            // The row is there, and keeps the number of its wish.
            let wish = wait(&mut tx, id, Some(0), now).await?;
            notices::insert(&mut tx, &confirm_notice(&email, id, wish), now).await?;
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
        for statement in [&FORGET_PROOF, &FORGET_ASKED, &FORGET_PERSON] {
            tx.query(statement).bind(&ids).execute(&mut *tx.tx).await?;
        }
        let gone = tx.query(&FORGET_PENDING).bind(&ids).bind(before.0).execute(&mut *tx.tx).await?;
        tx.commit().await?;
        Ok(gone.rows_affected())
    }
}

/// A wish as it stands: the number of the consent that it began with, and until when its links
/// confirm.
struct StandingWish {
    request: i64,
    expires: UnixMillis,
}

/// The wish stands anew from `now`, and so does every link that was sent for it. `proof` is the
/// consent that it begins with, if it begins; none: nobody wishes anything.
async fn wait(
    tx: &mut Write<'_>,
    id: SubscriberId,
    proof: Option<i64>,
    now: UnixMillis,
) -> Result<StandingWish> {
    let expires = now.plus(LINK_VALID);
    let wish = tx.query(&WAIT).bind(id.0).bind(now.0).bind(expires.0);
    let wish = wish.bind(i64::from(proof.is_some())).bind(proof.unwrap_or(0)).fetch_all(&mut *tx.tx).await?;
    let request = wish.first().map_or(Ok(0), |row| row.try_get("request"))?;
    Ok(StandingWish { request, expires })
}

fn confirm_notice(email: &EmailAddress, id: SubscriberId, wish: StandingWish) -> NewNotice {
    NewNotice::new(NoticeKind::Confirm, email, id)
        .with("expires_at", wish.expires.0.to_string())
        .with("request", wish.request.to_string())
}

/// Queues the notice that fits, if any does. The same statements for every address: its time tells
/// no more than its answer.
async fn hear(tx: &mut Write<'_>, ask: &SignUp, now: UnixMillis) -> Result<()> {
    use SubscriberStatus::{Active, Bounced, Complained, Pending, Unsubscribed};
    let is_silent = rate_limits::take(tx, &ask.of_mailbox, now).await?.is_some();
    let known = known(tx, &ask.email).await?;
    let is_barred = tx.query(&BARRED).bind(&ask.hash).fetch_optional(&mut *tx.tx).await?.is_some();
    let status = known.as_ref().map(|known| known.status);
    let is_barred = is_silent || is_barred || matches!(status, Some(Bounced | Complained));
    let is_reader = !is_barred && status == Some(Active);
    let is_new = !is_barred && status.is_none();
    let is_wish = is_new || !is_barred && matches!(status, Some(Pending | Unsubscribed));
    let already = if is_reader { ask.of_already.clone() } else { ask.of_already.of_nobody() };
    let is_told = rate_limits::take(tx, std::slice::from_ref(&already), now).await?.is_some();
    let added = tx.query(&ADD).bind(ask.email.expose()).bind(&ask.evidence.form).bind(now.0);
    let added = added.bind(i64::from(is_new)).fetch_all(&mut *tx.tx).await?;
    let (id, email, epoch) = match (known, added.first()) {
        (Some(known), _) => (known.id, known.email, known.epoch),
        (None, Some(row)) => (SubscriberId(row.try_get("id")?), ask.email.clone(), LinkEpoch::default()),
        // Nobody, to whom nothing is written in the end.
        (None, None) => (SubscriberId(0), ask.email.clone(), LinkEpoch::default()),
    };
    let proof = prove(tx, &ask.evidence, id, is_wish, now).await?;
    let wish = wait(tx, id, proof, now).await?;
    let notice = match is_reader {
        true => NewNotice::to_reader(NoticeKind::AlreadySubscribed, &email, id, epoch),
        false => confirm_notice(&email, id, wish),
    };
    let is_owed = is_wish || is_reader && !is_told;
    notices::insert_unless(tx, !is_owed, &notice, now).await
}

/// The number of the consent, if somebody wishes something.
async fn prove(
    tx: &mut Write<'_>,
    proof: &Evidence,
    id: SubscriberId,
    is_wish: bool,
    now: UnixMillis,
) -> Result<Option<i64>> {
    let proof = tx
        .query(&PROVE)
        .bind(id.0)
        .bind(now.0)
        .bind(&proof.form)
        .bind(&proof.text_id)
        .bind(&proof.language)
        .bind(&proof.text)
        .bind(proof.ip.as_deref())
        .bind(i64::from(is_wish))
        .fetch_all(&mut *tx.tx)
        .await?;
    Ok(proof.first().map(|row| row.try_get("id")).transpose()?)
}
