//! Notices to look at.

use super::unfilled::one;
use crate::app::sample::sample;
use crate::domain::UnixMillis;
use crate::domain::issue::{Issue, IssueNumber};
use crate::domain::notice::NoticeKind;
use crate::domain::site::Site;
use crate::letter::lint::{Expected, Message, lint};
use crate::letter::{Latest, NoticeWriter};
use crate::web::preview::{PreviewLetter, Shown};

/// Notices of which nobody knows an issue yet are shown with this one.
const NO_ISSUE: &str = "The subject of your latest letter";

/// A notice of this kind as it would go out now; `last` is the newest issue.
pub(super) fn notice(writer: &NoticeWriter, site: &Site, last: Option<&Issue>, kind: NoticeKind) -> Shown {
    let latest = match last {
        Some(issue) => Latest::new(site, issue.number, &issue.subject),
        None => Latest::new(site, IssueNumber(1), NO_ISSUE),
    };
    let wire = writer.write(&sample(kind, UnixMillis::now()), Some(&latest)).map_err(one)?;
    let expected = Expected { postal_address: Some(&site.postal_address), is_notice: true };
    let mut notes = Vec::new();
    if last.is_none() && kind.is_for_readers_only() {
        notes.push("There is no issue yet, so the one it names is made up.".to_owned());
    }
    Ok(PreviewLetter {
        subject: writer.subject(kind),
        preheader: preheader(&wire),
        findings: lint(&wire, expected),
        wire,
        readers: Vec::new(),
        notes,
    })
}

/// What the menu calls it.
pub(super) fn label(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Confirm => "Confirm",
        NoticeKind::AlreadySubscribed => "Already subscribed",
        NoticeKind::Welcome => "Welcome",
        NoticeKind::AddressChange => "New address",
        NoticeKind::AddressChanged => "Address changed",
    }
}

/// What a mail program shows beside the subject: the first words of the HTML.
fn preheader(wire: &[u8]) -> String {
    Message::parse(wire).preview().unwrap_or_default()
}
