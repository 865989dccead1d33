//! Who sends the letter: the site as every letter names it.

use crate::domain::reader::address::EmailAddress;

/// The `[site]` of the settings, validated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Site {
    /// Stands in From, the masthead and the footer.
    pub name: String,
    /// Absolute, without a slash at the end: `https://verdicts.example`. Every link starts with it.
    pub base_url: String,
    pub from: Mailbox,
    pub reply_to: Option<Mailbox>,
    /// The sender's postal address, one line (CAN-SPAM).
    pub postal_address: String,
    /// The `List-Id` without its angle brackets: `weekly.verdicts.example` (RFC 2919).
    pub list_id: String,
    /// The language of notices, and of pages for readers whose own is not shipped: `en`.
    pub language: String,
}

impl Site {
    pub fn unsubscribe_url(&self, token: &str) -> String {
        format!("{}/unsubscribe/{token}", self.base_url)
    }

    pub fn preferences_url(&self, token: &str) -> String {
        format!("{}/preferences/{token}", self.base_url)
    }

    pub fn vote_url(&self, token: &str) -> String {
        format!("{}/vote/{token}", self.base_url)
    }

    /// The page of a comparison on this site.
    pub fn compare_url(&self, slug: &str) -> String {
        format!("{}/compare/{slug}", self.base_url)
    }

    pub fn issue_url(&self, number: crate::domain::issue::issues::IssueNumber) -> String {
        format!("{}/issues/{number}", self.base_url)
    }
}

/// A name and an address: `Weekly Verdicts <letters@verdicts.example>`. The name is optional.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mailbox {
    pub name: Option<String>,
    pub address: EmailAddress,
}

impl Mailbox {
    /// Parses `Name <a@b.c>` or `a@b.c`.
    ///
    /// # Errors
    /// One line that says what is wrong and what a mailbox looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|t| t.rsplit_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"').trim(), address),
            None => ("", text),
        };
        if name.chars().any(char::is_control) {
            return Err("the name has a control character; write it as Name <name@example.com>".to_owned());
        }
        let address = EmailAddress::parse(address)
            .map_err(|error| format!("{error}; write it as Name <name@example.com>"))?;
        Ok(Self { name: (!name.is_empty()).then(|| name.to_owned()), address })
    }
}
