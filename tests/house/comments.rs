//! Comments are read on a narrow screen, and say the fact in words that somebody new to the project knows.

use crate::source::{Source, files, sources};

const COLUMNS: usize = 100;

/// Pictures that were words of the house once. What they stood for has a name: a check, a request, a batch.
const PICTURES: [&str; 5] = ["door", "doors", "breath", "company", "knocks"];

/// The lines that are comments and nothing else, with their numbers from 1.
fn comments(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    let lines = source.text.lines().enumerate().map(|(at, line)| (at + 1, line));
    lines.filter(|(_, line)| line.trim_start().starts_with("//"))
}

/// A row of a table, code, and what has no blank to break at may be as long as they are.
fn is_prose(line: &str, in_code: bool) -> bool {
    let words = line.trim_start().trim_start_matches(['/', '!']).trim();
    !in_code && !words.starts_with('|') && words.contains(' ')
}

#[test]
fn prose_is_a_hundred_columns_wide_at_most() {
    let mut wide = Vec::new();
    for source in sources() {
        let mut in_code = false;
        for (at, line) in comments(&source) {
            if line.contains("```") {
                in_code = !in_code;
            }
            if line.chars().count() > COLUMNS && is_prose(line, in_code) {
                wide.push(format!("{}:{at}", source.name()));
            }
        }
    }
    assert!(wide.is_empty(), "{} lines of comment are wider:\n{}", wide.len(), wide.join("\n"));
}

#[test]
fn no_comment_speaks_in_pictures() {
    let mut found = Vec::new();
    let others = ["tests", "benches", "examples"].into_iter().flat_map(|folder| files(folder, "rs"));
    let others = others.filter(|path| !path.starts_with("tests/house")).map(|path| Source::read(&path));
    for source in sources().into_iter().chain(others) {
        for (at, line) in comments(&source) {
            let words = line.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase);
            let pictures = words.filter(|word| PICTURES.contains(&word.as_str()));
            found.extend(pictures.map(|word| format!("{}:{at}: {word}", source.name())));
        }
    }
    assert!(found.is_empty(), "words to replace by the fact:\n{}", found.join("\n"));
}
