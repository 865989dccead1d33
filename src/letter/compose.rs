//! The letter in words and figures, before it has a shape: what the templates print. Pure.
//!
//! Every sentence that depends on the content is made here, from the verdict rules; the templates decide where it
//! stands. HTML has quotes that end with a sentence, and the page of the comparison all of them in full;
//! [`Composition::reduced`] gives still less for a letter that would be too large.

use serde::Serialize;

mod reduce;
mod sentences;
mod subject;
mod votes;

pub use subject::Heading;
pub use votes::{ComparisonVotes, VoteFigure, VoteResult};

use sentences::{answer, intro, link_text, split_line, verdict_line};
use subject::{heading, second_heading};

use super::english;
use super::pick::{Choice, Selection};
use super::verdict;
use crate::domain::UnixMillis;
use crate::domain::comparison::{Comparison, Stance, Tool};
use crate::domain::issue::IssueNumber;
use crate::domain::site::Site;
use crate::domain::subject::Wording;

/// Longest subject, in characters: what a phone and most mailbox lists show.
pub const SUBJECT_MAX: usize = 70;
/// Longest preheader, in characters.
pub const PREHEADER_MAX: usize = 110;
/// Longest quote of the lead in the HTML, in columns of a terminal: five lines at most.
const LEAD_QUOTE: usize = 280;
/// Longest quote of any other comparison there.
const QUOTE: usize = 150;
/// Most quotes of a tool there; the page of the comparison has all.
const QUOTES: usize = 4;
/// Longest name at the head of a column of the scorecard, in columns of a terminal.
const SHORT_NAME: usize = 40;
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
    /// How the votes on the issue before came out; empty without any.
    pub votes: Vec<VoteResult>,
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
    /// The first one, or the only one.
    pub is_lead: bool,
    pub title: String,
    /// Whether the title is "A vs B", so that it can be set as two names.
    pub is_versus: bool,
    pub question: String,
    pub url: String,
    /// "Developer Tools", or both categories where they differ.
    pub category: String,
    /// What to ship with, in as few words as there are: a name, "Either one", "Neither", "Too close to call".
    pub answer: String,
    pub verdict: String,
    pub split: String,
    pub tools: Vec<ToolView>,
    pub scorecard: Vec<ScoreRow>,
    /// "Read all eight reviews", or "Read the whole comparison" where there is none.
    pub link_text: String,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ToolView {
    pub slug: String,
    pub name: String,
    /// For the head of a narrow column.
    pub short_name: String,
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
    /// The percentage as a number, for the bar; none without a vote.
    pub community_bar: Option<u8>,
    /// "1,204", or "—".
    pub community_votes: String,
    pub entry: String,
    /// For the HTML, each up to the end of a sentence: of the lead four at most, else the one who stands against the rest, or
    /// the first.
    pub quotes: Vec<Quote>,
    /// For the text part: of the lead in full, else the same as `quotes`.
    pub reviews: Vec<Quote>,
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
    let comparisons = featured.iter().enumerate().map(|(index, c)| feature(c, index == 0)).collect();
    let Heading { subject, preheader } = heading(&featured, &site.name);
    Composition {
        number: number.0,
        date: english::date(date),
        subject,
        preheader,
        intro: intro(featured.len(), selection.mentioned.len()),
        comparisons,
        also: selection.mentioned.iter().map(mention).collect(),
        votes: Vec::new(),
        issue_url: site.issue_url(number),
        site: SiteView {
            name: site.name.clone(),
            base_url: site.base_url.clone(),
            postal_address: site.postal_address.clone(),
        },
    }
}

/// Another subject for the same letter, made by rule as well; none where there is nothing else to say.
pub fn second(site: &Site, selection: &Selection) -> Option<Heading> {
    let featured: Vec<&Comparison> = selection.featured.iter().map(|c| &c.comparison).collect();
    second_heading(&featured, &site.name)
}

