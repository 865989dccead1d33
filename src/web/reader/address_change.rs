//! The link that a new address gets, and the one by which the old address takes a change back.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::UnixMillis;
use crate::domain::token::{Keyring, Purpose};
use crate::store::{AddressChange, Changed, StoreError};
use crate::web::state::Web;

impl Web {
    /// The change that the token was made for, if it is one of ours and not too late.
    async fn change(&self, token: &str, now: UnixMillis) -> Result<Option<(i64, AddressChange)>, StoreError> {
        let Some(number) = Keyring::claimed_change(token) else { return Ok(None) };
        let change = self.store.address_change(number, now).await?;
        let ours = |change: &AddressChange| {
            self.keyring.verify_change_token(token, change.subscriber, &change.email)
        };
        Ok(change.filter(ours).map(|change| (number, change)))
    }

    fn change_page(&self, change: &AddressChange, state: &str) -> Response {
        let mut context = self.context();
        context.insert("state", state);
        context.insert("masked", &change.email.to_string());
        let preferences = self.keyring.link_token(Purpose::Preferences, change.subscriber);
        context.insert("preferences", &format!("/preferences/{preferences}"));
        self.pages.show(StatusCode::OK, "preferences_address.html", &context)
    }

    /// For a change that is over, whatever the reason, and for a token that is none: the same.
    fn no_change(&self) -> Response {
        let mut context = self.context();
        context.insert("state", "over");
        self.pages.show(StatusCode::NOT_FOUND, "preferences_address.html", &context)
    }
}

/// `GET /address/{token}`: shows a button and changes nothing.
pub async fn page(State(web): State<Arc<Web>>, Path(token): Path<String>) -> Response {
    match web.change(&token, UnixMillis::now()).await {
        Ok(Some((_, change))) => web.change_page(&change, "ask"),
        Ok(None) => web.no_change(),
        Err(error) => web.broken(&error),
    }
}

/// `POST /address/{token}`: from now on the letters go there.
pub async fn confirm(State(web): State<Arc<Web>>, Path(token): Path<String>) -> Response {
    let now = UnixMillis::now();
    let (number, change) = match web.change(&token, now).await {
        Ok(Some(change)) => change,
        Ok(None) => return web.no_change(),
        Err(error) => return web.broken(&error),
    };
    let hash = web.keyring.suppression_hash(&change.email);
    match web.store.change_address(number, &change, &hash, now).await {
        Ok(Changed::Done) => {
            web.wake.notify_one();
            web.change_page(&change, "done")
        }
        Ok(Changed::Gone) => web.no_change(),
        Err(error) => web.broken(&error),
    }
}
