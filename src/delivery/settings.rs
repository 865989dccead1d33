//! How fast, how long and over how many sessions letters go out.

use std::collections::HashMap;
use std::time::Duration;

use crate::domain::pace::{UNLIMITED, Warmup};
use crate::domain::rate::Rate;

/// The rate of one connection to a domain that has a limit of connections and none of letters:
/// slots have to be given out at some distance.
const PER_CONNECTION: u32 = 20;

/// How letters go out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MailerSettings {
    /// Sessions at a time, at most.
    pub connections: usize,
    /// None: as fast as the relay takes them.
    pub rate: Option<Rate>,
    /// The wait after a first refusal for now; it doubles from there.
    pub first_retry: Duration,
    /// The age from which on a letter is not tried again.
    pub max_age: Duration,
    /// The wait after a first failed connection attempt, when no other session is open; five times
    /// as long after the second.
    pub reconnect: Duration,
    /// How long a pass waits for the next letter that the pace allows; if that takes longer, the
    /// pass ends.
    pub linger: Duration,
}

impl Default for MailerSettings {
    fn default() -> Self {
        Self {
            connections: 10,
            rate: None,
            first_retry: Duration::from_secs(60),
            max_age: Duration::from_secs(2 * 24 * 3600),
            reconnect: Duration::from_secs(5),
            linger: Duration::from_secs(60 * 60),
        }
    }
}

/// What the settings say about one recipient domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DomainPace {
    pub rate: Option<Rate>,
    /// Letters of the domain in flight at a time, in this process.
    pub connections: Option<usize>,
}

/// What the settings say about the pace, besides the rate of everything.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PaceLimits {
    /// By recipient domain, in lower case.
    pub domains: HashMap<String, DomainPace>,
    pub warmup: Warmup,
}

impl DomainPace {
    pub(super) fn full(&self, all: Option<Rate>) -> Rate {
        let connections = self.connections.map(|most| u32::try_from(most).unwrap_or(u32::MAX));
        let by_connections = connections.map(|most| Rate {
            letters: most.saturating_mul(PER_CONNECTION).max(1),
            per: Duration::from_secs(1),
        });
        self.rate.or(by_connections).or(all).unwrap_or(UNLIMITED)
    }
}
