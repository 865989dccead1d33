//! Builds everything from the settings.

mod error;
mod key;
mod letters;
mod mailer;
pub mod preview;
mod sample;
pub mod templates;

use std::sync::Arc;

use tokio::sync::{Notify, watch};

use crate::config::Settings;
use crate::delivery::{Letters, Mailer};
use crate::domain::UnixMillis;
use crate::domain::token::Keyring;
use crate::letter::NoticeWriter;
use crate::letter::render::Templates;
use crate::mail::{Signer, Stencil};
use crate::publish::Publisher;
use crate::store::Store;
use crate::texts::Texts;
use crate::web::{Bounds, PageCache, Pages, Web};
use crate::worker::{Deliverer, NoticeLoop, Scheduler, Worker};

pub use error::AppError;
pub use key::{read_keyring, restore_guard};

use letters::IssueLetters;

/// Everything a command needs, built once.
pub struct App {
    pub settings: Arc<Settings>,
    pub store: Store,
    pub keyring: Keyring,
    pub templates: Arc<Templates>,
    /// Wakes the worker of this process when a page has queued a notice.
    pub wake: Arc<Notify>,
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
    /// [`AppError::Relay`] when the certificates to trust can't be loaded, [`AppError::Dkim`] when
    /// a key to sign with can't.
    pub fn mailer(&self) -> Result<Arc<Mailer>, AppError> {
        let loader = letters::loader(&self.store, &self.keyring, &self.signer()?);
        let guard = restore_guard(&self.settings, &self.store);
        Ok(Arc::new(mailer::mailer(&self.settings, &self.keyring, loader, guard)?))
    }

    /// The letters of a stencil, with this site's keys.
    ///
    /// # Errors
    /// [`AppError::Dkim`] when a key to sign with can't be loaded.
    pub fn letters(&self, stencil: Stencil) -> Result<impl Letters, AppError> {
        Ok(IssueLetters::of(stencil, self.keyring.clone(), self.signer()?))
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
    /// [`AppError::Pages`] when a template of this binary is broken, [`AppError::Texts`] as in
    /// [`App::texts`].
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
