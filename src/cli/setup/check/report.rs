//! What a check found, graded.

use serde_json::json;

use crate::cli::exit::CommandError;
use crate::cli::terminal::{say, say_json};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CheckGrade {
    Good,
    /// Works, and an operator should know.
    Warn,
    /// Would fail to deliver.
    Bad,
}

struct CheckItem {
    grade: CheckGrade,
    subject: &'static str,
    words: String,
}

#[derive(Default)]
pub(super) struct CheckReport(Vec<CheckItem>);

impl CheckReport {
    pub fn add(&mut self, grade: CheckGrade, subject: &'static str, words: impl Into<String>) {
        self.0.push(CheckItem { grade, subject, words: words.into() });
    }

    /// Whether something would keep letters from their readers.
    pub fn is_bad(&self) -> bool {
        self.0.iter().any(|item| item.grade == CheckGrade::Bad)
    }

    pub fn print(&self, as_json: bool) -> Result<(), CommandError> {
        let word = |grade| match grade {
            CheckGrade::Good => "good",
            CheckGrade::Warn => "warn",
            CheckGrade::Bad => "BAD",
        };
        if as_json {
            let rows: Vec<_> = self
                .0
                .iter()
                .map(|f| json!({ "grade": word(f.grade).to_lowercase(), "subject": f.subject, "words": f.words }))
                .collect();
            return say_json(&rows);
        }
        for finding in &self.0 {
            say(format_args!("{:4}  {:9} {}", word(finding.grade), finding.subject, finding.words));
        }
        Ok(())
    }
}
