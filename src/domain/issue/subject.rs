//! The subject of an issue in an operator's own words, and the test of two subjects against
//! each other. Pure.
//!
//! The test: a share of the readers gets its letter at once, one half under subject A and the other
//! under B. The others wait; then they get the subject that moved the larger part of its readers to
//! vote. Only votes count. A pixel would say who opened a letter, and a counted click would need
//! links that are not what they look like; the letter has neither.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The longest subject or preheader that is taken, in characters; the linter has its
/// word far below.
pub const LONGEST: usize = 250;

/// The fewest letters that each arm has to have sent before its votes say anything; with fewer to
/// send, no test is begun.
pub const LEAST_SENT: i64 = 20;

/// The fewest readers, of both arms together, whose votes say anything.
pub const LEAST_VOTED: i64 = 10;

/// A subject or preheader as somebody typed it: one line with something in it. It becomes a header,
/// in which a line break would begin another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectLine(String);

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SubjectLineError {
    #[error("it is empty; write some words, or leave it out to have it composed")]
    Empty,
    #[error("it has a line break or control character (U+{0:04X}); write it in one line")]
    Control(u32),
    #[error("it has {0} characters, the limit is {LONGEST}; shorten it")]
    Long(usize),
}

impl SubjectLine {
    /// # Errors
    /// [`SubjectLineError`] if it is empty, too long, or more than a line. U+2028 and U+2029 are
    /// line breaks, too.
    pub fn parse(text: &str) -> Result<Self, SubjectLineError> {
        let text = text.trim_matches(' ');
        if let Some(c) = text.chars().find(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
            return Err(SubjectLineError::Control(u32::from(c)));
        }
        match text.chars().count() {
            _ if text.trim().is_empty() => Err(SubjectLineError::Empty),
            long if long > LONGEST => Err(SubjectLineError::Long(long)),
            _ => Ok(Self(text.to_owned())),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubjectLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an operator wrote for an issue that has not been made yet. What is absent is composed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Wording {
    pub subject: Option<SubjectLine>,
    pub preheader: Option<SubjectLine>,
    /// The subject to test the first one against.
    pub against: Option<(SubjectLine, Terms)>,
}

/// Who takes part in a test, and how long the others wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Terms {
    pub share: Share,
    pub wait: Duration,
}

/// A part of the readers in per cent: 1 to 90, so that somebody is left for the winner.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(transparent)]
pub struct Share(u8);

impl Share {
    pub fn percent(self) -> u8 {
        self.0
    }

    /// How many of so many readers; an even number, since they are halved.
    pub fn of(self, readers: usize) -> usize {
        readers * usize::from(self.0) / 100 / 2 * 2
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.trim().strip_suffix('%').unwrap_or(text).trim().parse().ok();
        let share = number.filter(|percent| (1..=90).contains(percent)).map(Self);
        share.ok_or_else(|| "it is not a share of the readers; write 1% to 90%, as 20%".to_owned())
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// One of the two subjects of a test. A is the issue's own: it goes out when nothing speaks
/// for the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arm {
    #[default]
    A,
    B,
}

impl Arm {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::A, Self::B].into_iter().find(|arm| arm.as_str() == text)
    }
}

/// What one subject has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ArmFigures {
    /// Letters that the relay took.
    pub sent: i64,
    /// Readers of these who voted since on a tool of the letter, each once.
    pub voted: i64,
}

impl ArmFigures {
    /// Readers who voted for each letter sent, in tenths of a per cent, rounded half up; none
    /// before a letter is sent.
    pub fn rate(self) -> Option<i64> {
        (self.sent > 0).then(|| (self.voted * 1000 + self.sent / 2) / self.sent)
    }
}

/// Why a subject won.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// More of its readers voted.
    Rate,
    /// As many of the readers of both; A goes on.
    Tie,
    /// Too few letters or votes to mean anything; A goes on.
    TooFew,
}

impl Why {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Tie => "tie",
            Self::TooFew => "too_few",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Rate, Self::Tie, Self::TooFew].into_iter().find(|why| why.as_str() == text)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate => f.write_str("more of its readers voted"),
            Self::Tie => f.write_str("a tie, so A goes on"),
            Self::TooFew => write!(
                f,
                "fewer than {LEAST_SENT} letters of a subject or {LEAST_VOTED} voters, so A goes on"
            ),
        }
    }
}

