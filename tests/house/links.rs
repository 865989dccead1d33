//! What a document or a comment points to is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::source::files;

/// The documents that somebody reads in the repository.
fn documents() -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("README.md"), PathBuf::from("CHANGELOG.md")];
    found.extend(["CONTRIBUTING.md", "migrations/README.md"].map(PathBuf::from));
    found.retain(|path| path.exists());
    found.extend(files("docs", "md"));
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The targets of `[words](target)`, outside of code blocks.
fn targets(text: &str) -> Vec<&str> {
    let parts = text.split("```").step_by(2);
    parts
        .flat_map(|prose| prose.split("](").skip(1))
        .filter_map(|rest| rest.split([')', ' ']).next())
        .collect()
}

/// What a heading is called in a link, as GitHub makes it.
fn anchors(text: &str) -> BTreeSet<String> {
    let heading = |line: &str| {
        let words = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
    };
    text.lines().filter(|line| line.starts_with('#')).map(heading).collect()
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut wrong = Vec::new();
    for document in documents() {
        let text = read(&document);
        for target in targets(&text).into_iter().filter(|target| !target.contains("://")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = match file {
                "" => document.clone(),
                file => document.parent().expect("it has a folder").join(file),
            };
            let has_anchor =
                || !file.is_empty() && !file.ends_with(".md") || anchors(&read(&path)).contains(anchor);
            if !path.exists() || !anchor.is_empty() && !has_anchor() {
                wrong.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
}

/// The words that name a file or folder of the repository: they begin with one of its folders.
fn named_files(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| c.is_whitespace() || "`'\"()[]{},;<>|*".contains(c));
    let words = words.map(|word| word.trim_end_matches(['.', ':', '?', '!', '/']));
    let folders = ["src/", "tests/", "benches/", "examples/", "docs/", "migrations/", "templates/", ".ci/"];
    let is_name = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    words
        .filter(|word| folders.iter().any(|folder| word.starts_with(folder)))
        .map(|word| word.split(':').next().unwrap_or(word))
        // What stands for a name is written in capitals: `templates/texts/LANGUAGE`.
        .filter(|word| word.chars().all(is_name) && !word.rsplit('/').next().is_some_and(is_placeholder))
        .collect()
}

fn is_placeholder(part: &str) -> bool {
    part.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// A file that has moved leaves its old name in sentences that no compiler reads.
#[test]
fn files_that_are_named_are_there() {
    let mut texts: Vec<(PathBuf, String)> = Vec::new();
    for path in documents().into_iter().filter(|path| !path.ends_with("CHANGELOG.md")) {
        let text = read(&path);
        // An operator's own folder is called templates/ in examples.
        texts.push((path, text.split("```").step_by(2).collect()));
    }
    for path in ["src", "tests", "benches", "examples"].into_iter().flat_map(|folder| files(folder, "rs")) {
        let comments: Vec<String> = read(&path)
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("//"))
            .map(str::to_owned)
            .collect();
        texts.push((path, comments.join("\n")));
    }
    texts.push((PathBuf::from("Cargo.toml"), read(Path::new("Cargo.toml"))));
    let mut wrong = Vec::new();
    for (path, text) in &texts {
        let gone = named_files(text).into_iter().filter(|name| !Path::new(name).exists());
        wrong.extend(gone.map(|name| format!("{}: {name}", path.display())));
    }
    assert!(wrong.is_empty(), "files that are not there:\n{}", wrong.join("\n"));
}
