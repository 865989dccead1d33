//! The letters of `tests/fixtures/letters` and the notices, held to what they were: headers and text in full, the HTML as an
//! outline of what a reader meets (headings, words, links, tables of data), and of three cases tag by tag.
//!
//! After a change on purpose: `INSTA_UPDATE=always cargo test --test letter matrix::`, and read `git diff tests/letter/snapshots` before it goes in.

use crate::support::mail::mails::{self, Mail};
use crate::support::mail::markup;

/// The cases whose HTML is kept tag by tag: the plainest letter, and the worst that can be typed.
const IN_FULL: [&str; 2] = ["one", "hostile"];

#[test]
fn headers_and_text_of_every_letter() {
    for mail in mails::letters() {
        insta::assert_snapshot!(format!("{}_text", mail.name), format!("{}\n\n{}", mail.head(), mail.text()));
    }
}

#[test]
fn what_the_html_of_every_letter_says() {
    for mail in mails::letters() {
        insta::assert_snapshot!(format!("{}_outline", mail.name), outline(&mail));
    }
}

#[test]
fn the_html_of_some_letters_tag_by_tag() {
    for name in IN_FULL {
        let tokens = markup::tokens(&mails::letter_of(name).html());
        insta::assert_snapshot!(format!("{name}_html"), tokens.join("\n"));
    }
}

#[test]
fn what_the_html_of_every_notice_says() {
    let outlines: Vec<String> =
        mails::notices().iter().map(|mail| format!("{}\n{}", mail.name, outline(mail))).collect();
    insta::assert_snapshot!("notices_outline", outlines.join("\n\n"));
}

/// What somebody who hears the letter gets: words, and the elements that mean something, with what they mean. No layout.
fn outline(mail: &Mail) -> String {
    const MEANING: [&str; 12] =
        ["<h1", "<h2", "<h3", "<h4", "<a ", "<img", "<th ", "<strong", "<em", "<ul", "<li", "<blockquote"];
    let mut lines: Vec<String> = Vec::new();
    let mut in_style = false;
    for token in markup::tokens(&mail.html()) {
        in_style = token.starts_with("<style") || in_style && token.starts_with("  ");
        if in_style || token.starts_with('[') || token.starts_with("</") || token.starts_with("<!") {
            continue;
        }
        if token.starts_with('"') {
            lines.push(token);
        } else if MEANING.iter().any(|tag| token.starts_with(tag)) || token.contains("aria-") {
            lines.push(without_looks(&token));
        }
    }
    lines.join("\n")
}

/// A tag without what only says how it looks.
fn without_looks(tag: &str) -> String {
    let mut tag = tag.to_owned();
    for name in ["style", "class", "width", "height", "align", "bgcolor", "target", "border"] {
        while let Some(at) = tag.find(&format!(" {name}=\"")) {
            let value = at + name.len() + 3;
            let end = tag[value..].find('"').map_or(tag.len(), |end| value + end + 1);
            tag.replace_range(at..end, "");
        }
    }
    tag
}
