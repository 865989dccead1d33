//! Unsubscribing: one press, or one click of a mail program, and it is done before the answer is
//! sent.
//!
//! The page that says so offers two things and insists on neither: a way back for an hour, and a
//! few words on why. The answer to a mail program is the same page; it needs no cookie, no redirect
//! and no second step (RFC 8058).

use std::sync::Arc;
use std::time::Duration;

use axum::Form;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::form::line;
use crate::domain::UnixMillis;
use crate::domain::subscriber::{Subscriber, SubscriberId};
use crate::domain::token::Purpose;
use crate::store::StoreError;
use crate::web::state::Web;

/// How long a leaving can be taken back by the page that says it is done.
const UNDO_FOR: Duration = Duration::from_secs(3600);
/// Why people leave, as the page offers it and the store counts it; the texts are
/// `leave.why_<reason>`.
const REASONS: [&str; 5] = ["too_many", "content", "never_asked", "elsewhere", "other"];
/// Longest answer to "why?", in characters.
const WORDS_LIMIT: usize = 500;

/// `GET /unsubscribe/{token}`: shows a button and changes nothing.
pub async fn page(State(web): State<Arc<Web>>, Path(token): Path<String>) -> Response {
    let Some(id) = web.keyring.verify_link_token(Purpose::Unsubscribe, &token) else {
        return web.not_found();
    };
    let mut context = web.context();
    match web.store.subscriber_by_id(id).await {
        Ok(subscriber) => {
            let gone = subscriber.as_ref().is_none_or(|s| s.status.is_ended());
            context.insert("gone", &gone);
            context.insert("masked", &subscriber.map(|s| s.email.to_string()));
            // Templates of an operator's own may ask for it. The link to leave works for ever, also
            // in the hands of an address before: it must lead to no other.
            context.insert("preferences", "/");
            web.pages.show(StatusCode::OK, "unsubscribe.html", &context)
        }
        Err(error) => web.unavailable(&error),
    }
}

/// `POST /unsubscribe/{token}`: the page's button, and the one click of RFC 8058.
///
/// The token in the path is the whole authority. The body (urlencoded or multipart,
/// `List-Unsubscribe=One-Click` or the page's own) says nothing that could change the outcome, so
/// it is read and ignored. No redirect (RFC 8058 §3.1), and a repeat is answered the same. The
/// commit is done before the answer is sent.
pub async fn unsubscribe(State(web): State<Arc<Web>>, Path(token): Path<String>, _body: Bytes) -> Response {
    let Some(id) = web.keyring.verify_link_token(Purpose::Unsubscribe, &token) else {
        return web.not_found();
    };
    let now = UnixMillis::now();
    match take_off(&web, id, now).await {
        Ok(undo) => done(&web, &token, undo, false),
        Err(error) => web.unavailable(&error),
    }
}

/// Takes the reader off the list. What undoes it, for who has just left.
async fn take_off(web: &Web, id: SubscriberId, now: UnixMillis) -> Result<Option<String>, StoreError> {
    // Somebody erased has left already: the link in an old letter gets the same answer.
    let Some(subscriber) = web.store.subscriber_by_id(id).await? else { return Ok(None) };
    web.store.unsubscribe(id, &web.keyring.suppression_hash(&subscriber.email), now).await?;
    undo_link(web, id, now).await
}

async fn undo_link(web: &Web, id: SubscriberId, now: UnixMillis) -> Result<Option<String>, StoreError> {
    let left = web.store.last_unsubscription(id).await?;
    let slip = left.filter(|left| left.undone_at.is_none() && now.since(left.left_at) < UNDO_FOR);
    Ok(slip.map(|left| format!("/undo/{}", web.keyring.undo_token(id, left.left_at))))
}

fn done(web: &Web, token: &str, undo: Option<String>, thanks: bool) -> Response {
    let mut context = web.context();
    context.insert("undo", &undo);
    context.insert("why", &format!("/unsubscribe/{token}/reason"));
    context.insert("reasons", &REASONS);
    context.insert("words_limit", &WORDS_LIMIT);
    context.insert("thanks", &thanks);
    web.pages.show(StatusCode::OK, "unsubscribed.html", &context)
}

#[derive(Deserialize)]
pub struct ReasonForm {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    words: String,
}

/// `POST /unsubscribe/{token}/reason`: why, if the reader wants to say it. Only of who has left.
pub async fn reason(
    State(web): State<Arc<Web>>,
    Path(token): Path<String>,
    Form(form): Form<ReasonForm>,
) -> Response {
    let Some(id) = web.keyring.verify_link_token(Purpose::Unsubscribe, &token) else {
        return web.not_found();
    };
    let words = line(&form.words, WORDS_LIMIT);
    let given = REASONS.into_iter().find(|reason| *reason == form.reason);
    let kept = match given.or(words.as_ref().map(|_| "other")) {
        Some(reason) => web.store.give_unsubscribe_reason(id, reason, words.as_deref()).await,
        None => Ok(()),
    };
    let undo = match kept {
        Ok(()) => undo_link(&web, id, UnixMillis::now()).await,
        Err(error) => Err(error),
    };
    match undo {
        Ok(undo) => done(&web, &token, undo, true),
        Err(error) => web.unavailable(&error),
    }
}

/// `POST /undo/{token}`: takes that very leaving back, within the hour.
pub async fn undo(State(web): State<Arc<Web>>, Path(token): Path<String>) -> Response {
    let now = UnixMillis::now();
    let slip = web.keyring.verify_undo_token(&token).filter(|(_, left_at)| now.since(*left_at) < UNDO_FOR);
    let Some((id, left_at)) = slip else { return web.not_found() };
    match back(&web, id, left_at, now).await {
        Ok(Some(subscriber)) => {
            let mut context = web.context();
            context.insert("masked", &subscriber.email.to_string());
            context.insert("preferences", "/");
            web.pages.show(StatusCode::OK, "unsubscribe_undone.html", &context)
        }
        Ok(None) => web.not_found(),
        Err(error) => web.unavailable(&error),
    }
}

async fn back(
    web: &Web,
    id: SubscriberId,
    left_at: UnixMillis,
    now: UnixMillis,
) -> Result<Option<Subscriber>, StoreError> {
    let Some(subscriber) = web.store.subscriber_by_id(id).await? else { return Ok(None) };
    let hash = web.keyring.suppression_hash(&subscriber.email);
    Ok(web.store.undo_unsubscribe(id, &hash, left_at, now).await?.then_some(subscriber))
}
