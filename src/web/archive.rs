//! The letters as they were sent, for everybody.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use tera::Context;

use super::Web;
use crate::domain::issue::{Issue, IssueNumber};
use crate::mail::Stencil;

/// Issues on the archive page: four years of them.
const ARCHIVE_LENGTH: i64 = 208;

#[derive(Serialize)]
struct Row {
    number: i64,
    date: String,
    subject: String,
}

impl From<Issue> for Row {
    fn from(issue: Issue) -> Self {
        let date = issue.created_at.utc().format("%-d %B %Y").to_string();
        Self { number: issue.number.0, date, subject: issue.subject }
    }
}

/// `GET /issues`: every issue, the newest first.
pub async fn list(State(web): State<Arc<Web>>) -> Response {
    let issues = match web.store.issues(ARCHIVE_LENGTH).await {
        Ok(issues) => issues,
        Err(error) => return web.broken(&error),
    };
    let mut context: Context = web.context();
    context.insert("issues", &issues.into_iter().map(Row::from).collect::<Vec<_>>());
    web.pages.show(StatusCode::OK, "issues.html", &context)
}

/// `GET /issues/{number}`: the letter as sent, with neutral links instead of a reader's.
pub async fn issue(State(web): State<Arc<Web>>, Path(number): Path<String>) -> Response {
    let Ok(number) = number.parse().map(IssueNumber) else { return web.unknown_link() };
    let text = match web.store.stencil(number).await {
        Ok(Some(text)) => text,
        Ok(None) => return web.unknown_link(),
        Err(error) => return web.broken(&error),
    };
    match Stencil::from_text(&text) {
        Ok(stencil) => letter_page(stencil.web_html()),
        Err(error) => {
            tracing::error!(%number, %error, "a stored letter can't be read");
            web.pages.show(StatusCode::INTERNAL_SERVER_ERROR, "later.html", &web.context())
        }
    }
}

/// A letter styles itself inline, as mail clients want it; it has no script and loads nothing but images.
fn letter_page(html: String) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; base-uri 'none'; frame-ancestors 'none'",
        ),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    (headers, Html(html)).into_response()
}
