//! Which of the letter's HTML and CSS Gmail, Apple Mail and Outlook do not show, and what a reader
//! sees instead.

use std::collections::HashMap;
use std::sync::LazyLock;

use scraper::{ElementRef, Html};
use serde::Deserialize;

use super::css::{Declaration, StyleSheet, inline};
use super::findings::Findings;

const CLIENTS: [&str; 3] = ["Gmail", "Apple Mail", "Outlook"];

/// `y`, `a` or `n` for each of [`CLIENTS`], and maybe what is seen where it is `n`.
type Support = Vec<String>;

#[derive(Deserialize)]
struct Data {
    property: HashMap<String, Support>,
    value: HashMap<String, Support>,
    rule: HashMap<String, Support>,
    element: HashMap<String, Support>,
}

static DATA: LazyLock<Data> =
    LazyLock::new(|| toml::from_str(include_str!("client_support.toml")).expect("a test reads it"));

pub(super) fn check(page: &Html, sheet: &StyleSheet, found: &mut Findings) {
    for rule in &sheet.rules {
        at_rule(&rule.at, found);
        selector(&rule.selector, found);
        rule.declarations.iter().for_each(|one| declaration(one, found));
    }
    for node in page.tree.root().descendants() {
        let Some(element) = ElementRef::wrap(node) else { continue };
        look_up(&DATA.element, element.value().name(), &format!("<{}>", element.value().name()), found);
        inline(element.value()).iter().for_each(|one| declaration(one, found));
    }
}

fn at_rule(at: &str, found: &mut Findings) {
    if at.is_empty() {
        return;
    }
    if at.starts_with("@import") {
        let words = "@import loads a style sheet from elsewhere; put the styles into the letter";
        found.error("remote", "<style>", words);
    }
    let name = at.split([' ', '(']).next().unwrap_or(at);
    for feature in ["prefers-color-scheme", "prefers-reduced-motion"] {
        if at.contains(feature) {
            look_up(&DATA.rule, &format!("{name} {feature}"), at, found);
        }
    }
    look_up(&DATA.rule, name, at, found);
}

fn selector(selector: &str, found: &mut Findings) {
    for (sign, name) in [('>', ">"), ('+', "+"), ('~', "~"), ('*', "*"), ('[', "[attribute]")] {
        if selector.contains(sign) {
            look_up(&DATA.rule, name, selector, found);
        }
    }
}

fn declaration(one: &Declaration, found: &mut Findings) {
    let Declaration { property, value, .. } = one;
    if property.starts_with("mso-") || property.starts_with('-') || property == "supported-color-schemes" {
        return;
    }
    if value.contains("url(") {
        let words =
            "a style loads something from elsewhere, which says that the letter was opened; take it out";
        found.error("remote", format!("{property}: {value}"), words);
    }
    look_up(&DATA.property, property, &format!("{property}: {value}"), found);
    for known in DATA.value.keys() {
        let uses = match known.split_once(": ") {
            Some((for_property, for_value)) => property == for_property && value == for_value,
            None if known.ends_with("()") => value.contains(&known[..known.len() - 1]),
            None => has_unit(value, known),
        };
        if uses {
            look_up(&DATA.value, known, &format!("{property}: {value}"), found);
        }
    }
}

/// Whether a number with this unit stands in `value`.
fn has_unit(value: &str, unit: &str) -> bool {
    value
        .split([' ', ',', '(', ')'])
        .any(|word| word.strip_suffix(unit).is_some_and(|number| number.parse::<f64>().is_ok()))
}

fn look_up(table: &HashMap<String, Support>, name: &str, at: &str, found: &mut Findings) {
    let Some(support) = table.get(name) else { return };
    let not_in: Vec<&str> = CLIENTS
        .into_iter()
        .zip(support)
        .filter(|(_, works)| *works == "n")
        .map(|(client, _)| client)
        .collect();
    // With a fallback it is as it should be: everybody can read the letter.
    if !not_in.is_empty() && support.len() == CLIENTS.len() {
        let words = format!("{name} does not work in {}, and nothing stands in for it", not_in.join(" and "));
        found.warning("support", at, words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_can_be_read() {
        for table in [&DATA.property, &DATA.value, &DATA.rule, &DATA.element] {
            assert!(table.len() > 5);
            for (name, support) in table {
                assert!((3..=4).contains(&support.len()), "{name}");
                assert!(support[..3].iter().all(|one| ["y", "a", "n"].contains(&one.as_str())), "{name}");
            }
        }
        assert_eq!(DATA.property["border-radius"][..3], ["y", "y", "n"]);
    }
}
