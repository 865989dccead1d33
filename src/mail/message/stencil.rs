//! One issue's letter, encoded once: fixed octets with slots between them. A reader's letter is a
//! copy with the slots filled, a few microseconds of work, and never a second rendering.
//!
//! What a stencil promises of every letter it fills: CRLF line ends only; ASCII only (unless the
//! reader's own address is not); body lines of at most 76 octets, whatever stands in the slots;
//! headers folded where they may be; the same octets for the same reader before and after a
//! restart. What it does not do: sign, dot-stuff, or send.

use serde::{Deserialize, Serialize};

use super::encode::{self, one_line};
use super::slot::{Marks, Piece, StencilSlot};
use crate::domain::issue::IssueNumber;
use crate::domain::site::Site;
use crate::domain::{EmailAddress, UnixMillis};

/// The first words of a stored stencil; a new way to store one gets a new number.
const FORMAT: &str = "verdicts-stencil-1";
/// The longest name a letter calls a reader by, in characters.
const NAME_MAX: usize = 80;

/// The longest list of a reader's topics, in characters.
const TOPICS_MAX: usize = 200;
/// What stands for the topics of a reader who has not chosen any.
const EVERYTHING: &str = "everything";

/// A rendered letter with marks where readers differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    pub subject: String,
    pub html: String,
    pub text: String,
    /// How `html` and `text` spell their marks.
    pub marks: Marks,
}

/// What one copy of the letter is filled with.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    pub email: &'a EmailAddress,
    pub name: Option<&'a str>,
    /// The left part of the Message-ID, as `Keyring::message_id` makes it.
    pub message_id: &'a str,
    pub date: UnixMillis,
    pub unsubscribe_token: &'a str,
    pub preferences_token: &'a str,
    pub vote_token: &'a str,
    /// What the reader chose, in words; none: everything.
    pub topics: Option<&'a str>,
}

/// An encoded letter, ready to be filled.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stencil {
    format: String,
    subject: String,
    base_url: String,
    parts: Vec<StencilPart>,
}

/// A stretch of the letter as it goes over the wire.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StencilPart {
    /// Octets as they are (ASCII, or UTF-8 where the site's own address needs it).
    Fixed(String),
    /// The `To:` header, whole.
    To,
    /// The value of `Date:`.
    Date,
    /// The left part of the Message-ID.
    MessageId,
    /// The token, in a header.
    UnsubscribeToken,
    /// A slot in the quoted-printable body, on lines of its own between soft breaks.
    Text(StencilSlot),
    /// The same with HTML escaping.
    Html(StencilSlot),
    /// Where the content of the text part and of the HTML part begins, and where either ends.
    TextBegins,
    HtmlBegins,
    Ends,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StencilError {
    #[error("the letter has no {0} link; put {{{{ slots.{0} }}}} back into templates/letter/*.{1}")]
    NoLink(&'static str, &'static str),
    #[error(
        "the stored stencil can't be read ({0}); restore the database, or cancel the issue and send again"
    )]
    Unreadable(String),
    #[error(
        "the stored stencil is {0:?}, this binary reads \"verdicts-stencil-1\"; run the binary that wrote it, or cancel the issue"
    )]
    Format(String),
}

impl Stencil {
    /// Encodes a letter for one issue of a site.
    ///
    /// # Errors
    /// [`StencilError::NoLink`] if the text or the HTML has no unsubscribe link.
    pub fn build(letter: &Letter, site: &Site, number: IssueNumber) -> Result<Self, StencilError> {
        let text = letter.marks.split(&letter.text);
        let html = letter.marks.split(&letter.html);
        for (pieces, suffix) in [(&text, "txt"), (&html, "mjml")] {
            if !pieces.contains(&Piece::Slot(StencilSlot::UnsubscribeUrl)) {
                return Err(StencilError::NoLink(StencilSlot::UnsubscribeUrl.as_str(), suffix));
            }
        }
        // `=_` can't occur in quoted-printable, so the boundary occurs in no part.
        let boundary = format!("=_verdicts_{number}");
        let part = |kind: &str| {
            format!(
                "--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n\
                 Content-Transfer-Encoding: quoted-printable\r\n\r\n"
            )
        };
        let mut parts = head(&letter.subject, site, number);
        parts.push(StencilPart::Fixed(format!(
            "MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary=\"{boundary}\"\r\n\r\n{}",
            part("plain")
        )));
        parts.push(StencilPart::TextBegins);
        parts.extend(body(&text, StencilPart::Text));
        parts.push(StencilPart::Ends);
        parts.push(StencilPart::Fixed(format!("\r\n{}", part("html"))));
        parts.push(StencilPart::HtmlBegins);
        parts.extend(body(&html, StencilPart::Html));
        parts.push(StencilPart::Ends);
        parts.push(StencilPart::Fixed(format!("\r\n--{boundary}--\r\n")));
        let base_url = site.base_url.clone();
        Ok(Self { format: FORMAT.to_owned(), subject: one_line(&letter.subject, 900), base_url, parts })
    }

