//! What a relay said, from lettre's words into ours.

use std::error::Error as _;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::Response;

use crate::domain::delivery::Reply;

/// Most characters of a reply's text that we keep.
const MAX_TEXT: usize = 500;

/// The relay's answer to one command: either a reply, good or bad, or no answer that
/// could be understood.
///
/// After `Err` nothing on this connection can be matched to its command any more: it is dropped,
/// never used again.
pub(super) fn answer(result: Result<Response, Error>) -> Result<Reply, Error> {
    match result {
        Ok(response) => Ok(reply(response.code().into(), response.message())),
        Err(error) => refusal(&error).ok_or(error),
    }
}

/// The negative reply inside lettre's error, if a reply is what it is made of.
pub(super) fn refusal(error: &Error) -> Option<Reply> {
    let text = error.source().map(ToString::to_string).unwrap_or_default();
    Some(reply(error.status()?.into(), [text.as_str()].into_iter()))
}

/// A reply from its code and lines: the enhanced status code (RFC 3463, carried as in RFC 2034) is
/// the first word of the first line if it has the form `class.subject.detail` and agrees with the
/// code; the rest is one line of text.
pub fn reply<'a>(code: u16, lines: impl Iterator<Item = &'a str>) -> Reply {
    let mut enhanced = None;
    let mut text = String::new();
    for (index, line) in lines.enumerate() {
        let mut line = line.trim();
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        if index == 0 && agrees(first, code) {
            enhanced = Some(first.to_owned());
            line = rest.trim();
        } else if enhanced.as_deref() == Some(first) {
            // Relays repeat the code on every line of a long reply.
            line = rest.trim();
        }
        if !text.is_empty() && !line.is_empty() {
            text.push(' ');
        }
        text.extend(
            line.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control()),
        );
    }
    Reply { code, enhanced, text: text.chars().take(MAX_TEXT).collect() }
}

/// RFC 2034 §4: the class of the enhanced code is the first digit of the basic one.
fn agrees(word: &str, code: u16) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let digits = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(digits) && parts[0] == (code / 100).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: u16, lines: &[&str]) -> (Option<String>, String) {
        let reply = reply(code, lines.iter().copied());
        (reply.enhanced, reply.text)
    }

    #[test]
    fn the_enhanced_code_is_the_first_word_if_it_is_one() {
        assert_eq!(of(550, &["5.1.1 no such user"]), (Some("5.1.1".into()), "no such user".into()));
        assert_eq!(of(250, &["2.0.0"]), (Some("2.0.0".into()), String::new()));
        assert_eq!(of(550, &["no such user 5.1.1"]), (None, "no such user 5.1.1".into()));
        assert_eq!(of(450, &["5.1.1 later"]), (None, "5.1.1 later".into()), "the classes disagree");
        assert_eq!(of(550, &["5.1 short"]), (None, "5.1 short".into()));
        assert_eq!(of(550, &["5.1.1000 long"]), (None, "5.1.1000 long".into()));
        assert_eq!(of(250, &[]), (None, String::new()));
    }

    #[test]
    fn many_lines_become_one_and_repeat_no_code() {
        let (enhanced, text) = of(550, &["5.7.1 Rejected:", "5.7.1 see\tthe list", "5.7.1"]);
        assert_eq!((enhanced.as_deref(), text.as_str()), (Some("5.7.1"), "Rejected: see the list"));
    }

    #[test]
    fn a_long_or_odd_text_is_tamed() {
        let (_, text) = of(550, &[&"é".repeat(900)]);
        assert_eq!(text.chars().count(), MAX_TEXT);
        assert_eq!(of(550, &["a\u{1b}[31mb\u{7}"]).1, "a[31mb");
    }
}
