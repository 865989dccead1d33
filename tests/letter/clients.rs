//! Can I email: nothing in letters and notices fails in Gmail, Apple Mail or Outlook without something that stands in for it, and
//! nothing is used of which the linter's data (`src/letter/lint/client_support.toml`) knows nothing.

use std::collections::BTreeSet;

use verdicts::letter::lint::{Expected, lint};

use crate::support::mail::mails;
use crate::support::mail::markup;

/// What every client has had for ever, so that Can I email has no page on it.
const OLD: [&str; 23] = [
    "<a>",
    "<body>",
    "<br>",
    "<div>",
    "<h1>",
    "<h2>",
    "<h3>",
    "<head>",
    "<html>",
    "<meta>",
    "<p>",
    "<span>",
    "<style>",
    "<table>",
    "<tbody>",
    "<td>",
    "<th>",
    "<thead>",
    "<title>",
    "<tr>",
    "color",
    "font-family",
    // How Apple Mail spelt color-scheme, which stands beside it.
    "supported-color-schemes",
];

#[test]
fn nothing_fails_in_a_client_without_something_that_stands_in() {
    for mail in mails::letters().into_iter().chain(mails::notices()) {
        let found = lint(&mail.octets, Expected::default());
        let support: Vec<_> = found.iter().filter(|finding| finding.rule == "support").collect();
        assert!(support.is_empty(), "{}: {support:?}", mail.name);
    }
}

#[test]
fn the_data_knows_every_property_and_element_that_is_used() {
    let data: toml::Table =
        toml::from_str(include_str!("../../src/letter/lint/client_support.toml")).expect("it is TOML");
    let known = |table: &str, name: &str| data[table].as_table().expect("a table").contains_key(name);
    let known_property = |name: &str| {
        // A part is as its whole: padding-left, border-bottom-color.
        let mut wholes = name.match_indices('-').map(|(at, _)| &name[..at]);
        // What begins so is for one client alone, and passed over by the others.
        let is_one_clients = name.starts_with('-') || name.starts_with("mso-");
        is_one_clients
            || known("property", name)
            || wholes.any(|whole| ["border", "margin", "padding"].contains(&whole))
    };
    let mut unknown = BTreeSet::new();
    for mail in mails::letters().into_iter().chain(mails::notices()) {
        for token in markup::tokens(&mail.html()).iter().filter(|token| !token.starts_with(['[', '"'])) {
            let (properties, element) = used(token);
            let properties = properties.into_iter().filter(|property| !known_property(property));
            unknown.extend(properties);
            unknown.extend(element.filter(|name| !known("element", name)).map(|name| format!("<{name}>")));
        }
    }
    let unknown: Vec<_> = unknown.iter().filter(|name| !OLD.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}: see caniemail.com, and add them to the data");
}

/// The properties and the element that a token uses.
fn used(token: &str) -> (Vec<String>, Option<String>) {
    let property = |one: &str| one.trim().split(':').next().unwrap_or_default().to_owned();
    if let Some(tag) = token.strip_prefix('<') {
        let style = tag.split_once(" style=\"").map_or("", |(_, rest)| rest.split('"').next().unwrap_or(""));
        let name = tag.split([' ', '>']).next().unwrap_or_default();
        let is_element = !name.starts_with(['/', '!']) && !name.is_empty();
        let properties = style.split(';').filter(|one| !one.trim().is_empty()).map(property).collect();
        return (properties, is_element.then(|| name.to_owned()));
    }
    let declaration = token.strip_prefix("  ").filter(|rule| !rule.ends_with(['{', '}']));
    (declaration.map(property).into_iter().collect(), None)
}
