//! The fixtures of letters are what their README says: every file is taken, every case composes, renders, fits, and
//! is whole for Outlook, too.

use verdicts::letter::render;

use crate::support::mail::cases::{self, cases, comparison};

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

/// What stands between `<!--[if mso …]>` and `<![endif]-->` is markup for Outlook, and a comment for everybody else: what it opens
/// it has to close, together with what everybody sees.
#[test]
fn tables_are_whole_for_outlook_and_for_everybody_else() {
    for case in cases() {
        let html = render::render(&case.composition(), &cases::site()).unwrap().html;
        let body = &html[html.find("<body").unwrap()..];
        let (mut for_outlook, mut for_others) = (String::new(), String::new());
        let mut rest = body;
        while let Some((before, conditional)) = rest.split_once("<!--[if mso") {
            let (condition, inside) = conditional.split_once("]>").unwrap();
            assert!([" | IE", ""].contains(&condition), "{}: {condition}", case.name);
            let (inside, after) = inside.split_once("<![endif]-->").unwrap();
            assert!(!inside.contains("<!--"), "{}: a comment in a comment: {inside}", case.name);
            for_outlook.push_str(before);
            for_outlook.push_str(inside);
            for_others.push_str(before);
            rest = after;
        }
        assert!(!rest.contains("<![endif]"), "{}: one is closed that was not opened", case.name);
        assert!(for_outlook.len() > for_others.len() + 1_000, "there is something for Outlook");
        for (who, seen) in [("Outlook", for_outlook + rest), ("everybody else", for_others + rest)] {
            assert_eq!(unbalanced(&seen), None, "{} for {who}", case.name);
        }
    }
}

/// The first element that is closed by another, or by nobody.
fn unbalanced(html: &str) -> Option<String> {
    const CLOSED: [&str; 13] =
        ["table", "tbody", "thead", "tr", "td", "th", "div", "p", "span", "a", "h1", "h2", "h3"];
    let mut open: Vec<&str> = Vec::new();
    for (at, _) in html.match_indices('<') {
        let tag = &html[at + 1..];
        let is_end = tag.starts_with('/');
        let tag = tag.trim_start_matches('/');
        let name = &tag[..tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len())];
        if !CLOSED.contains(&name) {
            continue;
        }
        if !is_end {
            open.push(name);
        } else if open.pop() != Some(name) {
            return Some(format!("</{name}> in {}", &html[at.saturating_sub(80)..at]));
        }
    }
    open.pop().map(|name| format!("<{name}> is never closed"))
}
