//! The floors of the house, which outside world each room has, and where nobody looks at the clock.

use crate::source::{Outline, Source, Token, sources};

/// From the top down: a floor may use the floors below it and never one above.
const FLOORS: [&str; 16] = [
    "cli",
    "app",
    "worker",
    "publish",
    "web",
    "subscribers",
    "letter",
    "texts",
    "templates",
    "delivery",
    "mail",
    "store",
    "config",
    "domain",
    "private",
    "fault",
];

/// Which rooms may name which outside crate.
const OUTSIDE: [(&str, &[&str]); 19] = [
    ("sqlx", &["store"]),
    ("lettre", &["mail"]),
    ("mail_auth", &["mail"]),
    ("aws_lc_rs", &["mail"]),
    ("axum", &["web"]),
    ("hyper", &["web"]),
    ("hyper_util", &["web"]),
    ("tower_http", &["web"]),
    ("mrml", &["letter"]),
    ("scraper", &["letter"]),
    ("ego_tree", &["letter"]),
    ("tera", &["letter", "web", "templates", "texts"]),
    ("clap", &["cli", "main"]),
    ("indicatif", &["cli"]),
    ("cron", &["domain"]),
    ("csv", &["subscribers"]),
    ("toml", &["config", "letter", "texts"]),
    ("hmac", &["domain"]),
    ("rustix", &["delivery"]),
];

/// Rules: what they need to know of the time is an argument.
const PURE: [&str; 5] =
    ["src/domain/", "src/letter/pick", "src/letter/compose", "src/letter/verdict", "src/delivery/outcome/"];

/// Where a name is the first of a path.
fn heads_of_paths<'a>(source: &'a Source, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let tokens = &source.tokens;
    let is_head = move |at: &usize| {
        let is_inside = *at > 0 && (tokens[at - 1].is(":") || tokens[at - 1].is("."));
        tokens[*at].is(name) && !is_inside && follows(tokens, *at, &[":", ":"])
    };
    (0..tokens.len()).filter(is_head)
}

fn follows(tokens: &[Token], at: usize, words: &[&str]) -> bool {
    tokens
        .get(at + 1..=at + words.len())
        .is_some_and(|next| next.iter().zip(words).all(|(t, word)| t.is(word)))
}

fn place(source: &Source, line: usize) -> String {
    format!("{}:{line}: {}", source.name(), source.text.lines().nth(line - 1).unwrap_or_default().trim())
}

#[test]
fn imports_point_down_only() {
    let height = |floor: &str| FLOORS.iter().position(|one| *one == floor);
    let mut wrong = Vec::new();
    for source in sources() {
        let room = source.room();
        if room == "lib" || room == "main" {
            continue;
        }
        let own =
            height(&room).unwrap_or_else(|| panic!("{} is on no floor; add it to FLOORS", source.name()));
        let is_above = |floor: &str| height(floor).is_some_and(|other| other < own);
        for import in Outline::of(&source.tokens).imports {
            if import.path[0] == "crate" && import.path.get(1).is_some_and(|floor| is_above(floor)) {
                wrong.push(format!("{}: use {}", source.name(), import.path.join("::")));
            }
        }
        for at in heads_of_paths(&source, "crate") {
            if source.tokens.get(at + 3).is_some_and(|floor| is_above(&floor.text)) {
                wrong.push(place(&source, source.tokens[at].line));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that point up:\n{}", wrong.join("\n"));
}

#[test]
fn every_outside_world_has_its_room() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (outside, rooms) in OUTSIDE {
            if !rooms.contains(&source.room().as_str()) {
                let named = heads_of_paths(&source, outside);
                wrong.extend(named.map(|at| place(&source, source.tokens[at].line)));
            }
        }
    }
    assert!(wrong.is_empty(), "outside worlds in the wrong room:\n{}", wrong.join("\n"));
}

#[test]
fn rules_do_not_look_at_the_clock() {
    let mut wrong = Vec::new();
    // The clock itself has to be somewhere.
    let rules = |one: &Source| PURE.iter().any(|rules| one.name().starts_with(rules));
    for source in sources().iter().filter(|one| rules(one) && one.name() != "src/domain/time.rs") {
        for (at, token) in source.tokens.iter().enumerate() {
            let asks = ["Utc", "UnixMillis", "Instant"].contains(&token.text.as_str());
            if token.is("SystemTime") || asks && follows(&source.tokens, at, &[":", ":", "now"]) {
                wrong.push(place(source, token.line));
            }
        }
    }
    assert!(wrong.is_empty(), "rules that look at the clock:\n{}", wrong.join("\n"));
}
