//! A name says one thing: no type that leaves its file is called like another.

use std::collections::BTreeMap;

use crate::source::{Token, sources};

/// Types with a `pub` of any reach, and the lines they stand on.
fn exported_types(tokens: &[Token]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if !token.is("pub") {
            continue;
        }
        let mut rest = &tokens[at + 1..];
        if rest.first().is_some_and(|t| t.is("(")) {
            let end = rest.iter().position(|t| t.is(")")).expect("it closes");
            rest = &rest[end + 1..];
        }
        let [first, name, ..] = rest else { continue };
        if ["struct", "enum", "trait", "type", "union"].contains(&first.text.as_str()) {
            found.push((name.text.clone(), name.line));
        }
    }
    found
}

#[test]
fn no_exported_type_has_the_name_of_another() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources() {
        for (name, line) in exported_types(&source.tokens) {
            places.entry(name).or_default().push(format!("{}:{line}", source.name()));
        }
    }
    assert!(places.len() > 200, "the types are where this looks");
    places.retain(|_, at| at.len() > 1);
    assert!(places.is_empty(), "names that say more than one thing: {places:#?}");
}
