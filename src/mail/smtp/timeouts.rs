//! How long a relay may take.

use std::time::Duration;

/// How long each phase may take, as RFC 5321 §4.5.3.2 says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// TCP and TLS; the RFC leaves it to us.
    pub connect: Duration,
    /// The relay's 220, and the answers to EHLO and AUTH.
    pub greeting: Duration,
    /// The answers to MAIL, RCPT and RSET.
    pub envelope: Duration,
    /// The answer to DATA.
    pub data: Duration,
    /// Writing the letter out.
    pub block: Duration,
    /// The answer to the final dot.
    pub final_dot: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Self {
            connect: Duration::from_secs(30),
            greeting: minutes(5),
            envelope: minutes(5),
            data: minutes(2),
            block: minutes(3),
            final_dot: minutes(10),
        }
    }
}
