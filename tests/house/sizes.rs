//! How large things get: twelve files in a folder, sixty lines in a function, four hundred in a file. Who has a reason for more
//! says so where it is: a table has `// A table:` and what of above its function, a long file begins its head with `//! Long
//! because` and why.

use std::collections::BTreeMap;

use crate::source::{Source, Token, after_braces, files, sources};

const FILES_IN_A_FOLDER: usize = 12;
const LINES_IN_A_FILE: usize = 400;
const LINES_IN_A_FUNCTION: usize = 60;

fn everything() -> Vec<Source> {
    let tests = ["tests", "benches", "examples"].into_iter().flat_map(|folder| files(folder, "rs"));
    sources().into_iter().chain(tests.map(|path| Source::read(&path))).collect()
}

/// Functions with a body: the name, the line of `fn`, and how many lines it has.
fn functions(tokens: &[Token]) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if !token.is("fn") || !tokens.get(at + 1).is_some_and(Token::is_name) {
            continue;
        }
        let Some(body) = tokens[at..].iter().position(|t| t.is("{") || t.is(";")) else { continue };
        if tokens[at + body].is("{") {
            let end = tokens[after_braces(tokens, at + body) - 1].line;
            found.push((tokens[at + 1].text.clone(), token.line, end + 1 - token.line));
        }
    }
    found
}

/// Whether the comments and attributes right above a line say that it is a table.
fn is_table(text: &str, line: usize) -> bool {
    let above: Vec<&str> = text.lines().take(line - 1).map(str::trim).collect();
    let mut above = above.iter().rev().take_while(|line| line.starts_with("//") || line.starts_with("#["));
    above.any(|line| line.starts_with("// A table:"))
}

#[test]
fn a_folder_has_twelve_files_at_most() {
    let mut folders: BTreeMap<String, usize> = BTreeMap::new();
    for source in everything() {
        *folders.entry(source.path.parent().expect("a folder").display().to_string()).or_default() += 1;
    }
    folders.retain(|_, count| *count > FILES_IN_A_FOLDER);
    let full: Vec<String> =
        folders.iter().map(|(folder, count)| format!("{folder}: {count} files")).collect();
    assert!(full.is_empty(), "folders that are too full:\n{}", full.join("\n"));
}

#[test]
fn a_function_has_sixty_lines_at_most() {
    let mut long = Vec::new();
    for source in everything() {
        for (name, line, count) in functions(&source.all_tokens) {
            if count > LINES_IN_A_FUNCTION && !is_table(&source.text, line) {
                long.push(format!("{}:{line}: {name} has {count} lines", source.name()));
            }
        }
    }
    assert!(long.is_empty(), "{} functions are too long:\n{}", long.len(), long.join("\n"));
}

#[test]
fn a_file_has_four_hundred_lines_or_a_reason_for_more() {
    let mut long = Vec::new();
    for source in everything() {
        let count = source.text.lines().count();
        let mut head = source.text.lines().take_while(|line| line.starts_with("//!"));
        if count > LINES_IN_A_FILE && !head.any(|line| line.starts_with("//! Long because")) {
            long.push(format!("{} has {count} lines", source.name()));
        }
    }
    assert!(long.is_empty(), "{} files are too long:\n{}", long.len(), long.join("\n"));
}
