//! What holds for every answer: a request's id and its line in the log, the time limit, and the
//! security headers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;

use super::client_ip::is_trusted;
use crate::web::state::Web;

/// The largest body a form of ours can have, with room to spare.
pub const BODY_LIMIT: usize = 64 * 1024;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest request id that a proxy's is taken for, in octets.
const ID_LENGTH: usize = 64;

/// No script, no style but our own sheet, nothing from elsewhere, in nobody's frame. A page that
/// needs more (a letter, which styles itself) brings its own.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // A path may hold a token: it goes to nobody.
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
         magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Two years, as browsers ask of a site that means it. Subdomains are other people's decision.
const HSTS: &str = "max-age=63072000";

/// Puts the headers on that the handler did not choose itself.
pub async fn security_headers(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    // Without TLS in front of us a browser ignores it (RFC 6797 §7.2), and a site on loopback must
    // not claim it.
    if web.site.base_url.starts_with("https://") {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(HeaderValue::from_static(HSTS));
    }
    response
}

/// Refuses a body beyond every form of ours, whether the handler would read it or not. One that
/// does not say how long it is (chunked) is read here first, up to the same limit.
pub async fn body_limit(request: Request, next: Next) -> Response {
    let length = request.body().size_hint();
    if length.lower() > BODY_LIMIT as u64 {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    if length.exact().is_some() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match to_bytes(body, BODY_LIMIT).await {
        Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
        // Cut off, or no chunks at all: then nobody waits for the answer.
        Err(_) => (StatusCode::PAYLOAD_TOO_LARGE, [(header::CONNECTION, "close")]).into_response(),
    }
}

/// Ends a request whose body or answer takes too long.
pub async fn time_limit(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(web.bounds.timeout, next.run(request)).await {
        Ok(response) => response,
        // The rest of the body is not worth waiting for.
        Err(_) => (StatusCode::REQUEST_TIMEOUT, [(header::CONNECTION, "close")]).into_response(),
    }
}

/// Names the request, and writes its line: method, route, status and time. Never the path, which
/// may hold a token, nor who asked.
pub async fn log(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(&web, &request);
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let span = tracing::info_span!("request", %id);
    async move {
        let mut response = next.run(request).await;
        let route = route.as_ref().map_or("none", MatchedPath::as_str);
        let (status, ms) = (response.status().as_u16(), started.elapsed().as_millis());
        tracing::info!(method, route, status, ms, "answered");
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }
    .instrument(span)
    .await
}

/// The id that a trusted proxy gave the request, so that its log and ours can be read side by side;
/// else a new one.
fn request_id(web: &Web, request: &Request) -> String {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let is_proxy = peer.is_some_and(|ConnectInfo(peer)| is_trusted(peer.ip(), &web.trusted_proxies));
    let given = is_proxy.then(|| given_id(request.headers())).flatten();
    given.unwrap_or_else(|| {
        // Without randomness an id is only less unique; nothing rests on it.
        let number = getrandom::u64().unwrap_or_default();
        format!("{number:016x}")
    })
}

fn given_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(REQUEST_ID)?.to_str().ok()?;
    let is_plain = (1..=ID_LENGTH).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    is_plain.then(|| text.to_owned())
}

/// A method that somebody made up is no text for our log.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}
