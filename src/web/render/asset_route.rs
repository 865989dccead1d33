//! The route of the files that pages load.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::web::state::Web;

/// `GET /assets/{name}`: under its present name only, so that an old page never gets a new style.
pub async fn get(State(web): State<Arc<Web>>, Path(asked): Path<String>) -> Response {
    let Some(asset) = web.pages.assets.find(&asked) else { return StatusCode::NOT_FOUND.into_response() };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    (headers, asset.text.clone()).into_response()
}
