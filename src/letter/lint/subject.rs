//! Subject and preheader as they were typed: what a mailbox list shows of them, and what filters
//! dislike.

use super::content;
use super::findings::Findings;
use crate::letter::compose::{PREHEADER_MAX, SUBJECT_MAX};

/// What a phone shows of a subject, in characters.
pub(super) const SUBJECT_SHOWN: usize = SUBJECT_MAX;

pub(super) fn check(subject: &str, preheader: &str, found: &mut Findings) {
    length(subject, found);
    content::subject(subject, found);
    let long = preheader.chars().count();
    if long > PREHEADER_MAX {
        let words =
            format!("the preheader has {long} characters, a mailbox list shows {PREHEADER_MAX} or fewer");
        found.hint("preheader", "Preheader", words);
    }
    if is_repeated(subject, preheader) {
        found.hint(
            "preheader",
            "Preheader",
            "the preheader repeats the subject, and mailbox lists show one behind the other; say something else",
        );
    }
}

pub(super) fn length(subject: &str, found: &mut Findings) {
    let long = subject.chars().count();
    if long > SUBJECT_SHOWN {
        let words = format!("the subject has {long} characters, a phone shows {SUBJECT_SHOWN} or fewer");
        found.hint("subject", "Subject", words);
    }
}

/// Whether one of the two holds the whole of the other, punctuation and case aside.
fn is_repeated(subject: &str, preheader: &str) -> bool {
    let plain = |text: &str| {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
    };
    let (subject, preheader) = (plain(subject), plain(preheader));
    !subject.is_empty()
        && !preheader.is_empty()
        && (subject.contains(&preheader) || preheader.contains(&subject))
}

#[cfg(test)]
mod tests {
    use super::super::heading;

    #[test]
    fn what_somebody_typed_is_judged_before_it_is_a_header() {
        let hints = |subject: &str, preheader: &str| -> Vec<&'static str> {
            heading(subject, preheader).iter().map(|finding| finding.rule).collect()
        };
        assert_eq!(hints("Coldframe or Spillway?", "The panel is split."), [""; 0]);
        assert_eq!(hints(&"x".repeat(71), "y"), ["subject"]);
        assert_eq!(hints(&"日".repeat(71), "y"), ["subject"], "as they are shown, not as they are encoded");
        assert_eq!(hints("x", &"y".repeat(111)), ["preheader"]);
        assert_eq!(hints("Coldframe or Spillway?", "coldframe or spillway"), ["preheader"]);
        assert_eq!(hints("Act now!!!", "y"), ["spam-words", "spam-words"]);
    }
}
