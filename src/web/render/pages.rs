//! Pages: what a handler hands over, and how it becomes HTML in the reader's language.
//!
//! A handler names a template and what to fill in ([`Pages::show`]); [`super::middleware::render`]
//! renders it, since the language is known there.

use std::path::Path;
use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use tera::{Context, Tera};

use super::assets::Assets;
use super::samples;
use crate::templates::{self, File, FolderError, Kind, Problem};
use crate::texts::{Language, Texts};

/// The answer when not even a page could be rendered.
const LAST_WORDS: &str = "Something went wrong here; please try again later.\n";

/// The page templates, parsed once, and the assets beside them.
pub struct Pages {
    pub(in crate::web) tera: Tera,
    pub(in crate::web) files: Vec<File>,
    pub(in crate::web) assets: Assets,
    pub texts: Arc<Texts>,
}

#[derive(Debug, thiserror::Error)]
pub enum PagesError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("{0}; \"verdicts templates check\" shows all")]
    Problem(Problem),
}

/// An answer on its way to [`super::middleware::render`]: it becomes HTML there.
#[derive(Clone)]
pub struct PendingPage {
    pub name: String,
    pub context: Context,
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

    /// An answer that becomes the page `name` in the reader's language. It goes out as `no-store`,
    /// since most pages behind a token are one person's; a handler whose page may be kept sets its
    /// own `Cache-Control`.
    pub fn show(&self, status: StatusCode, name: &str, context: &Context) -> Response {
        let mut response = status.into_response();
        response.extensions_mut().insert(PendingPage { name: name.to_owned(), context: context.clone() });
        response
    }

    /// The HTML of a page at once, for those who need the octets (a hash, a cache). What is shown
    /// here has to vary with the language wherever it is kept.
    ///
    /// # Errors
    /// Tera's, when the template asks for what is not there.
    pub fn render(&self, language: Language, name: &str, context: &Context) -> Result<String, tera::Error> {
        let mut context = context.clone();
        context.insert("lang", self.texts.tag(language));
        debug_assert!(
            samples::is_like(name, &context),
            "{name} is shown with what src/web/render/samples.json has not"
        );
        self.tera.render(name, &context)
    }

    pub fn finish(&self, language: Language, page: &PendingPage, response: &mut Response) {
        match self.render(language, &page.name, &page.context) {
            Ok(html) => self.set_body(language, html, response),
            Err(error) => {
                tracing::error!(page = page.name, %error, "a page could not be rendered");
                let mut bare = (StatusCode::INTERNAL_SERVER_ERROR, LAST_WORDS).into_response();
                bare.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                *response = bare;
            }
        }
    }

    /// Puts the HTML in, and leaves the headers that the handler chose.
    fn set_body(&self, language: Language, html: String, response: &mut Response) {
        let (parts, body) = Html(html).into_response().into_parts();
        *response.body_mut() = body;
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.extend(parts.headers);
        if let Ok(tag) = HeaderValue::from_str(self.texts.tag(language)) {
            headers.insert(header::CONTENT_LANGUAGE, tag);
        }
        headers.append(header::VARY, HeaderValue::from_static("accept-language"));
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
}
