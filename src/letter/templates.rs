//! The letter's templates as files: ours inside the binary, an operator's in a folder, and what is wrong with them.
//!
//! tera says where a template does not parse. MJML says nothing: the renderer passes what it does not know in silence, so a
//! misspelt `<mj-buton>` would be a button that is not there. [`scan`] reads the files for that, and for slots that nobody fills.

use std::fmt;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use crate::mail::Slot;

#[derive(RustEmbed)]
#[folder = "templates/letter"]
struct Embedded;

/// What the renderer knows (mrml 6).
const TAGS: [&str; 37] = [
    "mjml",
    "mj-accordion",
    "mj-accordion-element",
    "mj-accordion-text",
    "mj-accordion-title",
    "mj-all",
    "mj-attributes",
    "mj-body",
    "mj-breakpoint",
    "mj-button",
    "mj-carousel",
    "mj-carousel-image",
    "mj-class",
    "mj-column",
    "mj-divider",
    "mj-font",
    "mj-group",
    "mj-head",
    "mj-hero",
    "mj-image",
    "mj-include",
    "mj-navbar",
    "mj-navbar-link",
    "mj-preview",
    "mj-raw",
    "mj-section",
    "mj-social",
    "mj-social-element",
    "mj-spacer",
    "mj-style",
    "mj-table",
    "mj-text",
    "mj-title",
    "mj-wrapper",
    "mj-selector",
    "mj-html-attribute",
    "mj-html-attributes",
];

/// Known to the reference and not to the renderer, or known and wrong in it.
const AVOID: [(&str, &str); 4] = [
    ("mj-include", "loses the width of what it includes; use {% include \"file.mjml\" %}"),
    ("mj-html-attributes", "is not rendered here; write the attribute into an <mj-raw>"),
    (
        "mj-font",
        "loads a font from elsewhere, which says that the letter was opened; name fonts that people have",
    ),
    ("mj-carousel", "needs what most mail programs don't have; show one image"),
];

/// Something wrong in a template, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    pub file: PathBuf,
    /// Both count from 1.
    pub line: usize,
    pub column: usize,
    pub words: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file.display(), self.line, self.column, self.words)
    }
}

/// The embedded templates: name and text.
pub fn embedded() -> impl Iterator<Item = (String, String)> {
    Embedded::iter().filter_map(|name| {
        let file = Embedded::get(&name)?;
        Some((name.into_owned(), String::from_utf8_lossy(&file.data).into_owned()))
    })
}

/// The embedded templates with those of `folder` in their place, and what else of `.mjml` and `.txt` stands there.
///
/// # Errors
/// The file or folder that can't be read, and why.
pub fn with_folder(folder: &Path) -> Result<Vec<(String, String)>, (PathBuf, std::io::Error)> {
    let mut files: Vec<(String, String)> = embedded().collect();
    for (path, name) in own_files(folder)? {
        let text = std::fs::read_to_string(&path).map_err(|error| (path, error))?;
        match files.iter_mut().find(|(embedded, _)| *embedded == name) {
            Some(file) => file.1 = text,
            None => files.push((name, text)),
        }
    }
    Ok(files)
}

fn own_files(folder: &Path) -> Result<Vec<(PathBuf, String)>, (PathBuf, std::io::Error)> {
    let fail = |error| (folder.to_owned(), error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let is_template = path.extension().is_some_and(|e| e == "mjml" || e == "txt");
        if let (true, Some(name)) = (is_template, path.file_name().and_then(|name| name.to_str())) {
            files.push((path.clone(), name.to_owned()));
        }
    }
    files.sort();
    Ok(files)
}

/// What is wrong with the templates in `folder` as they stand there.
///
/// # Errors
/// As [`with_folder`].
pub fn scan_folder(folder: &Path) -> Result<Vec<Problem>, (PathBuf, std::io::Error)> {
    let mut problems = Vec::new();
    for (path, _) in own_files(folder)? {
        let text = std::fs::read_to_string(&path).map_err(|error| (path.clone(), error))?;
        problems.extend(scan(&path, &text));
    }
    Ok(problems)
}

/// What is wrong with one template, without rendering it.
pub fn scan(file: &Path, text: &str) -> Vec<Problem> {
    let mut found: Vec<(usize, String)> = Vec::new();
    if file.extension().is_some_and(|e| e == "mjml") {
        tags(text, &mut found);
        images(text, &mut found);
    }
    slots(text, &mut found);
    found.sort();
    found
        .into_iter()
        .map(|(at, words)| {
            let (line, column) = position(text, at);
            Problem { file: file.to_owned(), line, column, words }
        })
        .collect()
}

