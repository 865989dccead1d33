//! What a pass needs besides the store: the transport, the settings and the letters.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;

use super::outcome::backoff::Patience;
use super::relay::relays::Relays;
use super::settings::{MailerSettings, PaceLimits};
use crate::domain::delivery::Claimed;
use crate::domain::issue::IssueNumber;
use crate::domain::token::Keyring;
use crate::domain::{EmailAddress, UnixMillis};
use crate::mail::{Outbox, Relay, Wire};
use crate::store::{RestoreGuard, Store, StoreError};

/// Where letters are handed over.
pub enum Transport {
    Outbox(Outbox),
    Smtp(Box<Relay>),
    /// Several relays, by weight; one that fails is left out.
    Several(Relays),
}

/// A letter as its transport takes it.
pub(super) enum Ready {
    File(Vec<u8>),
    Wire(Wire),
}

/// The letters of one issue, ready to be filled in for a reader.
pub trait Letters: Send + Sync {
    /// Writes the letter of `claimed` into `out`, which is empty: CRLF line ends, ASCII, the same
    /// Message-ID at every attempt.
    fn fill(&self, claimed: &Claimed, now: UnixMillis, out: &mut Vec<u8>);

    /// Whether filling takes so long (a signature does) that it belongs on a thread of its own.
    fn is_work(&self) -> bool {
        false
    }
}

/// Loads the letters of an issue; an error is words for the operator and pauses the run.
pub type Loader = Arc<
    dyn Fn(IssueNumber) -> Pin<Box<dyn Future<Output = Result<Arc<dyn Letters>, String>> + Send>>
        + Send
        + Sync,
>;

/// What the time is. Tests have their own.
pub type Clock = Arc<dyn Fn() -> UnixMillis + Send + Sync>;

/// All that a pass needs besides the store. It remembers nothing from one pass to the next: the
/// pace is the store's.
pub struct Mailer {
    pub(super) transport: Transport,
    pub(super) settings: MailerSettings,
    /// The envelope's sender: where bounces go.
    pub(super) envelope_from: EmailAddress,
    /// With a tag for each delivery, or without.
    pub(super) verp: bool,
    /// Names the outbox's files after the Message-ID.
    pub(super) keyring: Keyring,
    pub(super) letters: Loader,
    pub(super) clock: Clock,
    pub(super) limits: Arc<PaceLimits>,
    restore_guard: Option<RestoreGuard>,
}

impl Mailer {
    pub fn new(
        transport: Transport,
        settings: MailerSettings,
        envelope_from: EmailAddress,
        keyring: Keyring,
        letters: Loader,
    ) -> Self {
        Self {
            transport,
            settings,
            envelope_from,
            verp: false,
            keyring,
            letters,
            clock: Arc::new(UnixMillis::now),
            limits: Arc::default(),
            restore_guard: None,
        }
    }

    /// With limits for domains or days, besides the rate of everything.
    #[must_use]
    pub fn with_limits(mut self, limits: PaceLimits) -> Self {
        self.limits = Arc::new(limits);
        self
    }

    /// With a tag in each letter's envelope sender, that leads its bounce back to the delivery.
    #[must_use]
    pub fn with_bounce_address(mut self, bounces: EmailAddress) -> Self {
        (self.envelope_from, self.verp) = (bounces, true);
        self
    }

    /// The envelope's sender of one letter.
    pub(super) fn sender(&self, claimed: &Claimed) -> Cow<'_, EmailAddress> {
        if self.verp {
            Cow::Owned(self.keyring.bounce_address(&self.envelope_from, claimed.issue, claimed.subscriber))
        } else {
            Cow::Borrowed(&self.envelope_from)
        }
    }

    /// With another clock, for tests that move the time.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Remembering outside the database how far it has come, so that no older copy of it is sent
    /// from.
    #[must_use]
    pub fn with_restore_guard(mut self, guard: RestoreGuard) -> Self {
        self.restore_guard = Some(guard);
        self
    }

    /// Refuses an older copy of the database.
    ///
    /// # Errors
    /// [`StoreError::Restored`], or what the store says.
    pub async fn check_restore_guard(&self, store: &Store) -> Result<(), StoreError> {
        match &self.restore_guard {
            Some(guard) => guard.check(store).await,
            None => Ok(()),
        }
    }

    pub(super) async fn advance_restore_guard(&self, store: &Store) -> Result<(), StoreError> {
        match &self.restore_guard {
            Some(guard) => guard.advance(store).await,
            None => Ok(()),
        }
    }

    /// One reader's letter, made in `space`.
    pub(super) fn letter(&self, letters: &dyn Letters, claimed: &Claimed, mut space: Vec<u8>) -> Ready {
        space.clear();
        letters.fill(claimed, self.now(), &mut space);
        match self.transport {
            Transport::Outbox(_) => Ready::File(space),
            Transport::Smtp(_) | Transport::Several(_) => Ready::Wire(Wire::new(space)),
        }
    }

    pub(super) fn now(&self) -> UnixMillis {
        (self.clock)()
    }

    pub(super) fn patience(&self) -> Patience {
        Patience { first_retry: self.settings.first_retry, max_age: self.settings.max_age }
    }
}
