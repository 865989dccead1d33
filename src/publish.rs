//! A week, from the comparisons in the store to a queue full of letters.

mod preview;
mod proof;
mod subject_test;
mod variants;

use std::fmt;

use crate::config::Settings;
use crate::domain::UnixMillis;
use crate::domain::comparison::{Comparison, Tool};
use crate::domain::issue::{IssueNumber, NewIssue};
use crate::domain::subject::{LEAST_SENT, Wording};
use crate::domain::token::Keyring;
use crate::letter::compose::{ComparisonVotes, Composition, compose};
use crate::letter::lint::{Finding, Grade};
use crate::letter::pick::{self, Selection, pick};
use crate::letter::render::{RenderError, Templates};
use crate::mail::{Stencil, StencilError};
use crate::store::{Enqueued, Store, StoreError, SubjectTest, Subjects};

pub use preview::variant;
pub use proof::{proof, rehearse};
pub use subject_test::Rival;

/// What a week needs: the settings, the store and the site's keys.
#[derive(Clone)]
pub struct Publisher {
    pub settings: std::sync::Arc<Settings>,
    pub store: Store,
    pub keyring: Keyring,
    pub templates: std::sync::Arc<Templates>,
}

/// The letter as it would go out now, with nothing written down yet.
pub struct Draft {
    pub number: IssueNumber,
    pub selection: Selection,
    /// What the last letter featured, with the votes on it.
    pub ballots: Vec<ComparisonVotes>,
    /// What an operator wrote for it.
    pub written: Option<Wording>,
    /// None in a week too quiet for a letter.
    pub edition: Option<Edition>,
}

/// A letter that is ready for the queue.
pub struct Edition {
    pub composition: Composition,
    pub stencil: Stencil,
    /// The same under another subject, if the two are to be tested against each other.
    pub rival: Option<Rival>,
}

/// How the wish to send a letter ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Started {
    /// The issue and its deliveries are in the ledger.
    Running {
        number: IssueNumber,
        audience: i64,
        subject: String,
        /// How the test of two subjects begins, if one was wanted; in words.
        test: Option<String>,
    },
    /// Fewer comparisons than `schedule.min_comparisons`; in words.
    Quiet(String),
    /// Nobody is subscribed, so nothing was started.
    Nobody,
    /// Every reader has paused, or chose topics that the letter does not touch, so nothing was started.
    NobodyWants,
    /// Another process or an unfinished issue was first.
    Taken { by: Option<IssueNumber> },
}

#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error(transparent)]
    Stencil(#[from] StencilError),
    #[error(
        "the letter has {errors} error{} and was not sent: {first}; \"verdicts issue lint {number}\" shows all",
        if *.errors == 1 { "" } else { "s" }
    )]
    Flawed { number: IssueNumber, errors: usize, first: Finding },
    #[error(
        "readers changed their choices {TRIES} times while the letter was made; nothing was sent, send again"
    )]
    Restless,
}

/// How often a letter is made anew because somebody chose what none of its variants is for.
const TRIES: u32 = 8;

