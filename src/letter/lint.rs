//! The linter: what would make a letter land badly, found before a run may start (promise P10).
//!
//! It judges a letter as it goes over the wire, filled in for one reader, and knows nothing of how it was made, so templates of the
//! operator's own are held to the same as ours. Each rule is a pure function of the message's parts; [`lint`] asks them all.

mod client_support;
mod content;
mod contrast;
mod css;
mod headers;
mod html;
mod message;
mod subject;
mod wire;

use std::fmt;

use scraper::Html;
use serde::Serialize;

use css::Sheet;
pub use message::Message;

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// No run starts with it.
    Error,
    /// Shown before a run, which goes on.
    Warning,
    /// Worth a thought.
    Hint,
}

/// One thing that a rule found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    pub grade: Grade,
    /// The rule's name, for those who look for it.
    pub rule: &'static str,
    /// Where: a header's name, `text line 12`, or an element with the beginning of its text.
    pub at: String,
    /// What is wrong, the value, and the remedy; one line.
    pub words: String,
}

/// What a letter is held to besides the standards.
#[derive(Clone, Copy, Default, Debug)]
pub struct Expected<'a> {
    /// The postal address that CAN-SPAM wants in every letter, as the settings have it.
    pub postal_address: Option<&'a str>,
    /// A letter to one person because of something they did: it belongs to no list.
    pub is_notice: bool,
}

/// Judges one whole letter: headers and body with CRLF line ends. The worst come first.
pub fn lint(letter: &[u8], expected: Expected<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    let message = Message::parse(letter);
    wire::check(letter, &message, &mut findings);
    headers::check(&message, expected, &mut findings);
    content::check(&message, expected, &mut findings);
    if let Some(html) = &message.html {
        let page = Html::parse_document(html);
        let sheet = Sheet::of(&page);
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

/// What is found, each thing once: a rule that is broken by every row of a table is one finding with a count.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, grade: Grade, rule: &'static str, at: impl Into<String>, words: impl Into<String>) {
        let finding = Finding { grade, rule, at: at.into(), words: words.into() };
        if !self.0.iter().any(|one| one.rule == rule && one.words == finding.words) {
            self.0.push(finding);
        }
    }

    fn error(&mut self, rule: &'static str, at: impl Into<String>, words: impl Into<String>) {
        self.add(Grade::Error, rule, at, words);
    }

    fn warning(&mut self, rule: &'static str, at: impl Into<String>, words: impl Into<String>) {
        self.add(Grade::Warning, rule, at, words);
    }

    fn hint(&mut self, rule: &'static str, at: impl Into<String>, words: impl Into<String>) {
        self.add(Grade::Hint, rule, at, words);
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Hint => "hint",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}, {}]", self.grade, self.words, self.at, self.rule)
    }
}

/// The beginning of a text that may be long or hold line ends.
fn short(text: &str) -> String {
    crate::mail::encode::one_line(text, 60)
}
