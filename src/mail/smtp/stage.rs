//! The steps of the conversation with a relay, as refusals name them.

use std::fmt;

/// Where in the conversation a reply came.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    Greeting,
    Hello,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// The answer to the final dot.
    Dot,
    /// Not the relay's reply: we saw before asking that this letter can't go over this relay.
    Local,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "the greeting",
            Self::Hello => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL FROM",
            Self::Rcpt => "RCPT TO",
            Self::Data => "DATA",
            Self::Dot => "the end of the letter",
            Self::Local => "our own check",
        })
    }
}
