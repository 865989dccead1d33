//! A comparison in a letter: featured, or a row under "Also compared".

use super::composition::{Feature, Mention, Quote, ScoreRow, ToolView};
use super::quotes::telling;
use super::sentences::{UNKNOWN, answer, isolated_verdict, link_text, percent, split_line};
use super::votes::community;
use crate::domain::comparison::{Comparison, Review, Stance, Tool};
use crate::letter::pick::Choice;
use crate::letter::{english, verdict};
use crate::texts::Phrases;

/// Longest name at the head of a column of the scorecard, in columns of a terminal.
const SHORT_NAME: usize = 40;

pub(super) fn feature(comparison: &Comparison, is_lead: bool, phrases: Phrases<'_>) -> Feature {
    let [first, second] = &comparison.tools;
    let category = if first.category == second.category {
        first.category.clone()
    } else {
        phrases.list(&[&first.category, &second.category])
    };
    let scorecard = verdict::scorecard(comparison).into_iter().map(|row| ScoreRow {
        reviewer: row.reviewer.to_owned(),
        stances: row.stances.map(|stance| stance.map_or("none", Stance::as_str)),
    });
    Feature {
        is_lead,
        slug: comparison.slug.clone(),
        title: comparison.title.clone(),
        is_versus: comparison.title == format!("{} vs {}", first.name, second.name),
        question: comparison.question.clone(),
        url: comparison.url.clone(),
        category,
        answer: answer(comparison, phrases),
        verdict: isolated_verdict(comparison, phrases),
        split: split_line(comparison, phrases),
        tools: comparison.tools.iter().map(|tool| tool_view(tool, is_lead, phrases)).collect(),
        scorecard: scorecard.collect(),
        link_text: link_text(comparison, phrases),
    }
}

fn tool_view(tool: &Tool, is_lead: bool, phrases: Phrases<'_>) -> ToolView {
    let panel = tool.panel();
    let votes = tool.community.unwrap_or_default();
    let review = |review: &Review| Quote {
        reviewer: review.reviewer.clone(),
        stance: review.verdict.as_str(),
        text: english::collapsed(&review.quote),
    };
    let whole: Vec<Quote> = tool.reviews.iter().map(review).collect();
    let quotes = telling(&whole, is_lead);
    ToolView {
        slug: tool.slug.clone(),
        name: tool.name.clone(),
        short_name: english::clipped(&tool.name, SHORT_NAME),
        tagline: tool.tagline.clone(),
        description: english::collapsed(&tool.description),
        percent: percent(tool),
        bar: panel.percent(),
        panel: match panel.total() {
            0 => phrases.get("read.panel_none"),
            total => {
                let (ship, total) = (panel.ship.to_string(), total.to_string());
                phrases.fill("letter.panel_ships", &[("ship", &ship), ("total", &total)])
            }
        },
        community: community(votes, phrases),
        community_bar: votes.percent(),
        community_votes: match votes.total() {
            0 => UNKNOWN.to_owned(),
            total => english::figures(total),
        },
        entry: tool.pricing.entry.clone(),
        reviews: if is_lead { whole } else { quotes.clone() },
        quotes,
    }
}

pub(super) fn mention(choice: &Choice, phrases: Phrases<'_>) -> Mention {
    let comparison = &choice.comparison;
    let side = |tool: &Tool| tool.panel().percent().map_or_else(|| UNKNOWN.to_owned(), |p| p.to_string());
    let [first, second] = &comparison.tools;
    Mention {
        title: comparison.title.clone(),
        url: comparison.url.clone(),
        verdict: isolated_verdict(comparison, phrases),
        score: format!("{} : {}", side(first), side(second)),
    }
}
