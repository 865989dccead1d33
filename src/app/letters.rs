//! The letters of an issue, as the mailer asks for them.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use crate::delivery::{Letters, Loader};
use crate::domain::UnixMillis;
use crate::domain::delivery::{Claimed, Variant};
use crate::domain::issue::IssueNumber;
use crate::domain::preferences::Topics;
use crate::domain::token::{Keyring, Purpose};
use crate::mail::{Recipient, Signer, Stencil};
use crate::store::Store;

/// An issue's stencils and the keys for the links in them.
pub(super) struct IssueLetters {
    /// The whole letter.
    stencil: Stencil,
    /// What those get who chose topics, or who were drawn for the other subject.
    variants: HashMap<Variant, Stencil>,
    /// The choices of topics in words, by their numbers.
    topics: HashMap<NonZeroU32, String>,
    keyring: Keyring,
    signer: Arc<Signer>,
}

impl IssueLetters {
    /// The letters of one stencil.
    pub fn of(stencil: Stencil, keyring: Keyring, signer: Arc<Signer>) -> Self {
        Self { stencil, variants: HashMap::new(), topics: HashMap::new(), keyring, signer }
    }

    pub fn subject(&self) -> &str {
        self.stencil.subject()
    }
}

impl Letters for IssueLetters {
    /// The date is the time of enqueueing, so that a second copy of a letter is the same to the
    /// last octet.
    fn fill(&self, claimed: &Claimed, _now: UnixMillis, out: &mut Vec<u8>) {
        let reader = Recipient {
            email: &claimed.email,
            name: claimed.name.as_deref(),
            message_id: &self.keyring.message_id(claimed.issue, claimed.subscriber),
            date: claimed.enqueued_at,
            unsubscribe_token: &self.keyring.link_token(Purpose::Unsubscribe, claimed.subscriber),
            preferences_token: &self.keyring.preferences_token(claimed.subscriber, claimed.epoch),
            vote_token: &self.keyring.link_token(Purpose::Vote, claimed.subscriber),
            topics: claimed.choice.and_then(|choice| self.topics.get(&choice)).map(String::as_str),
        };
        // A variant is written in the commit that gives it to a reader, so it is there; more than
        // was asked for is better than none.
        let chosen = self.variants.get(&claimed.variant);
        chosen.unwrap_or(&self.stencil).fill(&reader, out);
        self.signer.sign(claimed.enqueued_at, out);
    }

    fn is_work(&self) -> bool {
        self.signer.is_slow()
    }
}

/// Reads the letters of an issue from the ledger.
pub(super) fn loader(store: &Store, keyring: &Keyring, signer: &Arc<Signer>) -> Loader {
    let (store, keyring, signer) = (store.clone(), keyring.clone(), signer.clone());
    Arc::new(move |number: IssueNumber| {
        let (store, keyring, signer) = (store.clone(), keyring.clone(), signer.clone());
        Box::pin(async move {
            let text = store.stencil(number).await.map_err(|error| error.to_string())?;
            let text = text.ok_or_else(|| format!("issue {number} has no letter in the database"))?;
            let stencil = Stencil::from_text(&text).map_err(|error| error.to_string())?;
            let mut variants = HashMap::new();
            for (variant, text) in store.variants(number).await.map_err(|error| error.to_string())? {
                let stencil = Stencil::from_text(&text).map_err(|error| error.to_string())?;
                variants.insert(variant, stencil);
            }
            let chosen = store.choices_of(number).await.map_err(|error| error.to_string())?;
            let topics = chosen.into_iter().map(|(choice, text)| (choice, said(&text))).collect();
            Ok(Arc::new(IssueLetters { stencil, variants, topics, keyring, signer }) as Arc<dyn Letters>)
        })
    })
}

/// A choice of topics as the store keeps it, in words.
fn said(topics: &str) -> String {
    let topics = Topics::parse(topics);
    topics.map(|topics| topics.names().collect::<Vec<_>>().join(", ")).unwrap_or_default()
}
