//! Letters to another address: asked for on the page, confirmed by the link that the new address
//! gets, taken back by the one that the old address gets.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::form::{Fields, field};
use super::preferences_page::PageNote;
use crate::domain::signup::NewAddress;
use crate::domain::subscriber::LinkEpoch;
use crate::domain::token::Keyring;
use crate::domain::{EmailAddress, UnixMillis};
use crate::store::{AddressChange, AskedChange, Changed, StoreError};
use crate::texts::Language;
use crate::web::server::client_ip::ClientIp;
use crate::web::state::Web;

/// Longest address, in octets (RFC 5321 §4.5.3.1.3, less the brackets).
const ADDRESS_LIMIT: usize = 254;

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

    /// With the link to the reader's own page for who is the reader now.
    fn change_page(&self, change: &AddressChange, state: &str, reader: Option<LinkEpoch>) -> Response {
        let mut context = self.context();
        context.insert("state", state);
        context.insert("masked", &change.email.to_string());
        let token = reader.map(|epoch| self.keyring.preferences_token(change.subscriber, epoch));
        let preferences = token.map_or("/".to_owned(), |token| format!("/preferences/{token}"));
        context.insert("preferences", &preferences);
        self.pages.show(StatusCode::OK, "preferences_address.html", &context)
    }

    /// For a change that is over, whatever the reason, and for a token that is none: the same.
    fn no_change(&self) -> Response {
        let mut context = self.context();
        context.insert("state", "over");
        self.pages.show(StatusCode::NOT_FOUND, "preferences_address.html", &context)
    }
}

/// `POST /preferences/{token}/address`: writes to the new address to ask whether it is theirs. What
/// is said here is the same whoever has it already.
pub async fn ask(
    State(web): State<Arc<Web>>,
    ClientIp(ip): ClientIp,
    language: Language,
    Path(token): Path<String>,
    Form(fields): Fields,
) -> Result<Response, Response> {
    let owner = web.preferences_owner(token).await?;
    let typed = field(&fields, "email").unwrap_or_default().trim();
    let note = match EmailAddress::from_public(typed) {
        _ if typed.len() > ADDRESS_LIMIT => PageNote::wrong("email", "leave.address_bad"),
        Err(_) => PageNote::wrong("email", "leave.address_bad"),
        Ok(email) if email.expose().eq_ignore_ascii_case(owner.person.email.expose()) => {
            PageNote::wrong("email", "leave.address_same")
        }
        Ok(email) => {
            let now = UnixMillis::now();
            let of_asker = web.signup.limits.of_asker(&web.keyring, ip, true);
            let wish = NewAddress::new(&web.keyring, of_asker, owner.person.id, &email);
            match web.store.ask_address_change(&wish, now).await.map_err(|error| web.unavailable(&error))? {
                AskedChange::Asked => {
                    web.wake.notify_one();
                    PageNote::done("leave.address_asked")
                }
                AskedChange::TooOften => PageNote::wrong("email", "leave.address_too_often"),
                AskedChange::Limited { until } => return Err(web.too_often(until.since(now))),
                AskedChange::Gone => PageNote::wrong("email", "leave.address_gone"),
            }
        }
    };
    Ok(web.show_preferences(language, &owner, note).await)
}

/// `GET /address/{token}`: shows a button and changes nothing.
pub async fn page(State(web): State<Arc<Web>>, Path(token): Path<String>) -> Response {
    match web.change(&token, UnixMillis::now()).await {
        Ok(Some((_, change))) => web.change_page(&change, "ask", None),
        Ok(None) => web.no_change(),
        Err(error) => web.unavailable(&error),
    }
}

/// `POST /address/{token}`: from now on the letters go there.
pub async fn confirm(State(web): State<Arc<Web>>, Path(token): Path<String>) -> Response {
    let now = UnixMillis::now();
    let (number, change) = match web.change(&token, now).await {
        Ok(Some(change)) => change,
        Ok(None) => return web.no_change(),
        Err(error) => return web.unavailable(&error),
    };
    let hash = web.keyring.suppression_hash(&change.email);
    match web.store.change_address(number, &change, &hash, now).await {
        Ok(Changed::Done { epoch }) => {
            web.wake.notify_one();
            web.change_page(&change, "done", Some(epoch))
        }
        Ok(Changed::Gone) => web.no_change(),
        Err(error) => web.unavailable(&error),
    }
}
