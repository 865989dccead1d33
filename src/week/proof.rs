//! The proof: the letter filled in for one reader and held up to the linter, before anybody gets it (promise P10).

use super::Desk;
use crate::domain::issue::IssueNumber;
use crate::domain::subscriber::SubscriberId;
use crate::domain::token::Purpose;
use crate::domain::{EmailAddress, UnixMillis};
use crate::letter::lint::{Expected, Finding, lint};
use crate::mail::{Reader, Stencil};

/// What the linter says of this letter; the worst comes first. Readers differ in a name and in the tokens of their links alone, so
/// one stands for all: nobody, with a name that has to be encoded.
pub fn proof(desk: &Desk, number: IssueNumber, stencil: &Stencil, now: UnixMillis) -> Vec<Finding> {
    let email = EmailAddress::parse("reader@example.com").expect("it is an address");
    let nobody = SubscriberId(0);
    let token = |purpose| desk.keyring.link_token(purpose, nobody);
    let reader = Reader {
        email: &email,
        name: Some("Æthelflæd Ångström"),
        message_id: &desk.keyring.message_id(number, nobody),
        date: now,
        unsubscribe_token: &token(Purpose::Unsubscribe),
        preferences_token: &token(Purpose::Preferences),
        vote_token: &token(Purpose::Vote),
    };
    let mut letter = Vec::new();
    stencil.fill(&reader, &mut letter);
    lint(&letter, Expected { postal_address: Some(&desk.settings.site.postal_address) })
}
