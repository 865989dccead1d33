//! Whether an operator's texts say all that pages and notices need, and nothing that nobody would
//! hear.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::read::{TextEntry, placeholders, read};
use crate::templates::{self, File, Kind, Problem};

/// The language that the others are compared with.
const MODEL: &str = "en";
/// The part that only it has: letters are in no other language.
const MODEL_ONLY: &str = "letter";

/// What the operator's own files of texts lack or have too much of, each problem with its place.
/// The built-in texts are right.
pub fn check(files: &[File]) -> Vec<Problem> {
    let mut problems = check_each(files);
    problems.extend(incomplete(files, &model()));
    problems
}

/// The same of each file alone, whatever else its language lacks.
pub(super) fn check_each(files: &[File]) -> Vec<Problem> {
    let model = model();
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.is_own) {
        match file.name.strip_suffix(".toml").and_then(|name| name.split_once('/')) {
            Some((tag, part)) if is_tag(tag) => match model.get(part).filter(|_| is_in(tag, part)) {
                Some(wanted) => problems.extend(one(file, part, wanted)),
                None => {
                    let parts = model.keys().filter(|part| is_in(tag, part));
                    let parts = parts.map(|part| format!("{part}.toml")).collect::<Vec<_>>().join(", ");
                    problems.push(Problem::at(file, 0, format!("nobody reads this file; a language has {parts}")));
                }
            },
            _ => problems.push(Problem::at(
                file,
                0,
                "nobody reads this file; texts lie in a folder with the tag of their language, as texts/en/join.toml",
            )),
        }
    }
    problems
}

/// Whether a language has this part.
fn is_in(tag: &str, part: &str) -> bool {
    part != MODEL_ONLY || tag == MODEL
}

/// Two or three letters of the alphabet in lower case: what the first part of `Accept-Language` is
/// compared with.
fn is_tag(tag: &str) -> bool {
    matches!(tag.len(), 2..=3) && tag.bytes().all(|octet| octet.is_ascii_lowercase())
}

/// The built-in English texts: part, key, text.
fn model() -> BTreeMap<String, BTreeMap<String, String>> {
    let mut model = BTreeMap::new();
    for file in templates::embedded(Kind::Texts) {
        let Some((MODEL, part)) = file.name.strip_suffix(".toml").and_then(|name| name.split_once('/'))
        else {
            continue;
        };
        let entries = read(&file, part).unwrap_or_default();
        model.insert(part.to_owned(), entries.into_iter().map(|entry| (entry.key, entry.text)).collect());
    }
    model
}

/// Languages that lack a whole part.
fn incomplete(files: &[File], model: &BTreeMap<String, BTreeMap<String, String>>) -> Vec<Problem> {
    let mut languages: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in files {
        if let Some((tag, part)) = file.name.strip_suffix(".toml").and_then(|name| name.split_once('/')) {
            languages.entry(tag).or_default().insert(part);
        }
    }
    let mut problems = Vec::new();
    for (tag, parts) in languages.iter().filter(|(tag, _)| is_tag(tag)) {
        let own = files.iter().find(|file| file.is_own && file.name.split('/').next() == Some(tag));
        let folder =
            own.and_then(|file| file.path.parent()).map_or_else(|| PathBuf::from(tag), PathBuf::from);
        let wanted = model.keys().filter(|part| is_in(tag, part));
        for part in wanted.filter(|part| !parts.contains(part.as_str())) {
            let file = folder.join(format!("{part}.toml"));
            let words = format!("the file is missing; copy texts/{MODEL}/{part}.toml and translate it");
            problems.push(Problem { file, line: 1, column: 1, words });
        }
    }
    problems
}

fn one(file: &File, part: &str, wanted: &BTreeMap<String, String>) -> Vec<Problem> {
    let entries = match read(file, part) {
        Ok(entries) => entries,
        Err(problem) => return vec![problem],
    };
    let mut problems: Vec<Problem> = Vec::new();
    for entry in &entries {
        let words = match wanted.get(&entry.key) {
            None => Some(format!(
                "{}: nothing says this text; {}",
                inside(&entry.key, part),
                nearest(&entry.key, part, wanted)
            )),
            Some(model) => flaw(entry, model, part),
        };
        problems.extend(words.map(|words| Problem::at(file, entry.at, words)));
    }
    for (key, text) in wanted {
        if !entries.iter().any(|entry| entry.key == *key) {
            let words = format!("{} is missing; the built-in text is {text:?}", inside(key, part));
            problems.push(Problem::at(file, file.text.len(), words));
        }
    }
    problems
}

/// The key as it stands in the file of its part.
fn inside<'a>(key: &'a str, part: &str) -> &'a str {
    key.strip_prefix(part).and_then(|key| key.strip_prefix('.')).unwrap_or(key)
}

fn nearest(key: &str, part: &str, wanted: &BTreeMap<String, String>) -> String {
    let near = wanted.keys().max_by(|a, b| strsim::jaro(a, key).total_cmp(&strsim::jaro(b, key)));
    near.map_or_else(String::new, |near| format!("did you mean {}?", inside(near, part)))
}

fn flaw(entry: &TextEntry, model: &str, part: &str) -> Option<String> {
    let (key, text) = (inside(&entry.key, part), &entry.text);
    let (own, wanted) = (placeholders(text), placeholders(model));
    if let Some(surplus) = own.iter().find(|name| !wanted.contains(name)) {
        let known = wanted.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "there is none".to_owned() } else { format!("there is {known}") };
        return Some(format!("{key}: nothing fills {{{surplus}}}; {known}"));
    }
    if let Some(missing) = wanted.iter().find(|name| !own.contains(name)) {
        return Some(format!("{key} does not say {{{missing}}}; the built-in text is {model:?}"));
    }
    if text.trim().is_empty() {
        return Some(format!("{key} is empty; the built-in text is {model:?}"));
    }
    if text.contains(['<', '>']) {
        return Some(format!("{key} has markup in it, which would be shown as it is; a text is plain"));
    }
    (text.matches('{').count() != text.matches('}').count()).then(|| format!("{key} has a brace alone"))
}
