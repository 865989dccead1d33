//! What a test wants said, and where.

/// Where the script is asked what to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    Greeting,
    StartTls,
    Mail,
    Rcpt,
    Data,
    /// After 354, before a single octet of the letter is read.
    Body,
    /// The whole letter is there, dot and all.
    Dot,
    Rset,
}

#[derive(Clone, Debug)]
pub struct Ask {
    pub at: At,
    /// The recipient, from RCPT on.
    pub to: String,
    /// How many RCPTs this recipient has had, this one included.
    pub nth: usize,
    /// The number of the session, from 1.
    pub session: usize,
}

/// What the peer does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// What a relay that likes everybody would do.
    Usual,
    Say(&'static str),
    SayAndDrop(&'static str),
    /// These octets as they are, whatever they are.
    SayOctets(&'static [u8]),
    /// Octets without an end.
    Flood(&'static [u8]),
    Drop,
    /// At the dot: takes the letter, and drops the line before it says so.
    TakeAndDrop,
    /// At the dot: takes the letter, and never says a word again.
    TakeAndHang,
}

pub type Rule = Box<dyn Fn(&Ask) -> Act + Send + Sync>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tls {
    None,
    /// By STARTTLS.
    Upgrade,
    Implicit,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ehlo {
    Taken,
    /// OpenSMTPD: a second one is refused, unless TLS has begun between.
    Once,
    /// A relay of before 1995 knows HELO only.
    Unknown,
}

pub struct Script {
    pub pipelining: bool,
    pub smtputf8: bool,
    pub size: Option<usize>,
    pub tls: Tls,
    /// `PLAIN LOGIN` (or `=LOGIN`, the old form), and the user and password that are let in.
    pub auth: Option<(&'static str, &'static str, &'static str)>,
    /// How EHLO is taken.
    pub ehlo: Ehlo,
    /// Whether DATA says 354 even when no recipient was taken.
    pub data_without_recipients: bool,
    pub rule: Rule,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            pipelining: true,
            smtputf8: false,
            size: None,
            tls: Tls::None,
            auth: None,
            ehlo: Ehlo::Taken,
            data_without_recipients: false,
            rule: Box::new(|_| Act::Usual),
        }
    }
}
