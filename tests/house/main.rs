//! The floors of the house and what each room may touch, read from the source itself.

mod circles;
mod comments;
mod links;
mod names;
mod sizes;
mod source;
mod stories;

use std::fs;
use std::path::{Path, PathBuf};

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

fn sources() -> Vec<(String, PathBuf, String)> {
    let mut found = Vec::new();
    walk(Path::new("src"), &mut found);
    assert!(found.len() > 20, "the tests run in the project's folder");
    found
}

fn walk(folder: &Path, found: &mut Vec<(String, PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let inside = path.strip_prefix("src").unwrap();
            let floor = inside.components().next().unwrap().as_os_str().to_str().unwrap();
            let text = fs::read_to_string(&path).unwrap();
            found.push((floor.trim_end_matches(".rs").to_owned(), path, text));
        }
    }
}

/// The lines of a file that are code, less its test module, which may reach anywhere.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    text[..end].lines().map(str::trim).filter(|line| !line.starts_with("//"))
}

#[test]
fn imports_point_down_only() {
    let height = |floor: &str| FLOORS.iter().position(|f| *f == floor);
    let mut wrong = Vec::new();
    for (floor, path, text) in sources() {
        if floor == "lib" || floor == "main" {
            continue;
        }
        let own =
            height(&floor).unwrap_or_else(|| panic!("{} is on no floor; add it to FLOORS", path.display()));
        for line in code(&text) {
            for (other, name) in FLOORS.iter().enumerate() {
                if other < own && line.contains(&format!("crate::{name}")) {
                    wrong.push(format!("{}: {line}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports that point up:\n{}", wrong.join("\n"));
}

#[test]
fn every_outside_world_has_its_room() {
    let mut wrong = Vec::new();
    for (floor, path, text) in sources() {
        for (outside, rooms) in OUTSIDE {
            let named = |line: &str| {
                [format!("use {outside}::"), format!("{outside}::")].iter().any(|n| {
                    line.find(n.as_str()).is_some_and(|at| {
                        let before = line[..at].chars().next_back();
                        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
                    })
                })
            };
            if !rooms.contains(&floor.as_str()) {
                wrong.extend(code(&text).filter(|l| named(l)).map(|l| format!("{}: {l}", path.display())));
            }
        }
    }
    assert!(wrong.is_empty(), "outside worlds in the wrong room:\n{}", wrong.join("\n"));
}

#[test]
fn rules_do_not_look_at_the_clock() {
    let pure = [
        "src/domain/",
        "src/letter/pick",
        "src/letter/compose",
        "src/letter/verdict",
        "src/delivery/outcome/",
    ];
    for (_, path, text) in sources() {
        let name = path.display().to_string();
        // The clock itself has to be somewhere.
        if name != "src/domain/time.rs" && pure.iter().any(|p| name.starts_with(p)) {
            for line in code(&text) {
                assert!(
                    !["Utc::now", "UnixMillis::now", "SystemTime", "Instant::now"]
                        .iter()
                        .any(|c| line.contains(c)),
                    "{name} looks at the clock: {line}"
                );
            }
        }
    }
}

#[test]
fn no_real_address_stands_in_the_tree() {
    let allowed = ["example.com", "example.org", "example.net", ".example", ".test", "localhost", ".invalid"];
    let mut texts = sources().into_iter().map(|(_, path, text)| (path, text)).collect::<Vec<_>>();
    for folder in ["subscribers", "templates/samples", "tests/fixtures/subscribers"] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // The operator's own database may lie in subscribers/; it is not part of the tree.
            if path.extension().is_some_and(|e| ["csv", "md", "json", "toml"].iter().any(|k| e == *k)) {
                texts.push((path.clone(), String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()));
            }
        }
    }
    for (path, text) in texts {
        for (at, _) in text.match_indices('@') {
            let domain: String = text[at + 1..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '.' || *c == '-')
                .collect();
            let domain = domain.trim_end_matches('.').to_lowercase();
            let looks_real = domain.contains('.')
                && domain
                    .rsplit('.')
                    .next()
                    .is_some_and(|tld| tld.len() >= 2 && tld.chars().all(char::is_alphabetic));
            assert!(
                !looks_real || allowed.iter().any(|a| domain.ends_with(a)),
                "{}: an address at {domain}",
                path.display()
            );
        }
    }
}
