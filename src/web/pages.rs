//! Rendering of pages, and the few files they load.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::RustEmbed;
use tera::{Context, Tera};

#[derive(RustEmbed)]
#[folder = "templates/pages/"]
struct PageFiles;

/// The page templates, parsed once.
pub struct Pages {
    tera: Tera,
}

impl Pages {
    /// Parses the embedded templates.
    ///
    /// # Errors
    /// Tera's words with file, line and column when a template is broken.
    pub fn load() -> Result<Self, String> {
        let mut tera = Tera::default();
        tera.autoescape_on(vec![".html"]);
        let files: Vec<(String, String)> = PageFiles::iter()
            .filter(|name| name.ends_with(".html"))
            .filter_map(|name| {
                let file = PageFiles::get(&name)?;
                Some((name.to_string(), String::from_utf8_lossy(&file.data).into_owned()))
            })
            .collect();
        tera.add_raw_templates(files).map_err(|error| error.to_string())?;
        Ok(Self { tera })
    }

    /// Renders a page. A failure is ours, so the reader gets a 500 and the log gets the reason.
    pub fn show(&self, status: StatusCode, name: &str, context: &Context) -> Response {
        match self.tera.render(name, context) {
            Ok(html) => {
                let mut headers = HeaderMap::new();
                // Pages behind a token are one person's: no proxy may keep them.
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                (status, headers, Html(html)).into_response()
            }
            Err(error) => {
                tracing::error!(page = name, %error, "a page could not be rendered");
                (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong here; please try again later.\n")
                    .into_response()
            }
        }
    }
}

/// `GET /assets/{name}`: the style sheet.
pub async fn asset(Path(name): Path<String>) -> Response {
    match (name.as_str(), PageFiles::get(&name)) {
        ("style.css", Some(file)) => {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
            (headers, file.data.into_owned()).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
