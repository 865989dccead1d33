//! What `verdicts issue preview N --serve` shows, made anew from the files whenever one of them changes. Nothing is written.

use std::future::Future;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use super::sample::{address, plain, sample};
use super::{App, AppError, IssueLetters};
use crate::config::Settings;
use crate::delivery::Letters as _;
use crate::domain::UnixMillis;
use crate::domain::comparison::{Comparison, StoredComparison};
use crate::domain::delivery::{Claimed, Variant};
use crate::domain::issue::IssueNumber;
use crate::domain::notice::NoticeKind;
use crate::domain::preferences::Topics;
use crate::domain::subject::Arm;
use crate::domain::subscriber::SubscriberId;
use crate::domain::token::{KEY_OCTETS, Keyring};
use crate::letter::lint::{Expected, Message, lint};
use crate::letter::render::Templates;
use crate::letter::{Latest, sources};
use crate::mail::Stencil;
use crate::publish::{self, Draft, Publisher, Rival};
use crate::templates::{self, Kind};
use crate::web::preview::{PreviewChoice, PreviewLetter, PreviewSource, Shown, Wanted};

/// Who a letter is filled in for: somebody whose name has to be encoded.
const NAME: &str = "Zoë Ångström";
/// Topics that are offered as readers; a letter has rarely more.
const MOST_TOPICS: usize = 8;
/// Notices of which nobody knows an issue yet are shown with this one.
const NO_ISSUE: &str = "The subject of your latest letter";

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

/// A letter before it is filled in, and for whom there is one.
struct Made {
    stencil: Stencil,
    preheader: String,
    readers: Vec<PreviewChoice>,
    notes: Vec<String>,
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
        let made = match wanted.show.parse::<NoticeKind>() {
            Ok(kind) => return self.notice(&app, kind).await,
            Err(_) if self.is_draft => self.draft(&app.publisher(), &wanted.reader).await?,
            Err(_) => self.stored(&app, &wanted.reader).await?,
        };
        let now = UnixMillis::now();
        let claimed = Claimed {
            issue: self.number,
            subscriber: SubscriberId(0),
            email: address(),
            name: (wanted.reader != "nameless").then(|| NAME.to_owned()),
            attempt: 1,
            enqueued_at: now,
            variant: Variant::default(),
            choice: None,
        };
        let letters: IssueLetters = app.issue_letters(made.stencil).map_err(one)?;
        let mut wire = Vec::new();
        letters.fill(&claimed, now, &mut wire);
        let expected = Expected { postal_address: Some(&app.settings.site.postal_address), is_notice: false };
        Ok(PreviewLetter {
            subject: letters.stencil.subject().to_owned(),
            preheader: made.preheader,
            findings: lint(&wire, expected),
            wire,
            readers: made.readers,
            notes: made.notes,
        })
    }

    /// The letter of an issue as it was enqueued.
    async fn stored(&self, app: &App, reader: &str) -> Result<Made, Vec<String>> {
        let issue = app.store.issue(self.number).await.map_err(one)?;
        let text = app.store.stencil(self.number).await.map_err(one)?;
        let variants = app.store.variants(self.number).await.map_err(one)?;
        let mut readers = names();
        for (variant, _) in variants.iter().take(MOST_TOPICS) {
            readers.push(choice(*variant));
        }
        let chosen = variants.into_iter().find(|(variant, _)| reader == choice(*variant).key);
        let Some(text) = chosen.map(|(_, text)| text).or(text) else {
            return Err(vec![format!("issue {} has no letter in the database", self.number)]);
        };
        Ok(Made {
            stencil: Stencil::from_text(&text).map_err(one)?,
            preheader: issue.map(|issue| issue.preheader).unwrap_or_default(),
            readers,
            notes: vec![
                "It is shown as it was enqueued; templates that change now are for the next issue."
                    .to_owned(),
            ],
        })
    }

    /// The next letter, with the files on disk in place of what was imported of them.
    async fn draft(&self, publisher: &Publisher, reader: &str) -> Result<Made, Vec<String>> {
        let now = UnixMillis::now();
        let (unsaved, note) = self.unsaved(publisher).await?;
        let draft = publish::draft_with(publisher, now, &unsaved).await.map_err(one)?;
        let mut readers = names();
        let topics = topics(&draft);
        for topic in topics.iter().take(MOST_TOPICS) {
            readers.push(PreviewChoice { key: format!("topic:{topic}"), label: format!("Only {topic}") });
        }
        let Some(edition) = &draft.edition else {
            return Err(vec![format!(
                "issue {} has no letter: {}",
                self.number,
                publish::quiet_words(publisher, &draft.selection)
            )]);
        };
        if let Some(Rival { edition, .. }) = &draft.rival {
            readers.push(PreviewChoice { key: "rival".to_owned(), label: "The other subject".to_owned() });
            if reader == "rival" {
                let (stencil, preheader) = (edition.stencil.clone(), edition.composition.preheader.clone());
                return Ok(Made { stencil, preheader, readers, notes: note.into_iter().collect() });
            }
        }
        let topic = topics.iter().find(|topic| reader == format!("topic:{topic}"));
        let variant = match topic.and_then(|topic| Topics::new([topic.as_str()])) {
            Some(topics) => Some(draft.edition_of(publisher, &topics, now).map_err(one)?),
            None => None,
        };
        let edition = variant.as_ref().unwrap_or(edition);
        let (stencil, preheader) = (edition.stencil.clone(), edition.composition.preheader.clone());
        Ok(Made { stencil, preheader, readers, notes: note.into_iter().collect() })
    }

    /// The comparisons of the files that differ from what was imported and have been in no letter, and a word on that.
    async fn unsaved(&self, publisher: &Publisher) -> Result<(Vec<Comparison>, Option<String>), Vec<String>> {
        if self.comparisons.is_empty() {
            return Ok((Vec::new(), None));
        }
        let read = sources::read(&self.comparisons);
        // An empty folder is what a new site has.
        let bad: Vec<String> = read
            .bad
            .iter()
            .filter(|error| error.at.is_some() || error.file.is_file())
            .map(ToString::to_string)
            .collect();
        if !bad.is_empty() {
            return Err(bad);
        }
        let mut unsaved = Vec::new();
        for (_, comparison) in read.good {
            let stored: Option<StoredComparison> =
                publisher.store.comparison(&comparison.slug).await.map_err(one)?;
            let is_other =
                stored.is_none_or(|stored| stored.featured_in.is_none() && stored.comparison != comparison);
            if is_other {
                unsaved.push(comparison);
            }
        }
        let files =
            self.comparisons.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ");
        let note = match unsaved.len() {
            0 => None,
            count => Some(format!(
                "{count} comparison{} shown as on disk and not imported yet: verdicts comparisons import {files}",
                if count == 1 { " is" } else { "s are" }
            )),
        };
        Ok((unsaved, note))
    }

    async fn notice(&self, app: &App, kind: NoticeKind) -> Shown {
        let writer = app.notice_writer().map_err(one)?;
        let site = &app.settings.site;
        let now = UnixMillis::now();
        let last = app.store.latest_public_issue().await.map_err(one)?;
        let latest = match &last {
            Some(issue) => Latest::new(site, issue.number, &issue.subject),
            None => Latest::new(site, IssueNumber(1), NO_ISSUE),
        };
        let wire = writer.write(&sample(kind, now), Some(&latest)).map_err(one)?;
        let subject = writer.subject(kind);
        let expected = Expected { postal_address: Some(&site.postal_address), is_notice: true };
        Ok(PreviewLetter {
            subject,
            preheader: preheader(&wire),
            findings: lint(&wire, expected),
            wire,
            readers: Vec::new(),
            notes: match last {
                None if kind.is_for_readers_only() => {
                    vec!["There is no issue yet, so the one it names is made up.".to_owned()]
                }
                _ => Vec::new(),
            },
        })
    }
}

