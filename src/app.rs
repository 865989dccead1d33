//! Builds everything from the settings.

pub mod preview;
mod sample;
pub mod templates;

use std::collections::HashMap;
use std::fs;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{Notify, watch};

use crate::config::Settings;
use crate::delivery::{self, DomainPace, Letters, Loader, Mailer, PaceLimits, Relays, Transport};
use crate::domain::UnixMillis;
use crate::domain::delivery::{Claimed, Variant};
use crate::domain::issue::IssueNumber;
use crate::domain::pace::Warmup;
use crate::domain::preferences::Topics;
use crate::domain::relay::{RelayUrl, SmtpUrl};
use crate::domain::token::{Keyring, Purpose};
use crate::letter::render::{RenderError, Templates};
use crate::letter::{NoticeError, NoticeWriter};
use crate::mail::{ConnectError, DkimError, Outbox, Recipient, Relay, SessionOptions, Signer, Stencil};
use crate::publish::Publisher;
use crate::store::{MarkFile, Store, StoreError};
use crate::texts::{Texts, TextsError};
use crate::web::{Bounds, PageCache, Pages, PagesError, Web};
use crate::worker::{Deliverer, NoticeLoop, Scheduler, Worker};

/// Everything a command needs, built once.
pub struct App {
    pub settings: Arc<Settings>,
    pub store: Store,
    pub keyring: Keyring,
    pub templates: Arc<Templates>,
    /// Wakes the worker of this process when a page has queued a notice.
    pub wake: Arc<Notify>,
}

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("secret.key_file = {path:?}: {reason}")]
    Key { path: std::path::PathBuf, reason: String },
    #[error("templates.dir = {folder:?}: {reason}")]
    Templates { folder: std::path::PathBuf, reason: String },
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error(transparent)]
    Relay(#[from] ConnectError),
    #[error(transparent)]
    Dkim(#[from] DkimError),
    #[error(transparent)]
    Notices(#[from] NoticeError),
    #[error(transparent)]
    Pages(#[from] PagesError),
    #[error(transparent)]
    Texts(#[from] TextsError),
}

impl App {
    /// Opens the store and reads the key.
    ///
    /// # Errors
    /// [`AppError`] names the setting, its value and the remedy.
    pub async fn open(settings: Settings) -> Result<Self, AppError> {
        if settings.templates.is_some() {
            templates::must_be_sound(&settings, &read_keyring(&settings)?, UnixMillis::now())?;
        }
        let templates = Templates::of_dir(settings.templates.as_deref())?.with_theme(&settings.theme);
        let templates = Arc::new(templates);
        Ok(Self { templates, ..Self::open_with_built_in(settings).await? })
    }

    /// As [`App::open`], without a look at the operator's own templates.
    ///
    /// # Errors
    /// As [`App::open`].
    pub async fn open_with_built_in(settings: Settings) -> Result<Self, AppError> {
        let keyring = read_keyring(&settings)?;
        let store = Store::open(settings.database.url.expose()).await?;
        let templates = Arc::new(Templates::embedded()?.with_theme(&settings.theme));
        Ok(Self { settings: Arc::new(settings), store, keyring, templates, wake: Arc::default() })
    }

    pub fn publisher(&self) -> Publisher {
        let (settings, store) = (self.settings.clone(), self.store.clone());
        Publisher { settings, store, keyring: self.keyring.clone(), templates: self.templates.clone() }
    }

    /// Where letters are handed over, as `[relay]` and `[delivery]` say. Opens no line yet.
    ///
    /// # Errors
    /// [`AppError::Relay`] when the certificates to trust can't be loaded, [`AppError::Dkim`] when a key to sign with can't.
    pub fn mailer(&self) -> Result<Arc<Mailer>, AppError> {
        let (relay, delivery) = (&self.settings.relay, &self.settings.delivery);
        let transport = match &relay.url {
            RelayUrl::Outbox(folder) => Transport::Outbox(Outbox::new(folder)),
            RelayUrl::Smtp(url) if relay.more.is_empty() => Transport::Smtp(Box::new(self.relay(url)?)),
            RelayUrl::Smtp(url) => {
                let mut relays = vec![(self.relay(url)?, relay.weight)];
                for more in &relay.more {
                    relays.push((self.relay(&more.url)?, more.weight));
                }
                Transport::Several(Relays::new(relays))
            }
        };
        let settings = delivery::MailerSettings {
            connections: relay.connections,
            rate: relay.rate,
            first_retry: delivery.first_retry,
            max_age: delivery.max_age,
            linger: delivery.linger,
            ..delivery::MailerSettings::default()
        };
        let from = self.settings.site.from.address.clone();
        let mailer = Mailer::new(transport, settings, from, self.keyring.clone(), self.loader()?)
            .with_limits(self.limits())
            .with_mark(mark_file(&self.settings, &self.store));
        Ok(Arc::new(match &self.settings.bounce_address {
            Some(bounces) => mailer.with_bounce_address(bounces.clone()),
            None => mailer,
        }))
    }

    fn relay(&self, url: &SmtpUrl) -> Result<Relay, ConnectError> {
        let relay = &self.settings.relay;
        let mut options = SessionOptions {
            ca_file: relay.ca_file.clone(),
            letters: relay.session_letters,
            ..SessionOptions::default()
        };
        if let Some(hello) = relay.helo.clone().or_else(own_name) {
            options.hello = hello;
        }
        Relay::new(url, options)
    }

    fn limits(&self) -> PaceLimits {
        let relay = &self.settings.relay;
        let domains = relay.domains.iter().map(|(domain, limit)| {
            (domain.clone(), DomainPace { rate: limit.rate, connections: limit.connections })
        });
        PaceLimits { domains: domains.collect(), warmup: Warmup(relay.warmup.clone()) }
    }

    /// Reads the letter of an issue from the ledger.
    fn loader(&self) -> Result<Loader, AppError> {
        let (store, keyring, signer) = (self.store.clone(), self.keyring.clone(), self.signer()?);
        Ok(Arc::new(move |number: IssueNumber| {
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
        }))
    }

    /// The letters of a stencil, with this site's keys.
    ///
    /// # Errors
    /// [`AppError::Dkim`] when a key to sign with can't be loaded.
    pub fn letters(&self, stencil: Stencil) -> Result<impl Letters, AppError> {
        self.issue_letters(stencil)
    }

    fn issue_letters(&self, stencil: Stencil) -> Result<IssueLetters, AppError> {
        Ok(IssueLetters {
            stencil,
            variants: HashMap::new(),
            topics: HashMap::new(),
            keyring: self.keyring.clone(),
            signer: self.signer()?,
        })
    }

    /// What signs the letters: nothing if `[dkim]` names no key.
    fn signer(&self) -> Result<Arc<Signer>, AppError> {
        Ok(Arc::new(Signer::load(&self.settings.dkim)?))
    }

    /// What writes notices in the site's language.
    ///
    /// # Errors
    /// [`AppError`] if there are no texts in that language, or a key to sign with can't be loaded.
    pub fn notice_writer(&self) -> Result<NoticeWriter, AppError> {
        let site = &self.settings.site;
        let dir = self.settings.templates.as_deref();
        let writer =
            NoticeWriter::of_dir(dir, self.texts()?, site.clone(), self.keyring.clone(), self.signer()?)?;
        Ok(writer.with_theme(&self.settings.theme))
    }

    /// The words of pages and notices.
    ///
    /// # Errors
    /// [`AppError::Texts`] when there are none in `site.language`.
    pub fn texts(&self) -> Result<Arc<Texts>, AppError> {
        Ok(Arc::new(Texts::of_dir(&self.settings.site.language, self.settings.templates.as_deref())?))
    }

    /// The pages, with their templates parsed.
    ///
    /// # Errors
    /// [`AppError::Pages`] when a template of this binary is broken, [`AppError::Texts`] as in [`App::texts`].
    pub fn web(&self) -> Result<Web, AppError> {
        Ok(Web {
            store: self.store.clone(),
            keyring: self.keyring.clone(),
            site: self.settings.site.clone(),
            pages: Pages::load(self.texts()?, self.settings.templates.as_deref())?,
            page_cache: PageCache::default(),
            started: UnixMillis::now(),
            trusted_proxies: self.settings.web.trusted_proxies.clone(),
            signup: self.settings.signup,
            wake: self.wake.clone(),
            bounds: Bounds { timeout: self.settings.web.timeout, connections: self.settings.web.connections },
            zone: self.settings.schedule.timezone,
            reader_hours: self.settings.delivery.reader_hours,
        })
    }

    /// What delivers, until `stop` turns true.
    ///
    /// # Errors
    /// As [`App::mailer`].
    pub fn deliverer(&self, stop: watch::Receiver<bool>) -> Result<Deliverer, AppError> {
        Ok(Deliverer::new(self.store.clone(), self.mailer()?, stop))
    }

    /// Schedule, letters and notices, until `stop` turns true.
    ///
    /// # Errors
    /// As [`App::mailer`].
    pub fn worker(&self, stop: watch::Receiver<bool>) -> Result<Worker, AppError> {
        let (publisher, mailer, writer) = (self.publisher(), self.mailer()?, self.notice_writer()?);
        let deliverer = Deliverer::new(self.store.clone(), mailer.clone(), stop.clone());
        let notices = NoticeLoop::new(publisher.clone(), mailer, writer, self.wake.clone(), stop.clone());
        let schedule = self.settings.schedule.rule.clone();
        let scheduler = Scheduler { publisher, schedule };
        Ok(Worker { scheduler, deliverer, notices, keep: self.settings.delivery.keep, stop })
    }
}

/// This machine's name, if it is a full one; EHLO takes no other (RFC 5321 §4.1.1.1).
fn own_name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?.trim().to_owned();
    let full = name.contains('.') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    full.then_some(name)
}

/// A choice of topics as the store keeps it, in words.
fn said(topics: &str) -> String {
    let topics = Topics::parse(topics);
    topics.map(|topics| topics.names().collect::<Vec<_>>().join(", ")).unwrap_or_default()
}

/// An issue's stencils and the keys for the links in them.
struct IssueLetters {
    /// The whole letter.
    stencil: Stencil,
    /// What those get who chose topics, or who were drawn for the other subject.
    variants: HashMap<Variant, Stencil>,
    /// The choices of topics in words, by their numbers.
    topics: HashMap<NonZeroU32, String>,
    keyring: Keyring,
    signer: Arc<Signer>,
}

impl Letters for IssueLetters {
    /// The date is the time of enqueueing, so that a second copy of a letter is the same letter to the last octet.
    fn fill(&self, claimed: &Claimed, _now: UnixMillis, out: &mut Vec<u8>) {
        let reader = Recipient {
            email: &claimed.email,
            name: claimed.name.as_deref(),
            message_id: &self.keyring.message_id(claimed.issue, claimed.subscriber),
            date: claimed.enqueued_at,
            unsubscribe_token: &self.keyring.link_token(Purpose::Unsubscribe, claimed.subscriber),
            preferences_token: &self.keyring.link_token(Purpose::Preferences, claimed.subscriber),
            vote_token: &self.keyring.link_token(Purpose::Vote, claimed.subscriber),
            topics: claimed.choice.and_then(|choice| self.topics.get(&choice)).map(String::as_str),
        };
        // A variant is written in the commit that gives it to a reader, so it is there; more than was asked for is better than none.
        let chosen = self.variants.get(&claimed.variant);
        chosen.unwrap_or(&self.stencil).fill(&reader, out);
        self.signer.sign(claimed.enqueued_at, out);
    }

    fn is_work(&self) -> bool {
        self.signer.is_slow()
    }
}

/// What remembers how far the database has come; with Postgres beside the key, which every worker has.
pub fn mark_file(settings: &Settings, store: &Store) -> MarkFile {
    MarkFile::of(store, settings.secret.key_file.parent().unwrap_or(Path::new("")))
}

/// Reads `secret.key_file`.
///
/// # Errors
/// [`AppError::Key`] when it can't be read or is no key file.
pub fn read_keyring(settings: &Settings) -> Result<Keyring, AppError> {
    let path = &settings.secret.key_file;
    let refuse = |reason: String| AppError::Key { path: path.clone(), reason };
    let text = fs::read_to_string(path).map_err(|error| {
        refuse(format!("{error}; run \"verdicts init\", or restore the file from a backup"))
    })?;
    Keyring::parse(&text).map_err(|error| refuse(error.to_string()))
}