impl Composition {
    /// With an operator's own words in place of the composed ones, as far as there are any.
    #[must_use]
    pub fn in_words(mut self, written: Option<&Wording>) -> Self {
        let Some(Wording { subject, preheader, .. }) = written else { return self };
        if let Some(subject) = subject {
            subject.as_str().clone_into(&mut self.subject);
        }
        if let Some(preheader) = preheader {
            preheader.as_str().clone_into(&mut self.preheader);
        }
        self
    }

    /// Under another subject and preheader, if there is one.
    #[must_use]
    pub fn under(mut self, heading: Option<&Heading>) -> Self {
        if let Some(Heading { subject, preheader }) = heading {
            subject.clone_into(&mut self.subject);
            preheader.clone_into(&mut self.preheader);
        }
        self
    }
}

/// At most `most` quotes, in the order of the panel: half of them of those who stand against the rest, if there are any.
fn keep_the_telling(quotes: &mut Vec<Quote>, most: usize) {
    let ships = quotes.iter().filter(|quote| quote.stance == Stance::Ship.as_str()).count();
    let rarer = if ships * 2 < quotes.len() { Stance::Ship } else { Stance::Skip }.as_str();
    let (of_few, of_many) = (ships.min(quotes.len() - ships), ships.max(quotes.len() - ships));
    let few = of_few.min(most.saturating_sub(of_many).max(most.div_ceil(2)));
    let mut room = [few, most - few];
    quotes.retain(|quote| {
        let room = &mut room[usize::from(quote.stance != rarer)];
        let fits = *room > 0;
        *room = room.saturating_sub(1);
        fits
    });
}

fn keep_one_of_each(quotes: &mut Vec<Quote>) {
    let mut seen = Vec::new();
    quotes.retain(|quote| {
        let first = !seen.contains(&quote.stance);
        seen.push(quote.stance);
        first
    });
}

fn feature(comparison: &Comparison, is_lead: bool) -> Feature {
    let [first, second] = &comparison.tools;
    let category = if first.category == second.category {
        first.category.clone()
    } else {
        format!("{} and {}", first.category, second.category)
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
        answer: answer(comparison),
        verdict: verdict_line(comparison),
        split: split_line(comparison),
        tools: comparison.tools.iter().map(|tool| tool_view(tool, is_lead)).collect(),
        scorecard: scorecard.collect(),
        link_text: link_text(comparison),
    }
}

fn tool_view(tool: &Tool, is_lead: bool) -> ToolView {
    let panel = tool.panel();
    let votes = tool.community.unwrap_or_default();
    let quotes = tool.reviews.iter().map(|review| Quote {
        reviewer: review.reviewer.clone(),
        stance: review.verdict.as_str(),
        text: english::collapsed(&review.quote),
    });
    let whole: Vec<Quote> = quotes.collect();
    let mut quotes = whole.clone();
    keep_the_telling(&mut quotes, if is_lead { QUOTES } else { 1 });
    for quote in &mut quotes {
        quote.text = english::shortened(&quote.text, if is_lead { LEAD_QUOTE } else { QUOTE });
    }
    ToolView {
        slug: tool.slug.clone(),
        name: tool.name.clone(),
        short_name: english::clipped(&tool.name, SHORT_NAME),
        tagline: tool.tagline.clone(),
        description: english::collapsed(&tool.description),
        percent: percent(tool),
        bar: panel.percent(),
        panel: match panel.total() {
            0 => "not reviewed yet".to_owned(),
            total => format!("of the panel ships it ({} of {total})", panel.ship),
        },
        community: votes::community(votes),
        community_bar: votes.percent(),
        community_votes: match votes.total() {
            0 => "—".to_owned(),
            total => english::figures(total),
        },
        entry: tool.pricing.entry.clone(),
        reviews: if is_lead { whole } else { quotes.clone() },
        quotes,
    }
}

fn percent(tool: &Tool) -> String {
    tool.panel().percent().map_or_else(|| "—".to_owned(), |p| format!("{p}%"))
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
