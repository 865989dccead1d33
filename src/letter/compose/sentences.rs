//! The sentences of a letter about what the panel says: verdict, split, and what stands around
//! them. They state what the figures say and promise nothing that the letter does not hold.

use crate::domain::comparison::{Comparison, Stance, Tool};
use crate::letter::english::{capitalized, isolated};
use crate::letter::verdict::{self, Panel, Verdict};
use crate::texts::Phrases;

/// Stands for a figure where there is nothing to count: never 0%.
pub(super) const UNKNOWN: &str = "—";

/// What to ship with, in as few words as there are.
pub(super) fn answer(comparison: &Comparison, phrases: Phrases<'_>) -> String {
    let key = match verdict::verdict(comparison) {
        Verdict::Pick { tool, .. } => {
            let panel = comparison.tools[tool].panel();
            if panel.ship >= panel.skip {
                return comparison.tools[tool].name.clone();
            }
            "letter.answer_neither_yet"
        }
        Verdict::Tie { percent: 100 } => "letter.answer_either",
        Verdict::Tie { percent: 0 } => "letter.answer_neither",
        Verdict::Tie { .. } => "letter.answer_close",
        Verdict::OneSided { .. } => "letter.answer_half",
        Verdict::Unjudged => "letter.answer_none",
    };
    phrases.get(key)
}

/// Where the reviews stand in full.
pub(super) fn link_text(comparison: &Comparison, phrases: Phrases<'_>) -> String {
    match comparison.tools.iter().map(|tool| tool.reviews.len()).sum() {
        0 => phrases.get("letter.reviews_none"),
        2 => phrases.get("letter.reviews_two"),
        n => counted("letter.reviews", n, &[("number", &phrases.number(n))], phrases),
    }
}

/// "100%", or "—" without a review.
pub(super) fn percent(tool: &Tool) -> String {
    tool.panel().percent().map_or_else(|| UNKNOWN.to_owned(), |p| format!("{p}%"))
}

/// A tool's ship % as a number, for a sentence that is only said of tools with reviews.
pub(super) fn figure(tool: &Tool) -> String {
    tool.panel().percent().unwrap_or(0).to_string()
}

/// A text that depends on a count.
pub(super) fn counted(key: &str, count: usize, with: &[(&str, &str)], phrases: Phrases<'_>) -> String {
    let count = count.to_string();
    let with: Vec<(&str, &str)> = with.iter().copied().chain([("count", count.as_str())]).collect();
    phrases.fill(key, &with)
}

/// The verdict in one sentence, with the tools called as `name` says.
pub fn verdict_line(comparison: &Comparison, phrases: Phrases<'_>, name: fn(&str) -> String) -> String {
    let tool = |at: usize| name(&comparison.tools[at].name);
    let figure = |at: usize| figure(&comparison.tools[at]);
    match verdict::verdict(comparison) {
        Verdict::Pick { tool: at, .. } => {
            let panel = comparison.tools[at].panel();
            let key = if panel.ship < panel.skip { "read.verdict_prefer" } else { "read.verdict_pick" };
            phrases.fill(key, &[("tool", &tool(at)), ("a", &figure(at)), ("b", &figure(1 - at))])
        }
        Verdict::Tie { percent: 100 } => phrases.get("read.verdict_both"),
        Verdict::Tie { percent: 0 } => phrases.get("read.verdict_neither"),
        Verdict::Tie { percent } => phrases.fill("read.verdict_tie", &[("percent", &percent.to_string())]),
        Verdict::OneSided { tool: at } => {
            phrases.fill("read.verdict_one", &[("tool", &tool(at)), ("percent", &figure(at))])
        }
        Verdict::Unjudged => phrases.get("read.verdict_none"),
    }
}

/// [`verdict_line`] for a letter, where a name in another script must not turn the figures behind
/// it.
pub(super) fn isolated_verdict(comparison: &Comparison, phrases: Phrases<'_>) -> String {
    verdict_line(comparison, phrases, isolated)
}

