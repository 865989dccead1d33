//! A letter as it goes over the wire: checked, dots doubled, in one pass over its lines.

use memchr::memchr_iter;

/// Appends `letter` to `out` with doubled dots (RFC 5321 §4.5.2), ended by CRLF, without the final dot.
///
/// False, and `out` as it was, if the letter has a bare CR or LF (§2.3.8) or an octet beyond ASCII, which only a letter that
/// goes with SMTPUTF8 (`utf8`) may have, as UTF-8 (RFC 6532: the reader's own address in To). A bare CR or LF may be a
/// line end to the relay and none to us: a dot behind it would end the letter early and let the rest pass for commands.
pub(super) fn stuff(letter: &[u8], utf8: bool, out: &mut Vec<u8>) -> bool {
    let begun = out.len();
    out.reserve(letter.len() + 64);
    let (mut copied, mut ends, mut lines) = (0, 0, 0);
    if letter.first() == Some(&b'.') {
        out.push(b'.');
    }
    for at in memchr_iter(b'\n', letter) {
        ends += 1;
        lines += usize::from(at > 0 && letter[at - 1] == b'\r');
        if letter.get(at + 1) == Some(&b'.') {
            out.extend_from_slice(&letter[copied..=at]);
            out.push(b'.');
            copied = at + 1;
        }
    }
    out.extend_from_slice(&letter[copied..]);
    // As many CRLF as there are CR and as there are LF: so each of either is in one.
    let is_text = letter.is_ascii() || utf8 && std::str::from_utf8(letter).is_ok();
    let is_fit = is_text && ends == lines && memchr_iter(b'\r', letter).count() == lines;
    if !is_fit {
        out.truncate(begun);
    } else if !letter.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    is_fit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuffed(letter: &str) -> Option<String> {
        let mut out = b"before".to_vec();
        let is_fit = stuff(letter.as_bytes(), false, &mut out);
        let text = String::from_utf8(out).unwrap();
        let text = text.strip_prefix("before").unwrap().to_owned();
        assert!(is_fit || text.is_empty());
        is_fit.then_some(text)
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
