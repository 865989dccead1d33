//! Subject and preheader. They say what the letter holds and how it came out: no exclamation, no
//! riddle, no capitals that are not a name's. A mail program shows one behind the other, so the
//! preheader goes on where the subject ends and repeats none of it.

use super::composition::{Heading, PREHEADER_MAX, SUBJECT_MAX};
use super::sentences::{counted, figure, isolated_verdict, split_line};
use crate::domain::comparison::Comparison;
use crate::letter::english::{self, clipped, isolated};
use crate::letter::verdict::{self, Verdict};
use crate::texts::Phrases;

#[cfg(test)]
#[path = "subject_tests.rs"]
mod tests;

/// A lead of so many points or more is called clear.
const CLEAR: u8 = 50;
/// Longest name of a tool where two full ones don't fit, in characters: two of these, " or " and
/// "?" are 65.
const NAME_MAX: usize = 30;
/// The same where there is more to say.
const NAME_SHORT: usize = 18;

/// The lead as the sentences name it: its tools, their figures, and who is ahead.
struct Lead<'a> {
    comparison: &'a Comparison,
    names: [String; 2],
    verdict: Verdict,
    phrases: Phrases<'a>,
}

impl<'a> Lead<'a> {
    /// With names of at most `max` characters.
    fn of(comparison: &'a Comparison, max: usize, phrases: Phrases<'a>) -> Self {
        let names = comparison.tools.each_ref().map(|tool| clipped(&english::collapsed(&tool.name), max));
        Self { comparison, names, verdict: verdict::verdict(comparison), phrases }
    }

    fn figure(&self, tool: usize) -> String {
        figure(&self.comparison.tools[tool])
    }

    /// Whether the one ahead is skipped by most, too.
    fn ships_neither(&self, ahead: usize) -> bool {
        let panel = self.comparison.tools[ahead].panel();
        panel.ship < panel.skip
    }

    /// A text about the two, the one of this place first.
    fn of_both(&self, key: &str, first: usize, more: &[(&str, &str)]) -> String {
        let names = [("first", self.names[first].as_str()), ("second", &self.names[1 - first])];
        self.phrases.fill(key, &[&names, more].concat())
    }

    fn question(&self) -> String {
        self.of_both("letter.question", 0, &[])
    }

    /// What the panel says to the question.
    fn answer(&self) -> String {
        let key = match self.verdict {
            Verdict::Pick { tool, .. } if self.ships_neither(tool) => "letter.says_neither",
            Verdict::Pick { tool, by } => {
                let key = if by >= CLEAR { "letter.says_clearly" } else { "letter.says_pick" };
                return self.phrases.fill(key, &[("tool", &self.names[tool])]);
            }
            Verdict::Tie { percent: 100 } => "letter.says_both",
            Verdict::Tie { percent: 0 } => "letter.says_skip",
            Verdict::Tie { .. } => "letter.says_tie",
            Verdict::OneSided { .. } => "letter.says_half",
            Verdict::Unjudged => "letter.says_nothing",
        };
        self.phrases.get(key)
    }

    /// Question and answer in one.
    fn result(&self) -> String {
        match self.verdict {
            Verdict::Pick { tool, .. } => self.of_both("letter.result_pick", tool, &[]),
            Verdict::Tie { .. } => self.of_both("letter.result_tie", 0, &[]),
            Verdict::OneSided { .. } | Verdict::Unjudged => self.of_both("letter.result_none", 0, &[]),
        }
    }

    /// The result with its figures; none where there is nothing to say.
    fn result_in_figures(&self) -> Option<String> {
        match self.verdict {
            Verdict::Pick { tool, .. } => {
                let (result, a, b) = (self.result(), self.figure(tool), self.figure(1 - tool));
                let with = [("result", result.as_str()), ("a", &a), ("b", &b)];
                Some(self.phrases.fill("letter.result_pick_figures", &with))
            }
            Verdict::Tie { percent } => {
                Some(self.of_both("letter.result_tie_figures", 0, &[("percent", &percent.to_string())]))
            }
            Verdict::OneSided { tool } => {
                let with = [("tool", self.names[tool].as_str()), ("percent", &self.figure(tool))];
                Some(self.phrases.fill("letter.result_one_figures", &with))
            }
            Verdict::Unjudged => None,
        }
    }

    /// The figures, for where the result was said.
    fn figures(&self) -> String {
        let name = |tool: usize| isolated(&self.comparison.tools[tool].name);
        match self.verdict {
            Verdict::Pick { tool, .. } => {
                let (a, b) = (self.figure(tool), self.figure(1 - tool));
                let (first, second) = (name(tool), name(1 - tool));
                let with = [("a", a.as_str()), ("first", &first), ("b", &b), ("second", &second)];
                self.phrases.fill("letter.figures_pick", &with)
            }
            Verdict::Tie { percent: 100 | 0 } => String::new(),
            Verdict::Tie { percent } => {
                self.phrases.fill("letter.figures_tie", &[("percent", &percent.to_string())])
            }
            Verdict::OneSided { .. } => isolated_verdict(self.comparison, self.phrases),
            Verdict::Unjudged => self.phrases.get("letter.figures_none"),
        }
    }

