//! Subject and preheader. They say what the letter holds and how it came out: no exclamation, no riddle, no capitals that are
//! not a name's. A mail program shows one behind the other, so the preheader goes on where the subject ends and repeats
//! none of it.

use super::super::english::{self, clipped, isolated, number, plural};
use super::super::verdict::{self, Verdict};
use super::sentences::{split_line, verdict_line};
use super::{CLEAR, PREHEADER_MAX, SUBJECT_MAX, percent};
use crate::domain::comparison::Comparison;

#[cfg(test)]
#[path = "subject_tests.rs"]
mod tests;

/// Longest name of a tool where two full ones don't fit, in characters: two of these, " or " and "?" are 65.
const NAME_MAX: usize = 30;
/// The same where there is more to say.
const NAME_SHORT: usize = 18;

/// A subject and the preheader that goes with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heading {
    pub subject: String,
    pub preheader: String,
}

/// The lead as the sentences name it: its tools, their figures, and who is ahead.
struct Lead<'a> {
    comparison: &'a Comparison,
    names: [String; 2],
    verdict: Verdict,
}

impl<'a> Lead<'a> {
    /// With names of at most `max` characters.
    fn of(comparison: &'a Comparison, max: usize) -> Self {
        let names = comparison.tools.each_ref().map(|tool| clipped(&english::collapsed(&tool.name), max));
        Self { comparison, names, verdict: verdict::verdict(comparison) }
    }

    fn figure(&self, tool: usize) -> String {
        percent(&self.comparison.tools[tool])
    }

    /// Whether the one ahead is skipped by most, too.
    fn ships_neither(&self, ahead: usize) -> bool {
        let panel = self.comparison.tools[ahead].panel();
        panel.ship < panel.skip
    }

    fn question(&self) -> String {
        format!("{} or {}?", self.names[0], self.names[1])
    }

    /// What the panel says to the question.
    fn answer(&self) -> String {
        match self.verdict {
            Verdict::Pick { tool, .. } if self.ships_neither(tool) => {
                "The panel would ship neither".to_owned()
            }
            Verdict::Pick { tool, by } if by >= CLEAR => {
                format!("The panel clearly picks {}", self.names[tool])
            }
            Verdict::Pick { tool, .. } => format!("The panel picks {}", self.names[tool]),
            Verdict::Tie { percent: 100 } => "The panel ships both".to_owned(),
            Verdict::Tie { percent: 0 } => "The panel skips both".to_owned(),
            Verdict::Tie { .. } => "The panel calls it a tie".to_owned(),
            Verdict::OneSided { .. } => "Half a verdict".to_owned(),
            Verdict::Unjudged => "No verdict yet".to_owned(),
        }
    }

    /// Question and answer in one.
    fn result(&self) -> String {
        let [a, b] = &self.names;
        match self.verdict {
            Verdict::Pick { tool, .. } => format!("{} over {}", self.names[tool], self.names[1 - tool]),
            Verdict::Tie { .. } => format!("{a} and {b} tie"),
            Verdict::OneSided { .. } | Verdict::Unjudged => format!("{a} or {b}"),
        }
    }

    /// The result with its figures; none where there is nothing to say.
    fn result_in_figures(&self) -> Option<String> {
        let [a, b] = &self.names;
        match self.verdict {
            Verdict::Pick { tool, .. } => {
                Some(format!("{}, {} to {}", self.result(), self.figure(tool), self.figure(1 - tool)))
            }
            Verdict::Tie { percent } => Some(format!("{a} and {b}: {percent}% each")),
            Verdict::OneSided { tool } => {
                Some(format!("{}: {} of the panel", self.names[tool], self.figure(tool)))
            }
            Verdict::Unjudged => None,
        }
    }

