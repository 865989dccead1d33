//! The letter in words and figures, before it has a shape: what the templates print. Pure.
//!
//! Every sentence that depends on the content is made here, from the verdict rules; the templates decide where it
//! stands. The view model is complete: all quotes in full. [`Composition::reduced`] gives shorter ones.

use serde::Serialize;

use super::pick::{Choice, Selection};
use super::verdict::{self, Panel, Verdict};
use super::words::{self, capitalized, clipped, list, number, plural};
use crate::domain::UnixMillis;
use crate::domain::comparison::{Comparison, Stance, Tool};
use crate::domain::issue::IssueNumber;
use crate::domain::site::Site;

/// Longest subject, in characters: what a phone and most mailbox lists show.
pub const SUBJECT_MAX: usize = 70;
/// Longest preheader, in characters.
pub const PREHEADER_MAX: usize = 110;
/// A lead of so many points or more is called clear.
const CLEAR: u8 = 50;

/// One issue as the templates see it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Composition {
    pub number: i64,
    /// "17 November 2026".
    pub date: String,
    pub subject: String,
    pub preheader: String,
    /// What stands after the greeting.
    pub intro: String,
    pub comparisons: Vec<Feature>,
    pub also: Vec<Mention>,
    pub issue_url: String,
    pub site: SiteView,
}

/// What a letter says of its sender.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SiteView {
    pub name: String,
    pub base_url: String,
    pub postal_address: String,
}

