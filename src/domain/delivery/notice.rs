//! A notice: a letter to one person because of something they did.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::domain::reader::address::EmailAddress;
use crate::domain::reader::subscriber::{LinkEpoch, SubscriberId};
use crate::domain::time::UnixMillis;

/// The store's number for a notice. Never used again; the Message-ID comes from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NoticeId(pub i64);

/// What a notice says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NoticeKind {
    /// Somebody gave this address at the form: the link to confirm.
    Confirm,
    /// The address is subscribed already: nothing is to be done.
    AlreadySubscribed,
    /// It is done: the latest issue, and where the preferences are.
    Welcome,
    /// To the new address of a subscriber: the link that makes it theirs.
    AddressChange,
    /// To the old address: where the letters go from now on, and what to do if that is wrong.
    AddressChanged,
}

impl NoticeKind {
    pub const ALL: [Self; 5] =
        [Self::Confirm, Self::AlreadySubscribed, Self::Welcome, Self::AddressChange, Self::AddressChanged];

    /// As it stands in the store, and as its templates are called.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::AlreadySubscribed => "already_subscribed",
            Self::Welcome => "welcome",
            Self::AddressChange => "address_change",
            Self::AddressChanged => "address_changed",
        }
    }

    /// Whether it makes no sense any more once the subscriber has left.
    pub fn is_for_readers_only(self) -> bool {
        matches!(self, Self::AlreadySubscribed | Self::Welcome)
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for NoticeKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kind = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        kind.ok_or_else(|| format!("{text:?} is no kind of notice that this binary knows"))
    }
}

/// What a kind's templates need to know beyond the subscriber, by name. Kept in the store for as
/// long as the notice is, so it holds no token that could be made again when the notice is written.
pub type NoticeData = BTreeMap<String, String>;

/// A notice on its way into the queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewNotice {
    pub kind: NoticeKind,
    /// Where it goes; for [`NoticeKind::AddressChange`] not the subscriber's own.
    pub email: EmailAddress,
    /// Whose links stand in it.
    pub subscriber: Option<SubscriberId>,
    pub data: NoticeData,
}

impl NewNotice {
    /// One that needs no further data.
    pub fn new(kind: NoticeKind, email: &EmailAddress, subscriber: SubscriberId) -> Self {
        Self { kind, email: email.clone(), subscriber: Some(subscriber), data: NoticeData::new() }
    }

    /// One with the link to the reader's own page: that of the address as it is now, whatever it is
    /// when the notice is written.
    pub fn to_reader(
        kind: NoticeKind,
        email: &EmailAddress,
        subscriber: SubscriberId,
        epoch: LinkEpoch,
    ) -> Self {
        let notice = Self::new(kind, email, subscriber);
        if epoch == LinkEpoch::default() { notice } else { notice.with("epoch", epoch.0.to_string()) }
    }

    /// The same with one more text for its templates.
    #[must_use]
    pub fn with(mut self, name: &str, text: impl Into<String>) -> Self {
        self.data.insert(name.to_owned(), text.into());
        self
    }
}

/// A notice that a worker has claimed: the attempt is written down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClaimedNotice {
    pub id: NoticeId,
    pub kind: NoticeKind,
    pub email: EmailAddress,
    pub subscriber: Option<SubscriberId>,
    pub data: NoticeData,
    /// Which attempt this is: 1 for the first.
    pub attempt: u32,
    /// The Date of the letter, at every attempt.
    pub created_at: UnixMillis,
}

/// What came of asking for the next notice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NextNotice {
    /// Claimed, and to be sent now.
    Due(ClaimedNotice),
    /// Nothing may go before this moment: then one is due, or the rate lets it go.
    At(UnixMillis),
    /// There is none in the queue.
    Nothing,
}
