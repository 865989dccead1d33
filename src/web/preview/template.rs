//! The preview's template, and the few files that its page loads.

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use tera::Tera;

/// The page, its style and its script; no part of what an operator's templates take the place of.
#[derive(RustEmbed)]
#[folder = "templates/preview/"]
struct Files;

/// The style of all pages as it is built in, so that a style that is being edited breaks no
/// preview.
const STYLE: &str = include_str!("../../../templates/pages/style.css");
const ICON: &str = include_str!("../../../templates/pages/icon.svg");

/// The page's template, parsed once.
pub struct PreviewTemplate(pub Tera);

impl PreviewTemplate {
    pub fn load() -> Result<Self, String> {
        let mut tera = Tera::default();
        tera.autoescape_on(vec![".html"]);
        let page = file("preview.html").unwrap_or_default();
        tera.add_raw_template("preview.html", &page).map_err(|error| error.to_string())?;
        Ok(Self(tera))
    }
}

fn file(name: &str) -> Option<String> {
    Files::get(name).map(|file| String::from_utf8_lossy(&file.data).into_owned())
}

/// `GET /assets/{name}`: the few files that the page loads.
pub async fn asset(Path(name): Path<String>) -> Response {
    let (kind, text) = match name.as_str() {
        "style.css" => ("text/css; charset=utf-8", Some(STYLE.to_owned())),
        "icon.svg" => ("image/svg+xml", Some(ICON.to_owned())),
        "preview.css" => ("text/css; charset=utf-8", file("preview.css")),
        "preview.js" => ("text/javascript; charset=utf-8", file("preview.js")),
        _ => ("", None),
    };
    match text {
        Some(text) => ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
