//! The HTML is HTML: html-validate (npm, pinned in `tests/npm`) on every letter, every notice and the public pages.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::mail::mails;
use crate::support::site::Site;

const VALIDATOR: &str = "target/npm/node_modules/html-validate/bin/html-validate.mjs";

#[test]
fn letters_and_notices_are_valid() {
    let mails = mails::letters().into_iter().chain(mails::notices());
    validate("tests/npm/letters.cjs", mails.map(|mail| (mail.name.clone(), mail.html())));
}

#[test]
fn pages_are_valid() {
    let site = Site::open(1, "");
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/samples");
    site.house.must(&["comparisons", "import", samples]);
    let paths = ["/", "/issues", "/compare/tessera-vs-mockingbird", "/embed", "/nowhere"];
    let page = |path: &str| (path.replace('/', "_"), site.get(path).text());
    validate("tests/npm/pages.cjs", paths.into_iter().map(page));
    validate("tests/npm/letters.cjs", ["/issues/1"].into_iter().map(page));
}

/// # Panics
/// If something is wrong, or the validator is not installed.
fn validate(settings: &str, pages: impl Iterator<Item = (String, String)>) {
    assert!(Path::new(VALIDATOR).exists(), "html-validate is missing; tests/run installs it into target/npm");
    let folder = tempfile::tempdir().expect("a folder");
    let files: Vec<_> = pages
        .map(|(name, html)| {
            let file = folder.path().join(format!("{name}.html"));
            fs::write(&file, html).expect("the folder is ours");
            file
        })
        .collect();
    let ran = Command::new("node")
        .args([VALIDATOR, "--config", settings])
        // It does not wait until a pipe has taken all of it.
        .arg(format!("--formatter=json={}", folder.path().join("found").display()))
        .args(&files)
        .output()
        .expect("node is missing; tests/run installs it");
    let errors = String::from_utf8_lossy(&ran.stderr);
    let said =
        fs::read_to_string(folder.path().join("found")).unwrap_or_else(|error| panic!("{error}: {errors}"));
    let found: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}{errors}"));
    let mut wrong = Vec::new();
    for file in found.as_array().expect("a list of files") {
        let name = file["filePath"].as_str().unwrap_or_default();
        for one in file["messages"].as_array().into_iter().flatten() {
            let (line, rule, message) = (&one["line"], &one["ruleId"], &one["message"]);
            wrong.push(format!("{name}:{line}: {rule} {message} at {}", one["selector"]));
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty() && ran.status.success(), "{}{errors}", wrong.join("\n"));
}
