//! What is said in one language: texts filled in, dates, lists and numbers.

use super::{Language, Texts};
use crate::domain::UnixMillis;

/// The texts of one language.
#[derive(Clone, Copy)]
pub struct Phrases<'a> {
    pub texts: &'a Texts,
    pub language: Language,
}

impl Phrases<'_> {
    pub fn get(&self, key: &str) -> String {
        self.texts.get(self.language, key).to_owned()
    }

    pub fn fill(&self, key: &str, with: &[(&str, &str)]) -> String {
        self.texts.fill(self.language, key, with)
    }

    /// "17 November 2026", in UTC.
    pub fn date(&self, at: UnixMillis) -> String {
        let at = at.utc();
        let month = self.get(&format!("read.month_{}", at.format("%-m")));
        let (day, year) = (at.format("%-d").to_string(), at.format("%Y").to_string());
        self.fill("read.date", &[("day", &day), ("month", &month), ("year", &year)])
    }

    /// "A", "A and B", "A, B and C".
    pub fn list(&self, names: &[&str]) -> String {
        match names {
            [] => String::new(),
            [one] => (*one).to_owned(),
            [rest @ .., last] => self.fill("read.list", &[("first", &rest.join(", ")), ("last", last)]),
        }
    }

    /// "four" up to twelve, then figures.
    pub fn number(&self, n: usize) -> String {
        match n {
            0..=12 => self.get(&format!("letter.number_{n}")),
            _ => n.to_string(),
        }
    }
}