/// Runs a week: pick what is new, compose and render one letter, and enqueue a delivery for every reader.
///
/// `slot` is the schedule's, or none when an operator asked. Up to the last line nothing is written, so a crash
/// leaves nothing behind; the last line is one commit, and from there on the queue knows everything.
///
/// # Errors
/// [`PublishError`] when the store does not answer or the letter can't be made; nothing has been written then.
pub async fn run(
    publisher: &Publisher,
    slot: Option<&str>,
    now: UnixMillis,
) -> Result<Started, PublishError> {
    for _ in 0..TRIES {
        let Draft { number, selection, ballots, written, edition } = draft(publisher, now).await?;
        let Some(edition) = edition else { return Ok(Started::Quiet(quiet_words(publisher, &selection))) };
        if publisher.store.count_subscribers().await?.get("active").copied().unwrap_or(0) == 0 {
            return Ok(Started::Nobody);
        }
        passes(
            number,
            proof(&publisher.settings.site, &publisher.keyring, number, &edition.stencil, now),
            true,
        )?;
        if let Some(rival) = &edition.rival {
            // What there is to warn of was said of the same letter under subject A, but for the subject itself.
            passes(
                number,
                proof(&publisher.settings.site, &publisher.keyring, number, &rival.stencil, now),
                false,
            )?;
        }
        let from = variants::Source { selection: &selection, ballots: &ballots, written: written.as_ref() };
        let (choices, under_b) =
            variants::choices(publisher, number, from, edition.rival.is_some(), now).await?;
        let issue = new_issue(&selection, &edition, slot, now);
        let test = subject_test::new_test(publisher, &edition, &selection, under_b);
        let subjects = Subjects { written, test };
        let subject = edition.composition.subject;
        return Ok(
            match publisher.store.enqueue_in_words(number, &issue, &choices, &subjects, now).await? {
                Enqueued::Started { number, audience } => {
                    let begun = publisher.store.subject_test(number).await?;
                    let test = subjects.test.map(|_| test_words(begun.as_ref()));
                    Started::Running { number, audience, subject, test }
                }
                Enqueued::Taken { by } => Started::Taken { by },
                Enqueued::NobodyWants => Started::NobodyWants,
                Enqueued::Outdated => continue,
            },
        );
    }
    Err(PublishError::Restless)
}

/// Whether a run may start with a letter of which the linter says this; a warning goes to the log if it is to be `told`.
fn passes(number: IssueNumber, findings: Vec<Finding>, told: bool) -> Result<(), PublishError> {
    for finding in findings.iter().filter(|one| told && one.grade == Grade::Warning) {
        tracing::warn!(issue = %number, %finding, "the letter could be better");
    }
    let errors = findings.iter().filter(|one| one.grade == Grade::Error).count();
    match findings.into_iter().next() {
        Some(first) if errors > 0 => Err(PublishError::Flawed { number, errors, first }),
        _ => Ok(()),
    }
}

/// Picks, composes and renders the letter that a run at `now` would send; writes nothing.
///
/// # Errors
/// As [`run`].
pub async fn draft(publisher: &Publisher, now: UnixMillis) -> Result<Draft, PublishError> {
    draft_with(publisher, now, &[]).await
}

/// As [`draft`], with these comparisons in place of the imported ones of the same slugs.
///
/// # Errors
/// As [`run`].
pub async fn draft_with(
    publisher: &Publisher,
    now: UnixMillis,
    unsaved: &[Comparison],
) -> Result<Draft, PublishError> {
    let schedule = &publisher.settings.schedule;
    let number = publisher.store.next_number().await?;
    let last_cutoff = publisher.store.last_issue().await?.map(|last| last.cutoff_at);
    let window = pick::Window::since(last_cutoff, now, schedule.lookback);
    let reach = pick::reach(last_cutoff, now, schedule.lookback);
    let mut candidates = publisher.store.candidates(reach, window.until).await?;
    preview::overlay(&mut candidates, unsaved);
    let rules = pick::Rules {
        min: schedule.min_comparisons,
        max: schedule.max_comparisons,
        mentions: pick::Rules::MENTIONS,
        reach,
    };
    let selection = pick(&with_votes(&publisher.store, candidates).await?, window, rules);
    let ballots = last_votes(publisher).await?;
    let written = publisher.store.wording(number).await?;
    let edition = match selection.quiet {
        Some(_) => None,
        None => {
            let composition = compose(number, now, &publisher.settings.site, &selection).with_votes(&ballots);
            let composition = composition.in_words(written.as_ref());
            let letter = publisher.templates.render(&composition)?;
            let stencil = Stencil::build(&letter, &publisher.settings.site, number)?;
            let rival = subject_test::rival(publisher, number, &selection, &composition, written.as_ref())?;
            Some(Edition { composition, stencil, rival })
        }
    };
    Ok(Draft { number, selection, ballots, written, edition })
}

