//! A letter as it goes over the wire: checked, dots doubled, in one pass over its lines.

use memchr::memmem;

/// Appends `letter` to `out` with doubled dots (RFC 5321 §4.5.2), ended by CRLF, without the final dot.
///
/// False, and `out` as it was, if the letter has a bare CR or LF (§2.3.8) or an octet beyond ASCII, which only a letter that
/// goes with SMTPUTF8 (`utf8`) may have, as UTF-8 (RFC 6532: the reader's own address in To). A bare CR or LF may be a
/// line end to the relay and none to us: a dot behind it would end the letter early and let the rest pass for commands.
pub(super) fn stuff(letter: &[u8], utf8: bool, out: &mut Vec<u8>) -> bool {
    let seen = Seen::of(letter);
    let is_text = seen.ascii || utf8 && std::str::from_utf8(letter).is_ok();
    // As many CRLF as there are CR and as there are LF: so each of either is in one.
    if !is_text || seen.cr != seen.crlf || seen.lf != seen.crlf {
        return false;
    }
    out.reserve(letter.len() + seen.dots + 3);
    if letter.first() == Some(&b'.') {
        out.push(b'.');
    }
    let mut copied = 0;
    if seen.dots > 0 {
        for at in memmem::find_iter(letter, b"\n.") {
            out.extend_from_slice(&letter[copied..=at]);
            out.push(b'.');
            copied = at + 1;
        }
    }
    out.extend_from_slice(&letter[copied..]);
    if !letter.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    true
}

/// What stands in a letter, counted in one pass.
struct Seen {
    ascii: bool,
    cr: usize,
    lf: usize,
    crlf: usize,
    /// LF before a dot.
    dots: usize,
}

/// Octets that are counted before the sums move on: the most that a sum of one octet can count.
const BLOCK: usize = 255;

impl Seen {
    /// No branch an octet, and sums as wide as what they count: the compiler makes this a few instructions for 32 octets.
    /// Every letter goes through here, and a look for each line end in turn takes five times as long.
    fn of(letter: &[u8]) -> Self {
        let (mut all, mut cr, mut lf, mut crlf, mut dots) = (0_u8, 0, 0, 0, 0);
        let next = letter.get(1..).unwrap_or_default();
        // The last octet has none behind it: a blank stands for that one.
        let last = letter.last().map(|last| ([*last], [b' ']));
        let tail = last.iter().map(|(last, behind)| (&last[..], &behind[..]));
        let pairs = letter[..next.len()].chunks(BLOCK).zip(next.chunks(BLOCK)).chain(tail);
        for (these, those) in pairs {
            let (mut a, mut b, mut c, mut d) = (0_u8, 0_u8, 0_u8, 0_u8);
            for (this, behind) in these.iter().zip(those) {
                all |= this;
                let (is_cr, is_lf) = (*this == b'\r', *this == b'\n');
                a += u8::from(is_cr);
                b += u8::from(is_lf);
                c += u8::from(is_cr & (*behind == b'\n'));
                d += u8::from(is_lf & (*behind == b'.'));
            }
            cr += usize::from(a);
            lf += usize::from(b);
            crlf += usize::from(c);
            dots += usize::from(d);
        }
        Self { ascii: all.is_ascii(), cr, lf, crlf, dots }
    }
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

    proptest::proptest! {
        #[test]
        fn what_is_counted_is_what_stands_there(letter in "([a.é]|\r\n|\r|\n|[a-z.]{300}){0,12}") {
            let seen = Seen::of(letter.as_bytes());
            proptest::prop_assert_eq!(seen.ascii, letter.is_ascii());
            let counted = [seen.cr, seen.lf, seen.crlf, seen.dots];
            proptest::prop_assert_eq!(counted, ["\r", "\n", "\r\n", "\n."].map(|of| letter.matches(of).count()));
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
