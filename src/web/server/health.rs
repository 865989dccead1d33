//! For machines: is the process alive, and can it do its work?

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::web::state::Web;

/// 200 as long as the process answers at all.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// 200 when the store answers as well; 503 otherwise.
pub async fn ready(State(web): State<Arc<Web>>) -> (StatusCode, &'static str) {
    match web.store.ping().await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::error!(%error, "the store does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer; see the log\n")
        }
    }
}
