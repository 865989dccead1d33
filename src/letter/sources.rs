//! Comparison files: JSON and TOML of the same shape, read and checked in full before anything is
//! stored.
//!
//! A file that is not right is refused whole, with every field that is wrong: file, line, field,
//! what it is and what to write instead. Nothing here touches the store.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::domain::comparison::Comparison;

mod check;
mod locate;
mod problem;

use problem::{Step, path_text};

/// Largest comparison file, in octets.
pub const FILE_MAX: u64 = 1024 * 1024;

/// What reading files and folders gave.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sources {
    pub good: Vec<(PathBuf, Comparison)>,
    /// One for each thing that is wrong; a file may have several.
    pub bad: Vec<SourceError>,
}

/// One thing that is wrong in a comparison file.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct SourceError {
    pub file: PathBuf,
    /// Line and column, both from 1.
    pub at: Option<(usize, usize)>,
    /// For example `tools[0].reviews[2].quote`; empty when it is the file as a whole.
    pub field: String,
    /// What is wrong and what to do.
    pub problem: String,
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some((line, column)) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Reads files, and the `.json` and `.toml` files directly in folders, in the order of their names.
/// Of two files with one slug the second is refused.
pub fn read(paths: &[PathBuf]) -> Sources {
    let mut sources = Sources::default();
    let mut files = Vec::new();
    for path in paths {
        match list(path) {
            Ok(found) => files.extend(found),
            Err(error) => sources.bad.push(error),
        }
    }
    let mut seen = BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    let mut slugs: BTreeMap<String, PathBuf> = BTreeMap::new();
    for file in files {
        match read_file(&file).and_then(|text| parse(&file, &text)) {
            Err(errors) => sources.bad.extend(errors),
            Ok(comparison) => match slugs.get(&comparison.slug) {
                Some(first) => sources.bad.push(SourceError {
                    file,
                    at: None,
                    field: "slug".to_owned(),
                    problem: format!(
                        "{:?} is also the slug of {}; a slug names one comparison, give this one another",
                        comparison.slug,
                        first.display()
                    ),
                }),
                None => {
                    slugs.insert(comparison.slug.clone(), file.clone());
                    sources.good.push((file, comparison));
                }
            },
        }
    }
    sources
}

fn whole(file: &Path, problem: String) -> SourceError {
    SourceError { file: file.to_owned(), at: None, field: String::new(), problem }
}

fn is_comparison_file(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json") || e.eq_ignore_ascii_case("toml"))
}

fn list(path: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let unreadable = |error: std::io::Error| whole(path, format!("can't be read ({error}); check the path"));
    if !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.is_file() && is_comparison_file(&file) {
            found.push(file);
        }
    }
    found.sort();
    match found.is_empty() {
        true => Err(whole(path, "the folder has no .json or .toml file; name one that has".to_owned())),
        false => Ok(found),
    }
}

fn read_file(file: &Path) -> Result<String, Vec<SourceError>> {
    use std::io::Read as _;
    let fail = |problem: String| vec![whole(file, problem)];
    let unreadable = |error: std::io::Error| fail(format!("can't be read ({error}); check the path"));
    let mut octets = Vec::new();
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    opened.take(FILE_MAX + 1).read_to_end(&mut octets).map_err(unreadable)?;
    if octets.len() as u64 > FILE_MAX {
        return Err(fail(
            "is larger than 1 MiB, which no comparison is; check that it is the right file".to_owned(),
        ));
    }
    String::from_utf8(octets).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        fail(format!("is not UTF-8 (octet {at}); save it as UTF-8"))
    })
}

/// Parses and checks one file's text; the file's name says whether it is TOML or JSON.
///
/// # Errors
/// Everything that is wrong: one error if the text can't be parsed, else one for each field.
pub fn parse(file: &Path, text: &str) -> Result<Comparison, Vec<SourceError>> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let is_toml = file.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    let parsed = if is_toml { from_toml(text) } else { from_json(text) };
    let error = |at: Option<usize>, path: &[Step], problem: String| SourceError {
        file: file.to_owned(),
        at: at.map(|offset| line_column(text, offset)),
        field: path_text(path),
        problem,
    };
    let comparison = parsed.map_err(|(at, path, problem)| vec![error(at, &path, problem)])?;
    let problems = check::check(&comparison);
    if problems.is_empty() {
        return Ok(comparison);
    }
    let locate = |path: &[Step]| if is_toml { locate::toml(text, path) } else { locate::json(text, path) };
    Err(problems.into_iter().map(|p| error(locate(&p.path), &p.path, p.text)).collect())
}

/// Where (an offset), which field, and what.
type Unparsed = (Option<usize>, Vec<Step>, String);

const FORM: &str = "\"verdicts comparisons schema\" prints the form";

fn from_json(text: &str) -> Result<Comparison, Unparsed> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize(&mut reader);
    let failure = |error: &serde_json::Error, path: Vec<Step>| {
        let full = error.to_string();
        let at = offset_of(text, error.line(), error.column());
        // serde_json repeats the place at the end of its message.
        let what = full.rsplit_once(" at line ").map_or(full.as_str(), |(what, _)| what).to_owned();
        let what = match error.is_data() {
            true => format!("{what}; {FORM}"),
            false => format!("is not JSON: {what}; mend the file"),
        };
        (Some(at), path, what)
    };
    let comparison = parsed.map_err(|error| failure(error.inner(), steps(error.path())))?;
    reader.end().map_err(|error| failure(&error, Vec::new()))?;
    Ok(comparison)
}

fn from_toml(text: &str) -> Result<Comparison, Unparsed> {
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        let at = error.span().map(|span| span.start);
        (at, Vec::new(), format!("is not TOML: {}; mend the file", error.message().replace('\n', " ")))
    })?;
    let value = json_value(toml::Value::Table(table));
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = steps(error.path());
        (locate::toml(text, &path), path, format!("{}; {FORM}", error.inner()))
    })
}

/// The same value as JSON, so that both forms are read by the same rules; a date becomes its RFC
/// 3339 text.
fn json_value(value: toml::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        toml::Value::String(text) => Json::String(text),
        toml::Value::Integer(n) => Json::from(n),
        toml::Value::Float(n) => Json::from(n),
        toml::Value::Boolean(b) => Json::Bool(b),
        toml::Value::Datetime(at) => Json::String(at.to_string()),
        toml::Value::Array(items) => items.into_iter().map(json_value).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(k, v)| (k, json_value(v))).collect(),
    }
}

fn steps(path: &serde_path_to_error::Path) -> Vec<Step> {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Map { key } => Some(Step::Key(key.clone())),
            Segment::Enum { variant } => Some(Step::Key(variant.clone())),
            Segment::Unknown => None,
        })
        .collect()
}

fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The octet that serde_json's line and column (an octet count from 1) point at.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut at = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The form of a comparison file as JSON Schema (2020-12).
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Comparison).to_value()
}