/// A featured comparison.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Feature {
    pub slug: String,
    /// The first of several.
    pub is_lead: bool,
    pub title: String,
    /// Whether the title is "A vs B", so that it can be set as two names.
    pub is_versus: bool,
    pub question: String,
    pub url: String,
    /// "Developer Tools", or both categories where they differ.
    pub category: String,
    pub verdict: String,
    pub split: String,
    pub tools: Vec<ToolView>,
    pub scorecard: Vec<ScoreRow>,
    /// "Read the whole comparison", or that there is more than the letter shows.
    pub link_text: String,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ToolView {
    pub name: String,
    pub tagline: String,
    pub description: String,
    /// "100%", or "—" without a review.
    pub percent: String,
    /// The same as a number, for the bar; none without a review.
    pub bar: Option<u8>,
    /// "of the panel ships it (4 of 4)".
    pub panel: String,
    /// "62% of 120 votes", or "—".
    pub community: String,
    pub entry: String,
    pub quotes: Vec<Quote>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ScoreRow {
    pub reviewer: String,
    /// "ship", "skip" or "none", for the first tool and the second.
    pub stances: [&'static str; 2],
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Quote {
    pub reviewer: String,
    /// "ship" or "skip".
    pub stance: &'static str,
    pub text: String,
}

/// A row under "Also compared".
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Mention {
    pub title: String,
    pub url: String,
    pub verdict: String,
    /// "50 : 50", with "—" for a side without reviews.
    pub score: String,
}

/// Composes an issue from what was picked.
pub fn compose(number: IssueNumber, date: UnixMillis, site: &Site, selection: &Selection) -> Composition {
    let featured: Vec<&Comparison> = selection.featured.iter().map(|c| &c.comparison).collect();
    let mut comparisons: Vec<Feature> = featured.iter().map(|c| feature(c)).collect();
    if let [lead, _, ..] = comparisons.as_mut_slice() {
        lead.is_lead = true;
    }
    Composition {
        number: number.0,
        date: words::date(date),
        subject: subject(&featured, &site.name),
        preheader: preheader(&featured),
        intro: intro(featured.len(), selection.mentioned.len()),
        comparisons,
        also: selection.mentioned.iter().map(mention).collect(),
        issue_url: site.issue_url(number),
        site: SiteView {
            name: site.name.clone(),
            base_url: site.base_url.clone(),
            postal_address: site.postal_address.clone(),
        },
    }
}

impl Composition {
    /// How far [`Composition::reduced`] goes.
    pub const STEPS: usize = 5;

    /// A copy with less detail, for a letter that would be too large. Each step includes those before it: (1) quotes
    /// outside the lead end at a sentence within 420 characters; (2) within 220; (3) outside the lead, one ship and
    /// one skip a tool are quoted; (4) the lead's quotes end within 420 characters; (5) nothing but the lead is quoted.
    /// The scorecard, the figures and the link to every review always stay.
    pub fn reduced(&self, step: usize) -> Self {
        let mut reduced = self.clone();
        for (index, feature) in reduced.comparisons.iter_mut().enumerate() {
            if index > 0 && step >= 5 {
                feature.tools.iter_mut().for_each(|tool| tool.quotes.clear());
            } else if index > 0 && step >= 3 {
                feature.tools.iter_mut().for_each(|tool| keep_one_of_each(&mut tool.quotes));
            }
            let max = match (index, step) {
                (_, 0) => usize::MAX,
                (0, 4..) => 420,
                (0, _) => usize::MAX,
                (_, 1) => 420,
                _ => 220,
            };
            for quote in feature.tools.iter_mut().flat_map(|tool| &mut tool.quotes) {
                quote.text = words::shortened(&quote.text, max);
            }
            if *feature != self.comparisons[index] {
                feature.link_text = "Read every review in full".to_owned();
            }
        }
        reduced
    }
}

fn keep_one_of_each(quotes: &mut Vec<Quote>) {
    let mut seen = Vec::new();
    quotes.retain(|quote| {
        let first = !seen.contains(&quote.stance);
        seen.push(quote.stance);
        first
    });
}

fn feature(comparison: &Comparison) -> Feature {
    let [first, second] = &comparison.tools;
    let category = if first.category == second.category {
        first.category.clone()
    } else {
        format!("{} and {}", first.category, second.category)
    };
    let scorecard = verdict::scorecard(comparison).into_iter().map(|row| ScoreRow {
        reviewer: row.reviewer.to_owned(),
        stances: row.stances.map(|stance| stance.map_or("none", stance_word)),
    });
    Feature {
        is_lead: false,
        slug: comparison.slug.clone(),
        title: comparison.title.clone(),
        is_versus: comparison.title == format!("{} vs {}", first.name, second.name),
        question: comparison.question.clone(),
        url: comparison.url.clone(),
        category,
        verdict: verdict_line(comparison),
        split: split_line(comparison),
        tools: comparison.tools.iter().map(tool_view).collect(),
        scorecard: scorecard.collect(),
        link_text: "Read the whole comparison".to_owned(),
    }
}

fn stance_word(stance: Stance) -> &'static str {
    match stance {
        Stance::Ship => "ship",
        Stance::Skip => "skip",
    }
}

fn tool_view(tool: &Tool) -> ToolView {
    let panel = tool.panel();
    let community = tool.community.and_then(|votes| Some((votes.percent()?, votes.total())));
    let quotes = tool.reviews.iter().map(|review| Quote {
        reviewer: review.reviewer.clone(),
        stance: stance_word(review.verdict),
        text: words::collapsed(&review.quote),
    });
    ToolView {
        name: tool.name.clone(),
        tagline: tool.tagline.clone(),
        description: words::collapsed(&tool.description),
        percent: percent(tool),
        bar: panel.percent(),
        panel: match panel.total() {
            0 => "not reviewed yet".to_owned(),
            total => format!("of the panel ships it ({} of {total})", panel.ship),
        },
        community: match community {
            Some((percent, total)) => {
                format!("{percent}% of {total} {}", plural(usize::try_from(total).unwrap_or(2), "vote"))
            }
            None => "—".to_owned(),
        },
        entry: tool.pricing.entry.clone(),
        quotes: quotes.collect(),
    }
}

fn percent(tool: &Tool) -> String {
    tool.panel().percent().map_or_else(|| "—".to_owned(), |p| format!("{p}%"))
}

/// The verdict in one sentence.
fn verdict_line(comparison: &Comparison) -> String {
    let name = |tool: usize| comparison.tools[tool].name.as_str();
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
fn split_line(comparison: &Comparison) -> String {
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
            let (one, two) = (stance_word(*stance), stance_word(*other));
            let (who, first, second) = (by[0], &first.name, &second.name);
            Some(format!("{who} stands alone on both: {one} on {first}, {two} on {second}."))
        }
        _ => None,
    }
}

fn panel_sentence(tool: &Tool, panel: &Panel<'_>) -> String {
    let name = &tool.name;
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
            let word = stance_word(*stance);
            let verb = if by.len() == 1 { "is the only" } else { "are the only" };
            format!("{} {verb} {} on {name}.", list(by), plural(by.len(), word))
        }
        Panel::Even { each } => format!("On {name} the panel is split down the middle, {each} to {each}."),
    }
}

