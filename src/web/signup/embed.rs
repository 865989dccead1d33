//! Sign-up from other sites: a page that shows how, and the endpoint for scripts.
//!
//! There are no cookies, so a stranger's page can do nothing with a visitor's browser that it can't
//! do without it. So every origin may ask (`Access-Control-Allow-Origin: *`), under limits stricter
//! than our own form's.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;

use super::application::{Again, Answer, Application, FormOrigin, error_text, form_elsewhere};
use crate::domain::UnixMillis;
use crate::domain::signup::WORK_BITS;
use crate::texts::Language;
use crate::web::server::client_ip::ClientIp;
use crate::web::state::Web;

/// What a script may send.
#[derive(Deserialize)]
struct SubscribeRequest {
    email: String,
    /// As on the page: has to stay empty.
    #[serde(default)]
    website: String,
    /// From `GET /api/subscribe`; with it the limits are those of the page.
    stamp: Option<String>,
    #[serde(default)]
    work: String,
}

/// `GET /embed`: the form to copy, and the endpoint.
pub async fn page(State(web): State<Arc<Web>>) -> Response {
    let mut context = web.context();
    context.insert("base_url", &web.site.base_url);
    context.insert("work", &web.signup.proof_of_work.then_some(WORK_BITS));
    let mut response = web.pages.show(StatusCode::OK, "embed.html", &context);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// `GET /api/subscribe`: a stamp, and how much work goes with it.
pub async fn stamp(State(web): State<Arc<Web>>) -> Response {
    let bits = if web.signup.proof_of_work { WORK_BITS } else { 0 };
    let wait = web.signup.minimum_fill.as_secs();
    let stamp = web.stamp(UnixMillis::now());
    json_answer(StatusCode::OK, &json!({ "stamp": stamp, "minimum_seconds": wait, "work_bits": bits }))
}

/// `OPTIONS /api/subscribe`: what a browser asks before it lets another site's script send JSON.
pub async fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, accept-language"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    open_to_all(headers);
    response
}

/// `POST /api/subscribe`: JSON in, JSON out; the content type does not matter, so that `sendBeacon`
/// will do.
pub async fn subscribe(
    State(web): State<Arc<Web>>,
    ClientIp(ip): ClientIp,
    language: Language,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |key: &str| web.pages.texts.fill(language, key, &[("site", &web.site.name)]);
    let Ok(ask) = serde_json::from_slice::<SubscribeRequest>(&body) else {
        let message = text("join.api_not_json");
        return json_answer(StatusCode::BAD_REQUEST, &json!({ "status": "malformed", "message": message }));
    };
    let application = Application {
        email: &ask.email,
        trap: &ask.website,
        stamp: ask.stamp.as_deref(),
        work: &ask.work,
        origin: FormOrigin::Elsewhere(form_elsewhere(&headers, "/api/subscribe")),
        ip,
        language,
    };
    match web.sign_up(&application, UnixMillis::now()).await {
        Answer::Heard { meant, .. } => {
            let meant = meant.as_ref().map(|meant| meant.expose());
            let message = text("join.api_heard");
            json_answer(
                StatusCode::ACCEPTED,
                &json!({ "status": "heard", "message": message, "did_you_mean": meant }),
            )
        }
        Answer::Unreadable(error) => {
            let message = text(error_text(error));
            let answer = json!({ "status": "invalid", "field": "email", "message": message });
            json_answer(StatusCode::UNPROCESSABLE_ENTITY, &answer)
        }
        Answer::Again(why) => {
            let message = text(match why {
                Again::TooFast => "join.again_fast",
                Again::TooOld => "join.again_old",
                Again::Work => "join.api_work",
            });
            json_answer(StatusCode::CONFLICT, &json!({ "status": "again", "message": message }))
        }
        Answer::Limited(wait) => limited(&text("frame.error_429_text"), wait),
        Answer::Broken(error) => {
            tracing::error!(%error, "a sign-up met a store that does not answer");
            let message = text("frame.error_503_text");
            json_answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "broken", "message": message }))
        }
    }
}

fn limited(message: &str, wait: Duration) -> Response {
    let seconds = wait.as_secs().max(1);
    let answer = json!({ "status": "limited", "message": message, "retry_after": seconds });
    let mut response = json_answer(StatusCode::TOO_MANY_REQUESTS, &answer);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn json_answer(status: StatusCode, answer: &serde_json::Value) -> Response {
    let mut response = (status, answer.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    open_to_all(headers);
    response
}

/// Any site's script may read the answer; none may send credentials along, of which there are none.
fn open_to_all(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(policy, HeaderValue::from_static("cross-origin"));
}
