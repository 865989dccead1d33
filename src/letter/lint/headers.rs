//! The headers that mailbox providers want of everybody who sends to many.

use super::findings::{Expected, Findings, short};
use super::message::Message;
use super::subject;

/// Headers that a letter has exactly once.
const ONCE: [&str; 7] = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"];
/// The same for a letter to a list.
const ONCE_OF_A_LIST: [&str; 4] = ["List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Feedback-ID"];
/// What a letter says that nobody wrote by hand (RFC 3834 §5).
const ONCE_OF_A_NOTICE: [&str; 1] = ["Auto-Submitted"];

pub(super) fn check(message: &Message, expected: Expected<'_>, found: &mut Findings) {
    let more = if expected.is_notice { &ONCE_OF_A_NOTICE[..] } else { &ONCE_OF_A_LIST };
    for name in ONCE.iter().chain(more).copied() {
        match message.all(name)[..] {
            [""] => found.error("header", name, format!("{name} is empty")),
            [_] => {}
            [] => found.error("header", name, format!("{name} is missing")),
            ref many => {
                found.error("header", name, format!("{name} stands {} times, once is right", many.len()));
            }
        }
    }
    for (name, value) in &message.headers {
        if name.is_empty() || !name.bytes().all(|octet| octet.is_ascii_graphic()) {
            found.error(
                "header",
                short(name),
                "a header's name has a character that RFC 5322 §2.2 does not allow",
            );
        }
        if value.chars().any(char::is_control) {
            found.error("header", name, "a header holds a control character");
        }
    }
    if !expected.is_notice || message.first("List-Unsubscribe").is_some() {
        one_click(message, expected, found);
    }
    values(message, found);
}

/// RFC 8058 §3.1.
fn one_click(message: &Message, expected: Expected<'_>, found: &mut Findings) {
    let urls = message.unsubscribe_urls();
    let name = "List-Unsubscribe";
    if !urls.iter().any(|url| is_web(url)) {
        found.error(
            "one-click",
            name,
            "List-Unsubscribe has no https link (RFC 8058 §3.1); set site.base_url",
        );
    }
    // A notice that can be left by one click says so for completeness; the letters are what people
    // leave.
    if !expected.is_notice && !urls.iter().any(|url| url.starts_with("mailto:")) {
        found.warning(
            "one-click",
            name,
            "List-Unsubscribe has no mailto link, which some mail programs look for",
        );
    }
    let name = "List-Unsubscribe-Post";
    if message.first(name).is_some_and(|value| value != "List-Unsubscribe=One-Click") {
        let words = format!("{name} has to say List-Unsubscribe=One-Click and nothing else (RFC 8058 §3.1)");
        found.error("one-click", name, words);
    }
}

fn values(message: &Message, found: &mut Findings) {
    let date = message.first("Date").unwrap_or_default();
    if !date.is_empty() && chrono::DateTime::parse_from_rfc2822(date).is_err() {
        found.error("header", "Date", format!("\"{}\" is no date (RFC 5322 §3.3)", short(date)));
    }
    let id = message.first("Message-ID").unwrap_or_default();
    let inside = id.strip_prefix('<').and_then(|id| id.strip_suffix('>'));
    if !id.is_empty() && inside.is_none_or(|id| id.split('@').filter(|half| !half.is_empty()).count() != 2) {
        found.error(
            "header",
            "Message-ID",
            format!("\"{}\" is not <left@right> (RFC 5322 §3.6.4)", short(id)),
        );
    }
    // Encoded words are longer than what they say, and their length says little.
    let subject = message.first("Subject").unwrap_or_default();
    if !subject.contains("=?") {
        subject::length(subject, found);
    }
}

/// Whether a link leads to a site in a way that is safe on the way, this machine's own included.
pub(super) fn is_web(url: &str) -> bool {
    url.starts_with("https://") || is_loopback(url)
}

/// Whether a link leads to this machine alone, as in a demonstration.
pub(super) fn is_loopback(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else { return false };
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
