//! Every route, and what lies around the handlers.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

use crate::domain::token::Purpose;
use crate::web::public::{archive, compare, feeds, sitemap};
use crate::web::reader::{address_change, pause, personal_data, preferences, unsubscribe, vote};
use crate::web::render::{answers, asset_route, middleware};
use crate::web::route::{Authority, Route};
use crate::web::server::{guard, health};
use crate::web::signup::{confirm, embed, page as signup_page};
use crate::web::state::Web;

/// A smaller answer fits into one packet as it is.
const WORTH_COMPRESSING: u16 = 1024;

/// The pages. Handlers stand where what they show or change is at home.
fn pages() -> Vec<Route> {
    let token = Authority::Token;
    vec![
        Route::at("/").get(signup_page::home),
        Route::at("/subscribe").get(signup_page::form).post(Authority::Anybody, signup_page::subscribe),
        Route::at("/confirm/{token}").get(confirm::page).post(token(Purpose::Confirm), confirm::confirm),
        Route::at("/confirm/{token}/again").post(token(Purpose::Confirm), confirm::again),
        Route::at("/embed").get(embed::page),
        Route::at("/api/subscribe")
            .get(embed::stamp)
            .post(Authority::Anybody, embed::subscribe)
            .options(embed::preflight),
        Route::at("/issues").get(archive::list),
        Route::at("/issues/{number}").get(archive::issue),
        Route::at("/compare/{slug}").get(compare::page),
        Route::at("/vote/{token}").get(vote::page).post(token(Purpose::Vote), vote::cast),
        Route::at("/feed.xml").get(feeds::atom),
        Route::at("/feed.json").get(feeds::json),
        Route::at("/sitemap.xml").get(sitemap::sitemap),
        Route::at("/robots.txt").get(sitemap::robots),
        Route::at("/unsubscribe/{token}")
            .get(unsubscribe::page)
            .post(token(Purpose::Unsubscribe), unsubscribe::unsubscribe),
        Route::at("/unsubscribe/{token}/reason")
            .get(unsubscribe::page)
            .post(token(Purpose::Unsubscribe), unsubscribe::reason),
        Route::at("/undo/{token}").post(token(Purpose::Undo), unsubscribe::undo),
        Route::at("/preferences/{token}")
            .get(preferences::page)
            .post(token(Purpose::Preferences), preferences::save),
        Route::at("/preferences/{token}/pause")
            .get(preferences::page)
            .post(token(Purpose::Preferences), pause::pause),
        Route::at("/preferences/{token}/address")
            .get(preferences::page)
            .post(token(Purpose::Preferences), address_change::ask),
        Route::at("/preferences/{token}/data").get(personal_data::download),
        Route::at("/preferences/{token}/erase")
            .get(personal_data::erase_page)
            .post(token(Purpose::Preferences), personal_data::erase),
        Route::at("/address/{token}")
            .get(address_change::page)
            .post(token(Purpose::AddressChange), address_change::confirm),
        Route::at("/assets/{name}").get(asset_route::get),
    ]
}

/// For whoever watches the process: plain words, in no reader's language.
fn probes() -> Vec<Route> {
    vec![Route::at("/healthz").get(health::alive), Route::at("/readyz").get(health::ready)]
}

/// Every route there is.
pub fn routes() -> Vec<Route> {
    pages().into_iter().chain(probes()).collect()
}

/// All routes, with what lies around each: from the inside out, as a request's answer goes.
pub fn router(web: Arc<Web>) -> Router {
    let time_limit = from_fn_with_state(web.clone(), guard::time_limit);
    of(pages())
        .fallback(answers::not_found)
        .layer(DefaultBodyLimit::max(guard::BODY_LIMIT))
        .layer(from_fn(guard::body_limit))
        .layer(time_limit.clone())
        .layer(CatchPanicLayer::custom(middleware::panicked))
        .layer(from_fn_with_state(web.clone(), middleware::render))
        .layer(compression())
        .merge(of(probes()).layer(time_limit))
        .layer(from_fn_with_state(web.clone(), guard::security_headers))
        .layer(from_fn_with_state(web.clone(), guard::log))
        .with_state(web)
}

fn of(routes: Vec<Route>) -> Router<Arc<Web>> {
    routes.into_iter().fold(Router::new(), |router, route| router.route(route.path, route.handlers))
}

/// Compressed answers give a secret away by their length only if somebody else can put guesses
/// beside it (BREACH). Nobody can: who sees a page with a token in it has the token in its path
/// already, and there is no cookie that would let a foreign page ask for it in a reader's name.
fn compression() -> CompressionLayer<impl tower_http::compression::predicate::Predicate> {
    CompressionLayer::new().compress_when(SizeAbove::new(WORTH_COMPRESSING).and(NotForContentType::IMAGES))
}