    /// The stencil as the ledger keeps it, with its format inside.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("strings and enums are always JSON")
    }

    /// Reads what `to_text` wrote.
    ///
    /// # Errors
    /// [`StencilError`] if the text is not a stencil, or one of another format.
    pub fn from_text(text: &str) -> Result<Self, StencilError> {
        let stencil: Self =
            serde_json::from_str(text).map_err(|error| StencilError::Unreadable(error.to_string()))?;
        if stencil.format == FORMAT { Ok(stencil) } else { Err(StencilError::Format(stencil.format)) }
    }

    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Octets of the fixed parts: what every reader's copy has in common, to within a few hundred
    /// octets of the whole.
    pub fn size(&self) -> usize {
        self.parts.iter().map(|part| if let StencilPart::Fixed(text) = part { text.len() } else { 0 }).sum()
    }

    /// Clears `out` and writes one reader's letter into it: a whole RFC 5322 message.
    pub fn fill(&self, reader: &Recipient<'_>, out: &mut Vec<u8>) {
        out.clear();
        out.reserve(self.size() + 4096);
        let mut values = Values { stencil: self, reader, text: Default::default(), html: Default::default() };
        for part in &self.parts {
            match part {
                StencilPart::Fixed(text) => out.extend_from_slice(text.as_bytes()),
                StencilPart::To => encode::address_header("To", reader.name, reader.email.expose(), out),
                StencilPart::Date => out.extend_from_slice(reader.date.utc().to_rfc2822().as_bytes()),
                StencilPart::MessageId => out.extend_from_slice(reader.message_id.as_bytes()),
                StencilPart::UnsubscribeToken => out.extend_from_slice(reader.unsubscribe_token.as_bytes()),
                StencilPart::Text(slot) => push_value(values.text(*slot), out),
                StencilPart::Html(slot) => push_value(values.html(*slot), out),
                StencilPart::TextBegins | StencilPart::HtmlBegins | StencilPart::Ends => {}
            }
        }
    }

    fn value(&self, slot: StencilSlot, reader: &Recipient<'_>) -> String {
        match slot {
            StencilSlot::Addressee => {
                let name = reader.name.map(|name| one_line(name, NAME_MAX)).unwrap_or_default();
                if name.is_empty() { name } else { format!(" {name}") }
            }
            StencilSlot::UnsubscribeUrl => {
                format!("{}/unsubscribe/{}", self.base_url, reader.unsubscribe_token)
            }
            StencilSlot::PreferencesUrl => {
                format!("{}/preferences/{}", self.base_url, reader.preferences_token)
            }
            StencilSlot::VoteUrl => format!("{}/vote/{}", self.base_url, reader.vote_token),
            StencilSlot::Topics => {
                let topics = reader.topics.map(|topics| one_line(topics, TOPICS_MAX)).unwrap_or_default();
                if topics.is_empty() { EVERYTHING.to_owned() } else { topics }
            }
            StencilSlot::ReaderOnly | StencilSlot::ReaderEnd => String::new(),
        }
    }

    /// The HTML for the public archive: nobody's name, nobody's links, and without what is for
    /// the reader alone.
    pub fn web_html(&self) -> String {
        self.public(&StencilPart::HtmlBegins)
    }

    /// The text for the public archive.
    pub fn web_text(&self) -> String {
        self.public(&StencilPart::TextBegins)
    }

    fn public(&self, begins: &StencilPart) -> String {
        let inside = self.parts.iter().skip_while(|part| *part != begins).skip(1);
        let mut text = String::new();
        let mut hidden = false;
        for part in inside {
            match part {
                StencilPart::Ends => break,
                StencilPart::Text(StencilSlot::ReaderOnly) | StencilPart::Html(StencilSlot::ReaderOnly) => {
                    hidden = true;
                }
                StencilPart::Text(StencilSlot::ReaderEnd) | StencilPart::Html(StencilSlot::ReaderEnd) => {
                    hidden = false;
                }
                StencilPart::Fixed(encoded) if !hidden => {
                    text.push_str(&encode::from_quoted_printable(encoded.as_bytes()).unwrap_or_default());
                }
                StencilPart::Text(
                    StencilSlot::UnsubscribeUrl | StencilSlot::PreferencesUrl | StencilSlot::VoteUrl,
                )
                | StencilPart::Html(
                    StencilSlot::UnsubscribeUrl | StencilSlot::PreferencesUrl | StencilSlot::VoteUrl,
                ) if !hidden => {
                    text.push_str(&self.base_url);
                    text.push('/');
                }
                _ => {}
            }
        }
        text
    }
}

