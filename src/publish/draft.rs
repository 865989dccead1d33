//! The letter as it would go out now, with nothing written down.

use super::edition::{Contents, Edition, of_interest};
use super::publisher::{PublishError, Publisher};
use super::subject_test::{Rival, rival};
use crate::domain::UnixMillis;
use crate::domain::comparison::{Comparison, Tool};
use crate::domain::issue::IssueNumber;
use crate::domain::preferences::Topics;
use crate::domain::subject::Wording;
use crate::letter::compose::ComparisonVotes;
use crate::letter::pick::{self, Selection, pick};
use crate::store::{Store, StoreError};

/// The next issue.
pub struct Draft {
    pub number: IssueNumber,
    pub selection: Selection,
    /// What the last letter featured, with the votes on it.
    pub last_votes: Vec<ComparisonVotes>,
    /// What an operator wrote for it.
    pub written: Option<Wording>,
    /// None in a week too quiet for a letter.
    pub edition: Option<Edition>,
    /// The same under another subject, if the two are to be tested against each other.
    pub rival: Option<Rival>,
}

/// Picks, composes and renders the letter that a run at `now` would send; writes nothing.
///
/// # Errors
/// As [`super::run`].
pub async fn draft(publisher: &Publisher, now: UnixMillis) -> Result<Draft, PublishError> {
    draft_with(publisher, now, &[]).await
}

/// As [`draft`], with these comparisons in place of the imported ones of the same slugs.
///
/// # Errors
/// As [`super::run`].
pub async fn draft_with(
    publisher: &Publisher,
    now: UnixMillis,
    unsaved: &[Comparison],
) -> Result<Draft, PublishError> {
    let number = publisher.store.next_number().await?;
    let selection = select(publisher, now, unsaved).await?;
    let last_votes = last_votes(publisher).await?;
    let written = publisher.store.wording(number).await?;
    let mut draft = Draft { number, selection, last_votes, written, edition: None, rival: None };
    if draft.selection.quiet.is_none() {
        let edition = publisher.make(draft.contents(), now)?;
        draft.rival = rival(publisher, draft.contents(), &edition.composition, now)?;
        draft.edition = Some(edition);
    }
    Ok(draft)
}

impl Draft {
    /// What the whole letter holds.
    pub(super) fn contents(&self) -> Contents<'_> {
        Contents {
            number: self.number,
            selection: &self.selection,
            last_votes: &self.last_votes,
            written: self.written.as_ref(),
            heading: None,
        }
    }

    /// The letter as somebody gets it who chose these topics; the whole one for whom nothing would
    /// be left.
    ///
    /// # Errors
    /// As [`super::run`].
    pub fn edition_of(
        &self,
        publisher: &Publisher,
        topics: &Topics,
        now: UnixMillis,
    ) -> Result<Edition, PublishError> {
        let left = self.selection.of(topics);
        let selection = if left.featured.is_empty() { &self.selection } else { &left };
        let last_votes = &of_interest(selection, &self.last_votes);
        publisher.make(Contents { selection, last_votes, ..self.contents() }, now)
    }
}

/// Chooses among what has been imported, with the comparisons of `unsaved` in front of it.
async fn select(
    publisher: &Publisher,
    now: UnixMillis,
    unsaved: &[Comparison],
) -> Result<Selection, StoreError> {
    let schedule = &publisher.settings.schedule;
    let last_cutoff = publisher.store.last_issue().await?.map(|last| last.cutoff_at);
    let window = pick::Window::since(last_cutoff, now, schedule.lookback);
    let reach = pick::reach(last_cutoff, now, schedule.lookback);
    let mut candidates = publisher.store.candidates(reach, window.until).await?;
    overlay(&mut candidates, unsaved);
    let rules = pick::Rules {
        min: schedule.min_comparisons,
        max: schedule.max_comparisons,
        mentions: pick::Rules::MENTIONS,
        reach,
    };
    Ok(pick(&with_votes(&publisher.store, candidates).await?, window, rules))
}

/// Puts comparisons in place of those of the same slug, and beside the others. [`pick`](pick::pick)
/// leaves out what is too old.
fn overlay(candidates: &mut Vec<Comparison>, unsaved: &[Comparison]) {
    for comparison in unsaved {
        match candidates.iter_mut().find(|one| one.slug == comparison.slug) {
            Some(one) => *one = comparison.clone(),
            None => candidates.push(comparison.clone()),
        }
    }
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
