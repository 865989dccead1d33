//! How the wish to send a letter ended, in words for the operator.

use std::fmt;

use super::publisher::Publisher;
use crate::domain::issue::IssueNumber;
use crate::domain::subject::LEAST_SENT;
use crate::letter::pick::Selection;
use crate::store::SubjectTest;

/// What became of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Started {
    /// The issue and its deliveries are in the ledger.
    Running {
        number: IssueNumber,
        audience: i64,
        subject: String,
        /// How the test of two subjects begins, if one was wanted; in words.
        test: Option<String>,
    },
    /// Fewer comparisons than `schedule.min_comparisons`; in words.
    Quiet(String),
    /// Nobody is subscribed, so nothing was started.
    Nobody,
    /// Every reader has paused, or chose topics that the letter does not touch, so nothing was
    /// started.
    NobodyWants,
    /// Another process or an unfinished issue was first.
    Taken { by: Option<IssueNumber> },
}

/// How a test begins; none: there were too few readers for it.
pub(super) fn test_words(begun: Option<&SubjectTest>) -> String {
    match begun {
        Some(test) => format!(
            "{}% of the readers get it under one of two subjects; the other {} wait for the winner until {}",
            test.share, test.held, test.decide_at
        ),
        None => format!(
            "no test of two subjects: it takes {LEAST_SENT} letters under each to say anything, and there are not so many \
             readers; everybody gets the first subject"
        ),
    }
}

/// How a test ended, in a line for the log.
pub fn decision_words(test: &SubjectTest) -> String {
    let [a, b] = test.figures;
    let winner = test.decided.map(|one| format!("{} won, {}", one.winner.as_str().to_uppercase(), one.why));
    format!(
        "the subject test is decided: {} of {} readers voted under A, {} of {} under B; {}",
        a.voted,
        a.sent,
        b.voted,
        b.sent,
        winner.unwrap_or_default()
    )
}

/// Why this is a quiet week.
pub fn quiet_words(publisher: &Publisher, selection: &Selection) -> String {
    let minimum = publisher.settings.schedule.min_comparisons;
    let found = selection.quiet.as_ref().map_or(0, |quiet| quiet.found);
    format!(
        "a quiet week: {found} new comparison{} and schedule.min_comparisons is {minimum}; \
         import newer ones with \"verdicts comparisons import PATH\"",
        if found == 1 { "" } else { "s" }
    )
}

impl fmt::Display for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running { number, audience, subject, test } => {
                write!(f, "issue {number} \"{subject}\" is queued for {audience} readers")?;
                test.iter().try_for_each(|words| write!(f, "; {words}"))
            }
            Self::Quiet(words) => f.write_str(words),
            Self::Nobody => f.write_str(
                "nobody is subscribed yet; import readers with \"verdicts subscribers import FILE.csv\"",
            ),
            Self::NobodyWants => f.write_str(
                "every reader has paused, or chose topics that this week's comparisons don't touch; nothing was sent",
            ),
            Self::Taken { by: Some(number) } => write!(
                f,
                "issue {number} is not finished; see \"verdicts status {number}\", and resume or cancel it first"
            ),
            Self::Taken { by: None } => {
                f.write_str("another run of this week was first; see \"verdicts status\"")
            }
        }
    }
}
