//! What a rule finds, how bad it is, and what letters are held to.

use std::fmt;

use serde::Serialize;

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

/// What is found, each thing once: a rule that is broken by every row of a table is one finding
/// with a count.
#[derive(Default)]
pub(super) struct Findings(pub Vec<Finding>);

impl Findings {
    fn add(&mut self, grade: Grade, rule: &'static str, at: impl Into<String>, words: impl Into<String>) {
        let finding = Finding { grade, rule, at: at.into(), words: words.into() };
        if !self.0.iter().any(|one| one.rule == rule && one.words == finding.words) {
            self.0.push(finding);
        }
    }

    pub fn error(&mut self, rule: &'static str, at: impl Into<String>, words: impl Into<String>) {
        self.add(Grade::Error, rule, at, words);
    }

    pub fn warning(&mut self, rule: &'static str, at: impl Into<String>, words: impl Into<String>) {
        self.add(Grade::Warning, rule, at, words);
    }

    pub fn hint(&mut self, rule: &'static str, at: impl Into<String>, words: impl Into<String>) {
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
pub(super) fn short(text: &str) -> String {
    crate::mail::encode::one_line(text, 60)
}
