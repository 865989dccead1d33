//! Every route, and what lies around the handlers.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

use crate::web::public::{archive, compare, feeds, sitemap};
use crate::web::reader::{address_change, preferences, unsubscribe, vote};
use crate::web::render::{answers, asset_route, middleware};
use crate::web::server::{guard, health};
use crate::web::signup::{confirm, embed, page as signup_page};
use crate::web::state::Web;

/// A smaller answer fits into one packet as it is.
const WORTH_COMPRESSING: u16 = 1024;

/// All routes.
pub fn router(web: Arc<Web>) -> Router {
    let time_limit = from_fn_with_state(web.clone(), guard::time_limit);
    let for_machines = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .layer(time_limit.clone());
    Router::new()
        .route("/", get(signup_page::home))
        .route("/subscribe", get(signup_page::form).post(signup_page::subscribe))
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
        .route("/unsubscribe/{token}", get(unsubscribe::page).post(unsubscribe::leave))
        .route("/unsubscribe/{token}/reason", get(unsubscribe::page).post(unsubscribe::reason))
        .route("/undo/{token}", post(unsubscribe::take_back))
        .route("/preferences/{token}", get(preferences::page).post(preferences::save))
        .route("/preferences/{token}/pause", get(preferences::page).post(preferences::pause))
        .route("/preferences/{token}/address", get(preferences::page).post(preferences::ask_address))
        .route("/preferences/{token}/data", get(preferences::data))
        .route("/preferences/{token}/erase", get(preferences::erase_page).post(preferences::erase))
        .route("/address/{token}", get(address_change::page).post(address_change::confirm))
        .route("/assets/{name}", get(asset_route::get))
        .fallback(answers::not_found)
        .layer(DefaultBodyLimit::max(guard::BODY_LIMIT))
        .layer(from_fn(guard::body_limit))
        .layer(time_limit)
        .layer(CatchPanicLayer::custom(middleware::panicked))
        .layer(from_fn_with_state(web.clone(), middleware::dress))
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
