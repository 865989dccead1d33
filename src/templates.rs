//! Templates and texts as files: ours inside the binary, an operator's in a folder, and what is wrong with them.
//!
//! A folder has up to four folders in it, one of each [`Kind`]. A file there takes the place of the built-in one of its name;
//! what is not there is built in. tera says where a template does not parse. MJML says nothing: the renderer passes what it does
//! not know in silence, so a misspelt `<mj-buton>` would be a button that is not there. [`scan()`] reads the files for that.

mod attributes;
mod origin;
mod scan;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

pub(crate) use origin::Origin;
pub use scan::scan;

#[derive(RustEmbed)]
#[folder = "templates/letter"]
struct Letter;

#[derive(RustEmbed)]
#[folder = "templates/notices"]
struct Notices;

#[derive(RustEmbed)]
#[folder = "templates/pages"]
struct Pages;

#[derive(RustEmbed)]
#[folder = "templates/texts"]
struct Texts;

/// What the notices have of the letter: its look.
const SHARED: [&str; 1] = ["head.mjml"];

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
    fn ends(self) -> &'static [&'static str] {
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

/// Something wrong in a template, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    pub file: PathBuf,
    /// Both count from 1.
    pub line: usize,
    pub column: usize,
    pub words: String,
}

impl Problem {
    /// At an octet of a file.
    pub fn at(file: &File, at: usize, words: impl Into<String>) -> Self {
        let (line, column) = position(&file.text, at);
        Self { file: file.path.clone(), line, column, words: words.into() }
    }

    /// What tera says of one of these files; in its own words if it does not say which.
    pub fn of_tera(files: &[File], error: &tera::Error) -> Self {
        let (name, line, column, words) = match error.kind() {
            tera::ErrorKind::SyntaxError(report) | tera::ErrorKind::RenderingError(report) => {
                let span = report.span();
                (report.filename(), span.start_line, span.start_col + 1, report.message().to_owned())
            }
            tera::ErrorKind::MissingParent { current, .. } => (current.as_str(), 1, 1, error.to_string()),
            tera::ErrorKind::CircularInclude { tpl, .. } | tera::ErrorKind::CircularExtend { tpl, .. } => {
                (tpl.as_str(), 1, 1, error.to_string())
            }
            _ => return Self::of_report(files, &error.to_string()),
        };
        let file = files.iter().find(|file| file.name == name).map(|file| file.path.clone());
        // An error of a function of ours has its own words behind it.
        let mut words = words.replace('\n', " ");
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            let more = inner.to_string();
            if !words.contains(&more) {
                words = format!("{words}: {}", more.replace('\n', " "));
            }
            cause = inner.source();
        }
        Self {
            file: file.unwrap_or_else(|| PathBuf::from(if name.is_empty() { "templates" } else { name })),
            line,
            column,
            words,
        }
    }

    /// Several errors at once are a report: `error: what` and `--> file:line:column`, again and again. The first is taken.
    fn of_report(files: &[File], report: &str) -> Self {
        let (words, place) = report.split_once("-->").unwrap_or((report, ""));
        let words = words.rsplit_once("error: ").map_or(words, |(_, words)| words).trim().replace('\n', " ");
        let mut place = place.lines().next().unwrap_or("").trim().rsplitn(3, ':');
        let (column, line, name) = (place.next(), place.next(), place.next().unwrap_or(""));
        let number = |text: Option<&str>| text.and_then(|text| text.parse().ok()).unwrap_or(1);
        let file = files.iter().find(|file| file.name == name).map(|file| file.path.clone());
        let file = file.unwrap_or_else(|| PathBuf::from("templates"));
        Self { file, line: number(line), column: number(column), words }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file.display(), self.line, self.column, self.words)
    }
}

/// The built-in files of a kind, by name.
pub fn embedded(kind: Kind) -> Vec<File> {
    match kind {
        Kind::Letter => all::<Letter>(kind),
        Kind::Notices => all::<Notices>(kind),
        Kind::Pages => all::<Pages>(kind),
        Kind::Texts => all::<Texts>(kind),
    }
}

