//! A letter for every choice of topics, rendered once each, and the hours that readers chose as moments of this run.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use super::subject_test::{new_variant, variant_under_b};
use super::{PublishError, Publisher};
use crate::domain::UnixMillis;
use crate::domain::comparison::Tool;
use crate::domain::delivery::Variant;
use crate::domain::issue::IssueNumber;
use crate::domain::preferences::{Topics, next_hour};
use crate::domain::subject::{Arm, Wording};
use crate::letter::compose::{ComparisonVotes, Composition, compose};
use crate::letter::pick::Selection;
use crate::mail::Stencil;
use crate::store::{Choices, ChosenHour, NewVariant, Served};

/// The most letters besides the whole one. Each is rendered, stored and held in memory by every worker (some 60 KB), and with
/// ten comparisons readers could ask for a thousand. What most readers chose comes first; the others get the smallest of
/// these that carries all they asked for.
pub const MOST_VARIANTS: usize = 64;

/// The comparisons of a variant by slug: featured, and mentioned.
type Carried = (Vec<String>, Vec<String>);

/// What a letter is made of.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub selection: &'a Selection,
    pub ballots: &'a [ComparisonVotes],
    pub written: Option<&'a Wording>,
}

/// What to do for readers who chose, for a letter of this; and, `with_test`, the letters of their choices under subject B.
///
/// # Errors
/// As [`super::run`].
pub(super) async fn choices(
    publisher: &Publisher,
    number: IssueNumber,
    from: Source<'_>,
    with_test: bool,
    now: UnixMillis,
) -> Result<(Choices, Vec<NewVariant>), PublishError> {
    let selection = from.selection;
    let mut under_b = Vec::new();
    let mut choices = Choices { hours: hours(publisher, now).await?, ..Choices::default() };
    let whole = carried(selection);
    let mut made: BTreeMap<Carried, NonZeroU32> = BTreeMap::new();
    for chosen in publisher.store.chosen_topics().await? {
        let left = Topics::parse(&chosen.topics).map(|topics| selection.of(&topics));
        let served = match left {
            Some(left) if left.featured.is_empty() => Served::Nothing,
            Some(left) if carried(&left) != whole => {
                let carries = carried(&left);
                if let Some(letter) = made.get(&carries) {
                    Served::Letter(*letter)
                } else if choices.variants.len() < MOST_VARIANTS {
                    let next = NonZeroU32::MIN.saturating_add(u32::try_from(made.len()).unwrap_or(u32::MAX));
                    let left = Source { selection: &left, ..from };
                    let (letter, composition) = letter(publisher, number, left, next, now)?;
                    choices.variants.push(letter);
                    if with_test {
                        let of = (next, &composition);
                        let rival =
                            variant_under_b(publisher, number, left.selection, of, from.written, now)?;
                        under_b.push(rival);
                    }
                    made.insert(carries, next);
                    Served::Letter(next)
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

fn letter(
    publisher: &Publisher,
    number: IssueNumber,
    Source { selection, ballots, written }: Source<'_>,
    letter: NonZeroU32,
    now: UnixMillis,
) -> Result<(NewVariant, Composition), PublishError> {
    let site = &publisher.settings.site;
    let composition = compose(number, now, site, selection).with_votes(&of_interest(selection, ballots));
    let composition = composition.in_words(written);
    let stencil = Stencil::build(&publisher.templates.render(&composition)?, site, number)?;
    // It is the whole letter with less in it: what there is to warn of was said of that.
    super::passes(
        number,
        super::proof(&publisher.settings.site, &publisher.keyring, number, &stencil, now),
        false,
    )?;
    let variant = Variant { arm: Arm::A, letter: Some(letter) };
    Ok((new_variant(variant, &composition, selection, &stencil), composition))
}

/// The ballots that have a category in common with what the variant carries. Not with what was chosen, since readers of
/// different choices may share a variant.
pub(super) fn of_interest(selection: &Selection, ballots: &[ComparisonVotes]) -> Vec<ComparisonVotes> {
    let choices = selection.featured.iter().chain(&selection.mentioned);
    let topic = |tool: &Tool| tool.category.trim().to_lowercase();
    let carried: BTreeSet<String> = choices.flat_map(|choice| &choice.comparison.tools).map(topic).collect();
    let is_of_interest =
        |b: &&ComparisonVotes| b.comparison.tools.iter().any(|tool| carried.contains(&topic(tool)));
    ballots.iter().filter(is_of_interest).cloned().collect()
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

fn carried(selection: &Selection) -> Carried {
    (selection.featured_slugs(), selection.mentioned_slugs())
}

fn smallest_with(made: &BTreeMap<Carried, NonZeroU32>, wanted: &Carried) -> Served {
    let has = |have: &[String], want: &[String]| want.iter().all(|slug| have.contains(slug));
    let fitting = made.iter().filter(|(have, _)| has(&have.0, &wanted.0) && has(&have.1, &wanted.1));
    let smallest = fitting.min_by_key(|(have, letter)| (have.0.len(), have.1.len(), **letter));
    smallest.map_or(Served::Whole, |(_, letter)| Served::Letter(*letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letter::pick;

    fn of(featured: &str, mentioned: &str) -> Carried {
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

    #[test]
    fn a_variant_tells_how_the_votes_on_its_own_categories_came_out() {
        let now = UnixMillis(1_794_906_000_000);
        let samples = crate::letter::samples(now);
        let week = std::time::Duration::from_secs(7 * 24 * 3600);
        let rules = pick::Rules { min: 1, max: 5, mentions: 6, reach: pick::reach(None, now, week) };
        let selection = pick::pick(&samples, pick::Window::since(None, now, week), rules);
        let category = selection.featured[0].comparison.tools[0].category.clone();
        let narrow = selection.of(&Topics::new([category.as_str()]).unwrap());
        let ballots: Vec<ComparisonVotes> = samples
            .into_iter()
            .map(|comparison| ComparisonVotes { comparison, here: Default::default() })
            .collect();
        let shown = of_interest(&narrow, &ballots);
        assert!(!shown.is_empty() && shown.len() < ballots.len());
        let has = |b: &ComparisonVotes| b.comparison.tools.iter().any(|t| t.category == category);
        assert!(shown.iter().all(has) && ballots.iter().filter(|b| has(b)).count() == shown.len());
    }
}
