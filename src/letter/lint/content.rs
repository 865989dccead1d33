//! What the letter says: nothing left over from a template, the way out and the postal address in
//! both parts, and what filters dislike.

use super::findings::{Expected, Findings, short};
use super::message::Message;

/// Words in a subject that filters take for advertising. A hint only: a tool may be called so.
const SPAM: [&str; 14] = [
    "act now",
    "100% free",
    "buy now",
    "cash bonus",
    "click here",
    "earn money",
    "free!!!",
    "guaranteed",
    "limited time",
    "make money",
    "no obligation",
    "risk-free",
    "urgent",
    "winner",
];

pub(super) fn check(message: &Message, expected: Expected<'_>, found: &mut Findings) {
    let parts = [("HTML", message.html.as_deref()), ("text", message.text.as_deref())];
    for (part, body) in parts.into_iter().filter_map(|(part, body)| Some((part, body?))) {
        left_over(part, body, found);
        way_out(part, body, message, found);
        if let Some(address) = expected.postal_address
            && !is_said(&if part == "HTML" { without_entities(body) } else { body.to_owned() }, address)
        {
            let words = format!(
                "the postal address is not in the {part} part (CAN-SPAM §7704(a)(5)); put site's postal_address back into the footer"
            );
            found.error("postal-address", part, words);
        }
    }
    subject(message.first("Subject").unwrap_or_default(), found);
}

/// Marks of templates and slots that nobody filled in. A warning: tera refuses what it can't fill,
/// so it is a comparison that writes about templates more often than not, and that must not stop a
/// run.
fn left_over(part: &str, body: &str, found: &mut Findings) {
    for (open, close) in [("{{", "}}"), ("{%", "%}"), ("[[", "]]")] {
        for (at, _) in body.match_indices(open) {
            let inside = &body[at + open.len()..];
            let Some(end) = inside.find(close).filter(|end| *end < 60) else { continue };
            let inside = &inside[..end];
            // A slot's mark is a number and a name; a comparison that quotes brackets is none.
            let is_mark = open != "[["
                || inside.split_once(':').is_some_and(|(number, name)| {
                    number.parse::<u32>().is_ok() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
                });
            if is_mark {
                let words = format!(
                    "\"{open}{}{close}\" in the {part} part looks like a place that nobody filled; mend the template, unless a comparison quotes it",
                    short(inside)
                );
                found.warning("placeholder", part, words);
            }
        }
    }
    if body.to_lowercase().contains("lorem ipsum") {
        found.error(
            "placeholder",
            part,
            "there is a \"lorem ipsum\" in the letter; write what it stands for",
        );
    }
}

fn way_out(part: &str, body: &str, message: &Message, found: &mut Findings) {
    let urls = message.unsubscribe_urls();
    let web = urls.iter().find(|url| url.starts_with("http"));
    if let Some(url) = web
        && !body.contains(*url)
        && !body.contains(&url.replace('&', "&amp;"))
    {
        let words = format!(
            "the {part} part has no unsubscribe link; put {{{{ slots.unsubscribe_url }}}} back into the footer"
        );
        found.error("way-out", part, words);
    }
}

/// Whether the words of `said` stand in `body` in this order, however it breaks lines.
fn is_said(body: &str, said: &str) -> bool {
    let words = |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).collect() };
    words(body).contains(&words(said))
}

/// Characters that HTML spells out are left out: none of them is a letter of an address.
fn without_entities(text: &str) -> String {
    let mut rest = text;
    let mut clean = String::with_capacity(text.len());
    while let Some(at) = rest.find('&') {
        clean.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(end) = rest.find(';').filter(|end| *end < 10) {
            rest = &rest[end + 1..];
        }
    }
    clean + rest
}

pub(super) fn subject(subject: &str, found: &mut Findings) {
    let lower = subject.to_lowercase();
    if let Some(word) = SPAM.into_iter().find(|word| lower.contains(word)) {
        found.hint("spam-words", "Subject", format!("filters dislike \"{word}\" in a subject"));
    }
    let letters: Vec<char> = subject.chars().filter(|c| c.is_alphabetic()).collect();
    if letters.len() > 12 && letters.iter().filter(|c| c.is_uppercase()).count() * 10 > letters.len() * 7 {
        found.hint("spam-words", "Subject", "filters dislike a subject in capitals");
    }
    if subject.matches(['!', '?']).count() > 2 {
        found.hint("spam-words", "Subject", "filters dislike more than two exclamation and question marks");
    }
}
