//! A letter of ours taken apart: headers unfolded, the two parts decoded. Not a parser for mail of
//! others.

use crate::mail::encode::from_quoted_printable;

/// A letter taken apart.
pub struct Message {
    /// Names and values, unfolded, in their order.
    pub headers: Vec<(String, String)>,
    /// The kinds of its parts, in order.
    pub kinds: Vec<String>,
    pub text: Option<String>,
    /// Decoded, with plain line ends, as the text is.
    pub html: Option<String>,
}

impl Message {
    /// Takes a whole letter with CRLF line ends apart; what it does not have is not there.
    pub fn parse(letter: &[u8]) -> Self {
        let whole = String::from_utf8_lossy(letter);
        let (head, body) = whole.split_once("\r\n\r\n").unwrap_or((&whole, ""));
        let mut message = Self { headers: headers(head), kinds: Vec::new(), text: None, html: None };
        let kind = message.first("Content-Type").unwrap_or("text/plain").to_owned();
        match boundary(&kind) {
            Some(boundary) => {
                let cut = format!("--{boundary}");
                // What stands before the first cut is for nobody, and the last ends with two
                // dashes.
                for part in body.split(&cut).skip(1).take_while(|part| !part.starts_with("--")) {
                    let (head, body) = part.trim_start().split_once("\r\n\r\n").unwrap_or((part, ""));
                    message.take(&headers(head), body.strip_suffix("\r\n").unwrap_or(body));
                }
            }
            None => {
                let headers = message.headers.clone();
                message.take(&headers, body);
            }
        }
        message
    }

    fn take(&mut self, headers: &[(String, String)], body: &str) {
        let of = |name: &str| {
            headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
        };
        let kind = of("Content-Type").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let encoding = of("Content-Transfer-Encoding").trim().to_ascii_lowercase();
        let decoded = match encoding.as_str() {
            "quoted-printable" => from_quoted_printable(body.as_bytes()),
            _ => Some(body.to_owned()),
        };
        let place = if kind == "text/html" { &mut self.html } else { &mut self.text };
        *place = decoded.map(|text| text.replace("\r\n", "\n"));
        self.kinds.push(kind);
    }

    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let same = |key: &str| key.eq_ignore_ascii_case(name);
        self.headers.iter().filter(|(key, _)| same(key)).map(|(_, value)| value.as_str()).collect()
    }

    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    /// What a mail program shows beside the subject: the text of the first element of the body that
    /// is out of sight.
    pub fn preview(&self) -> Option<String> {
        let html = self.html.as_deref()?;
        let page = scraper::Html::parse_document(html);
        let hidden = scraper::Selector::parse("body div[style*='display:none']").expect("it is a selector");
        let words: String = page.select(&hidden).next()?.text().collect();
        Some(words.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The URLs of List-Unsubscribe.
    pub(super) fn unsubscribe_urls(&self) -> Vec<&str> {
        let header = self.first("List-Unsubscribe").unwrap_or("");
        header.split(',').filter_map(|one| one.trim().strip_prefix('<')?.strip_suffix('>')).collect()
    }
}

fn headers(head: &str) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        match (line.strip_prefix([' ', '\t']), headers.last_mut()) {
            (Some(more), Some((_, value))) => {
                value.push(' ');
                value.push_str(more.trim_start());
            }
            _ => {
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                headers.push((name.to_owned(), value.trim().to_owned()));
            }
        }
    }
    headers
}

fn boundary(kind: &str) -> Option<&str> {
    if !kind.to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let (_, boundary) = kind.split_once("boundary=")?;
    Some(boundary.trim_matches('"'))
}
