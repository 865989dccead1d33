//! The linter: what would make a letter land badly, found before a run may start (promise P10).
//!
//! It judges a letter as it goes over the wire, filled in for one reader, and knows nothing of how
//! it was made, so templates of the operator's own are held to the same as ours. Each rule is a
//! pure function of the message's parts; [`lint`] asks them all.

mod client_support;
mod content;
mod contrast;
mod css;
mod findings;
mod headers;
mod html;
mod message;
mod subject;
mod wire;

use scraper::Html;

use css::StyleSheet;
use findings::Findings;

pub use findings::{Expected, Finding, Grade};
pub use message::Message;

/// Judges one whole letter: headers and body with CRLF line ends. The worst come first.
pub fn lint(letter: &[u8], expected: Expected<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    let message = Message::parse(letter);
    wire::check(letter, &message, &mut findings);
    headers::check(&message, expected, &mut findings);
    content::check(&message, expected, &mut findings);
    if let Some(html) = &message.html {
        let page = Html::parse_document(html);
        let sheet = StyleSheet::of(&page);
        html::check(&page, &message, &mut findings);
        contrast::check(&page, &sheet, &mut findings);
        client_support::check(&page, &sheet, &mut findings);
    }
    findings.0.sort_by_key(|finding| finding.grade);
    findings.0
}

/// Judges a subject and a preheader as they were typed, before a letter is made of them.
pub fn heading(subject: &str, preheader: &str) -> Vec<Finding> {
    let mut findings = Findings::default();
    subject::check(subject, preheader, &mut findings);
    findings.0
}
