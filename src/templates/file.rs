//! A file among the templates: what it is for, where it stands, and what can't be read.

use std::io;
use std::path::PathBuf;

/// What a file is for, and which folder it lies in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The week's letter: MJML and its text part.
    Letter,
    /// Letters to one person because of something they did.
    Notices,
    /// The web pages with their style, icon and script.
    Pages,
    /// What pages and notices say: a folder for each language.
    Texts,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Letter, Self::Notices, Self::Pages, Self::Texts];

    /// Its folder in the operator's.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::Notices => "notices",
            Self::Pages => "pages",
            Self::Texts => "texts",
        }
    }

    /// How its files' names end; others in the folder are nobody's business.
    pub(super) fn ends(self) -> &'static [&'static str] {
        match self {
            Self::Letter | Self::Notices => &["mjml", "txt"],
            Self::Pages => &["html", "css", "svg", "js"],
            Self::Texts => &["toml"],
        }
    }
}

/// A template, a text or an asset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// `footer.mjml`, `de/join.toml`.
    pub name: String,
    pub text: String,
    /// Where it stands: on disk, or in the project for a built-in one.
    pub path: PathBuf,
    pub is_own: bool,
}

/// A file or folder that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}; mend or remove it", file.display())]
pub struct FolderError {
    pub file: PathBuf,
    pub error: io::Error,
}

/// Line and column of an octet, both from 1; a column is a character.
pub(crate) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_begins = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_begins..].chars().count() + 1)
}

/// The line in which an octet stands, or how it begins.
pub(crate) fn line(text: &str, at: usize) -> String {
    let (number, _) = position(text, at);
    text.lines().nth(number - 1).unwrap_or("").trim().chars().take(100).collect()
}
