//! What a reader does with the links in a letter: leave, and say how to be greeted.

use std::sync::Arc;

use axum::Form;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::Web;
use crate::domain::UnixMillis;
use crate::domain::subscriber::{Subscriber, SubscriberId};
use crate::domain::token::Purpose;
use crate::store::StoreError;

/// Longest name a reader may give, in characters.
const NAME_LIMIT: usize = 80;

impl Web {
    pub(super) fn unknown_link(&self) -> Response {
        self.pages.show(StatusCode::NOT_FOUND, "not_found.html", &self.context())
    }

    pub(super) fn broken(&self, error: &StoreError) -> Response {
        tracing::error!(%error, "a reader's request met a store that does not answer");
        self.pages.show(StatusCode::SERVICE_UNAVAILABLE, "later.html", &self.context())
    }
}

/// `GET /unsubscribe/{token}`: shows a button and changes nothing.
pub async fn unsubscribe_page(State(web): State<Arc<Web>>, Path(token): Path<String>) -> Response {
    let Some(id) = web.keyring.verify_link_token(Purpose::Unsubscribe, &token) else {
        return web.unknown_link();
    };
    let mut context = web.context();
    match web.store.subscriber_by_id(id).await {
        Ok(subscriber) => {
            let gone = subscriber.as_ref().is_none_or(|s| s.status.is_ended());
            context.insert("gone", &gone);
            context.insert("masked", &subscriber.map(|s| s.email.to_string()));
            web.pages.show(StatusCode::OK, "unsubscribe.html", &context)
        }
        Err(error) => web.broken(&error),
    }
}

/// `POST /unsubscribe/{token}`: the page's button, and the one click of RFC 8058.
///
/// The token in the path is the whole authority. The body (urlencoded or multipart, `List-Unsubscribe=One-Click` or the
/// page's own) says nothing that could change the outcome, so it is read and not looked at. No redirect (RFC 8058
/// §3.1), and a repeat is answered the same. The commit is done before the answer is sent.
pub async fn unsubscribe(State(web): State<Arc<Web>>, Path(token): Path<String>, _body: Bytes) -> Response {
    let Some(id) = web.keyring.verify_link_token(Purpose::Unsubscribe, &token) else {
        return web.unknown_link();
    };
    match leave(&web, id).await {
        Ok(()) => web.pages.show(StatusCode::OK, "unsubscribed.html", &web.context()),
        Err(error) => web.broken(&error),
    }
}

async fn leave(web: &Web, id: SubscriberId) -> Result<(), StoreError> {
    // Somebody erased has left already: the link in an old letter gets the same kind answer.
    if let Some(subscriber) = web.store.subscriber_by_id(id).await? {
        let hash = web.keyring.suppression_hash(&subscriber.email);
        web.store.unsubscribe(id, &hash, UnixMillis::now()).await?;
    }
    Ok(())
}

#[derive(Deserialize)]
pub struct PreferencesForm {
    #[serde(default)]
    name: String,
}

/// `GET /preferences/{token}`: how the reader is greeted, and the way out.
pub async fn preferences_page(State(web): State<Arc<Web>>, Path(token): Path<String>) -> Response {
    match reader(&web, &token).await {
        Ok(Some(subscriber)) => show_preferences(&web, &subscriber, false),
        Ok(None) => web.unknown_link(),
        Err(error) => web.broken(&error),
    }
}

/// `POST /preferences/{token}`: keeps the name, or forgets it when the field is empty.
pub async fn save_preferences(
    State(web): State<Arc<Web>>,
    Path(token): Path<String>,
    Form(form): Form<PreferencesForm>,
) -> Response {
    let mut subscriber = match reader(&web, &token).await {
        Ok(Some(subscriber)) => subscriber,
        Ok(None) => return web.unknown_link(),
        Err(error) => return web.broken(&error),
    };
    subscriber.name = readable_name(&form.name);
    match web.store.set_name(subscriber.id, subscriber.name.as_deref()).await {
        Ok(()) => show_preferences(&web, &subscriber, true),
        Err(error) => web.broken(&error),
    }
}

/// One line, no control characters, at most [`NAME_LIMIT`] characters; nothing left is no name.
fn readable_name(text: &str) -> Option<String> {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(NAME_LIMIT).collect();
    let clean = clean.trim();
    (!clean.is_empty()).then(|| clean.to_owned())
}

async fn reader(web: &Web, token: &str) -> Result<Option<Subscriber>, StoreError> {
    match web.keyring.verify_link_token(Purpose::Preferences, token) {
        Some(id) => web.store.subscriber_by_id(id).await,
        None => Ok(None),
    }
}

fn show_preferences(web: &Web, subscriber: &Subscriber, saved: bool) -> Response {
    let mut context = web.context();
    context.insert("masked", &subscriber.email.to_string());
    context.insert("name", subscriber.name.as_deref().unwrap_or(""));
    context.insert("saved", &saved);
    context.insert("gone", &subscriber.status.is_ended());
    context.insert(
        "leave",
        &format!("/unsubscribe/{}", web.keyring.link_token(Purpose::Unsubscribe, subscriber.id)),
    );
    web.pages.show(StatusCode::OK, "preferences.html", &context)
}

/// Every other path.
pub async fn not_found(State(web): State<Arc<Web>>) -> Response {
    web.unknown_link()
}

#[cfg(test)]
mod tests {
    use super::readable_name;

    #[test]
    fn a_name_is_one_short_line_or_none() {
        assert_eq!(readable_name("  Ann\r\nBcc: x  ").as_deref(), Some("Ann  Bcc: x"));
        assert_eq!(readable_name(" \t "), None);
        assert_eq!(readable_name(&"é".repeat(300)).unwrap().chars().count(), 80);
    }
}
