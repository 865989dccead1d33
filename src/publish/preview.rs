//! What a preview asks of a week beyond its draft.

use super::{Draft, Edition, PublishError, Publisher, variants};
use crate::domain::UnixMillis;
use crate::domain::comparison::Comparison;
use crate::domain::preferences::Topics;
use crate::letter::compose::compose;
use crate::mail::Stencil;

/// The draft as somebody gets it who chose these topics; the whole letter for whom nothing would be left.
///
/// # Errors
/// As [`super::run`].
pub fn variant(
    publisher: &Publisher,
    draft: &Draft,
    topics: &Topics,
    now: UnixMillis,
) -> Result<Edition, PublishError> {
    let left = draft.selection.of(topics);
    let selection = if left.featured.is_empty() { &draft.selection } else { &left };
    let ballots = variants::of_interest(selection, &draft.ballots);
    let composition = compose(draft.number, now, &publisher.settings.site, selection).with_votes(&ballots);
    let composition = composition.in_words(draft.written.as_ref());
    let stencil =
        Stencil::build(&publisher.templates.render(&composition)?, &publisher.settings.site, draft.number)?;
    Ok(Edition { composition, stencil, rival: None })
}

/// Puts comparisons in place of those of the same slug, and beside the others. [`crate::letter::pick`] leaves out what is too old.
pub(super) fn overlay(candidates: &mut Vec<Comparison>, unsaved: &[Comparison]) {
    for comparison in unsaved {
        match candidates.iter_mut().find(|one| one.slug == comparison.slug) {
            Some(one) => *one = comparison.clone(),
            None => candidates.push(comparison.clone()),
        }
    }
}
