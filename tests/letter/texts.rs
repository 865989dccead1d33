//! The texts of pages and notices: every language says the same things, and what is said somewhere stands in the files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use verdicts::texts::Texts;
use verdicts::texts::placeholders;

fn texts() -> Texts {
    Texts::embedded("en").unwrap()
}

/// Every file under `folder` that ends so, with what is in it.
fn files(folder: &str, ends: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(Path::new(folder), ends, &mut found);
    found
}

fn walk(folder: &Path, ends: &[&str], found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, ends, found);
        } else if ends.iter().any(|end| path.to_string_lossy().ends_with(end)) {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

/// A key for a person: the forms of a count are one text.
fn plain(key: &str) -> &str {
    key.strip_suffix(".one").or_else(|| key.strip_suffix(".other")).unwrap_or(key)
}

#[test]
fn every_language_says_the_same_with_the_same_placeholders() {
    let texts = texts();
    let english = texts.all(texts.by_tag("en").unwrap());
    assert!(texts.languages().count() >= 2);
    for language in texts.languages() {
        let (tag, own) = (texts.tag(language), texts.all(language));
        // Letters are in English alone, and no other language has a text that nobody would say.
        let english: BTreeMap<&String, &String> =
            english.iter().filter(|(key, _)| tag == "en" || !key.starts_with("letter.")).collect();
        let missing: Vec<_> = english.keys().filter(|key| !own.contains_key(**key)).collect();
        let surplus: Vec<_> = own.keys().filter(|key| !english.contains_key(*key)).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{tag} lacks {missing:?} and has {surplus:?} alone"
        );
        for (key, text) in own {
            assert_eq!(placeholders(text), placeholders(english[key]), "{tag}: {key}");
            assert!(!text.trim().is_empty(), "{tag}: {key} is empty");
            assert!(!text.contains(['<', '>']), "{tag}: {key} has markup in it; a text is plain");
            assert_eq!(
                text.matches('{').count(),
                text.matches('}').count(),
                "{tag}: {key} has a brace alone"
            );
        }
    }
}

/// A call of `text(key="…", a=…)` with the names of its other arguments.
struct Call {
    file: String,
    key: String,
    arguments: BTreeSet<String>,
}

fn calls() -> Vec<Call> {
    let mut calls = Vec::new();
    for (file, template) in files("templates", &[".html", ".mjml", ".txt"]) {
        for (at, _) in template.match_indices("text(key=") {
            let (key, after) = match template[at + 9..].strip_prefix('"').and_then(|t| t.split_once('"')) {
                Some((key, after)) => (key.to_owned(), after),
                // The key is a variable: whoever fills it names the key where this test can see it.
                None => continue,
            };
            let arguments = arguments(after);
            calls.push(Call { file: file.clone(), key, arguments });
        }
    }
    calls
}

/// The names before each `=` up to the bracket that closes the call; what is quoted or in brackets is a value.
fn arguments(text: &str) -> BTreeSet<String> {
    let (mut names, mut word, mut depth, mut quoted) = (BTreeSet::new(), String::new(), 0, false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' => depth += 1,
            ')' if depth == 0 => break,
            ')' | ']' => depth -= 1,
            '=' if depth == 0 => {
                names.insert(std::mem::take(&mut word));
            }
            ',' if depth == 0 => word.clear(),
            c if c.is_alphanumeric() || c == '_' => word.push(c),
            _ => {}
        }
    }
    names
}

#[test]
fn templates_ask_for_texts_that_exist_with_what_they_need() {
    let texts = texts();
    let english = texts.all(texts.by_tag("en").unwrap());
    let calls = calls();
    assert!(calls.len() > 20, "the templates are where this test looks");
    for Call { file, key, arguments } in &calls {
        let forms: Vec<&String> =
            english.iter().filter(|(own, _)| plain(own) == key).map(|(_, t)| t).collect();
        assert!(!forms.is_empty(), "{file} asks for {key}, which is in no file of templates/texts/en");
        let needed: BTreeSet<String> =
            forms.iter().flat_map(|text| placeholders(text)).map(str::to_owned).collect();
        let missing: Vec<_> = needed.difference(arguments).collect();
        let surplus: Vec<_> = arguments.difference(&needed).filter(|name| *name != "count").collect();
        assert!(missing.is_empty(), "{file}: {key} needs {missing:?}");
        assert!(surplus.is_empty(), "{file}: {key} has no place for {surplus:?}");
    }
}

/// What no page of ours says any more, and an operator's own page may.
const KEPT: [&str; 1] = ["leave.leave_preferences"];

#[test]
fn every_text_is_said_somewhere() {
    let texts = texts();
    let english = texts.all(texts.by_tag("en").unwrap());
    let parts: BTreeSet<&str> = english.keys().filter_map(|key| key.split('.').next()).collect();
    let mut said: BTreeMap<String, String> = calls().into_iter().map(|call| (call.key, call.file)).collect();
    // Keys in Rust, and those that a template or Rust picks by a variable, stand in quotes like "join.title".
    for (file, text) in
        files("src", &[".rs"]).into_iter().chain(files("templates", &[".html", ".mjml", ".txt"]))
    {
        for literal in text.split('"').skip(1) {
            let part = literal.split('.').next().unwrap_or_default();
            if parts.contains(part) && literal.contains('.') && !literal.contains([' ', '\n']) {
                said.insert(literal.to_owned(), file.clone());
            }
        }
    }
    // What is in braces is put in by Rust: `frame.error_{kind}_title`.
    let is_said = |key: &str| {
        said.keys().any(|pattern| match pattern.split_once('{') {
            None => plain(key) == pattern || key == pattern,
            Some((front, rest)) => {
                let back = rest.split_once('}').map_or("", |(_, back)| back);
                key.starts_with(front) && key.ends_with(back)
            }
        })
    };
    let silent: Vec<_> =
        english.keys().filter(|key| !is_said(key) && !KEPT.contains(&key.as_str())).collect();
    assert!(silent.is_empty(), "nobody says {silent:?}");
    for (key, file) in &said {
        let known = key.contains('{') || english.keys().any(|own| own == key || plain(own) == key);
        let is_file = [".html", ".eml", ".toml", ".css", ".mjml", ".txt", ".js"]
            .iter()
            .any(|end| key.trim_end_matches('\\').ends_with(end));
        assert!(known || is_file, "{file} says {key:?}, which is in no file of templates/texts/en");
    }
}
