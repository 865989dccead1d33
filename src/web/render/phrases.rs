//! Words for the public pages in one language: dates, lists of names, and what a panel says.

use crate::domain::UnixMillis;
use crate::domain::comparison::{Comparison, Stance, Tool, Votes};
use crate::letter::verdict::{self, Panel, Verdict};
use crate::texts::{Language, Texts};

/// The texts of one language.
#[derive(Clone, Copy)]
pub struct Phrases<'a> {
    pub texts: &'a Texts,
    pub language: Language,
}

impl Phrases<'_> {
    pub fn get(&self, key: &str) -> String {
        self.texts.get(self.language, key).to_owned()
    }

    pub fn fill(&self, key: &str, with: &[(&str, &str)]) -> String {
        self.texts.fill(self.language, key, with)
    }

    /// "17 November 2026", in UTC.
    pub fn date(&self, at: UnixMillis) -> String {
        let at = at.utc();
        let month = self.get(&format!("read.month_{}", at.format("%-m")));
        let (day, year) = (at.format("%-d").to_string(), at.format("%Y").to_string());
        self.fill("read.date", &[("day", &day), ("month", &month), ("year", &year)])
    }

    /// "A", "A and B", "A, B and C".
    pub fn list(&self, names: &[&str]) -> String {
        match names {
            [] => String::new(),
            [one] => (*one).to_owned(),
            [rest @ .., last] => self.fill("read.list", &[("first", &rest.join(", ")), ("last", last)]),
        }
    }

    /// "120 votes"; none without a vote.
    pub fn votes(&self, votes: Votes) -> Option<String> {
        let count = votes.total();
        (count > 0).then(|| self.fill("read.votes", &[("count", &count.to_string())]))
    }

    /// The verdict in one sentence.
    pub fn verdict(&self, comparison: &Comparison) -> String {
        let tool = |at: usize| comparison.tools[at].name.as_str();
        let figure = |at: usize| comparison.tools[at].panel().percent().unwrap_or(0).to_string();
        match verdict::verdict(comparison) {
            Verdict::Pick { tool: at, .. } => {
                let panel = comparison.tools[at].panel();
                let key = if panel.ship < panel.skip { "read.verdict_prefer" } else { "read.verdict_pick" };
                self.fill(key, &[("tool", tool(at)), ("a", &figure(at)), ("b", &figure(1 - at))])
            }
            Verdict::Tie { percent: 100 } => self.get("read.verdict_both"),
            Verdict::Tie { percent: 0 } => self.get("read.verdict_neither"),
            Verdict::Tie { percent } => self.fill("read.verdict_tie", &[("percent", &percent.to_string())]),
            Verdict::OneSided { tool: at } => {
                self.fill("read.verdict_one", &[("tool", tool(at)), ("percent", &figure(at))])
            }
            Verdict::Unjudged => self.get("read.verdict_none"),
        }
    }

    /// Who disagreed with whom, and who was asked about one tool alone: a sentence each.
    pub fn split(&self, comparison: &Comparison) -> Vec<String> {
        let split = verdict::split(comparison);
        if split.panels == [Panel::Nobody, Panel::Nobody] {
            return Vec::new();
        }
        let mut said: Vec<String> =
            comparison.tools.iter().zip(&split.panels).map(|(tool, panel)| self.panel(tool, panel)).collect();
        for (at, tool) in comparison.tools.iter().enumerate() {
            let by: Vec<&str> =
                split.divided.iter().filter(|(_, ship)| *ship == at).map(|(who, _)| *who).collect();
            if !by.is_empty() {
                let other = comparison.tools[1 - at].name.as_str();
                let (count, names) = (by.len().to_string(), self.list(&by));
                let with =
                    [("count", count.as_str()), ("names", &names), ("ship", &tool.name), ("skip", other)];
                said.push(self.fill("read.divided", &with));
            }
        }
        for (tool, only) in comparison.tools.iter().zip(&split.only) {
            if !only.is_empty() && split.both > 0 {
                let count = only.len().to_string();
                let with = [("count", count.as_str()), ("names", &self.list(only)), ("tool", &tool.name)];
                said.push(self.fill("read.only", &with));
            }
        }
        said
    }

    fn panel(&self, tool: &Tool, panel: &Panel<'_>) -> String {
        let tool = ("tool", tool.name.as_str());
        match panel {
            Panel::Nobody => self.fill("read.panel_nobody", &[tool]),
            Panel::Unanimous { stance, count } => {
                let key = match stance {
                    Stance::Ship => "read.panel_all_ship",
                    Stance::Skip => "read.panel_all_skip",
                };
                self.fill(key, &[("count", &count.to_string()), tool])
            }
            Panel::Dissent { stance, by } => {
                let key = match stance {
                    Stance::Ship => "read.panel_only_ship",
                    Stance::Skip => "read.panel_only_skip",
                };
                self.fill(key, &[("count", &by.len().to_string()), ("names", &self.list(by)), tool])
            }
            Panel::Even { each } => self.fill("read.panel_even", &[("each", &each.to_string()), tool]),
        }
    }
}
