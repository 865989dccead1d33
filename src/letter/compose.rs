//! The letter in words and figures, before it has a shape: what the templates print. Pure.
//!
//! Every sentence that depends on the content is made here, of the verdict rules and the texts of
//! the letter's language; the templates decide where it stands. HTML has quotes that end with a
//! sentence, and the page of the comparison all of them in full; [`Composition::reduced`] gives
//! still less for a letter that would be too large.

mod composition;
mod feature;
mod quotes;
mod reduce;
mod sentences;
mod subject;
mod votes;

use crate::domain::UnixMillis;
use crate::domain::comparison::Comparison;
use crate::domain::issue::IssueNumber;
use crate::domain::site::Site;
use crate::letter::pick::Selection;
use crate::texts::Phrases;

pub use composition::{
    Composition, Feature, Heading, Mention, PREHEADER_MAX, Quote, SUBJECT_MAX, ScoreRow, SiteView, ToolView,
    VoteFigure, VoteResult,
};
pub use sentences::verdict_line;
pub use votes::ComparisonVotes;

/// Composes an issue from what was picked.
pub fn compose(
    number: IssueNumber,
    date: UnixMillis,
    site: &Site,
    selection: &Selection,
    phrases: Phrases<'_>,
) -> Composition {
    let featured: Vec<&Comparison> = selection.featured.iter().map(|c| &c.comparison).collect();
    let features = featured.iter().enumerate().map(|(index, one)| feature::feature(one, index == 0, phrases));
    let comparisons = features.collect();
    let Heading { subject, preheader } = subject::heading(&featured, &site.name, phrases);
    Composition {
        number: number.0,
        date: phrases.date(date),
        subject,
        preheader,
        intro: sentences::intro(featured.len(), selection.mentioned.len(), phrases),
        comparisons,
        also: selection.mentioned.iter().map(|choice| feature::mention(choice, phrases)).collect(),
        votes: Vec::new(),
        issue_url: site.issue_url(number),
        site: SiteView {
            name: site.name.clone(),
            base_url: site.base_url.clone(),
            postal_address: site.postal_address.clone(),
        },
    }
}

/// Another subject for the same letter, made by rule as well; none where there is nothing else to
/// say.
pub fn second(site: &Site, selection: &Selection, phrases: Phrases<'_>) -> Option<Heading> {
    let featured: Vec<&Comparison> = selection.featured.iter().map(|c| &c.comparison).collect();
    subject::second_heading(&featured, &site.name, phrases)
}
