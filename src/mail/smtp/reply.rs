//! What a relay said, as a row keeps it.

use crate::domain::delivery::Reply;

/// Most octets of a reply's text that we keep.
const MAX_TEXT: usize = 500;

/// A reply's text as its lines come in: the enhanced status code (RFC 3463, carried as in RFC 2034)
/// is the first word of the first line if it has the form `class.subject.detail` and agrees with
/// the code; the rest is one line of text.
#[derive(Default)]
pub(super) struct ReplyText {
    is_begun: bool,
    enhanced: Option<String>,
    text: String,
}

impl ReplyText {
    pub fn add(&mut self, code: u16, line: &str) {
        let mut line = line.trim();
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        if !self.is_begun && agrees(first, code) {
            self.enhanced = Some(first.to_owned());
            line = rest.trim();
        } else if self.enhanced.as_deref() == Some(first) {
            // Relays repeat the code on every line of a long reply.
            line = rest.trim();
        }
        self.is_begun = true;
        if !self.text.is_empty() && !line.is_empty() {
            self.push(' ');
        }
        for char in line.chars() {
            match char {
                char if char.is_whitespace() => self.push(' '),
                char if char.is_control() => {}
                char => self.push(char),
            }
        }
    }

    fn push(&mut self, char: char) {
        if self.text.len() + char.len_utf8() <= MAX_TEXT {
            self.text.push(char);
        }
    }

    pub fn into_reply(self, code: u16) -> Reply {
        Reply { code, enhanced: self.enhanced, text: self.text }
    }
}

/// RFC 2034 §4: the class of the enhanced code is the first digit of the basic one.
fn agrees(word: &str, code: u16) -> bool {
    let mut parts = word.split('.');
    let mut next = || parts.next().filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
    let (class, subject, detail) = (next(), next(), next());
    let short = |part: Option<&str>| part.is_some_and(|part| (1..=3).contains(&part.len()));
    class.is_some_and(|class| class.len() == 1 && class.parse() == Ok(code / 100))
        && short(subject)
        && short(detail)
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: u16, lines: &[&str]) -> (Option<String>, String) {
        let mut text = ReplyText::default();
        lines.iter().for_each(|line| text.add(code, line));
        let reply = text.into_reply(code);
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
        assert_eq!(text.len(), MAX_TEXT);
        assert_eq!(of(550, &["a\u{1b}[31mb\u{7}"]).1, "a[31mb");
    }
}
