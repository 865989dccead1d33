//! The pages readers and machines ask for over HTTP. Nothing of HTTP lives outside this room.
//!
//! No GET changes anything: mail scanners follow every link (promise P10). Every POST carries its authority in a keyed
//! token in its path, so no form needs a cookie. A request is logged by its route's pattern, never by its path, which
//! may hold a token.

mod archive;
mod assets;
mod client;
mod confirm;
mod embed;
mod health;
mod join;
mod pages;
mod readers;
mod signup;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

pub use client::{ClientIp, client_ip};
pub use pages::Pages;

use crate::config::SignupSettings;
use crate::domain::site::Site;
use crate::domain::token::Keyring;
use crate::store::Store;

/// The largest body a form of ours can have, with room to spare.
const BODY_LIMIT: usize = 64 * 1024;
/// Longer than any page takes, shorter than a client that wants to hold a connection open.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// What the pages need.
pub struct Web {
    pub store: Store,
    pub keyring: Keyring,
    pub site: Site,
    pub pages: Pages,
    /// Whose word on a client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    pub signup: SignupSettings,
    /// Tells the worker of this process that a notice is in the queue.
    pub wake: Arc<Notify>,
}

/// All routes.
pub fn router(web: Arc<Web>) -> Router {
    let for_machines =
        Router::new().route("/healthz", get(health::alive)).route("/readyz", get(health::ready));
    Router::new()
        .route("/", get(join::home))
        .route("/subscribe", get(join::form).post(join::subscribe))
        .route("/confirm/{token}", get(confirm::page).post(confirm::confirm))
        .route("/confirm/{token}/again", post(confirm::again))
        .route("/embed", get(embed::page))
        .route("/api/subscribe", get(embed::stamp).post(embed::subscribe).options(embed::preflight))
        .route("/issues", get(archive::list))
        .route("/issues/{number}", get(archive::issue))
        .route("/unsubscribe/{token}", get(readers::unsubscribe_page).post(readers::unsubscribe))
        .route("/preferences/{token}", get(readers::preferences_page).post(readers::save_preferences))
        .route("/assets/{name}", get(assets::get))
        .fallback(readers::not_found)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(web.clone(), pages::dress))
        .merge(for_machines)
        .layer(middleware::from_fn(time_limit))
        .layer(middleware::from_fn(security_headers))
        .with_state(web)
}

/// Serves until `stop` turns true, then lets open requests end.
///
/// # Errors
/// What the listener says when it can't accept any more.
pub async fn serve(
    listener: TcpListener,
    web: Arc<Web>,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let shutdown = async move {
        // An error means that the sender is gone, which is a stop as well.
        let _ = stop.wait_for(|stopping| *stopping).await;
    };
    axum::serve(listener, router(web).into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(shutdown)
        .await
}

async fn time_limit(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

/// Headers that hold for every answer. The archive page of a letter brings its own, looser style policy.
async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
