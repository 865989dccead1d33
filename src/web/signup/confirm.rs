//! The second half of double opt-in: the link from the notice shows a button, and pressing it makes
//! a reader.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::UnixMillis;
use crate::domain::signup::{Confirmation, SignedUp, of_mailbox};
use crate::domain::subscriber::Subscriber;
use crate::domain::token::ConfirmLink;
use crate::store::StoreError;
use crate::web::server::client_ip::ClientIp;
use crate::web::state::Web;

/// `GET /confirm/{token}`: says what the button does, and changes nothing.
pub async fn page(State(web): State<Arc<Web>>, Path(token): Path<String>) -> Response {
    let Some(link) = web.keyring.verify_confirm_token(&token) else { return web.not_found() };
    let worth = match web.asker(&link).await {
        Ok(Some(_)) => web.store.confirmation(&link, UnixMillis::now()).await,
        Ok(None) => Ok(Confirmation::Gone),
        Err(error) => Err(error),
    };
    match worth {
        Ok(state) => web.show_confirmation(&link, &token, state).await,
        Err(error) => web.unavailable(&error),
    }
}

/// `POST /confirm/{token}`: done before the answer is sent; pressing twice is answered like once.
pub async fn confirm(State(web): State<Arc<Web>>, Path(token): Path<String>) -> Response {
    let Some(link) = web.keyring.verify_confirm_token(&token) else { return web.not_found() };
    let confirmed = match web.asker(&link).await {
        Ok(Some(subscriber)) => {
            let hash = web.keyring.suppression_hash(&subscriber.email);
            web.store.confirm(&link, &hash, UnixMillis::now()).await
        }
        Ok(None) => Ok(Confirmation::Gone),
        Err(error) => Err(error),
    };
    match confirmed {
        Ok(state) => {
            web.wake.notify_one();
            web.show_confirmation(&link, &token, state).await
        }
        Err(error) => web.unavailable(&error),
    }
}

/// `POST /confirm/{token}/again`: another notice for a link that has expired, under the limits of a
/// sign-up.
pub async fn again(
    State(web): State<Arc<Web>>,
    ClientIp(ip): ClientIp,
    Path(token): Path<String>,
) -> Response {
    let Some(link) = web.keyring.verify_confirm_token(&token) else { return web.not_found() };
    let now = UnixMillis::now();
    let asked = match web.asker(&link).await {
        Ok(Some(subscriber)) => {
            let of_asker = web.signup.limits.of_asker(&web.keyring, ip, true);
            let of_mailbox = of_mailbox(&web.keyring, &subscriber.email);
            web.store.ask_again(&link, &of_asker, &of_mailbox, now).await
        }
        Ok(None) => return web.show_confirmation(&link, &token, Confirmation::Gone).await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(SignedUp::Heard) => {
            web.wake.notify_one();
            web.pages.show(StatusCode::OK, "join_resent.html", &web.context())
        }
        Ok(SignedUp::Limited { until }) => web.too_often(until.since(now)),
        Err(error) => web.unavailable(&error),
    }
}

impl Web {
    /// Who asked, if theirs is still the address that the link was sent to.
    async fn asker(&self, link: &ConfirmLink) -> Result<Option<Subscriber>, StoreError> {
        let subscriber = self.store.subscriber_by_id(link.subscriber).await?;
        Ok(subscriber.filter(|subscriber| self.keyring.was_sent_to(link, &subscriber.email)))
    }

    /// The page for the state of a link.
    async fn show_confirmation(&self, link: &ConfirmLink, token: &str, state: Confirmation) -> Response {
        let (subscriber, latest) = match self.masked_and_latest(link).await {
            Ok(found) => found,
            Err(error) => return self.unavailable(&error),
        };
        let (status, state) = match state {
            Confirmation::Open => (StatusCode::OK, "open"),
            Confirmation::Done => (StatusCode::OK, "done"),
            Confirmation::Expired => (StatusCode::OK, "expired"),
            Confirmation::Gone => (StatusCode::GONE, "gone"),
        };
        let mut context = self.context();
        context.insert("state", state);
        context.insert("token", token);
        context.insert("masked", &subscriber);
        context.insert("latest", &latest);
        self.pages.show(status, "confirm.html", &context)
    }

    /// The masked address, and the number of the latest issue.
    async fn masked_and_latest(
        &self,
        link: &ConfirmLink,
    ) -> Result<(Option<String>, Option<i64>), StoreError> {
        let subscriber = self.asker(link).await?;
        let latest = self.store.latest_public_issue().await?;
        Ok((subscriber.map(|s| s.email.to_string()), latest.map(|issue| issue.number.0)))
    }
}
