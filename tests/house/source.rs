//! The project's own source, read as tokens: what a file defines, what it brings in with `use`, and which paths it names.
//!
//! The rules of this folder need no types, so that no compiler is asked: a token is an identifier or a sign, strings and
//! comments are gone, and what is compiled for tests alone (`#[cfg(test)]`) is left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// An identifier or a sign, and the line it stands on, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

impl Token {
    pub fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub fn is_name(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// One file of Rust.
pub struct Source {
    /// From the project's folder: `src/store/mod.rs`.
    pub path: PathBuf,
    pub text: String,
    /// Without what `#[cfg(test)]` stands before; empty for a file that is compiled for tests alone.
    pub tokens: Vec<Token>,
    /// With it.
    pub all_tokens: Vec<Token>,
}

impl Source {
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let all_tokens = tokens(&text);
        let tokens = if is_of_tests(path) { Vec::new() } else { without_tests(&all_tokens) };
        Self { path: path.to_owned(), text, tokens, all_tokens }
    }

    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The first folder or file under `src`: `store`, `worker`, `main`.
    pub fn room(&self) -> String {
        let inside = self.path.strip_prefix("src").expect("a file of src");
        let first = inside.components().next().expect("it has a name").as_os_str().to_string_lossy();
        first.trim_end_matches(".rs").to_owned()
    }
}

/// Every file of `src`, in the order of their names.
pub fn sources() -> Vec<Source> {
    let found: Vec<Source> = files("src", "rs").iter().map(|path| Source::read(path)).collect();
    assert!(found.len() > 20, "the tests run in the project's folder");
    found
}

/// Every file below a folder whose name ends so, in the order of their names.
pub fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|own| own == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A file of unit tests, which `#[cfg(test)] mod …;` brings in.
pub fn is_of_tests(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "tests" || stem.to_string_lossy().ends_with("_tests"))
}

/// `src/store/mod.rs` and `src/publish.rs` are `store` and `publish`; `src/lib.rs` is the root.
pub fn module_of(path: &Path) -> Vec<String> {
    let inside = path.strip_prefix("src").expect("a file of src").with_extension("");
    let mut names: Vec<String> =
        inside.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|last| last == "mod") || names == ["lib"] {
        names.pop();
    }
    names
}

/// Identifiers and signs, one character each; a string, a number or a character is a single `"`.
fn tokens(text: &str) -> Vec<Token> {
    let all: Vec<char> = text.chars().collect();
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while at < all.len() {
        let (next, text) = match all[at] {
            '/' if all.get(at + 1) == Some(&'/') => (end_of_line(&all, at), None),
            '/' if all.get(at + 1) == Some(&'*') => (end_of_block(&all, at), None),
            '"' => (end_of_string(&all, at), Some("\"".to_owned())),
            '\'' => match end_of_character(&all, at) {
                Some(end) => (end, Some("\"".to_owned())),
                None => (at + 1, Some("'".to_owned())),
            },
            c if c.is_alphabetic() || c == '_' => word(&all, at),
            c if c.is_ascii_digit() => (end_of_word(&all, at), Some("\"".to_owned())),
            c if c.is_whitespace() => (at + 1, None),
            c => (at + 1, Some(c.to_string())),
        };
        found.extend(text.map(|text| Token { text, line }));
        line += all[at..next].iter().filter(|c| **c == '\n').count();
        at = next;
    }
    found
}

/// An identifier, or a string with letters before it: `r#"…"#`, `b"…"`.
fn word(all: &[char], at: usize) -> (usize, Option<String>) {
    let end = end_of_word(all, at);
    let name: String = all[at..end].iter().collect();
    if matches!(name.as_str(), "r" | "br" | "cr") && matches!(all.get(end), Some('"' | '#')) {
        let signs = all[end..].iter().take_while(|c| **c == '#').count();
        if all.get(end + signs) == Some(&'"') {
            return (end_of_raw(all, end + signs + 1, signs), Some("\"".to_owned()));
        }
    }
    if matches!(name.as_str(), "b" | "c") && all.get(end) == Some(&'"') {
        return (end_of_string(all, end), Some("\"".to_owned()));
    }
    if name == "b" && all.get(end) == Some(&'\'') {
        return (end_of_character(all, end).unwrap_or(end + 1), Some("\"".to_owned()));
    }
    (end, Some(name))
}

