//! The pages readers and machines ask for over HTTP. Nothing of HTTP lives outside this room.
//!
//! No GET changes anything: mail scanners follow every link (promise P10). Every POST carries its authority in a keyed
//! token in its path, so no form needs a cookie. A request is logged by its route's pattern, never by its path, which
//! may hold a token.

mod address;
mod archive;
mod assets;
mod client;
mod compare;
mod confirm;
mod embed;
mod everybody;
mod feeds;
mod fresh;
mod guard;
mod health;
mod join;
mod leave;
mod metadata;
mod page_cache;
mod pages;
mod preferences;
pub mod preview;
mod readers;
mod rehearsal;
mod say;
mod serving;
mod signup;
mod sitemap;
mod vote;
mod xml;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use ipnet::IpNet;
use tokio::sync::Notify;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

pub use client::{ClientIp, client_ip};
pub use leave::REASONS;
pub use page_cache::PageCache;
pub use pages::{Pages, PagesError};
pub use serving::{Bounds, serve};

use crate::config::SignupSettings;
use crate::domain::UnixMillis;
use crate::domain::site::Site;
use crate::domain::token::Keyring;
use crate::store::Store;

/// The largest body a form of ours can have, with room to spare.
const BODY_LIMIT: usize = 64 * 1024;
/// A smaller answer fits into one packet as it is.
const WORTH_COMPRESSING: u16 = 1024;

/// What the pages need.
pub struct Web {
    pub store: Store,
    pub keyring: Keyring,
    pub site: Site,
    pub pages: Pages,
    /// Pages for everybody that are made already.
    pub page_cache: PageCache,
    /// When this process began: nothing it says is older.
    pub started: UnixMillis,
    /// Whose word on a client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    pub signup: SignupSettings,
    /// Tells the worker of this process that a notice is in the queue.
    pub wake: Arc<Notify>,
    pub bounds: Bounds,
    /// The clock of readers whose own is not known.
    pub zone: chrono_tz::Tz,
    /// Whether letters wait for the hour that their reader chose.
    pub reader_hours: bool,
}

/// All routes.
pub fn router(web: Arc<Web>) -> Router {
    let time_limit = from_fn_with_state(web.clone(), guard::time_limit);
    let for_machines = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .layer(time_limit.clone());
    Router::new()
        .route("/", get(join::home))
        .route("/subscribe", get(join::form).post(join::subscribe))
        .route("/confirm/{token}", get(confirm::page).post(confirm::confirm))
        .route("/confirm/{token}/again", post(confirm::again))
        .route("/embed", get(embed::page))
        .route("/api/subscribe", get(embed::stamp).post(embed::subscribe).options(embed::preflight))
        .route("/issues", get(archive::list))
        .route("/issues/{number}", get(archive::issue))
        .route("/compare/{slug}", get(compare::page))
        .route("/vote/{token}", get(vote::page).post(vote::cast))
        .route("/feed.xml", get(feeds::atom))
        .route("/feed.json", get(feeds::json))
        .route("/sitemap.xml", get(sitemap::sitemap))
        .route("/robots.txt", get(sitemap::robots))
        .route("/unsubscribe/{token}", get(leave::page).post(leave::leave))
        .route("/unsubscribe/{token}/reason", get(leave::page).post(leave::reason))
        .route("/undo/{token}", post(leave::take_back))
        .route("/preferences/{token}", get(preferences::page).post(preferences::save))
        .route("/preferences/{token}/pause", get(preferences::page).post(preferences::pause))
        .route("/preferences/{token}/address", get(preferences::page).post(preferences::ask_address))
        .route("/preferences/{token}/data", get(preferences::data))
        .route("/preferences/{token}/erase", get(preferences::erase_page).post(preferences::erase))
        .route("/address/{token}", get(address::page).post(address::confirm))
        .route("/assets/{name}", get(assets::get))
        .fallback(readers::not_found)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(guard::body_limit))
        .layer(time_limit)
        .layer(CatchPanicLayer::custom(pages::panicked))
        .layer(from_fn_with_state(web.clone(), pages::dress))
        .layer(compression())
        .merge(for_machines)
        .layer(from_fn_with_state(web.clone(), guard::security_headers))
        .layer(from_fn_with_state(web.clone(), guard::log))
        .with_state(web)
}

/// Compressed answers give a secret away by their length only if somebody else can put guesses beside it (BREACH). Nobody
/// can: who sees a page with a token in it has the token in its path already, and there is no cookie that would let a foreign
/// page ask for it in a reader's name.
fn compression() -> CompressionLayer<impl tower_http::compression::predicate::Predicate> {
    CompressionLayer::new().compress_when(SizeAbove::new(WORTH_COMPRESSING).and(NotForContentType::IMAGES))
}