    /// The figures, for where the result was said.
    fn figures(&self) -> String {
        let [a, b] = self.comparison.tools.each_ref().map(|tool| isolated(&tool.name));
        match self.verdict {
            Verdict::Pick { tool, .. } => {
                let (ahead, behind) = if tool == 0 { (a, b) } else { (b, a) };
                format!("{} would ship {ahead}, {} {behind}.", self.figure(tool), self.figure(1 - tool))
            }
            Verdict::Tie { percent: 100 | 0 } => String::new(),
            Verdict::Tie { percent } => format!("{percent}% would ship either."),
            Verdict::OneSided { .. } => verdict_line(self.comparison),
            Verdict::Unjudged => {
                "Nobody of the panel has reviewed them; what each is and costs stands inside.".to_owned()
            }
        }
    }

    /// The same in the fewest words, for where others follow.
    fn short_figures(&self) -> String {
        match self.verdict {
            Verdict::Pick { tool, .. } if self.ships_neither(tool) => {
                format!(
                    "{} of the panel to {}, so it would ship neither.",
                    self.figure(tool),
                    self.figure(1 - tool)
                )
            }
            Verdict::Pick { tool, .. } => {
                format!("{} of the panel to {}.", self.figure(tool), self.figure(1 - tool))
            }
            Verdict::Tie { percent: 100 } => "The whole panel ships both.".to_owned(),
            Verdict::Tie { percent: 0 } => "The whole panel skips both.".to_owned(),
            Verdict::Tie { percent } => format!("At {percent}% each."),
            Verdict::OneSided { .. } | Verdict::Unjudged => verdict_line(self.comparison),
        }
    }
}

/// What an issue is called if nobody has a say in it.
pub(super) fn heading(featured: &[&Comparison], site_name: &str) -> Heading {
    let Some((lead, others)) = featured.split_first() else {
        return Heading { subject: clipped(site_name, SUBJECT_MAX), preheader: String::new() };
    };
    let more = others.len();
    let say = |lead: &Lead<'_>| match more {
        0 => vec![format!("{} {}", lead.question(), lead.answer())],
        _ => {
            let result = lead.result();
            vec![
                format!("{result}, and {} more {}", number(more), plural(more, "verdict")),
                format!("{result} (+{more})"),
            ]
        }
    };
    let whole = Lead::of(lead, usize::MAX);
    let preheader = match more {
        0 => sentences(&[&whole.figures(), &split_line(lead)]),
        _ => and_others(whole.short_figures(), others),
    };
    Heading { subject: fitting(lead, say), preheader }
}

/// Another true subject, to test the first one against: where that asks, this one answers, and the other way round. None
/// where there is but one thing to say.
pub(super) fn second_heading(featured: &[&Comparison], site_name: &str) -> Option<Heading> {
    let (lead, others) = featured.split_first()?;
    let more = others.len();
    let whole = Lead::of(lead, usize::MAX);
    let heading_b = if more == 0 {
        whole.result_in_figures()?;
        let subject = fitting(lead, |lead| lead.result_in_figures().into_iter().collect());
        Heading { subject, preheader: sentences(&[&split_line(lead)]) }
    } else {
        let say = |lead: &Lead<'_>| {
            let question = lead.question();
            vec![
                format!("{question} And {} more {}", number(more), plural(more, "verdict")),
                format!("{question} (+{more})"),
            ]
        };
        Heading { subject: fitting(lead, say), preheader: and_others(verdict_line(lead), others) }
    };
    (heading_b.subject != heading(featured, site_name).subject).then_some(heading_b)
}

/// The first of what `say` says that fits: with whole names, with shorter ones, and at last the question alone.
fn fitting(lead: &Comparison, say: impl Fn(&Lead<'_>) -> Vec<String>) -> String {
    let [whole, short, shorter] = [usize::MAX, NAME_MAX, NAME_SHORT].map(|max| Lead::of(lead, max));
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
fn and_others(said: String, others: &[&Comparison]) -> String {
    let mut text = said;
    for (index, other) in others.iter().enumerate() {
        let joint = if index == 0 { " Also: " } else { ", " };
        let longer = format!("{text}{joint}{}", english::collapsed(&other.title));
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
