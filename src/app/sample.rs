//! Who and what a letter is made for when it goes to nobody: a preview, or a check of templates.

use std::time::Duration;

use crate::domain::notice::{ClaimedNotice, NoticeId, NoticeKind};
use crate::domain::subscriber::SubscriberId;
use crate::domain::{EmailAddress, UnixMillis};

const ADDRESS: &str = "reader@example.com";

/// A notice of this kind to somebody.
pub(super) fn sample(kind: NoticeKind, now: UnixMillis) -> ClaimedNotice {
    let data = [
        ("expires_at", now.plus(Duration::from_secs(7 * 24 * 3600)).0.to_string()),
        ("change", "1".to_owned()),
        ("address", "new.address@example.com".to_owned()),
    ];
    ClaimedNotice {
        id: NoticeId(0),
        kind,
        email: address(),
        subscriber: Some(SubscriberId(0)),
        data: data.into_iter().map(|(name, text)| (name.to_owned(), text)).collect(),
        attempt: 1,
        created_at: now,
    }
}

pub(super) fn address() -> EmailAddress {
    EmailAddress::parse(ADDRESS).expect("it is an address")
}

/// The words of an error without the advice to do what is being done.
pub(super) fn plain(words: &str) -> String {
    words.split("; \"verdicts templates check\"").next().unwrap_or(words).to_owned()
}
