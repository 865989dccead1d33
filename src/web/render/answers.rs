//! Answers that any handler may need: no such page, and a store that does not answer.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::store::StoreError;
use crate::web::state::Web;

impl Web {
    pub(in crate::web) fn not_found(&self) -> Response {
        self.pages.show(StatusCode::NOT_FOUND, "not_found.html", &self.context())
    }

    pub(in crate::web) fn unavailable(&self, error: &StoreError) -> Response {
        tracing::error!(%error, "a reader's request met a store that does not answer");
        self.pages.show(StatusCode::SERVICE_UNAVAILABLE, "later.html", &self.context())
    }
}

/// Every other path.
pub async fn not_found(State(web): State<Arc<Web>>) -> Response {
    web.not_found()
}
