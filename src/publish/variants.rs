//! A letter for every choice of topics, rendered once each, and the hours that readers chose as
//! moments of this run.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::draft::Draft;
use super::edition::{Contents, of_interest};
use super::proof::passes;
use super::publisher::{PublishError, Publisher};
use super::subject_test::{new_variant, variant_under_b};
use crate::domain::UnixMillis;
use crate::domain::delivery::Variant;
use crate::domain::preferences::{Topics, next_hour};
use crate::domain::subject::Arm;
use crate::letter::pick::Selection;
use crate::store::{Choices, ChosenHour, NewVariant, Served};

/// The most letters besides the whole one. Each is rendered, stored and held in memory by every
/// worker (some 60 KB), and with ten comparisons readers could ask for a thousand. What most
/// readers chose comes first; the others get the smallest of these that carries all they asked for.
pub const MOST_VARIANTS: usize = 64;

/// The comparisons of a letter by slug: featured, and mentioned.
type CarriedSlugs = (Vec<String>, Vec<String>);

/// What to do for readers who chose; and, for a draft with a rival, the letters of their choices
/// under subject B.
///
/// # Errors
/// As [`super::run`].
pub(super) async fn choices(
    publisher: &Publisher,
    draft: &Draft,
    now: UnixMillis,
) -> Result<(Choices, Vec<NewVariant>), PublishError> {
    let selection = &draft.selection;
    let mut under_b = Vec::new();
    let mut choices = Choices { hours: hours(publisher, now).await?, ..Choices::default() };
    let whole = carried(selection);
    let mut made: BTreeMap<CarriedSlugs, NonZeroU32> = BTreeMap::new();
    for chosen in publisher.store.chosen_topics().await? {
        let left = Topics::parse(&chosen.topics).map(|topics| selection.of(&topics));
        let served = match left {
            Some(left) if left.featured.is_empty() => Served::Nothing,
            Some(left) if carried(&left) != whole => {
                let carries = carried(&left);
                if let Some(letter) = made.get(&carries) {
                    Served::Letter(*letter)
                } else if choices.variants.len() < MOST_VARIANTS {
                    let made_before = u32::try_from(made.len()).unwrap_or(u32::MAX);
                    let letter = NonZeroU32::MIN.saturating_add(made_before);
                    let (a, b) = letters(publisher, draft, &left, letter, now)?;
                    choices.variants.push(a);
                    under_b.extend(b);
                    made.insert(carries, letter);
                    Served::Letter(letter)
                } else {
                    smallest_with(&made, &carries)
                }
            }
            // Everything is in it, or the text is not one of ours.
            Some(_) | None => Served::Whole,
        };
        choices.topics.push((chosen.topics, served));
    }
    Ok((choices, under_b))
}

/// The letter of what is `left`; and, for a draft with a rival, the same under subject B.
fn letters(
    publisher: &Publisher,
    draft: &Draft,
    left: &Selection,
    letter: NonZeroU32,
    now: UnixMillis,
) -> Result<(NewVariant, Option<NewVariant>), PublishError> {
    let last_votes = &of_interest(left, &draft.last_votes);
    let contents = Contents { selection: left, last_votes, ..draft.contents() };
    let edition = publisher.make(contents, now)?;
    // It is the whole letter with less in it: what there is to warn of was said of that.
    passes(draft.number, publisher.proof(draft.number, &edition.stencil, now))?;
    let under_b = match draft.rival {
        Some(_) => Some(variant_under_b(publisher, contents, (letter, &edition), now)?),
        None => None,
    };
    let variant = Variant { arm: Arm::A, letter: Some(letter) };
    Ok((new_variant(variant, left, &edition), under_b))
}

async fn hours(
    publisher: &Publisher,
    now: UnixMillis,
) -> Result<Option<Vec<(ChosenHour, UnixMillis)>>, PublishError> {
    if !publisher.settings.delivery.reader_hours {
        return Ok(None);
    }
    let chosen = publisher.store.chosen_hours().await?;
    let own = publisher.settings.schedule.timezone;
    let due = |chosen: &ChosenHour| next_hour(chosen.zone.parse().unwrap_or(own), chosen.hour, now);
    Ok(Some(chosen.into_iter().map(|chosen| (chosen.clone(), due(&chosen))).collect()))
}

fn carried(selection: &Selection) -> CarriedSlugs {
    (selection.featured_slugs(), selection.mentioned_slugs())
}

fn smallest_with(made: &BTreeMap<CarriedSlugs, NonZeroU32>, wanted: &CarriedSlugs) -> Served {
    let has = |have: &[String], want: &[String]| want.iter().all(|slug| have.contains(slug));
    let fitting = made.iter().filter(|(have, _)| has(&have.0, &wanted.0) && has(&have.1, &wanted.1));
    let smallest = fitting.min_by_key(|(have, letter)| (have.0.len(), have.1.len(), **letter));
    smallest.map_or(Served::Whole, |(_, letter)| Served::Letter(*letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(featured: &str, mentioned: &str) -> CarriedSlugs {
        let slugs = |text: &str| text.chars().map(String::from).collect();
        (slugs(featured), slugs(mentioned))
    }

    #[test]
    fn who_finds_no_letter_made_gets_the_smallest_with_all_that_was_asked_for() {
        let n = |n| NonZeroU32::new(n).unwrap();
        let made = BTreeMap::from([(of("ab", "x"), n(1)), (of("abc", "x"), n(2)), (of("bcd", ""), n(3))]);
        assert_eq!(smallest_with(&made, &of("a", "")), Served::Letter(n(1)));
        assert_eq!(smallest_with(&made, &of("bc", "")), Served::Letter(n(3)), "the one with fewer mentions");
        assert_eq!(smallest_with(&made, &of("d", "")), Served::Letter(n(3)));
        assert_eq!(smallest_with(&made, &of("d", "x")), Served::Whole);
    }
}
