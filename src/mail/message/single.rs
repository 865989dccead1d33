//! A letter to one person, written as a whole: a notice. Letters of an issue are
//! a [`super::stencil::Stencil`] instead.
//!
//! CRLF line ends only; ASCII only (unless an address is not); body lines of at most 76 octets;
//! headers folded where they may be. What stands in a subject or a display name can't become a
//! header of its own.

use super::encode::{self, one_line};
use crate::domain::site::Site;
use crate::domain::{EmailAddress, UnixMillis};

/// What one notice is made of.
#[derive(Clone, Debug)]
pub struct Single<'a> {
    pub to: &'a EmailAddress,
    pub subject: &'a str,
    /// The left part of the Message-ID, the same at every attempt.
    pub message_id: &'a str,
    /// The same at every attempt.
    pub date: UnixMillis,
    /// For `Content-Language` (RFC 3282): `en`.
    pub language: &'a str,
    pub text: &'a str,
    pub html: &'a str,
    /// The one-click link (RFC 8058), in notices to readers; never to somebody who
    /// has not confirmed.
    pub unsubscribe_url: Option<&'a str>,
}

impl Single<'_> {
    /// The whole RFC 5322 message. Mail programs answer it with no "out of office" (RFC 3834 §5).
    pub fn to_letter(&self, site: &Site) -> Vec<u8> {
        let domain = site.from.address.domain();
        let mut out = Vec::with_capacity((self.text.len() + self.html.len()) * 9 / 8 + 2048);
        let mut line = |text: String| out.extend_from_slice(text.as_bytes());
        line(format!("Date: {}\r\n", self.date.utc().to_rfc2822()));
        encode::mailbox_header("From", &site.from, &mut out);
        if let Some(reply_to) = &site.reply_to {
            encode::mailbox_header("Reply-To", reply_to, &mut out);
        }
        out.extend(encode::text_header("Subject", &one_line(self.subject, 900)));
        encode::address_header("To", None, self.to.expose(), &mut out);
        let mut line = |text: String| out.extend_from_slice(text.as_bytes());
        line(format!("Message-ID: <{}@{domain}>\r\n", self.message_id));
        if let Some(url) = self.unsubscribe_url {
            line(format!(
                "List-Unsubscribe: <{url}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
            ));
        }
        line(format!(
            "Auto-Submitted: auto-generated\r\nContent-Language: {}\r\nMIME-Version: 1.0\r\n",
            self.language
        ));
        // `=_` can't occur in quoted-printable, so the boundary occurs in no part.
        let boundary = format!("=_notice_{}", self.message_id);
        line(format!("Content-Type: multipart/alternative;\r\n boundary=\"{boundary}\"\r\n\r\n"));
        for (kind, body) in [("plain", self.text), ("html", self.html)] {
            out.extend_from_slice(
                format!(
                    "--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n\
                     Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                )
                .as_bytes(),
            );
            encode::quoted_printable(body, &mut out);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        out
    }
}