impl PreviewSource for IssuePreview {
    fn title(&self) -> String {
        format!("Issue {}{}", self.number, if self.is_draft { ", the draft" } else { "" })
    }

    fn menu(&self) -> Vec<PreviewChoice> {
        let notice = |kind: NoticeKind| PreviewChoice {
            key: kind.as_str().to_owned(),
            label: match kind {
                NoticeKind::Confirm => "Confirm",
                NoticeKind::AlreadySubscribed => "Already subscribed",
                NoticeKind::Welcome => "Welcome",
                NoticeKind::AddressChange => "New address",
                NoticeKind::AddressChanged => "Address changed",
            }
            .to_owned(),
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
fn problems(dir: Option<&std::path::Path>) -> Option<Vec<String>> {
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

/// A letter of the issue beside the whole one.
fn choice(variant: Variant) -> PreviewChoice {
    let number = variant.letter.map_or(0, NonZeroU32::get);
    PreviewChoice {
        key: format!("variant:{number}{}", variant.arm.as_str()),
        label: match (variant.letter, variant.arm) {
            (None, Arm::A) => "The whole letter".to_owned(),
            (None, Arm::B) => "Under subject B".to_owned(),
            (Some(number), Arm::A) => format!("Topics, variant {number}"),
            (Some(number), Arm::B) => format!("Topics, variant {number}, subject B"),
        },
    }
}

fn names() -> Vec<PreviewChoice> {
    [("named", NAME), ("nameless", "Without a name")]
        .map(|(key, label)| PreviewChoice { key: key.to_owned(), label: label.to_owned() })
        .to_vec()
}

/// The categories of what is featured, each once, as readers choose them.
fn topics(draft: &Draft) -> Vec<String> {
    let mut topics: Vec<String> = Vec::new();
    for tool in draft.selection.featured.iter().flat_map(|choice| &choice.comparison.tools) {
        let topic = tool.category.trim();
        if !topics.iter().any(|one| one.eq_ignore_ascii_case(topic)) {
            topics.push(topic.to_owned());
        }
    }
    // One topic for all is the whole letter.
    if topics.len() > 1 { topics } else { Vec::new() }
}

/// What a mail program shows beside the subject: the first words of the HTML.
fn preheader(wire: &[u8]) -> String {
    Message::parse(wire).preview().unwrap_or_default()
}

fn one(error: impl std::fmt::Display) -> Vec<String> {
    vec![plain(&error.to_string())]
}