fn mention(choice: &Choice) -> Mention {
    let comparison = &choice.comparison;
    let side = |tool: &Tool| tool.panel().percent().map_or_else(|| "—".to_owned(), |p| p.to_string());
    let [first, second] = &comparison.tools;
    Mention {
        title: comparison.title.clone(),
        url: comparison.url.clone(),
        verdict: verdict_line(comparison),
        score: format!("{} : {}", side(first), side(second)),
    }
}

fn intro(featured: usize, mentioned: usize) -> String {
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

/// The first of the candidates that fits; the last one is clipped if it has to be.
fn subject(featured: &[&Comparison], site_name: &str) -> String {
    let Some(lead) = featured.first() else { return clipped(site_name, SUBJECT_MAX) };
    let [a, b] = &lead.tools;
    let (a, b) = (a.name.as_str(), b.name.as_str());
    let versus = format!("{a} or {b}?");
    let mut candidates = Vec::new();
    if featured.len() == 1 {
        let answer = match verdict::verdict(lead) {
            Verdict::Pick { tool, by } if by >= CLEAR => format!("The panel clearly picks {}", [a, b][tool]),
            Verdict::Pick { tool, .. } => format!("The panel picks {}", [a, b][tool]),
            Verdict::Tie { percent: 100 } => "The panel ships both".to_owned(),
            Verdict::Tie { percent: 0 } => "The panel skips both".to_owned(),
            Verdict::Tie { .. } => "The panel calls it a tie".to_owned(),
            Verdict::OneSided { .. } => "Half a verdict".to_owned(),
            Verdict::Unjudged => "No verdict yet".to_owned(),
        };
        candidates.push(format!("{versus} {answer}"));
    } else {
        let more = featured.len() - 1;
        let result = match verdict::verdict(lead) {
            Verdict::Pick { tool, .. } => format!("{} over {}", [a, b][tool], [a, b][1 - tool]),
            Verdict::Tie { .. } => format!("{a} and {b} tie"),
            Verdict::OneSided { .. } | Verdict::Unjudged => format!("{a} or {b}"),
        };
        candidates.push(format!("{result}, and {} more {}", number(more), plural(more, "verdict")));
        candidates.push(format!("{result} (+{more})"));
    }
    candidates.push(versus);
    candidates.push(a.to_owned());
    let fits = |s: &&String| s.chars().count() <= SUBJECT_MAX;
    let found = candidates.iter().find(fits).or(candidates.last());
    clipped(found.map_or(site_name, String::as_str), SUBJECT_MAX)
}

/// The lead's verdict, then as many other titles as fit.
fn preheader(featured: &[&Comparison]) -> String {
    let Some((lead, others)) = featured.split_first() else { return String::new() };
    let mut text = verdict_line(lead);
    if others.is_empty() {
        let longer = format!("{text} {}", split_line(lead));
        return words::shortened(longer.trim(), PREHEADER_MAX);
    }
    for (index, other) in others.iter().enumerate() {
        let joint = if index == 0 { " Also: " } else { ", " };
        let longer = format!("{text}{joint}{}", other.title);
        if longer.chars().count() >= PREHEADER_MAX {
            break;
        }
        text = longer;
    }
    if !text.ends_with('.') {
        text.push('.');
    }
    clipped(&text, PREHEADER_MAX)
}
