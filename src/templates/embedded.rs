//! The templates and texts inside the binary.

use std::path::Path;

use rust_embed::RustEmbed;

use super::file::{File, Kind};

/// The folder beside the templates that are rendered, for what these are put together of. Names are
/// without it: an operator's folder has them all side by side, and what includes a part does not
/// say where it lies.
pub(super) const PARTS: &str = "parts";

#[derive(RustEmbed)]
#[folder = "templates/letter"]
struct EmbeddedLetter;

#[derive(RustEmbed)]
#[folder = "templates/notices"]
struct EmbeddedNotices;

#[derive(RustEmbed)]
#[folder = "templates/pages"]
struct EmbeddedPages;

#[derive(RustEmbed)]
#[folder = "templates/texts"]
struct EmbeddedTexts;

/// The built-in files of a kind, by name. The folder of parts is not in a name.
pub fn embedded(kind: Kind) -> Vec<File> {
    match kind {
        Kind::Letter => all::<EmbeddedLetter>(kind),
        Kind::Notices => all::<EmbeddedNotices>(kind),
        Kind::Pages => all::<EmbeddedPages>(kind),
        Kind::Texts => all::<EmbeddedTexts>(kind),
    }
}

fn all<E: RustEmbed>(kind: Kind) -> Vec<File> {
    let file = |inside: std::borrow::Cow<'static, str>| {
        let text = String::from_utf8_lossy(&E::get(&inside)?.data).into_owned();
        let path = Path::new("templates").join(kind.folder()).join(&*inside);
        let name = inside.strip_prefix(PARTS).and_then(|name| name.strip_prefix('/')).unwrap_or(&inside);
        Some(File { name: name.to_owned(), text, path, is_own: false })
    };
    let mut files: Vec<File> = E::iter().filter_map(file).collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}