fn all<E: RustEmbed>(kind: Kind) -> Vec<File> {
    let file = |name: std::borrow::Cow<'static, str>| {
        let text = String::from_utf8_lossy(&E::get(&name)?.data).into_owned();
        let path = Path::new("templates").join(kind.folder()).join(&*name);
        Some(File { name: name.into_owned(), text, path, is_own: false })
    };
    let mut files: Vec<File> = E::iter().filter_map(file).collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

/// The files of a kind: the built-in ones with those of the operator's folder in their place, and its own besides. Notices
/// come with what they share with the letter.
///
/// # Errors
/// The file or folder that can't be read. A folder of this kind need not be there, but the one it would be in has to.
pub fn files(kind: Kind, dir: Option<&Path>) -> Result<Vec<File>, FolderError> {
    let Some(dir) = dir else { return with_shared(kind, embedded(kind), || Ok(embedded(Kind::Letter))) };
    std::fs::read_dir(dir).map_err(|error| FolderError { file: dir.to_owned(), error })?;
    let folder = |kind: Kind| Some(dir.join(kind.folder())).filter(|folder| folder.exists());
    let own = |kind: Kind| match folder(kind) {
        Some(folder) => in_folder(kind, &folder),
        None => Ok(embedded(kind)),
    };
    with_shared(kind, own(kind)?, || own(Kind::Letter))
}

fn with_shared(
    kind: Kind,
    mut files: Vec<File>,
    letter: impl FnOnce() -> Result<Vec<File>, FolderError>,
) -> Result<Vec<File>, FolderError> {
    if kind == Kind::Notices {
        for shared in letter()? {
            if SHARED.contains(&shared.name.as_str()) && !files.iter().any(|file| file.name == shared.name) {
                files.push(shared);
            }
        }
    }
    Ok(files)
}

/// The files of a kind with those of its own folder in their place.
///
/// # Errors
/// The file or folder that can't be read.
pub fn in_folder(kind: Kind, folder: &Path) -> Result<Vec<File>, FolderError> {
    let mut files = embedded(kind);
    for own in own_files(kind, folder, "")? {
        match files.iter_mut().find(|file| file.name == own.name) {
            Some(file) => *file = own,
            None => files.push(own),
        }
    }
    Ok(files)
}

/// The operator's files of a kind, in the order of their names; texts lie one folder deeper.
fn own_files(kind: Kind, folder: &Path, front: &str) -> Result<Vec<File>, FolderError> {
    let fail = |file: &Path, error| FolderError { file: file.to_owned(), error };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| fail(folder, error))? {
        let path = entry.map_err(|error| fail(folder, error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.starts_with('.') {
            continue;
        }
        let is_ours = kind.ends().iter().any(|end| name.ends_with(&format!(".{end}")));
        if path.is_dir() {
            if kind == Kind::Texts && front.is_empty() {
                files.extend(own_files(kind, &path, &format!("{name}/"))?);
            }
        } else if is_ours {
            let text = std::fs::read_to_string(&path).map_err(|error| fail(&path, error))?;
            files.push(File { name: format!("{front}{name}"), text, path, is_own: true });
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_the_line_and_the_column() {
        let text = "<mj-section>\n  <mj-buton hrfe=\"{{ slots.unsubscribe_ulr }}\">slots.x</mj-buton>\n  <img src=\"a\"><mj-text colour=\"red\">\n";
        let file = File {
            name: "a.mjml".to_owned(),
            text: text.to_owned(),
            path: PathBuf::from("a.mjml"),
            is_own: true,
        };
        let found: Vec<String> = scan(Kind::Letter, &file).iter().map(ToString::to_string).collect();
        let wanted = [
            "a.mjml:2:3: there is no <mj-buton> in MJML; did you mean <mj-button>?",
            "a.mjml:2:22: there is no slot \"unsubscribe_ulr\"",
            "a.mjml:2:55: there is no <mj-buton>",
            "a.mjml:3:3: <img> has no alt",
            "a.mjml:3:25: <mj-text> has no attribute colour in MJML; did you mean color?",
        ];
        assert_eq!(found.len(), wanted.len(), "{found:?}");
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(found.starts_with(wanted), "{found} for {wanted}");
        }
    }

    #[test]
    fn ours_are_without_problems() {
        for kind in Kind::ALL {
            for file in files(kind, None).unwrap() {
                assert_eq!(scan(kind, &file), [], "{}", file.path.display());
            }
        }
    }
}