fn end_of_word(all: &[char], at: usize) -> usize {
    at + all[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count()
}

fn end_of_line(all: &[char], at: usize) -> usize {
    at + all[at..].iter().take_while(|c| **c != '\n').count()
}

/// Comments of this form hold others of their form.
fn end_of_block(all: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at + 1 < all.len() {
        match (all[at], all[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    all.len()
}

fn end_of_string(all: &[char], at: usize) -> usize {
    let mut at = at + 1;
    while at < all.len() && all[at] != '"' {
        at += if all[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(all.len())
}

fn end_of_raw(all: &[char], mut at: usize, signs: usize) -> usize {
    while at < all.len() {
        if all[at] == '"' && all[at + 1..].iter().take_while(|c| **c == '#').count() >= signs {
            return at + 1 + signs;
        }
        at += 1;
    }
    all.len()
}

/// Where a character ends, and nothing for a lifetime.
fn end_of_character(all: &[char], at: usize) -> Option<usize> {
    if all.get(at + 1) == Some(&'\\') {
        let end = all[at + 3..].iter().position(|c| *c == '\'')?;
        return Some(at + 3 + end + 1);
    }
    (all.get(at + 2) == Some(&'\'')).then_some(at + 3)
}

/// The tokens less every item that `#[cfg(test)]` stands before.
fn without_tests(all: &[Token]) -> Vec<Token> {
    let mark = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut found, mut at) = (Vec::new(), 0);
    while at < all.len() {
        if all[at..].iter().zip(mark).filter(|(token, text)| token.is(text)).count() == mark.len() {
            at = end_of_item(all, at + mark.len());
        } else {
            found.push(all[at].clone());
            at += 1;
        }
    }
    found
}

/// Where the item that begins here ends, its attributes included: at its `;`, or with its braces.
fn end_of_item(all: &[Token], mut at: usize) -> usize {
    let mut depth = 0;
    while at < all.len() {
        match all[at].text.as_str() {
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            ";" if depth == 0 => return at + 1,
            "{" if depth == 0 => return after_braces(all, at),
            _ => {}
        }
        at += 1;
    }
    all.len()
}

/// Where the braces that open here have closed again.
pub fn after_braces(all: &[Token], mut at: usize) -> usize {
    let mut depth = 0;
    while at < all.len() {
        match all[at].text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    all.len()
}

/// One name that a `use` brings in.
#[derive(Clone, Debug)]
pub struct Import {
    pub path: Vec<String>,
    /// What it is called here; `*` for everything.
    pub name: String,
    /// `pub use`, in any of its forms.
    pub is_passed_on: bool,
}

/// What a file says of itself, outside of its functions.
#[derive(Default)]
pub struct Outline {
    /// Types, functions, constants, statics and macros, with where they stand among the tokens.
    pub defined: BTreeMap<String, usize>,
    pub children: Vec<String>,
    pub imports: Vec<Import>,
    /// Names and signs of the file less its `use` lines.
    pub code: Vec<Token>,
}

impl Outline {
    pub fn of(tokens: &[Token]) -> Self {
        let mut outline = Self::default();
        let (mut at, mut depth) = (0, 0_usize);
        while at < tokens.len() {
            let token = &tokens[at];
            match token.text.as_str() {
                "use" => {
                    let end = at + tokens[at..].iter().position(|t| t.is(";")).expect("a use ends");
                    let is_passed_on = at > 0 && (tokens[at - 1].is("pub") || tokens[at - 1].is(")"));
                    imports(&tokens[at + 1..end], &[], is_passed_on, &mut outline.imports);
                    at = end + 1;
                    continue;
                }
                "{" => depth += 1,
                "}" => depth -= 1,
                "mod" if depth == 0 && tokens.get(at + 2).is_some_and(|t| t.is(";")) => {
                    outline.children.push(tokens[at + 1].text.clone());
                    at += 3;
                    continue;
                }
                "struct" | "enum" | "trait" | "type" | "union" | "fn" | "const" | "static" if depth == 0 => {
                    let skip = ["mut", "fn", "unsafe", "async", "extern"];
                    let name = tokens[at + 1..].iter().find(|t| !skip.contains(&t.text.as_str()));
                    if let Some(name) = name.filter(|name| name.is_name()) {
                        outline.defined.entry(name.text.clone()).or_insert(at);
                    }
                }
                "macro_rules" if depth == 0 => {
                    outline.defined.insert(tokens[at + 2].text.clone(), at);
                }
                _ => {}
            }
            outline.code.push(token.clone());
            at += 1;
        }
        outline
    }
}

/// The names of `a::{b, c as d, e::*}`.
fn imports(tree: &[Token], before: &[String], is_passed_on: bool, found: &mut Vec<Import>) {
    let mut path = before.to_vec();
    let mut name = None;
    let mut at = 0;
    while at < tree.len() {
        match tree[at].text.as_str() {
            ":" => {}
            "{" => {
                for branch in branches(&tree[at + 1..after_braces(tree, at) - 1]) {
                    imports(branch, &path, is_passed_on, found);
                }
                return;
            }
            "as" => {
                name = Some(tree[at + 1].text.clone());
                at += 1;
            }
            "self" if !path.is_empty() => {}
            "*" => name = Some("*".to_owned()),
            other => path.push(other.to_owned()),
        }
        at += 1;
    }
    let name = name.or_else(|| path.last().cloned());
    found.extend(name.map(|name| Import { path, name, is_passed_on }));
}

/// The parts between the commas that are in no braces.
fn branches(tree: &[Token]) -> Vec<&[Token]> {
    let (mut found, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, token) in tree.iter().enumerate() {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 0 => {
                found.push(&tree[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&tree[start..]);
    found.retain(|branch| !branch.is_empty());
    found
}

/// The paths of two names and more in code: `crate::store::Store`, `texts::Language`.
pub fn paths(code: &[Token]) -> Vec<Vec<String>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < code.len() {
        if !code[at].is_name() {
            at += 1;
            continue;
        }
        let is_inside = at > 0 && (code[at - 1].is(":") || code[at - 1].is("."));
        let mut path = vec![code[at].text.clone()];
        at += 1;
        while at + 2 < code.len() && code[at].is(":") && code[at + 1].is(":") && code[at + 2].is_name() {
            path.push(code[at + 2].text.clone());
            at += 3;
        }
        if path.len() > 1 && !is_inside {
            found.push(path);
        }
    }
    found
}
