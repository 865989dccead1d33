//! The fixtures of letters are what their README says: every file is taken, every case composes, renders and fits.

#[path = "support/cases.rs"]
mod cases;

use cases::{cases, comparison};
use verdicts::letter::render;

#[test]
fn every_case_becomes_a_letter() {
    let mut used = std::collections::BTreeSet::new();
    for case in cases() {
        let letter = render::render(&case.composition(), &cases::site()).unwrap();
        assert!(letter.html.len() <= render::HTML_MAX, "{}: {}", case.name, letter.html.len());
        if case.name == "five" {
            // Room for the longest quotes before anything has to be left out.
            assert!(letter.html.len() < 80_000, "{}", letter.html.len());
        }
        used.extend([case.featured, case.mentioned, case.voted].concat());
    }
    for slug in &used {
        assert_eq!(comparison(slug).slug, *slug);
    }
    let files = std::fs::read_dir("tests/fixtures/letters").unwrap().count();
    assert_eq!(files, used.len() + 2, "besides cases.json and README.md");
}
