//! Whom a letter is from and to, and the commands that say so.

use crate::domain::address::EmailAddress;

/// Whom a letter is from and to on the way, as MAIL and RCPT name them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Envelope<'a> {
    pub from: &'a EmailAddress,
    pub to: &'a EmailAddress,
}

/// Whether the envelope needs SMTPUTF8 (RFC 6531 §3.4).
pub(super) fn utf8(from: &EmailAddress, to: &EmailAddress) -> bool {
    from.needs_smtputf8() || to.needs_smtputf8()
}

pub(super) struct Commands {
    pub mail: String,
    pub rcpt: String,
    pub data: String,
}

impl Commands {
    /// The addresses are parsed: dot-atoms at a domain, so that no octet of them can end a command.
    pub fn new(from: &EmailAddress, to: &EmailAddress, utf8: bool) -> Self {
        let parameter = if utf8 { " SMTPUTF8" } else { "" };
        Self {
            mail: format!("MAIL FROM:<{}>{parameter}\r\n", from.expose()),
            rcpt: format!("RCPT TO:<{}>\r\n", to.expose()),
            data: "DATA\r\n".to_owned(),
        }
    }

    /// All three as they go in one write.
    pub fn group(&self) -> String {
        format!("{}{}{}", self.mail, self.rcpt, self.data)
    }
}
