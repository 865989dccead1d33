//! What a letter does without when it would be too large: the least important first. Pure.

use super::composition::{Composition, Feature};
use super::quotes::keep_one_of_each;
use crate::letter::english;

impl Composition {
    /// What each step leaves out besides what those before it do, in words for the log. The
    /// figures, the verdicts and the link to every review always stay.
    pub const STEPS: [&'static str; 8] = [
        "quotes outside the lead after 90 columns",
        "quotes outside the lead",
        "quotes of the lead after 120 columns",
        "all but one ship and one skip a tool among the quotes of the lead",
        "verdicts under \"Also compared\"",
        "the votes on the letter before",
        "who judged what outside the lead",
        "all quotes",
    ];

    /// A copy without what the first `step` of [`Composition::STEPS`] leave out; 0 is the whole
    /// letter. The text part is not made from it.
    pub fn reduced(&self, step: usize) -> Self {
        let mut reduced = self.clone();
        for feature in &mut reduced.comparisons {
            if feature.is_lead { reduce_lead(feature, step) } else { reduce_other(feature, step) }
        }
        if step >= 5 {
            reduced.also.iter_mut().for_each(|mention| mention.verdict.clear());
        }
        if step >= 6 {
            reduced.votes.clear();
        }
        reduced
    }
}

fn reduce_other(feature: &mut Feature, step: usize) {
    match step {
        0 => {}
        1 => shorten(feature, 90),
        _ => feature.tools.iter_mut().for_each(|tool| tool.quotes.clear()),
    }
    if step >= 7 {
        feature.scorecard.clear();
    }
}

fn reduce_lead(feature: &mut Feature, step: usize) {
    if step >= 3 {
        shorten(feature, 120);
    }
    if step >= 4 {
        feature.tools.iter_mut().for_each(|tool| keep_one_of_each(&mut tool.quotes));
    }
    if step >= 8 {
        feature.tools.iter_mut().for_each(|tool| tool.quotes.clear());
    }
}

fn shorten(feature: &mut Feature, columns: usize) {
    for quote in feature.tools.iter_mut().flat_map(|tool| &mut tool.quotes) {
        quote.text = english::shortened(&quote.text, columns);
    }
}
