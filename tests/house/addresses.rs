//! Nobody's address stands in the tree.

use std::fs;

use crate::source::sources;

#[test]
fn no_real_address_stands_in_the_tree() {
    let allowed = [
        "example.com",
        "example.org",
        "example.net",
        ".example",
        ".test",
        "localhost",
        ".localdomain",
        ".local",
        ".internal",
        ".onion",
        ".arpa",
        ".invalid",
    ];
    let mut texts: Vec<_> = sources().into_iter().map(|one| (one.path, one.text)).collect();
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
