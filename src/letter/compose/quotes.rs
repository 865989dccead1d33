//! Which quotes stand in the HTML, and how much of them. The text part and the page of the
//! comparison have more.

use super::composition::Quote;
use crate::domain::comparison::Stance;
use crate::letter::english;

/// Longest quote of the lead, in columns of a terminal: five lines at most.
const LEAD_QUOTE: usize = 280;
/// Longest quote of any other comparison.
const QUOTE: usize = 150;
/// Most quotes of a tool.
const QUOTES: usize = 4;

/// Those of `all` that the HTML has of a tool, each up to the end of a sentence.
pub(super) fn telling(all: &[Quote], is_lead: bool) -> Vec<Quote> {
    let mut quotes = all.to_vec();
    keep_the_telling(&mut quotes, if is_lead { QUOTES } else { 1 });
    for quote in &mut quotes {
        quote.text = english::shortened(&quote.text, if is_lead { LEAD_QUOTE } else { QUOTE });
    }
    quotes
}

/// At most `most` quotes, in the order of the panel: half of them of those who stand against the
/// rest, if there are any.
fn keep_the_telling(quotes: &mut Vec<Quote>, most: usize) {
    let ships = quotes.iter().filter(|quote| quote.stance == Stance::Ship.as_str()).count();
    let rarer = if ships * 2 < quotes.len() { Stance::Ship } else { Stance::Skip }.as_str();
    let (of_few, of_many) = (ships.min(quotes.len() - ships), ships.max(quotes.len() - ships));
    let few = of_few.min(most.saturating_sub(of_many).max(most.div_ceil(2)));
    let mut room = [few, most - few];
    quotes.retain(|quote| {
        let room = &mut room[usize::from(quote.stance != rarer)];
        let fits = *room > 0;
        *room = room.saturating_sub(1);
        fits
    });
}

/// The first ship and the first skip.
pub(super) fn keep_one_of_each(quotes: &mut Vec<Quote>) {
    let mut seen = Vec::new();
    quotes.retain(|quote| {
        let first = !seen.contains(&quote.stance);
        seen.push(quote.stance);
        first
    });
}
