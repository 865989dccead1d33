//! The line to a relay as a conversation: commands out, replies in.
//!
//! What a relay may say is bounded before it is understood: so many octets a line, so many lines a
//! reply, in one buffer that never grows. Within that it is read as RFC 5321 §4.2 wants a client
//! to: by the code alone. A code without text is a reply, octets beyond ASCII in the text harm
//! nothing, and a lone LF ends a line as well.

use std::borrow::Cow;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;

use futures_io::{AsyncRead as _, AsyncWrite as _};
use lettre::transport::smtp::Error;
#[expect(deprecated, reason = "as in `stream`")]
use lettre::transport::smtp::client::AsyncNetworkStream;
use lettre::transport::smtp::client::TlsParameters;

use super::reply::ReplyText;
use super::stream::RelayStream;
use crate::domain::delivery::Reply;

/// Most octets of one line, its end included. The RFC has 512 (§4.5.3.1.5); some say more.
const LONGEST: usize = 4096;
/// Most lines of one reply.
const MOST_LINES: usize = 256;

/// Why there is no reply. The line is of no more use: what comes next could pass for the answer to
/// something else.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the relay closed it without an answer")]
    Closed,
    #[error("the relay's answer has a line of more than {LONGEST} octets")]
    LongLine,
    #[error("the relay's answer has more than {MOST_LINES} lines")]
    ManyLines,
    #[error("{0:?} is no reply of SMTP")]
    NoReply(String),
}

/// A line, in the clear or encrypted.
pub(super) struct Line {
    #[expect(deprecated, reason = "as in `stream`")]
    stream: AsyncNetworkStream,
    /// What was read and not yet understood stands from `from` to `to`.
    space: Box<[u8]>,
    from: usize,
    to: usize,
}

impl Line {
    #[expect(deprecated, reason = "as in `stream`")]
    pub fn new(stream: RelayStream) -> Self {
        let stream = AsyncNetworkStream::use_existing_tokio1(Box::new(stream));
        Self { stream, space: vec![0; LONGEST].into_boxed_slice(), from: 0, to: 0 }
    }

    /// Goes on encrypted.
    pub async fn encrypt(&mut self, tls: TlsParameters) -> Result<(), Error> {
        self.stream.upgrade_tls(tls).await
    }

    /// Whether the relay has said something that nobody has asked for yet.
    pub fn has_unread(&self) -> bool {
        self.from < self.to
    }

    /// Says `words`, which end with a CRLF, and reads the answer to the first command in them.
    pub async fn ask(&mut self, words: &str) -> Result<Reply, LineError> {
        self.say(words).await?;
        self.reply().await
    }

    pub async fn say(&mut self, words: &str) -> Result<(), LineError> {
        let mut left = words.as_bytes();
        while !left.is_empty() {
            let written = poll_fn(|cx| Pin::new(&mut self.stream).poll_write(cx, left)).await?;
            if written == 0 {
                return Err(LineError::Closed);
            }
            left = &left[written..];
        }
        Ok(poll_fn(|cx| Pin::new(&mut self.stream).poll_flush(cx)).await?)
    }

    /// The next reply.
    pub async fn reply(&mut self) -> Result<Reply, LineError> {
        let mut text = ReplyText::default();
        let code = self.each_line(|code, line| text.add(code, line)).await?;
        Ok(text.into_reply(code))
    }

    /// The next reply, line by line as `each` takes them; its code.
    pub async fn each_line(&mut self, mut each: impl FnMut(u16, &str)) -> Result<u16, LineError> {
        let mut first = None;
        for _ in 0..MOST_LINES {
            let end = self.line_end().await?;
            let line = &self.space[self.from..end];
            // §4.2.1: all lines of a reply have the same code.
            let parsed = parse(line).filter(|(code, ..)| first.is_none_or(|first| first == *code));
            let Some((code, is_last, text)) = parsed else {
                return Err(LineError::NoReply(decoded(line).chars().take(80).collect()));
            };
            each(code, &text);
            self.from = end + 1;
            if is_last {
                return Ok(code);
            }
            first = Some(code);
        }
        Err(LineError::ManyLines)
    }

    /// Where the line that stands at `from` has its LF; reads on until it has one.
    async fn line_end(&mut self) -> Result<usize, LineError> {
        let mut searched = self.from;
        loop {
            if let Some(found) = memchr::memchr(b'\n', &self.space[searched..self.to]) {
                return Ok(searched + found);
            }
            self.space.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
            searched = self.to;
            if self.to == self.space.len() {
                return Err(LineError::LongLine);
            }
            let space = &mut self.space[self.to..];
            match poll_fn(|cx| Pin::new(&mut self.stream).poll_read(cx, space)).await? {
                0 => return Err(LineError::Closed),
                read => self.to += read,
            }
        }
    }
}

/// `250-text`, `250 text` or `250`: the code, whether it is the last line, and the text.
fn parse(line: &[u8]) -> Option<(u16, bool, Cow<'_, str>)> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (digits, rest) = line.split_at_checked(3)?;
    if !matches!(digits[0], b'2'..=b'5') || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match rest.split_first() {
        None => Some((code, true, Cow::Borrowed(""))),
        Some((b' ', text)) => Some((code, true, decoded(text))),
        Some((b'-', text)) => Some((code, false, decoded(text))),
        Some(_) => None,
    }
}

/// UTF-8, or else Latin-1, in which every octet is something.
fn decoded(text: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(text) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(text.iter().copied().map(char::from).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_by_its_code() {
        let read =
            |line: &'static [u8]| parse(line).map(|(code, last, text)| (code, last, text.into_owned()));
        for (line, code, is_last, text) in [
            (&b"250 2.0.0 ok\r"[..], 250, true, "2.0.0 ok"),
            (b"250-mx.example.com\r", 250, false, "mx.example.com"),
            (b"250\r", 250, true, ""),
            (b"250", 250, true, ""),
            (b"250 \r", 250, true, ""),
            (b"250-\r", 250, false, ""),
            (b"550 Empf\xe4nger unbekannt\r", 550, true, "Empfänger unbekannt"),
            ("550 Empfänger unbekannt\r".as_bytes(), 550, true, "Empfänger unbekannt"),
            (b"299 never heard of\r", 299, true, "never heard of"),
        ] {
            assert_eq!(read(line), Some((code, is_last, text.to_owned())), "{line:?}");
        }
        for line in [&b""[..], b"25\r", b"ok\r", b"2\xb50 x", b"650 x", b"150 x", b"250ok", b"HTTP/1.1 400"] {
            assert_eq!(read(line), None, "{line:?}");
        }
    }
}
