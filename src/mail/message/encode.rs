//! How text becomes ASCII on the wire: bodies as quoted-printable (RFC 2045 §6.7), encoded words
//! (RFC 2047) and folded headers (RFC 5322 §2.2.3). Everything here writes CRLF, and no input can
//! put a line end where none belongs.

use crate::domain::site::Mailbox;

/// Longest line of a quoted-printable body, without CRLF (RFC 2045 §6.7 rule 5).
const QP_LINE: usize = 76;
/// Longest encoded word (RFC 2047 §2).
const ENCODED_WORD: usize = 75;
/// Where headers are folded (RFC 5322 §2.1.1 says 78; RFC 2047 §2 says 76 with encoded words).
const FOLD: usize = 76;
const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Appends `text` as quoted-printable, assuming that `out` stands at the start of a line. `\n` and
/// `\r\n` become CRLF, a lone `\r` becomes `=0D`.
pub fn quoted_printable(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut column = 0;
    let mut at = 0;
    while at < bytes.len() {
        // Most of a link stands for itself: one copy instead of an octet at a time.
        let room = QP_LINE - 1 - column;
        let run = bytes[at..].iter().take(room).take_while(|octet| is_plain(**octet)).count();
        if run > 0 {
            out.extend_from_slice(&bytes[at..at + run]);
            (column, at) = (column + run, at + run);
            continue;
        }
        let line_end = match (bytes[at], bytes.get(at + 1)) {
            (b'\n', _) => 1,
            (b'\r', Some(b'\n')) => 2,
            _ => 0,
        };
        if line_end > 0 {
            out.extend_from_slice(b"\r\n");
            (column, at) = (0, at + line_end);
            continue;
        }
        let literal = is_literal(bytes, at, column);
        let width = if literal { 1 } else { 3 };
        // One column stays free for the `=` of a soft break, unless the text's own line ends here.
        if column + width > QP_LINE - 1 {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        if literal {
            out.push(bytes[at]);
        } else {
            push_hex(bytes[at], out);
        }
        (column, at) = (column + width, at + 1);
    }
}

/// Whether an octet stands for itself wherever it is.
fn is_plain(octet: u8) -> bool {
    octet.is_ascii_graphic() && !matches!(octet, b'=' | b'.')
}

/// Whether an octet may stand for itself. A blank at the end of a line may not, since relays strip
/// it (rule 3); a dot at the start of a line may, but needs stuffing on the way, and not every
/// program that reads a mail file undoes it.
fn is_literal(bytes: &[u8], at: usize, column: usize) -> bool {
    match bytes[at] {
        b' ' | b'\t' => !matches!(bytes.get(at + 1), None | Some(b'\r' | b'\n')),
        b'.' => column != 0 && column + 1 < QP_LINE,
        b'=' => false,
        octet => octet.is_ascii_graphic(),
    }
}

fn push_hex(octet: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'=', HEX[usize::from(octet >> 4)], HEX[usize::from(octet & 15)]]);
}

/// What `quoted_printable` wrote, back as text with `\n` line ends.
pub fn from_quoted_printable(encoded: &[u8]) -> Option<String> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&octet, tail)) = rest.split_first() {
        rest = match (octet, tail) {
            (b'=', [b'\r', b'\n', after @ ..]) => after,
            (b'=', [high, low, after @ ..]) => {
                let digit = |c: u8| HEX.iter().position(|h| *h == c);
                decoded.push(u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?);
                after
            }
            (b'\r', [b'\n', after @ ..]) => {
                decoded.push(b'\n');
                after
            }
            _ => {
                decoded.push(octet);
                tail
            }
        };
    }
    String::from_utf8(decoded).ok()
}

