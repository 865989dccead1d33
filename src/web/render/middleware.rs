//! Around the handlers: what they hand over becomes HTML in the reader's language, and a page takes
//! the place of a bare refusal (an axum rejection, `StatusCode::GONE.into_response()`), so that
//! nobody ever sees an empty one.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::pages::PendingPage;
use crate::web::state::Web;

impl Web {
    /// The page for a status that needs no more words than its own.
    fn failure(&self, status: StatusCode) -> PendingPage {
        let kind = match status.as_u16() {
            code @ (404 | 405 | 408 | 410 | 413 | 429 | 500 | 503) => code,
            500.. => 500,
            _ => 400,
        };
        let mut context = self.context();
        context.insert("title", &format!("frame.error_{kind}_title"));
        context.insert("text", &format!("frame.error_{kind}_text"));
        PendingPage { name: "error.html".to_owned(), context }
    }
}

/// Renders what handlers hand over, and the page of each bare refusal.
pub async fn render(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let language = web.language(request.headers());
    let is_head = request.method() == Method::HEAD;
    let mut response = next.run(request).await;
    let page = response.extensions_mut().remove::<PendingPage>();
    match page {
        Some(page) => web.pages.finish(language, &page, &mut response),
        None if is_bare(&response) => {
            let page = web.failure(response.status());
            web.pages.finish(language, &page, &mut response);
        }
        None => {}
    }
    if is_head {
        // The headers stay those of the GET (RFC 9110 §9.3.2), the length among them.
        let (mut parts, body) = response.into_parts();
        let length = axum::body::HttpBody::size_hint(&body).exact();
        if let Some(length) = length.filter(|_| !parts.headers.contains_key(header::CONTENT_LENGTH)) {
            parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        response = Response::from_parts(parts, axum::body::Body::empty());
    }
    response
}

/// The answer of a handler that panicked: a bug, so the log has what it said.
pub fn panicked(reason: Box<dyn std::any::Any + Send>) -> Response {
    let words = reason.downcast_ref::<String>().map(String::as_str);
    let words = words.or_else(|| reason.downcast_ref::<&str>().copied()).unwrap_or("no words");
    tracing::error!(panic = words, "a handler panicked");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// A refusal without words for a person: no body, or a line of plain text for programmers.
fn is_bare(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let status = response.status();
    (status.is_client_error() || status.is_server_error())
        && kind.is_none_or(|kind| kind.starts_with(b"text/plain"))
}
