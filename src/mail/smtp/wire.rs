//! A letter as it goes over the wire: checked, and its dots doubled.

use memchr::memmem;

/// A letter as a session writes it, but for its final dot: its dots doubled (RFC 5321 §4.5.2), its
/// end a CRLF.
///
/// One with a bare CR or LF (§2.3.8) is none: that may be a line end to the relay and none to us,
/// and a dot behind it would end the letter early and let the rest pass for commands. Octets beyond
/// ASCII go as UTF-8 with SMTPUTF8 only (RFC 6532: the reader's own address in To).
///
/// The default is none, for a place that has no letter yet.
#[derive(Debug, Default)]
pub struct Wire {
    /// Empty for a letter that can't go.
    pub(super) text: String,
    /// The letter's own octets, as SIZE counts them (RFC 1870 §6.1): without the dots
    /// that were doubled.
    octets: usize,
    charset: Charset,
}

#[derive(Clone, Copy, Debug, Default)]
enum Charset {
    Ascii,
    Utf8,
    /// Neither, or its lines have no proper ends.
    #[default]
    None,
}

impl Wire {
    /// Checks a letter, and doubles the dots; where there are none it stays where it is.
    pub fn new(letter: Vec<u8>) -> Self {
        let seen = Seen::of(&letter);
        let octets = letter.len();
        let text = seen.whole_lines.then(|| String::from_utf8(letter).ok());
        let Some(mut text) = text.flatten() else {
            return Self { octets, charset: Charset::None, ..Self::default() };
        };
        if seen.dots || text.starts_with('.') {
            text = doubled(&text);
        }
        if !text.ends_with("\r\n") {
            text.push_str("\r\n");
        }
        Self { text, octets, charset: if seen.ascii { Charset::Ascii } else { Charset::Utf8 } }
    }

    /// Makes it none, and keeps the space.
    pub(super) fn spend(&mut self) {
        self.text.clear();
        self.charset = Charset::None;
    }

    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    /// Whether it may go as it is, with SMTPUTF8 or without.
    pub(super) fn is_fit(&self, utf8: bool) -> bool {
        match self.charset {
            Charset::Ascii => true,
            Charset::Utf8 => utf8,
            Charset::None => false,
        }
    }

    /// The space, for another letter.
    pub fn into_space(self) -> Vec<u8> {
        let mut space = self.text.into_bytes();
        space.clear();
        space
    }
}

fn doubled(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 9 / 8);
    if text.starts_with('.') {
        out.push('.');
    }
    let mut copied = 0;
    for at in memmem::find_iter(text.as_bytes(), b"\n.") {
        out.push_str(&text[copied..=at]);
        out.push('.');
        copied = at + 1;
    }
    out.push_str(&text[copied..]);
    out
}

/// What stands in a letter, found in one pass.
struct Seen {
    ascii: bool,
    /// Every CR has its LF, and every LF its CR.
    whole_lines: bool,
    /// A line after the first begins with a dot.
    dots: bool,
}

impl Seen {
    /// No branch and no sum an octet: the compiler makes this a few instructions for 16
    /// octets. Every letter goes through here, and a look for each line end in turn takes five
    /// times as long.
    fn of(letter: &[u8]) -> Self {
        let next = letter.get(1..).unwrap_or_default();
        let (mut all, mut torn, mut dots) = (letter.last().copied().unwrap_or_default(), 0_u8, 0_u8);
        for (this, behind) in letter.iter().zip(next) {
            all |= this;
            torn |= u8::from(*this == b'\r') ^ u8::from(*behind == b'\n');
            dots |= u8::from(*this == b'\n') & u8::from(*behind == b'.');
        }
        let torn_at_an_end = letter.first() == Some(&b'\n') || letter.last() == Some(&b'\r');
        Self { ascii: all.is_ascii(), whole_lines: torn == 0 && !torn_at_an_end, dots: dots != 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuffed(letter: &str) -> Option<String> {
        let wire = Wire::new(letter.into());
        assert_eq!(wire.octets(), letter.len());
        assert!(wire.is_fit(true) || wire.text.is_empty());
        wire.is_fit(false).then_some(wire.text)
    }

    #[test]
    fn dots_are_doubled_at_line_starts_only() {
        for (letter, wire) in [
            ("a\r\n", "a\r\n"),
            ("a", "a\r\n"),
            ("", "\r\n"),
            (".\r\n", "..\r\n"),
            ("a.b\r\n.c\r\n\r\n...\r\n.", "a.b\r\n..c\r\n\r\n....\r\n..\r\n"),
        ] {
            assert_eq!(stuffed(letter).as_deref(), Some(wire), "{letter:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_seen_is_what_stands_there(letter in "([a.é]|\r\n|\r|\n|[a-z.]{300}){0,12}") {
            let seen = Seen::of(letter.as_bytes());
            proptest::prop_assert_eq!(seen.ascii, letter.is_ascii());
            let [cr, lf, crlf, dots] = ["\r", "\n", "\r\n", "\n."].map(|of| letter.matches(of).count());
            proptest::prop_assert_eq!(seen.whole_lines, cr == crlf && lf == crlf);
            proptest::prop_assert_eq!(seen.dots, dots > 0);
        }
    }

    /// Neither a letter that was handed on, nor a place without one.
    #[test]
    fn what_is_spent_does_not_go_again() {
        let mut wire = Wire::new(b"To: ann@example.com\r\n\r\nHello.\r\n".to_vec());
        assert!(wire.is_fit(false));
        wire.spend();
        assert!(!wire.is_fit(false) && !wire.is_fit(true) && wire.text.is_empty());
        assert!(!Wire::default().is_fit(true));
    }

    #[test]
    fn only_whole_line_ends_and_ascii_travel() {
        for bad in [
            "a\n",
            "\na",
            "a\rb\r\n",
            "a\r",
            "a\r\r\n",
            "a\r\n\n",
            "é\r\n",
            "a\n.\r\nMAIL FROM:<x@example.com>\r\n",
        ] {
            assert_eq!(stuffed(bad), None, "{bad:?}");
        }
    }
}
