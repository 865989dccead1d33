//! Something wrong in a template, and where.

use std::fmt;
use std::path::PathBuf;

use super::file::{File, position};

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

    /// Several errors at once are a report: `error: what` and `--> file:line:column`, again and
    /// again. The first is taken.
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
