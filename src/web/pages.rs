//! Pages: what a handler hands over, and how it becomes HTML in the reader's language.
//!
//! A handler says which template with what in it ([`Pages::show`]); [`dress`] renders it, since it knows the language. It
//! also puts a page of ours in the place of bare answers (an axum rejection, `StatusCode::GONE.into_response()`), so that
//! nobody ever sees an empty one.

use std::path::Path;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use tera::{Context, Tera};

use super::assets::Assets;
use super::{Web, rehearsal};
use crate::templates::{self, File, FolderError, Kind, Problem};
use crate::texts::{Language, Texts};

/// What somebody without any page at all is told; nothing here can fail.
const LAST_WORDS: &str = "Something went wrong here; please try again later.\n";

/// The page templates, parsed once, and the assets beside them.
pub struct Pages {
    pub(super) tera: Tera,
    pub(super) files: Vec<File>,
    pub(super) assets: Assets,
    pub texts: Arc<Texts>,
}

#[derive(Debug, thiserror::Error)]
pub enum PagesError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("{0}; \"verdicts templates check\" shows all")]
    Problem(Problem),
}

/// An answer on its way to [`dress`]: it becomes HTML there.
#[derive(Clone)]
struct Undressed {
    name: String,
    context: Context,
}

impl Pages {
    /// Parses the embedded templates, with those of the operator's folder in their place.
    ///
    /// # Errors
    /// [`PagesError`] with file, line and column when a template is broken.
    pub fn load(texts: Arc<Texts>, dir: Option<&Path>) -> Result<Self, PagesError> {
        let files = templates::files(Kind::Pages, dir)?;
        let assets = Assets::of(&files);
        let mut tera = Tera::default();
        tera.autoescape_on(vec![".html"]);
        texts.teach(&mut tera);
        assets.teach(&mut tera);
        let pages = files.iter().filter(|file| file.name.ends_with(".html"));
        tera.add_raw_templates(pages.map(|file| (&file.name, &file.text)))
            .map_err(|error| PagesError::Problem(Problem::of_tera(&files, &error)))?;
        Ok(Self { tera, files, assets, texts })
    }

    /// An answer that becomes the page `name` in the reader's language. Nobody may keep it, since most pages behind a token
    /// are one person's: a page for everybody puts its own `Cache-Control` on the answer.
    pub fn show(&self, status: StatusCode, name: &str, context: &Context) -> Response {
        let mut response = status.into_response();
        response.extensions_mut().insert(Undressed { name: name.to_owned(), context: context.clone() });
        response
    }

    /// The HTML of a page at once, for those who need the octets (a hash, a cache). What is shown here has to vary with the
    /// language wherever it is kept.
    ///
    /// # Errors
    /// Tera's words when the template asks for what is not there.
    pub fn render(&self, language: Language, name: &str, context: &Context) -> Result<String, tera::Error> {
        let mut context = context.clone();
        context.insert("lang", self.texts.tag(language));
        debug_assert!(
            rehearsal::is_like(name, &context),
            "{name} is shown with what src/web/rehearsal.json has not"
        );
        self.tera.render(name, &context)
    }

    fn dressed(&self, language: Language, page: &Undressed, response: &mut Response) {
        match self.render(language, &page.name, &page.context) {
            Ok(html) => self.put(language, html, response),
            Err(error) => {
                tracing::error!(page = page.name, %error, "a page could not be rendered");
                let mut bare = (StatusCode::INTERNAL_SERVER_ERROR, LAST_WORDS).into_response();
                bare.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                *response = bare;
            }
        }
    }

    /// Puts the HTML in, and leaves the headers that the handler chose.
    fn put(&self, language: Language, html: String, response: &mut Response) {
        let (kind, body) = Html(html).into_response().into_parts();
        *response.body_mut() = body;
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.extend(kind.headers);
        if let Ok(tag) = HeaderValue::from_str(self.texts.tag(language)) {
            headers.insert(header::CONTENT_LANGUAGE, tag);
        }
        headers.append(header::VARY, HeaderValue::from_static("accept-language"));
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
}

/// The language to answer in, for handlers that need it themselves.
impl FromRequestParts<Arc<Web>> for Language {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Self::Rejection> {
        Ok(web.language(&parts.headers))
    }
}

impl Web {
    /// What every page needs: the site's own lines. The language is added by whoever renders.
    pub(super) fn context(&self) -> Context {
        let mut context = Context::new();
        context.insert("site", &self.site.name);
        context.insert("postal_address", &self.site.postal_address);
        context
    }

    /// The reader's language by `Accept-Language`, if we have it.
    pub(super) fn language(&self, headers: &HeaderMap) -> Language {
        let accept = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        self.pages.texts.negotiate(accept.unwrap_or(""))
    }

    /// The page for a status that needs no more words than its own.
    fn failure(&self, status: StatusCode) -> Undressed {
        let kind = match status.as_u16() {
            code @ (404 | 405 | 408 | 410 | 413 | 429 | 500 | 503) => code,
            500.. => 500,
            _ => 400,
        };
        let mut context = self.context();
        context.insert("title", &format!("frame.error_{kind}_title"));
        context.insert("text", &format!("frame.error_{kind}_text"));
        Undressed { name: "error.html".to_owned(), context }
    }
}

/// Renders what handlers hand over, and the page of each bare refusal.
pub async fn dress(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let language = web.language(request.headers());
    let is_head = request.method() == Method::HEAD;
    let mut response = next.run(request).await;
    let page = response.extensions_mut().remove::<Undressed>();
    match page {
        Some(page) => web.pages.dressed(language, &page, &mut response),
        None if is_bare(&response) => {
            let page = web.failure(response.status());
            web.pages.dressed(language, &page, &mut response);
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
