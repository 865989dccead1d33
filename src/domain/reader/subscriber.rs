//! Who gets the letter.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::reader::address::EmailAddress;
use crate::domain::time::UnixMillis;

/// The store's number for a subscriber. It stands in link tokens, and is never used again
/// after an erasure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubscriberId(pub i64);

/// How often a subscriber's address has changed. The links that open their own page carry it, so
/// that those which an address before had got are good for nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkEpoch(pub i64);

/// Where a subscriber stands: pending → active → unsubscribed | bounced | complained.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubscriberStatus {
    /// Asked for the letter and has not confirmed yet; gets no issue.
    Pending,
    Active,
    Unsubscribed,
    Bounced,
    Complained,
}

impl SubscriberStatus {
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Active, Self::Unsubscribed, Self::Bounced, Self::Complained];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Unsubscribed => "unsubscribed",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }

    /// Whether this status is an end: only the reader's own new sign-up leads out of it,
    /// never an import.
    pub fn is_ended(self) -> bool {
        !matches!(self, Self::Pending | Self::Active)
    }
}

impl fmt::Display for SubscriberStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SubscriberStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or_else(|| {
            format!("status {text:?} is unknown; use pending, active, unsubscribed, bounced or complained")
        })
    }
}

/// A subscriber on the way in: what a file or an operator says of one person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewSubscriber {
    pub email: EmailAddress,
    pub name: Option<String>,
    pub status: SubscriberStatus,
    /// An IANA zone, for example `Europe/Berlin`.
    pub timezone: Option<String>,
    /// When the person joined; for a status that is an end also taken as the time of leaving.
    pub created_at: UnixMillis,
    /// Where the consent came from, for example `import:readers.csv` or `operator`.
    pub source: String,
}

/// A subscriber as the store has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscriber {
    pub id: SubscriberId,
    pub email: EmailAddress,
    pub name: Option<String>,
    pub status: SubscriberStatus,
    pub timezone: Option<String>,
    pub source: String,
    pub created_at: UnixMillis,
    /// Set from the moment the subscriber became active.
    pub activated_at: Option<UnixMillis>,
    /// Set with every status that is an end.
    pub ended_at: Option<UnixMillis>,
    pub epoch: LinkEpoch,
}

/// Why an address is suppressed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SuppressionReason {
    Unsubscribed,
    Bounced,
    Complained,
    Erased,
}

impl SuppressionReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsubscribed => "unsubscribed",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Erased => "erased",
        }
    }
}
