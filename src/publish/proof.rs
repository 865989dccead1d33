//! The proof: the letter filled in for one reader and held up to the linter, before anybody gets it
//! (promise P10).

use super::publisher::{PublishError, Publisher};
use crate::domain::issue::IssueNumber;
use crate::domain::site::Site;
use crate::domain::subscriber::SubscriberId;
use crate::domain::token::{Keyring, Purpose};
use crate::domain::{EmailAddress, UnixMillis};
use crate::letter::lint::{Expected, Finding, Grade, lint};
use crate::mail::{Recipient, Stencil};

/// What the linter says of this letter; the worst comes first. Readers differ in a name and in the
/// tokens of their links alone, so one stands for all: nobody, with a name that has to be encoded.
pub fn proof(
    site: &Site,
    keyring: &Keyring,
    number: IssueNumber,
    stencil: &Stencil,
    now: UnixMillis,
) -> Vec<Finding> {
    let email = EmailAddress::parse("reader@example.com").expect("it is an address");
    let nobody = SubscriberId(0);
    let token = |purpose| keyring.link_token(purpose, nobody);
    let reader = Recipient {
        email: &email,
        name: Some("Æthelflæd Ångström"),
        message_id: &keyring.message_id(number, nobody),
        date: now,
        unsubscribe_token: &token(Purpose::Unsubscribe),
        preferences_token: &token(Purpose::Preferences),
        vote_token: &token(Purpose::Vote),
        topics: Some("Agents & editors, Köder"),
    };
    let mut letter = Vec::new();
    stencil.fill(&reader, &mut letter);
    lint(&letter, Expected { postal_address: Some(&site.postal_address), is_notice: false })
}

impl Publisher {
    /// [`proof`] of a letter of this site.
    pub(super) fn proof(&self, number: IssueNumber, stencil: &Stencil, now: UnixMillis) -> Vec<Finding> {
        proof(&self.settings.site, &self.keyring, number, stencil, now)
    }
}

/// Logs what the linter warns of.
pub(super) fn warn(number: IssueNumber, findings: &[Finding]) {
    for finding in findings.iter().filter(|one| one.grade == Grade::Warning) {
        tracing::warn!(issue = %number, %finding, "the letter could be better");
    }
}

/// Whether a run may start with a letter of which the linter says this.
///
/// # Errors
/// [`PublishError::Flawed`] names the first error.
pub(super) fn passes(number: IssueNumber, findings: Vec<Finding>) -> Result<(), PublishError> {
    let errors = findings.iter().filter(|one| one.grade == Grade::Error).count();
    match findings.into_iter().next() {
        Some(first) if errors > 0 => Err(PublishError::Flawed { number, errors, first }),
        _ => Ok(()),
    }
}
