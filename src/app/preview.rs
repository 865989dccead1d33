//! What `verdicts issue preview N --serve` shows, made anew from the files whenever one of them
//! changes. Nothing is written.

mod draft;
mod notices;
mod stored;
mod unfilled;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use super::App;
use super::error::AppError;
use super::letters::IssueLetters;
use super::sample::address;
use crate::config::Settings;
use crate::delivery::Letters as _;
use crate::domain::UnixMillis;
use crate::domain::delivery::{Claimed, Variant};
use crate::domain::issue::IssueNumber;
use crate::domain::notice::NoticeKind;
use crate::domain::subscriber::{LinkEpoch, SubscriberId};
use crate::domain::token::{KEY_OCTETS, Keyring};
use crate::letter::lint::{Expected, lint};
use crate::letter::render::Templates;
use crate::mail::Signer;
use crate::templates::{self, Kind};
use crate::web::preview::{PreviewChoice, PreviewLetter, PreviewSource, Shown, Wanted};

use unfilled::{NAME, UnfilledLetter, one};

/// Reads the settings anew.
pub type Reread = Box<dyn Fn() -> Result<Settings, String> + Send + Sync>;

/// Makes letters of an issue to look at.
pub struct IssuePreview {
    app: Arc<App>,
    reread: Reread,
    number: IssueNumber,
    /// Comparison files that stand in for what was imported, while the issue is a draft.
    comparisons: Vec<PathBuf>,
    /// The settings file.
    config: PathBuf,
    is_draft: bool,
}

impl IssuePreview {
    /// For an issue of the ledger, or the next number, which is the draft.
    ///
    /// # Errors
    /// None for a number that is neither; [`AppError`] when the store does not answer.
    pub async fn open(
        app: Arc<App>,
        reread: Reread,
        config: PathBuf,
        number: IssueNumber,
        comparisons: Vec<PathBuf>,
    ) -> Result<Option<Self>, AppError> {
        let is_draft = app.store.issue(number).await?.is_none();
        if is_draft && app.store.next_number().await? != number {
            return Ok(None);
        }
        Ok(Some(Self { app, reread, number, comparisons, config, is_draft }))
    }

    /// The same store with the settings and templates as they stand in their files now.
    fn fresh(&self) -> Result<App, Vec<String>> {
        let settings = (self.reread)().map_err(|error| vec![error])?;
        let dir = settings.templates.as_deref();
        let templates = match Templates::of_dir(dir) {
            Ok(templates) => templates.with_theme(&settings.theme),
            // All that is wrong at once, where the files alone say it.
            Err(error) => return Err(problems(dir).unwrap_or_else(|| one(error))),
        };
        Ok(App {
            settings: Arc::new(settings),
            store: self.app.store.clone(),
            keyring: inert(),
            templates: Arc::new(templates),
            wake: Arc::default(),
        })
    }

    async fn make(&self, wanted: &Wanted) -> Shown {
        let app = self.fresh()?;
        if let Ok(kind) = wanted.show.parse::<NoticeKind>() {
            let last = app.store.latest_public_issue().await.map_err(one)?;
            let writer = app.notice_writer().map_err(one)?;
            return notices::notice(&writer, &app.settings.site, last.as_ref(), kind);
        }
        let letter = match self.is_draft {
            true => draft::draft(&app.publisher(), &self.comparisons, &wanted.reader).await?,
            false => stored::stored(&app.store, self.number, &wanted.reader).await?,
        };
        self.fill(&app, letter, (wanted.reader != "nameless").then(|| NAME.to_owned()))
    }

    /// The letter as somebody of this name gets it.
    fn fill(&self, app: &App, letter: UnfilledLetter, name: Option<String>) -> Shown {
        let UnfilledLetter { stencil, preheader, readers, notes } = letter;
        let now = UnixMillis::now();
        let claimed = Claimed {
            issue: self.number,
            subscriber: SubscriberId(0),
            email: address(),
            epoch: LinkEpoch::default(),
            name,
            attempt: 1,
            enqueued_at: now,
            variant: Variant::default(),
            choice: None,
        };
        let signer = Arc::new(Signer::load(&app.settings.dkim).map_err(one)?);
        let letters = IssueLetters::of(stencil, app.keyring.clone(), signer);
        let mut wire = Vec::new();
        letters.fill(&claimed, now, &mut wire);
        let expected = Expected { postal_address: Some(&app.settings.site.postal_address), is_notice: false };
        let (subject, findings) = (letters.subject().to_owned(), lint(&wire, expected));
        Ok(PreviewLetter { subject, preheader, findings, wire, readers, notes })
    }
}

impl PreviewSource for IssuePreview {
    fn title(&self) -> String {
        format!("Issue {}{}", self.number, if self.is_draft { ", the draft" } else { "" })
    }

    fn menu(&self) -> Vec<PreviewChoice> {
        let notice = |kind: NoticeKind| PreviewChoice {
            key: kind.as_str().to_owned(),
            label: notices::label(kind).to_owned(),
        };
        let letter = PreviewChoice { key: "letter".to_owned(), label: format!("Issue {}", self.number) };
        std::iter::once(letter).chain(NoticeKind::ALL.map(notice)).collect()
    }

    fn show<'a>(&'a self, wanted: &'a Wanted) -> Pin<Box<dyn Future<Output = Shown> + Send + 'a>> {
        Box::pin(self.make(wanted))
    }

    fn watched(&self) -> Vec<PathBuf> {
        let mut paths = vec![self.config.clone()];
        // The settings may name another folder since.
        paths.extend((self.reread)().ok().and_then(|settings| settings.templates));
        if self.is_draft {
            paths.extend(self.comparisons.iter().cloned());
        }
        paths
    }

    fn images_from(&self) -> String {
        let base = url::Url::parse(&self.app.settings.site.base_url);
        base.map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }
}

/// What is wrong with the letter's files as they stand; none if that is not it.
fn problems(dir: Option<&Path>) -> Option<Vec<String>> {
    let files = templates::files(Kind::Letter, dir).ok()?;
    let own = files.iter().filter(|file| file.is_own);
    let found: Vec<String> =
        own.flat_map(|file| templates::scan(Kind::Letter, file)).map(|one| one.to_string()).collect();
    Some(found).filter(|found| !found.is_empty())
}

/// A key of no site: what it signs opens nothing anywhere.
fn inert() -> Keyring {
    Keyring::parse(&Keyring::file_text(0, &[0; KEY_OCTETS])).expect("it is a key file")
}
