//! The preview's own server: its routes, and what holds for every answer of it.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::host::{self, Guests};
use super::source::PreviewSource;
use super::state::{PreviewQuery, PreviewServer};
use super::{changes, page, scheme, template};
use crate::letter::lint::Message;

/// How often the watched files are checked.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// How long a question for changes is kept waiting before the browser asks again.
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves until `stop` turns true.
///
/// # Errors
/// What the listener says, or the words of the page's template if it is broken.
pub async fn serve(
    listener: TcpListener,
    source: Arc<dyn PreviewSource>,
    guests: Guests,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let (sender, version) = watch::channel(changes::stamp(&source.watched()));
    let preview = Arc::new(PreviewServer {
        template: template::PreviewTemplate::load().map_err(io::Error::other)?,
        source: source.clone(),
        guests,
        version,
        stop: stop.clone(),
        made: Mutex::default(),
    });
    let watching = tokio::spawn(changes::watch(source, sender, LOOK_EVERY));
    let served = axum::serve(listener, router(preview));
    let served = served.with_graceful_shutdown(async move {
        // An error means that the sender is gone, which is a stop as well.
        let _ = stop.wait_for(|stopping| *stopping).await;
    });
    let ended = served.await;
    watching.abort();
    ended
}

fn router(preview: Arc<PreviewServer>) -> Router {
    Router::new()
        .route("/", get(page::page))
        .route("/letter.html", get(letter_html))
        .route("/letter.eml", get(letter_eml))
        .route("/changed", get(changed))
        .route("/assets/{name}", get(template::asset))
        .layer(from_fn(headers))
        .layer(from_fn_with_state(preview.clone(), known_host))
        .with_state(preview)
}

/// `GET /letter.html`: the HTML part for the frame, in the asked-for light.
async fn letter_html(
    State(preview): State<Arc<PreviewServer>>,
    Query(asked): Query<PreviewQuery>,
) -> Response {
    let shown = preview.shown(&asked).await;
    let Ok(letter) = &*shown else { return StatusCode::NOT_FOUND.into_response() };
    let html = Message::parse(&letter.wire).html.unwrap_or_default();
    let html = scheme::forced(&html, asked.scheme.as_deref() == Some("dark"));
    let images = match asked.images.as_deref() {
        Some("off") => "'none'".to_owned(),
        _ => format!("https: data: {}", preview.source.images_from()),
    };
    // Links open beside the preview, and nothing in the letter runs.
    let policy = format!(
        "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
         style-src 'unsafe-inline'; img-src {images}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    );
    let mut response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// `GET /letter.eml`: the letter for a mail program of the operator's.
async fn letter_eml(
    State(preview): State<Arc<PreviewServer>>,
    Query(asked): Query<PreviewQuery>,
) -> Response {
    let shown = preview.shown(&asked).await;
    let Ok(letter) = &*shown else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [
        (header::CONTENT_TYPE, "message/rfc822"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"letter.eml\""),
    ];
    (headers, letter.wire.clone()).into_response()
}

#[derive(Deserialize)]
struct Since {
    since: Option<String>,
}

/// `GET /changed?since=VERSION`: the version, as soon as it is another, or after a while.
async fn changed(State(preview): State<Arc<PreviewServer>>, Query(asked): Query<Since>) -> Response {
    let (mut version, mut stop) = (preview.version.clone(), preview.stop.clone());
    let since = asked.since.unwrap_or_default();
    tokio::select! {
        _ = version.wait_for(|now| *now != since) => {}
        _ = stop.wait_for(|stopping| *stopping) => {}
        () = tokio::time::sleep(PATIENCE) => {}
    }
    let now = preview.version.borrow().clone();
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], now).into_response()
}

async fn known_host(State(preview): State<Arc<PreviewServer>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| host::is_ours(host, preview.guests)) {
        return next.run(request).await;
    }
    let words = "This preview answers to http://127.0.0.1 and http://localhost only.\n";
    (StatusCode::MISDIRECTED_REQUEST, words).into_response()
}

/// What every answer says, unless it brings its own.
async fn headers(request: Request, next: Next) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    const HEADERS: [(HeaderName, &str); 7] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
