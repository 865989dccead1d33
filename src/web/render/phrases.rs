//! What the public pages say of a comparison: votes, the verdict, and who disagreed with whom.

use crate::domain::comparison::{Comparison, Stance, Tool, Votes};
use crate::letter::compose::verdict_line;
use crate::letter::verdict::{self, Panel};
use crate::texts::Phrases;

/// "120 votes"; none without a vote.
pub fn votes(votes: Votes, phrases: Phrases<'_>) -> Option<String> {
    let count = votes.total();
    (count > 0).then(|| phrases.fill("read.votes", &[("count", &count.to_string())]))
}

/// The verdict in one sentence.
pub fn verdict(comparison: &Comparison, phrases: Phrases<'_>) -> String {
    verdict_line(comparison, phrases, str::to_owned)
}

/// Who disagreed with whom, and who was asked about one tool alone: a sentence each.
pub fn split(comparison: &Comparison, phrases: Phrases<'_>) -> Vec<String> {
    let split = verdict::split(comparison);
    if split.panels == [Panel::Nobody, Panel::Nobody] {
        return Vec::new();
    }
    let mut said: Vec<String> = comparison
        .tools
        .iter()
        .zip(&split.panels)
        .map(|(tool, panel)| self::panel(tool, panel, phrases))
        .collect();
    for (at, tool) in comparison.tools.iter().enumerate() {
        let by: Vec<&str> =
            split.divided.iter().filter(|(_, ship)| *ship == at).map(|(who, _)| *who).collect();
        if !by.is_empty() {
            let other = comparison.tools[1 - at].name.as_str();
            let (count, names) = (by.len().to_string(), phrases.list(&by));
            let with = [("count", count.as_str()), ("names", &names), ("ship", &tool.name), ("skip", other)];
            said.push(phrases.fill("read.divided", &with));
        }
    }
    for (tool, only) in comparison.tools.iter().zip(&split.only) {
        if !only.is_empty() && split.both > 0 {
            let count = only.len().to_string();
            let with = [("count", count.as_str()), ("names", &phrases.list(only)), ("tool", &tool.name)];
            said.push(phrases.fill("read.only", &with));
        }
    }
    said
}

fn panel(tool: &Tool, panel: &Panel<'_>, phrases: Phrases<'_>) -> String {
    let tool = ("tool", tool.name.as_str());
    match panel {
        Panel::Nobody => phrases.fill("read.panel_nobody", &[tool]),
        Panel::Unanimous { stance, count } => {
            let key = match stance {
                Stance::Ship => "read.panel_all_ship",
                Stance::Skip => "read.panel_all_skip",
            };
            phrases.fill(key, &[("count", &count.to_string()), tool])
        }
        Panel::Dissent { stance, by } => {
            let key = match stance {
                Stance::Ship => "read.panel_only_ship",
                Stance::Skip => "read.panel_only_skip",
            };
            phrases.fill(key, &[("count", &by.len().to_string()), ("names", &phrases.list(by)), tool])
        }
        Panel::Even { each } => phrases.fill("read.panel_even", &[("each", &each.to_string()), tool]),
    }
}