/// One line of text that a person or a file gave us, made safe for a header or a greeting: control
/// characters (CR and LF among them) become blanks, invisible direction overrides go, blanks are
/// collapsed, and it is cut at `max` characters.
pub fn one_line(text: &str, max: usize) -> String {
    let visible = text.chars().filter(|c| !is_direction_override(*c));
    let mut line = String::with_capacity(text.len().min(max * 4));
    let mut count = 0;
    let mut blank = false;
    for c in visible {
        if c.is_whitespace() || c.is_control() {
            blank = !line.is_empty();
            continue;
        }
        if count + usize::from(blank) >= max {
            break;
        }
        if blank {
            line.push(' ');
            count += 1;
        }
        line.push(c);
        (blank, count) = (false, count + 1);
    }
    line
}

fn is_direction_override(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// `Name: value\r\n` for unstructured text such as a subject: as it is where ASCII allows, else
/// in encoded words.
pub fn text_header(name: &str, text: &str) -> Vec<u8> {
    let text = one_line(text, usize::MAX / 8);
    let mut out = format!("{name}:").into_bytes();
    let longest = text.split(' ').map(str::len).max().unwrap_or(0);
    if text.is_ascii() && !text.contains("=?") && longest < FOLD - name.len() - 2 {
        fold_words(&text, &mut out);
    } else {
        encoded_words(&text, name.len() + 1, &mut out);
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// `Name: Display <address>\r\n`; an address beyond ASCII stands as UTF-8 (RFC 6532), for
/// relays with SMTPUTF8.
pub fn mailbox_header(name: &str, mailbox: &Mailbox, out: &mut Vec<u8>) {
    address_header(name, mailbox.name.as_deref(), mailbox.address.expose(), out);
}

/// As [`mailbox_header`], with the parts apart. A display name is made one line of at
/// most 120 characters.
pub fn address_header(name: &str, display: Option<&str>, address: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    let start = out.len() - name.len() - 1;
    let display = display.map(|d| one_line(d, 120)).filter(|d| !d.is_empty());
    match display {
        None => {
            out.push(b' ');
            out.extend_from_slice(address.as_bytes());
        }
        Some(display) => {
            push_phrase(&display, name.len() + 1, out);
            let line =
                out.len() - out[start..].iter().rposition(|b| *b == b'\n').map_or(start, |n| start + n + 1);
            out.extend_from_slice(if line + address.len() + 3 > FOLD { b"\r\n <" } else { b" <" });
            out.extend_from_slice(address.as_bytes());
            out.push(b'>');
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// A display name (RFC 5322 `phrase`): words as they are, a quoted string, or encoded words.
fn push_phrase(display: &str, column: usize, out: &mut Vec<u8>) {
    let plain = display.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/^_`{|}~ ".contains(&b));
    let short = display.len() + 6 + column < FOLD;
    if !display.is_ascii() || !short || display.contains("=?") {
        encoded_words(display, column, out);
    } else if plain {
        out.push(b' ');
        out.extend_from_slice(display.as_bytes());
    } else {
        out.extend_from_slice(b" \"");
        for octet in display.bytes() {
            if matches!(octet, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(octet);
        }
        out.push(b'"');
    }
}

/// Words after a header's colon, folded before the blank that would pass the limit.
fn fold_words(text: &str, out: &mut Vec<u8>) {
    let mut column = out.len();
    for word in text.split(' ') {
        if column + 1 + word.len() > FOLD {
            out.extend_from_slice(b"\r\n");
            column = 0;
        }
        out.push(b' ');
        out.extend_from_slice(word.as_bytes());
        column += 1 + word.len();
    }
}

/// Encoded words (RFC 2047, the Q form with the letters that §5 (3) allows in a phrase), split
/// between characters, each on a line of its own.
fn encoded_words(text: &str, column: usize, out: &mut Vec<u8>) {
    const OPEN: &[u8] = b" =?utf-8?Q?";
    const CLOSE: &[u8] = b"?=";
    out.extend_from_slice(OPEN);
    // The blank before a word is not part of it, and the first line also holds the header's name.
    let mut used = OPEN.len() - 1 + CLOSE.len() + column;
    for c in text.chars() {
        let mut buffer = [0; 4];
        let octets = c.encode_utf8(&mut buffer).as_bytes();
        let width: usize = octets.iter().map(|o| if is_q_literal(*o) || *o == b' ' { 1 } else { 3 }).sum();
        if used + width > ENCODED_WORD {
            out.extend_from_slice(CLOSE);
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(OPEN);
            used = OPEN.len() - 1 + CLOSE.len();
        }
        for octet in octets {
            match *octet {
                b' ' => out.push(b'_'),
                octet if is_q_literal(octet) => out.push(octet),
                octet => push_hex(octet, out),
            }
        }
        used += width;
    }
    out.extend_from_slice(CLOSE);
}

fn is_q_literal(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!*+-/".contains(&octet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> String {
        String::from_utf8(text_header("Subject", text)).unwrap()
    }

    #[test]
    fn ascii_subjects_stay_readable_and_fold_at_blanks() {
        assert_eq!(header("Verdicts"), "Subject: Verdicts\r\n");
        let long = header(&"word ".repeat(40));
        assert!(long.lines().all(|line| line.len() <= FOLD), "{long}");
        assert_eq!(long.replace("\r\n ", " ").trim(), format!("Subject: {}", "word ".repeat(40)).trim());
    }

    #[test]
    fn what_is_not_ascii_becomes_encoded_words_that_split_between_characters() {
        assert_eq!(header("Ähre"), "Subject: =?utf-8?Q?=C3=84hre?=\r\n");
        let long = header(&"日本語🚀".repeat(20));
        for line in long.lines() {
            assert!(line.len() <= FOLD, "{line}");
        }
    }

    #[test]
    fn a_line_end_in_a_header_is_a_blank() {
        assert_eq!(header("a\r\nBcc: b@example.com"), "Subject: a Bcc: b@example.com\r\n");
        assert_eq!(header("=?utf-8?Q?x?="), "Subject: =?utf-8?Q?=3D=3Futf-8=3FQ=3Fx=3F=3D?=\r\n");
    }

    #[test]
    fn names_are_quoted_or_encoded_where_they_have_to_be() {
        let to = |name: &str| {
            let mut out = Vec::new();
            address_header("To", Some(name), "ann@example.com", &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(to("Ann Lee"), "To: Ann Lee <ann@example.com>\r\n");
        assert_eq!(to("Lee, \"Ann\""), "To: \"Lee, \\\"Ann\\\"\" <ann@example.com>\r\n");
        assert_eq!(to("Zoë"), "To: =?utf-8?Q?Zo=C3=AB?= <ann@example.com>\r\n");
        assert_eq!(to(" \r\n "), "To: ann@example.com\r\n");
        assert!(to(&"x".repeat(900)).lines().all(|line| line.len() <= FOLD));
    }

    proptest::proptest! {
        #[test]
        fn quoted_printable_goes_there_and_back(text in "[a-z .=\\t\\nÀ-ÿ🚀]{0,300}") {
            let mut encoded = Vec::new();
            quoted_printable(&text, &mut encoded);
            proptest::prop_assert!(encoded.is_ascii());
            for line in encoded.split(|b| *b == b'\n') {
                proptest::prop_assert!(line.len() <= QP_LINE + 1, "a line and its CR");
                proptest::prop_assert!(!line.starts_with(b"."));
            }
            proptest::prop_assert_eq!(from_quoted_printable(&encoded), Some(text));
        }

        #[test]
        fn one_line_is_one_line(text in "\\PC{0,50}[\\r\\n\\x00\\u{202E}]{0,3}\\PC{0,50}") {
            let line = one_line(&text, 40);
            proptest::prop_assert!(!line.chars().any(char::is_control));
            proptest::prop_assert!(line.chars().count() <= 40);
            proptest::prop_assert!(line.trim() == line);
        }
    }
}