/// The comparisons with the votes cast here counted in, so that the letter says what the pages say.
async fn with_votes(store: &Store, mut comparisons: Vec<Comparison>) -> Result<Vec<Comparison>, StoreError> {
    let slugs: Vec<&str> = comparisons.iter().flat_map(|c| &c.tools).map(|tool| tool.slug.as_str()).collect();
    let totals = store.vote_totals(&slugs).await?;
    for tool in comparisons.iter_mut().flat_map(|c| &mut c.tools) {
        if let Some(total) = totals.get(&tool.slug) {
            tool.community = Some(tool.community_with(total.votes));
        }
    }
    Ok(comparisons)
}

/// What the last issue featured, as readers have voted on it since.
async fn last_votes(publisher: &Publisher) -> Result<Vec<ComparisonVotes>, StoreError> {
    let Some(last) = publisher.store.last_issue().await? else { return Ok(Vec::new()) };
    let carried = publisher.store.comparisons_in(&[last.number]).await?;
    let featured: Vec<Comparison> =
        carried.into_iter().filter(|one| one.featured).map(|one| one.comparison).collect();
    let slugs: Vec<&str> = featured.iter().flat_map(|c| &c.tools).map(|tool| tool.slug.as_str()).collect();
    let totals = publisher.store.vote_totals(&slugs).await?;
    let here = |tool: &Tool| totals.get(&tool.slug).map(|total| total.votes).unwrap_or_default();
    Ok(featured
        .into_iter()
        .map(|comparison| ComparisonVotes { here: comparison.tools.each_ref().map(here), comparison })
        .collect())
}

fn new_issue(selection: &Selection, edition: &Edition, slot: Option<&str>, now: UnixMillis) -> NewIssue {
    NewIssue {
        slot: slot.map(str::to_owned),
        cutoff_at: now,
        subject: edition.composition.subject.clone(),
        preheader: edition.composition.preheader.clone(),
        stencil: edition.stencil.to_text(),
        featured: selection.featured_slugs(),
        mentioned: selection.mentioned_slugs(),
    }
}

/// How a test begins, in words for the operator; none: there were too few readers for it.
fn test_words(begun: Option<&SubjectTest>) -> String {
    match begun {
        Some(test) => format!(
            "{}% of the readers get it under one of two subjects; the other {} wait for the winner until {}",
            test.share, test.held, test.decide_at
        ),
        None => format!(
            "no test of two subjects: it takes {LEAST_SENT} letters under each to say anything, and there are not so many \
             readers; everybody gets the first subject"
        ),
    }
}

/// How a test ended, in a line for the log.
pub fn decision_words(test: &SubjectTest) -> String {
    let [a, b] = test.figures;
    let winner = test.decided.map(|one| format!("{} won, {}", one.winner.as_str().to_uppercase(), one.why));
    format!(
        "the subject test is decided: {} of {} readers voted under A, {} of {} under B; {}",
        a.voted,
        a.sent,
        b.voted,
        b.sent,
        winner.unwrap_or_default()
    )
}

/// Why this is a quiet week, in words for the operator.
pub fn quiet_words(publisher: &Publisher, selection: &Selection) -> String {
    let minimum = publisher.settings.schedule.min_comparisons;
    let found = selection.quiet.as_ref().map_or(0, |quiet| quiet.found);
    format!(
        "a quiet week: {found} new comparison{} and schedule.min_comparisons is {minimum}; \
         import newer ones with \"verdicts comparisons import PATH\"",
        if found == 1 { "" } else { "s" }
    )
}

impl fmt::Display for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running { number, audience, subject, test } => {
                write!(f, "issue {number} \"{subject}\" is queued for {audience} readers")?;
                test.iter().try_for_each(|words| write!(f, "; {words}"))
            }
            Self::Quiet(words) => f.write_str(words),
            Self::Nobody => f.write_str(
                "nobody is subscribed yet; import readers with \"verdicts subscribers import FILE.csv\"",
            ),
            Self::NobodyWants => f.write_str(
                "every reader has paused, or chose topics that this week's comparisons don't touch; nothing was sent",
            ),
            Self::Taken { by: Some(number) } => write!(
                f,
                "issue {number} is not finished; see \"verdicts status {number}\", and resume or cancel it first"
            ),
            Self::Taken { by: None } => {
                f.write_str("another run of this week was first; see \"verdicts status\"")
            }
        }
    }
}
