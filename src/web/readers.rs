//! What the pages behind a reader's links share.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::Web;
use crate::store::StoreError;

impl Web {
    pub(super) fn unknown_link(&self) -> Response {
        self.pages.show(StatusCode::NOT_FOUND, "not_found.html", &self.context())
    }

    pub(super) fn broken(&self, error: &StoreError) -> Response {
        tracing::error!(%error, "a reader's request met a store that does not answer");
        self.pages.show(StatusCode::SERVICE_UNAVAILABLE, "later.html", &self.context())
    }
}

/// Every other path.
pub async fn not_found(State(web): State<Arc<Web>>) -> Response {
    web.unknown_link()
}

/// What a person typed, on one line: no control characters, at most `limit` characters; nothing left is nothing.
pub(super) fn line(text: &str, limit: usize) -> Option<String> {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(limit).collect();
    let clean = clean.trim();
    (!clean.is_empty()).then(|| clean.to_owned())
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn what_was_typed_is_one_short_line_or_none() {
        assert_eq!(line("  Ann\r\nBcc: x  ", 80).as_deref(), Some("Ann  Bcc: x"));
        assert_eq!(line(" \t ", 80), None);
        assert_eq!(line(&"é".repeat(300), 80).unwrap().chars().count(), 80);
    }
}