/// Who disagreed with whom, tool by tool.
pub(super) fn split_line(comparison: &Comparison, phrases: Phrases<'_>) -> String {
    let split = verdict::split(comparison);
    let [first, second] = &comparison.tools;
    if let [Panel::Nobody, Panel::Nobody] = split.panels {
        return String::new();
    }
    if let [Panel::Unanimous { stance: a, count: n }, Panel::Unanimous { stance: b, count: m }] = split.panels
        && a == b
        && n == m
        && n > 1
    {
        let key = if a == Stance::Ship { "letter.all_ship_each" } else { "letter.all_skip_each" };
        return phrases.fill(key, &[("number", &capitalized(&phrases.number(n)))]);
    }
    let mut sentences = match same_on_both(comparison, &split.panels, phrases) {
        Some(sentence) => vec![sentence],
        None => vec![
            panel_sentence(first, &split.panels[0], phrases),
            panel_sentence(second, &split.panels[1], phrases),
        ],
    };
    let divided: Vec<&str> = split.divided.iter().map(|(who, _)| *who).collect();
    if matches!(verdict::verdict(comparison), Verdict::Tie { .. }) && divided.len() > 1 {
        sentences.push(phrases.fill("letter.divided", &[("names", &list(&divided, phrases))]));
    }
    sentences.join(" ")
}

/// One sentence where two would say the same: an even split on both, or one reviewer alone on both.
fn same_on_both(comparison: &Comparison, panels: &[Panel<'_>; 2], phrases: Phrases<'_>) -> Option<String> {
    let [first, second] = &comparison.tools;
    match panels {
        [Panel::Even { each }, Panel::Even { each: other }] if each == other => {
            Some(phrases.fill("letter.even_each", &[("each", &each.to_string())]))
        }
        [Panel::Dissent { stance, by }, Panel::Dissent { stance: other, by: who }]
            if by.len() == 1 && by == who =>
        {
            let [first_stance, second_stance] = [stance, other].map(|stance| {
                phrases.get(match stance {
                    Stance::Ship => "letter.stance_ship",
                    Stance::Skip => "letter.stance_skip",
                })
            });
            let (name, first, second) = (isolated(by[0]), isolated(&first.name), isolated(&second.name));
            let with = [
                ("name", name.as_str()),
                ("first_stance", &first_stance),
                ("first", &first),
                ("second_stance", &second_stance),
                ("second", &second),
            ];
            Some(phrases.fill("letter.alone_each", &with))
        }
        _ => None,
    }
}

fn panel_sentence(tool: &Tool, panel: &Panel<'_>, phrases: Phrases<'_>) -> String {
    let name = isolated(&tool.name);
    let tool = ("tool", name.as_str());
    match panel {
        Panel::Nobody => phrases.fill("read.panel_nobody", &[tool]),
        Panel::Unanimous { stance, count: 2 } => {
            let key = match stance {
                Stance::Ship => "letter.panel_both_ship",
                Stance::Skip => "letter.panel_both_skip",
            };
            phrases.fill(key, &[tool])
        }
        Panel::Unanimous { stance, count } => {
            let key = match stance {
                Stance::Ship => "letter.panel_all_ship",
                Stance::Skip => "letter.panel_all_skip",
            };
            counted(key, *count, &[tool, ("number", &phrases.number(*count))], phrases)
        }
        Panel::Dissent { stance, by } => {
            let key = match stance {
                Stance::Ship => "letter.panel_only_ship",
                Stance::Skip => "letter.panel_only_skip",
            };
            counted(key, by.len(), &[tool, ("names", &list(by, phrases))], phrases)
        }
        Panel::Even { each } => phrases.fill("read.panel_even", &[tool, ("each", &each.to_string())]),
    }
}

/// "A", "A and B", "A, B and C".
fn list(names: &[&str], phrases: Phrases<'_>) -> String {
    let names: Vec<String> = names.iter().map(|name| isolated(name)).collect();
    phrases.list(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

pub(super) fn intro(featured: usize, mentioned: usize, phrases: Phrases<'_>) -> String {
    let number = capitalized(&phrases.number(featured));
    let comparisons = counted("letter.intro", featured, &[("number", &number)], phrases);
    let comparisons = ("comparisons", comparisons.as_str());
    match mentioned {
        0 => phrases.fill("letter.intro_alone", &[comparisons]),
        n => counted("letter.intro_more", n, &[comparisons, ("number", &phrases.number(n))], phrases),
    }
}
