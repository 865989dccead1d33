//! What a reader finds in the mail: the letters of an outbox, taken apart.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::house::{header, outbox};

/// A letter with every link in it.
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// The https and http links of its header, its HTML and its text.
    pub links: BTreeSet<String>,
}

impl Mail {
    fn parse(octets: &[u8]) -> Self {
        let parsed = mail_parser::MessageParser::default().parse(octets).expect("a letter");
        let text = parsed.body_text(0).unwrap_or_default().into_owned();
        let html = parsed.body_html(0).unwrap_or_default().into_owned();
        let mut links = BTreeSet::new();
        let left = header(octets, "List-Unsubscribe").unwrap_or_default();
        links.extend(left.split(['<', '>']).filter(|part| part.starts_with("http")).map(str::to_owned));
        links.extend(html_links(&html));
        links.extend(text_links(&text));
        Self {
            to: header(octets, "To").unwrap_or_default(),
            subject: parsed.subject().unwrap_or_default().to_owned(),
            text,
            html,
            links,
        }
    }

    /// The only link with this in its path.
    pub fn link(&self, part: &str) -> String {
        let found = self.links.iter().find(|link| link.contains(part));
        found.unwrap_or_else(|| panic!("no link with {part} in {:?}", self.links)).clone()
    }
}

/// The first letter that is asked for, as soon as it is there.
pub fn wait_for(folder: &Path, wanted: impl Fn(&Mail) -> bool) -> Mail {
    let start = Instant::now();
    loop {
        if let Some(mail) = letters(folder).into_iter().find(|mail| wanted(mail)) {
            return mail;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "the letter does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Every letter in the folder.
pub fn letters(folder: &Path) -> Vec<Mail> {
    outbox(folder).iter().map(|octets| Mail::parse(octets)).collect()
}

/// The values of `href`, `src` and `action` in a page, with entities resolved.
pub fn html_links(html: &str) -> Vec<String> {
    let mut links = Vec::new();
    for name in ["href=\"", "src=\"", "action=\""] {
        for (at, _) in html.match_indices(name) {
            let value = html[at + name.len()..].split('"').next().unwrap_or_default();
            let value = value
                .replace("&#x2F;", "/")
                .replace("&#x27;", "'")
                .replace("&quot;", "\"")
                .replace("&amp;", "&");
            links.push(value);
        }
    }
    links
}

/// What looks like an address of a page in plain text.
fn text_links(text: &str) -> Vec<String> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | '"'));
    words
        .filter(|word| word.starts_with("http://") || word.starts_with("https://"))
        .map(|word| word.trim_end_matches(['.', ',', ';', '!', '?']).to_owned())
        .collect()
}
