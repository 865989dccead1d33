//! Octets and lines, as RFC 5322 and RFC 5321 limit them, and sizes.

use super::findings::Findings;
use super::message::Message;

/// RFC 5322 §2.1.1, without the CRLF.
const LINE_MAX: usize = 998;
/// RFC 2045 §6.7, what quoted-printable keeps to.
const BODY_LINE_MAX: usize = 76;
/// Gmail hides what is beyond some 102 KB of HTML.
const HTML_MAX: usize = 90_000;
/// The widest line of the text part that does not break on a terminal of 80 columns.
const TEXT_COLUMNS: usize = 78;

pub(super) fn check(letter: &[u8], message: &Message, found: &mut Findings) {
    lines(letter, found);
    if let Some(html) = &message.html {
        if html.len() > HTML_MAX {
            let words = format!(
                "the HTML has {} octets, mail programs cut letters beyond {HTML_MAX}; lower schedule.max_comparisons",
                html.len()
            );
            found.error("size", "HTML", words);
        }
    } else {
        found.error("parts", "Content-Type", "there is no text/html part; mend letter.mjml");
    }
    match message.text.as_deref().map(str::trim) {
        None | Some("") => found.error("parts", "text", "there is no text part to read; mend letter.txt"),
        Some(text) => columns(text, found),
    }
    if message.kinds.first().is_some_and(|kind| kind != "text/plain") && message.text.is_some() {
        let words = "the text part comes second, so mail programs show it in place of the HTML; put it first";
        found.error("parts", "Content-Type", words);
    }
}

fn lines(letter: &[u8], found: &mut Findings) {
    let mut in_body = false;
    let mut lines = letter.split(|octet| *octet == b'\n').zip(1..).peekable();
    while let Some((line, number)) = lines.next() {
        let text = match line.strip_suffix(b"\r") {
            Some(text) => text,
            // Behind the last line end there is nothing.
            None if line.is_empty() && lines.peek().is_none() => line,
            None => {
                found.error(
                    "line-ends",
                    format!("line {number}"),
                    "a line ends without CRLF (RFC 5322 §2.3)",
                );
                line
            }
        };
        if text.contains(&b'\r') {
            found.error("line-ends", format!("line {number}"), "a CR stands alone (RFC 5322 §2.3)");
        }
        if text.len() > LINE_MAX {
            let words = format!("a line has {} octets, RFC 5322 allows {LINE_MAX}", text.len());
            found.error("line-length", format!("line {number}"), words);
        } else if in_body && text.len() > BODY_LINE_MAX {
            let words =
                format!("a body line has {} octets, quoted-printable allows {BODY_LINE_MAX}", text.len());
            found.error("line-length", format!("line {number}"), words);
        }
        if in_body && !text.is_ascii() {
            let words = "an octet beyond ASCII stands in the body, which says it is quoted-printable";
            found.error("ascii", format!("line {number}"), words);
        }
        in_body |= text.is_empty();
    }
}

/// Links stay whole, however long: a broken one is no link.
fn columns(text: &str, found: &mut Findings) {
    for (index, line) in text.lines().enumerate() {
        let wide = line.chars().count();
        if wide > TEXT_COLUMNS && !line.contains("://") {
            let words =
                format!("a line of the text part is {wide} columns wide, a terminal has {TEXT_COLUMNS}");
            found.warning("text-width", format!("text line {}", index + 1), words);
        }
    }
}
