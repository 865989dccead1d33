//! What a refusal was about, for people who read reports and choose what to try again. What a
//! refusal *does* is decided elsewhere ([`crate::delivery::outcome::transition`]); this only sorts.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::domain::delivery::deliveries::Reply;

/// What a refusal was about, by the reply alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// The mailbox is not there, or takes nothing any more.
    Mailbox,
    /// The mailbox is full.
    Full,
    /// A policy: reputation, authentication, blocklists, rates.
    Policy,
    /// The letter itself: size, format, what is in it.
    Content,
    /// The way there: no answer, a line that broke, a system that is down or too busy.
    Network,
    /// The conversation: commands that were not understood.
    Protocol,
    /// None of these can be read from the reply.
    Other,
}

impl Class {
    pub const ALL: [Self; 7] =
        [Self::Mailbox, Self::Full, Self::Policy, Self::Content, Self::Network, Self::Protocol, Self::Other];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mailbox => "mailbox",
            Self::Full => "full",
            Self::Policy => "policy",
            Self::Content => "content",
            Self::Network => "network",
            Self::Protocol => "protocol",
            Self::Other => "other",
        }
    }

    /// By the enhanced status code (RFC 3463 §3) if it says enough, else by the basic one (RFC 5321
    /// §4.2.3). No reply is a matter of the network.
    pub fn of(reply: Option<&Reply>) -> Self {
        let Some(reply) = reply else { return Self::Network };
        by_enhanced(reply.enhanced.as_deref()).unwrap_or_else(|| by_code(reply.code))
    }
}

fn by_enhanced(enhanced: Option<&str>) -> Option<Class> {
    let mut parts = enhanced?.split('.').skip(1).map(|part| part.parse::<u16>().ok());
    Some(match (parts.next()??, parts.next()??) {
        // 5.1.7 and 5.1.8 speak of the sender's address.
        (1, 7 | 8) => Class::Policy,
        (1 | 2, 0) => return None,
        (1, _) => Class::Mailbox,
        (2, 2) => Class::Full,
        (2, 3) => Class::Content,
        (2, _) => Class::Mailbox,
        (3, 4) => Class::Content,
        (3 | 4, _) => Class::Network,
        (5, 0) => return None,
        (5, _) => Class::Protocol,
        // RFC 6531 §3.7.4: the address needs an extension that the relay lacks.
        (6, 7) => Class::Mailbox,
        (6, _) => Class::Content,
        (7, _) => Class::Policy,
        _ => return None,
    })
}

fn by_code(code: u16) -> Class {
    match code {
        450 | 550 | 551 | 553 | 556 => Class::Mailbox,
        452 | 552 => Class::Full,
        530 | 534 | 535 | 538 | 554 | 571 => Class::Policy,
        421 | 451 | 454 => Class::Network,
        500..=504 | 455 | 555 => Class::Protocol,
        _ => Class::Other,
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Class {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|class| class.as_str() == text).ok_or_else(|| {
            let all: Vec<_> = Self::ALL.iter().map(|class| class.as_str()).collect();
            format!("it is no class of replies; use {} or all", all.join(", "))
        })
    }
}

/// How many of each class.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Classes([u64; Class::ALL.len()]);

impl Classes {
    pub fn add(&mut self, class: Class) {
        self.add_many(class, 1);
    }

    pub fn add_many(&mut self, class: Class, letters: u64) {
        self.0[class as usize] += letters;
    }

    /// Those that are not zero, the most frequent first.
    pub fn counts(&self) -> Vec<(Class, u64)> {
        let mut counts: Vec<_> = Class::ALL.into_iter().zip(self.0).filter(|(_, n)| *n > 0).collect();
        counts.sort_by_key(|(class, n)| (std::cmp::Reverse(*n), *class));
        counts
    }
}

/// `3 mailbox, 1 policy`; empty when there is nothing.
impl fmt::Display for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (class, n)) in self.counts().into_iter().enumerate() {
            write!(f, "{}{n} {class}", if at > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

/// The letters of an issue that were refused, by the class of the last reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Refused {
    /// For now: they are tried again.
    pub deferred: Classes,
    /// For good.
    pub failed: Classes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reply_has_a_class() {
        for (code, enhanced, class) in [
            (550, "5.1.1", Class::Mailbox),
            (550, "5.2.1", Class::Mailbox),
            (550, "", Class::Mailbox),
            (550, "5.0.0", Class::Mailbox),
            (552, "5.2.2", Class::Full),
            (452, "4.2.2", Class::Full),
            (552, "", Class::Full),
            (550, "5.7.1", Class::Policy),
            (421, "4.7.0", Class::Policy),
            (554, "", Class::Policy),
            (550, "5.1.8", Class::Policy),
            (552, "5.3.4", Class::Content),
            (554, "5.6.0", Class::Content),
            (451, "4.3.0", Class::Network),
            (451, "4.4.2", Class::Network),
            (421, "", Class::Network),
            (503, "5.5.1", Class::Protocol),
            (500, "", Class::Protocol),
            (599, "", Class::Other),
            (550, "5.x.1", Class::Mailbox),
        ] {
            let enhanced = (!enhanced.is_empty()).then(|| enhanced.to_owned());
            let reply = Reply { code, enhanced, text: String::new() };
            assert_eq!(Class::of(Some(&reply)), class, "{reply}");
        }
        assert_eq!(Class::of(None), Class::Network);
    }

    #[test]
    fn names_and_counts_read_back() {
        for (at, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!((class.as_str().parse(), class as usize), (Ok(class), at));
        }
        assert!("nonsense".parse::<Class>().unwrap_err().contains("mailbox, full"));
        let mut classes = Classes::default();
        assert_eq!(classes.to_string(), "");
        for class in [Class::Policy, Class::Mailbox, Class::Policy] {
            classes.add(class);
        }
        assert_eq!(classes.to_string(), "2 policy, 1 mailbox");
    }
}
