//! The sentences of a letter: subject, preheader, verdict and split. They state what the figures say and promise
//! nothing that the letter does not hold.

use super::super::english::{capitalized, isolated, list, number, plural};
use super::super::verdict::{self, Panel, Verdict};
use super::percent;
use crate::domain::comparison::{Comparison, Stance, Tool};

/// What to ship with, in as few words as there are.
pub(super) fn answer(comparison: &Comparison) -> String {
    let words = match verdict::verdict(comparison) {
        Verdict::Pick { tool, .. } => {
            let panel = comparison.tools[tool].panel();
            if panel.ship >= panel.skip {
                return comparison.tools[tool].name.clone();
            }
            "Neither, so far"
        }
        Verdict::Tie { percent: 100 } => "Either one",
        Verdict::Tie { percent: 0 } => "Neither",
        Verdict::Tie { .. } => "Too close to call",
        Verdict::OneSided { .. } => "Half a verdict",
        Verdict::Unjudged => "Too early to say",
    };
    words.to_owned()
}

/// Where the reviews stand in full.
pub(super) fn link_text(comparison: &Comparison) -> String {
    match comparison.tools.iter().map(|tool| tool.reviews.len()).sum() {
        0 => "Read the whole comparison".to_owned(),
        1 => "Read the review".to_owned(),
        2 => "Read both reviews".to_owned(),
        n => format!("Read all {} reviews", number(n)),
    }
}

/// The verdict in one sentence.
pub(super) fn verdict_line(comparison: &Comparison) -> String {
    let name = |tool: usize| isolated(&comparison.tools[tool].name);
    let figure = |tool: usize| percent(&comparison.tools[tool]);
    match verdict::verdict(comparison) {
        Verdict::Pick { tool, .. } => {
            let (winner, figures) = (name(tool), format!("{} to {}", figure(tool), figure(1 - tool)));
            let panel = comparison.tools[tool].panel();
            if panel.ship < panel.skip {
                format!("The panel prefers {winner}, {figures}, and would ship neither.")
            } else {
                format!("The panel picks {winner}, {figures}.")
            }
        }
        Verdict::Tie { percent: 100 } => "A tie: the whole panel ships both.".to_owned(),
        Verdict::Tie { percent: 0 } => "A tie: the whole panel skips both.".to_owned(),
        Verdict::Tie { percent } => format!("A tie: {percent}% of the panel ships each of them."),
        Verdict::OneSided { tool } => {
            format!("Only {} has been reviewed so far: {} of the panel ships it.", name(tool), figure(tool))
        }
        Verdict::Unjudged => "No verdict yet: the panel has reviewed neither.".to_owned(),
    }
}

/// Who disagreed with whom, tool by tool.
pub(super) fn split_line(comparison: &Comparison) -> String {
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
        let verb = if a == Stance::Ship { "ship" } else { "skip" };
        return format!(
            "{} reviewers {verb} each of them, without a dissenting voice.",
            capitalized(&number(n))
        );
    }
    let mut sentences = match same_on_both(comparison, &split.panels) {
        Some(sentence) => vec![sentence],
        None => vec![panel_sentence(first, &split.panels[0]), panel_sentence(second, &split.panels[1])],
    };
    let divided: Vec<&str> = split.divided.iter().map(|(who, _)| *who).collect();
    if matches!(verdict::verdict(comparison), Verdict::Tie { .. }) && divided.len() > 1 {
        sentences.push(format!("{} ship one and skip the other.", list(&divided)));
    }
    sentences.join(" ")
}

/// One sentence where two would say the same: an even split on both, or one reviewer alone on both.
fn same_on_both(comparison: &Comparison, panels: &[Panel<'_>; 2]) -> Option<String> {
    let [first, second] = &comparison.tools;
    match panels {
        [Panel::Even { each }, Panel::Even { each: other }] if each == other => {
            Some(format!("The panel is split down the middle on both, {each} to {each}."))
        }
        [Panel::Dissent { stance, by }, Panel::Dissent { stance: other, by: who }]
            if by.len() == 1 && by == who =>
        {
            let (one, two) = (stance.as_str(), other.as_str());
            let (who, first, second) = (isolated(by[0]), isolated(&first.name), isolated(&second.name));
            Some(format!("{who} stands alone on both: {one} on {first}, {two} on {second}."))
        }
        _ => None,
    }
}

fn panel_sentence(tool: &Tool, panel: &Panel<'_>) -> String {
    let name = isolated(&tool.name);
    match panel {
        Panel::Nobody => format!("Nobody has reviewed {name} yet."),
        Panel::Unanimous { stance, count } => {
            let (one, many) = match stance {
                Stance::Ship => ("ships", "ship"),
                Stance::Skip => ("skips", "skip"),
            };
            match count {
                1 => format!("The only reviewer of {name} {one} it."),
                2 => format!("Both reviewers {many} {name}."),
                n => format!("All {} {many} {name}.", number(*n)),
            }
        }
        Panel::Dissent { stance, by } => {
            let word = stance.as_str();
            let verb = if by.len() == 1 { "is the only" } else { "are the only" };
            format!("{} {verb} {} on {name}.", list(by), plural(by.len(), word))
        }
        Panel::Even { each } => format!("On {name} the panel is split down the middle, {each} to {each}."),
    }
}

pub(super) fn intro(featured: usize, mentioned: usize) -> String {
    let verdicts = match featured {
        1 => "One comparison this week".to_owned(),
        n => format!("{} comparisons this week", capitalized(&number(n))),
    };
    match mentioned {
        0 => format!("{verdicts}."),
        1 => format!("{verdicts}, and one more in a line."),
        n => format!("{verdicts}, and {} more in a line each.", number(n)),
    }
}
