//! One issue as the templates see it: plain texts and figures, with nothing left to decide.

use serde::Serialize;

use crate::domain::subject::Wording;

/// Longest subject, in characters: what a phone and most mailbox lists show.
pub const SUBJECT_MAX: usize = 70;
/// Longest preheader, in characters.
pub const PREHEADER_MAX: usize = 110;

/// A subject and the preheader that goes with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heading {
    pub subject: String,
    pub preheader: String,
}

/// One issue.
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
    /// What to ship with, in as few words as there are: a name, "Either one", "Neither", "Too close
    /// to call".
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
    /// For the HTML, each up to the end of a sentence: of the lead four at most, else the one who
    /// stands against the rest, or the first.
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

/// How the votes on one comparison of the last letter came out.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct VoteResult {
    pub title: String,
    pub question: String,
    pub url: String,
    pub tools: Vec<VoteFigure>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct VoteFigure {
    pub name: String,
    /// "62%", or "—" without a vote.
    pub percent: String,
    /// The same as a number, for the bar; none without a vote.
    pub bar: Option<u8>,
    /// "120 votes", or "no votes".
    pub votes: String,
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