/// Line and column of an octet, both from 1; a column is a character.
pub(super) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_begins = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_begins..].chars().count() + 1)
}

/// The first MJML tag that another one closes, or nobody: the renderer closes what comes next in its place, in silence.
pub(super) fn unbalanced(mjml: &str) -> Option<String> {
    let mut open: Vec<(&str, usize)> = Vec::new();
    for (at, _) in mjml.match_indices('<') {
        let tag = mjml[at + 1..].split('>').next().unwrap_or("");
        let is_end = tag.starts_with('/');
        let name = tag.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next();
        let Some(name) = name.filter(|name| name.starts_with("mj")) else { continue };
        if !is_end {
            if !tag.ends_with('/') {
                open.push((name, at));
            }
        } else if let Some((opened, from)) = open.pop()
            && opened != name
        {
            return Some(format!("<{opened}> is closed by </{name}>: \"{}\"", line(mjml, from)));
        }
    }
    open.pop().map(|(opened, from)| format!("<{opened}> is never closed: \"{}\"", line(mjml, from)))
}

/// The line in which an octet stands, or how it begins.
pub(super) fn line(text: &str, at: usize) -> String {
    let (number, _) = position(text, at);
    text.lines().nth(number - 1).unwrap_or("").trim().chars().take(100).collect()
}

fn tags(text: &str, found: &mut Vec<(usize, String)>) {
    for (at, _) in text.match_indices('<') {
        let rest = text[at + 1..].trim_start_matches('/');
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        let name = &rest[..end];
        if !name.starts_with("mj") {
            continue;
        }
        if let Some((_, why)) = AVOID.iter().find(|(avoid, _)| *avoid == name) {
            found.push((at, format!("<{name}> {why}")));
        } else if !TAGS.contains(&name) {
            let near =
                TAGS.into_iter().max_by(|a, b| strsim::jaro(a, name).total_cmp(&strsim::jaro(b, name)));
            found.push((
                at,
                format!("there is no <{name}> in MJML; did you mean <{}>?", near.unwrap_or("mj-text")),
            ));
        }
    }
}

fn images(text: &str, found: &mut Vec<(usize, String)>) {
    for tag in ["<mj-image", "<img"] {
        for (at, _) in text.match_indices(tag) {
            let inside = text[at..].split('>').next().unwrap_or("");
            if !inside.contains("alt=") {
                found.push((at, format!("{tag}> has no alt; write what it shows, or alt=\"\"")));
            }
        }
    }
}

fn slots(text: &str, found: &mut Vec<(usize, String)>) {
    for (at, prefix) in text.match_indices("slots.") {
        let rest = &text[at + prefix.len()..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = &rest[..end];
        if is_code(text, at) && !Slot::ALL.iter().any(|slot| slot.as_str() == name) {
            let known = Slot::ALL.map(Slot::as_str).join(", ");
            found.push((at, format!("there is no slot \"{name}\"; there are {known}")));
        }
    }
}

/// Whether this stands inside `{{ }}` or `{% %}`.
fn is_code(text: &str, at: usize) -> bool {
    let opened = text[..at].rfind("{{").max(text[..at].rfind("{%"));
    let closed = text[..at].rfind("}}").max(text[..at].rfind("%}"));
    opened > closed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_the_line_and_the_column() {
        let text = "<mj-section>\n  <mj-buton href=\"{{ slots.unsubscribe_ulr }}\">slots.x</mj-buton>\n  <img src=\"a\">\n";
        let found: Vec<String> = scan(Path::new("a.mjml"), text).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(
            found[0].starts_with("a.mjml:2:3: there is no <mj-buton> in MJML; did you mean <mj-button>?"),
            "{found:?}"
        );
        assert!(found[1].starts_with("a.mjml:2:22: there is no slot \"unsubscribe_ulr\""), "{found:?}");
        assert!(found[2].starts_with("a.mjml:2:55: "), "{found:?}");
        assert!(found[3].starts_with("a.mjml:3:3: <img> has no alt"), "{found:?}");
    }

    #[test]
    fn ours_are_without_problems() {
        for (name, text) in embedded() {
            assert_eq!(scan(Path::new(&name), &text), [], "{name}");
        }
    }
}