/// Which subject the rest gets: the one with the higher rate of voters; A at a tie, and where the
/// figures say nothing.
pub fn judge(a: ArmFigures, b: ArmFigures) -> (Arm, Why) {
    if a.sent.min(b.sent) < LEAST_SENT || a.voted + b.voted < LEAST_VOTED {
        return (Arm::A, Why::TooFew);
    }
    // Without division: two rates that differ never look the same.
    let (left, right) = (i128::from(a.voted) * i128::from(b.sent), i128::from(b.voted) * i128::from(a.sent));
    match left.cmp(&right) {
        std::cmp::Ordering::Equal => (Arm::A, Why::Tie),
        std::cmp::Ordering::Greater => (Arm::A, Why::Rate),
        std::cmp::Ordering::Less => (Arm::B, Why::Rate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(sent: i64, voted: i64) -> ArmFigures {
        ArmFigures { sent, voted }
    }

    #[test]
    fn a_line_is_one_line_with_something_in_it() {
        for good in ["Coldframe or Spillway?", " padded ", "日本語 🚀", "עברית", &"x".repeat(LONGEST)]
        {
            assert_eq!(SubjectLine::parse(good).unwrap().as_str(), good.trim());
        }
        for (bad, error) in [
            ("", SubjectLineError::Empty),
            ("  \u{A0}", SubjectLineError::Empty),
            ("a\r\nBcc: eve@example.com", SubjectLineError::Control(13)),
            ("a\nb", SubjectLineError::Control(10)),
            ("\na", SubjectLineError::Control(10)),
            ("a\tb", SubjectLineError::Control(9)),
            ("a\0", SubjectLineError::Control(0)),
            ("a\u{85}b", SubjectLineError::Control(0x85)),
            ("a\u{2028}b", SubjectLineError::Control(0x2028)),
            (&"x".repeat(LONGEST + 1), SubjectLineError::Long(LONGEST + 1)),
        ] {
            assert_eq!(SubjectLine::parse(bad), Err(error), "{bad:?}");
        }
    }

    #[test]
    fn a_share_leaves_somebody_for_the_winner() {
        for (text, percent) in [("20%", 20), ("1", 1), (" 90 % ", 90)] {
            assert_eq!(text.parse::<Share>().map(Share::percent), Ok(percent), "{text}");
        }
        for text in ["0%", "91%", "100%", "", "%", "-5%", "half", "12.5%", "20%%"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
        let fifth: Share = "20%".parse().unwrap();
        assert_eq!([0, 9, 10, 19, 1000, 1007].map(|readers| fifth.of(readers)), [0, 0, 2, 2, 200, 200]);
    }

    #[test]
    fn the_higher_rate_wins_and_nothing_else() {
        for (a, b, expected) in [
            (figures(100, 10), figures(100, 11), (Arm::B, Why::Rate)),
            (figures(100, 11), figures(100, 10), (Arm::A, Why::Rate)),
            // Fewer votes of many fewer letters are the higher rate.
            (figures(1000, 30), figures(100, 4), (Arm::B, Why::Rate)),
            (figures(100, 10), figures(100, 10), (Arm::A, Why::Tie)),
            (figures(50, 5), figures(100, 10), (Arm::A, Why::Tie)),
            (figures(3, 1), figures(100, 50), (Arm::A, Why::TooFew)),
            (figures(100, 50), figures(19, 19), (Arm::A, Why::TooFew)),
            (figures(100, 0), figures(100, 9), (Arm::A, Why::TooFew)),
            (figures(100, 0), figures(100, 10), (Arm::B, Why::Rate)),
            (figures(0, 0), figures(0, 0), (Arm::A, Why::TooFew)),
        ] {
            assert_eq!(judge(a, b), expected, "{a:?} {b:?}");
        }
    }

    #[test]
    fn rates_are_rounded_for_the_eye_alone() {
        assert_eq!(figures(0, 0).rate(), None);
        assert_eq!(figures(3, 1).rate(), Some(333));
        assert_eq!(figures(3, 2).rate(), Some(667));
        assert_eq!(judge(figures(100_000, 50_000), figures(100_001, 50_001)), (Arm::B, Why::Rate));
    }
}