    /// The same in the fewest words, for where others follow.
    fn short_figures(&self) -> String {
        match self.verdict {
            Verdict::Pick { tool, .. } => {
                let is_neither = self.ships_neither(tool);
                let key = if is_neither { "letter.short_neither" } else { "letter.short_pick" };
                self.phrases.fill(key, &[("a", &self.figure(tool)), ("b", &self.figure(1 - tool))])
            }
            Verdict::Tie { percent: 100 } => self.phrases.get("letter.short_both"),
            Verdict::Tie { percent: 0 } => self.phrases.get("letter.short_skip"),
            Verdict::Tie { percent } => {
                self.phrases.fill("letter.short_tie", &[("percent", &percent.to_string())])
            }
            Verdict::OneSided { .. } | Verdict::Unjudged => isolated_verdict(self.comparison, self.phrases),
        }
    }

    /// With the count of the other comparisons behind it: in words, and shorter.
    fn and_more(&self, key: &str, said: (&str, &str), more: usize) -> Vec<String> {
        let number = self.phrases.number(more);
        let short = [("said", said.1), ("more", &more.to_string())];
        vec![
            counted(key, more, &[said, ("number", &number)], self.phrases),
            self.phrases.fill("letter.more_short", &short),
        ]
    }
}

/// What an issue is called if nobody has a say in it.
pub(super) fn heading(featured: &[&Comparison], site_name: &str, phrases: Phrases<'_>) -> Heading {
    let Some((lead, others)) = featured.split_first() else {
        return Heading { subject: clipped(site_name, SUBJECT_MAX), preheader: String::new() };
    };
    let more = others.len();
    let say = |lead: &Lead<'_>| match more {
        0 => {
            let with = [("question", &*lead.question()), ("answer", &*lead.answer())];
            vec![phrases.fill("letter.question_answer", &with)]
        }
        _ => lead.and_more("letter.result_more", ("result", &lead.result()), more),
    };
    let whole = Lead::of(lead, usize::MAX, phrases);
    let preheader = match more {
        0 => sentences(&[&whole.figures(), &split_line(lead, phrases)]),
        _ => and_others(whole.short_figures(), others, phrases),
    };
    Heading { subject: fitting(lead, phrases, say), preheader }
}

/// Another true subject, to test the first one against: where that asks, this one answers, and the
/// other way round. None where there is but one thing to say.
pub(super) fn second_heading(
    featured: &[&Comparison],
    site_name: &str,
    phrases: Phrases<'_>,
) -> Option<Heading> {
    let (lead, others) = featured.split_first()?;
    let more = others.len();
    let whole = Lead::of(lead, usize::MAX, phrases);
    let heading_b = if more == 0 {
        whole.result_in_figures()?;
        let subject = fitting(lead, phrases, |lead| lead.result_in_figures().into_iter().collect());
        Heading { subject, preheader: sentences(&[&split_line(lead, phrases)]) }
    } else {
        let say =
            |lead: &Lead<'_>| lead.and_more("letter.question_more", ("question", &lead.question()), more);
        let preheader = and_others(isolated_verdict(lead, phrases), others, phrases);
        Heading { subject: fitting(lead, phrases, say), preheader }
    };
    (heading_b.subject != heading(featured, site_name, phrases).subject).then_some(heading_b)
}

/// The first of what `say` says that fits: with whole names, with shorter ones, and at last the
/// question alone.
fn fitting(lead: &Comparison, phrases: Phrases<'_>, say: impl Fn(&Lead<'_>) -> Vec<String>) -> String {
    let [whole, short, shorter] = [usize::MAX, NAME_MAX, NAME_SHORT].map(|max| Lead::of(lead, max, phrases));
    let mut candidates = say(&whole);
    candidates.extend([&short, &shorter].into_iter().flat_map(say));
    candidates.extend([whole.question(), short.question()]);
    let found = candidates.iter().find(|one| one.chars().count() <= SUBJECT_MAX).or(candidates.last());
    clipped(found.map_or("", String::as_str), SUBJECT_MAX)
}

/// As many whole sentences as fit.
fn sentences(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    english::shortened(&parts.join(" "), PREHEADER_MAX)
}

/// What was said of the lead, then as many other titles as fit.
fn and_others(said: String, others: &[&Comparison], phrases: Phrases<'_>) -> String {
    let mut text = said;
    for (index, other) in others.iter().enumerate() {
        let key = if index == 0 { "letter.also_first" } else { "letter.also_next" };
        let title = english::collapsed(&other.title);
        let longer = phrases.fill(key, &[("said", &text), ("title", &title)]);
        if longer.chars().count() >= PREHEADER_MAX {
            break;
        }
        text = longer;
    }
    if !text.ends_with('.') {
        text.push('.');
    }
    english::shortened(&text, PREHEADER_MAX)
}
