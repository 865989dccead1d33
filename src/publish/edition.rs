//! One letter of an issue: votes → compose → words → render → stencil. The draft, the letters of
//! readers' choices, those of a subject test, previews and the check with samples are all made
//! here.

use std::collections::BTreeSet;

use super::publisher::{PublishError, Publisher};
use crate::domain::UnixMillis;
use crate::domain::comparison::Tool;
use crate::domain::issue::IssueNumber;
use crate::domain::site::Site;
use crate::domain::subject::Wording;
use crate::letter::compose::{ComparisonVotes, Composition, Heading, compose};
use crate::letter::pick::Selection;
use crate::letter::render::Templates;
use crate::mail::Stencil;

/// What a letter holds: everything in which the letters of one site differ.
#[derive(Clone, Copy)]
pub struct Contents<'a> {
    pub number: IssueNumber,
    pub selection: &'a Selection,
    /// What the last letter featured, with the votes on it.
    pub last_votes: &'a [ComparisonVotes],
    /// What an operator wrote for it.
    pub written: Option<&'a Wording>,
    /// What stands in place of every other subject and preheader: those under which a test sends
    /// it.
    pub heading: Option<&'a Heading>,
}

/// A letter that is ready for the queue.
pub struct Edition {
    pub composition: Composition,
    pub stencil: Stencil,
}

impl Edition {
    /// # Errors
    /// [`PublishError`] if a template fails, or the letter is too large even in the least detail.
    pub fn make(
        templates: &Templates,
        site: &Site,
        contents: Contents<'_>,
        now: UnixMillis,
    ) -> Result<Self, PublishError> {
        let Contents { number, selection, last_votes, written, heading } = contents;
        let phrases = templates.phrases();
        let composition = compose(number, now, site, selection, phrases)
            .with_votes(last_votes, phrases)
            .in_words(written)
            .under(heading);
        let stencil = Stencil::build(&templates.render(&composition)?, site, number)?;
        Ok(Self { composition, stencil })
    }
}

impl Publisher {
    /// [`Edition::make`] with this site's templates.
    pub(super) fn make(&self, contents: Contents<'_>, now: UnixMillis) -> Result<Edition, PublishError> {
        Edition::make(&self.templates, &self.settings.site, contents, now)
    }
}

/// The votes on comparisons that have a category in common with what a letter carries. Not with
/// what was chosen, since readers of different choices may share a letter.
pub(super) fn of_interest(selection: &Selection, votes: &[ComparisonVotes]) -> Vec<ComparisonVotes> {
    let choices = selection.featured.iter().chain(&selection.mentioned);
    let topic = |tool: &Tool| tool.category.trim().to_lowercase();
    let carried: BTreeSet<String> = choices.flat_map(|choice| &choice.comparison.tools).map(topic).collect();
    let is_of_interest =
        |b: &&ComparisonVotes| b.comparison.tools.iter().any(|tool| carried.contains(&topic(tool)));
    votes.iter().filter(is_of_interest).cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::preferences::Topics;
    use crate::letter::{pick, samples};

    #[test]
    fn a_variant_tells_how_the_votes_on_its_own_categories_came_out() {
        let now = UnixMillis(1_794_906_000_000);
        let samples = samples(now);
        let week = Duration::from_secs(7 * 24 * 3600);
        let rules = pick::Rules { min: 1, max: 5, mentions: 6, reach: pick::reach(None, now, week) };
        let selection = pick::pick(&samples, pick::Window::since(None, now, week), rules);
        let category = selection.featured[0].comparison.tools[0].category.clone();
        let narrow = selection.of(&Topics::new([category.as_str()]).unwrap());
        let votes: Vec<ComparisonVotes> = samples
            .into_iter()
            .map(|comparison| ComparisonVotes { comparison, here: Default::default() })
            .collect();
        let shown = of_interest(&narrow, &votes);
        assert!(!shown.is_empty() && shown.len() < votes.len());
        let has = |b: &ComparisonVotes| b.comparison.tools.iter().any(|t| t.category == category);
        assert!(shown.iter().all(has) && votes.iter().filter(|b| has(b)).count() == shown.len());
    }
}
