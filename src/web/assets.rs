//! The few files that pages load, each under a name with the hash of what is in it: a browser may keep it for good, and a
//! new binary has new names.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tera::{Kwargs, State, Tera, TeraResult};

use super::pages::Files;

/// Octets of the hash in a name: beyond any accident, since nobody else chooses what is in the files.
const HASH_OCTETS: usize = 6;
const KINDS: [(&str, &str); 3] =
    [("css", "text/css; charset=utf-8"), ("svg", "image/svg+xml"), ("js", "text/javascript; charset=utf-8")];

/// The path of an asset: `style.css` → `/assets/style.0123456789ab.css`. None if there is no such file.
pub fn path(name: &str) -> Option<String> {
    kind(name)?;
    let hash = Files::get(name)?.metadata.sha256_hash();
    let hash: String = hash[..HASH_OCTETS].iter().map(|octet| format!("{octet:02x}")).collect();
    let (stem, kind) = name.rsplit_once('.')?;
    Some(format!("/assets/{stem}.{hash}.{kind}"))
}

/// What a file of this name is; none for those that are no asset, as the templates beside them.
fn kind(name: &str) -> Option<&'static str> {
    KINDS
        .iter()
        .find(|(end, _)| name.rsplit_once('.').is_some_and(|(_, own)| own == *end))
        .map(|(_, kind)| *kind)
}

/// Gives `tera` the function `asset(name="style.css")`.
pub fn teach(tera: &mut Tera) {
    let paths: BTreeMap<String, String> =
        Files::iter().filter_map(|name| Some((name.to_string(), path(&name)?))).collect();
    tera.register_function("asset", move |arguments: Kwargs, _: &State<'_>| -> TeraResult<String> {
        let name = arguments.must_get::<&str>("name")?;
        paths.get(name).cloned().ok_or_else(|| tera::Error::message(format!("there is no asset {name}")))
    });
}

/// `GET /assets/{name}`: under its present name only, so that an old page never gets a new style.
pub async fn get(Path(asked): Path<String>) -> Response {
    let plain = asked.rsplit_once('.').and_then(|(front, kind)| {
        let (stem, _hash) = front.rsplit_once('.')?;
        Some(format!("{stem}.{kind}"))
    });
    let found = plain.filter(|name| path(name).is_some_and(|path| path.ends_with(&format!("/{asked}"))));
    let Some(file) = found.as_deref().and_then(Files::get) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut headers = HeaderMap::new();
    let kind = kind(&asked).unwrap_or("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    (headers, file.data.into_owned()).into_response()
}