/// The headers, as far as `MIME-Version`.
fn head(subject: &str, site: &Site, number: IssueNumber) -> Vec<StencilPart> {
    let domain = site.from.address.domain();
    let mut from = Vec::new();
    encode::mailbox_header("From", &site.from, &mut from);
    if let Some(reply_to) = &site.reply_to {
        encode::mailbox_header("Reply-To", reply_to, &mut from);
    }
    from.extend(encode::text_header("Subject", &one_line(subject, 900)));
    let mut list = Vec::new();
    encode::address_header("List-Id", Some(&site.name), &site.list_id, &mut list);
    let list = String::from_utf8_lossy(&list);
    let answers = site.reply_to.as_ref().unwrap_or(&site.from);
    let mailto = percent_encoding::utf8_percent_encode(answers.address.expose(), MAILTO);
    vec![
        StencilPart::Fixed("Date: ".to_owned()),
        StencilPart::Date,
        StencilPart::Fixed(format!("\r\n{}", String::from_utf8_lossy(&from))),
        StencilPart::To,
        StencilPart::Fixed("Message-ID: <".to_owned()),
        StencilPart::MessageId,
        StencilPart::Fixed(format!("@{domain}>\r\nList-Unsubscribe: <{}/unsubscribe/", site.base_url)),
        StencilPart::UnsubscribeToken,
        StencilPart::Fixed(format!(">,\r\n <mailto:{mailto}?subject=unsubscribe%20")),
        StencilPart::UnsubscribeToken,
        StencilPart::Fixed(format!(
            ">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n{list}\
             Feedback-ID: issue-{number}:{}:letter:{domain}\r\nPrecedence: bulk\r\n",
            site.list_id
        )),
    ]
}

/// What RFC 6068 wants escaped in the address of a `mailto:` link.
const MAILTO: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'@')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'+')
    .remove(b'~');

fn body(pieces: &[Piece<'_>], slot: fn(StencilSlot) -> StencilPart) -> Vec<StencilPart> {
    let fixed =
        |text: &str| StencilPart::Fixed(String::from_utf8(encoded(text)).expect("quoted-printable is ASCII"));
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => fixed(text),
            Piece::Slot(filled) => slot(*filled),
        })
        .collect()
}

/// One reader's values, encoded when a slot first asks for them: a letter has a vote link for every
/// tool, and making one costs more than copying it.
struct Values<'a> {
    stencil: &'a Stencil,
    reader: &'a Recipient<'a>,
    text: [Option<Vec<u8>>; StencilSlot::ALL.len()],
    html: [Option<Vec<u8>>; StencilSlot::ALL.len()],
}

impl Values<'_> {
    fn text(&mut self, slot: StencilSlot) -> &[u8] {
        let (stencil, reader) = (self.stencil, self.reader);
        self.text[slot as usize].get_or_insert_with(|| encoded(&stencil.value(slot, reader)))
    }

    fn html(&mut self, slot: StencilSlot) -> &[u8] {
        let (stencil, reader) = (self.stencil, self.reader);
        self.html[slot as usize].get_or_insert_with(|| encoded(&escape(&stencil.value(slot, reader))))
    }
}

fn encoded(value: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() * 9 / 8);
    encode::quoted_printable(value, &mut out);
    out
}

/// Writes a slot's value between soft breaks, so that neither it nor what follows can make a
/// line too long.
fn push_value(value: &[u8], out: &mut Vec<u8>) {
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"=\r\n");
    }
    if !value.is_empty() {
        out.extend_from_slice(value);
        out.extend_from_slice(b"=\r\n");
    }
}

/// Escapes a value for HTML text and quoted attributes.
fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
