//! Readers' votes in words: the community's figure, and how the votes on the last letter came out. Pure.

use serde::Serialize;

use super::super::english::{figures, plural};
use super::Composition;
use crate::domain::comparison::{Comparison, Votes};

/// A comparison that readers could vote on, with the votes cast here.
#[derive(Clone, PartialEq, Debug)]
pub struct ComparisonVotes {
    pub comparison: Comparison,
    /// On the first tool and on the second.
    pub here: [Votes; 2],
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
    /// The letter with the results of `ballots`: those on which anybody has voted here, with the community's figures as
    /// the pages show them (the votes of the comparison's file included).
    #[must_use]
    pub fn with_votes(mut self, ballots: &[ComparisonVotes]) -> Self {
        self.votes = ballots.iter().filter(|b| b.here.iter().any(|v| v.total() > 0)).map(result).collect();
        self
    }
}

fn result(ballot: &ComparisonVotes) -> VoteResult {
    let Comparison { title, question, url, tools, .. } = &ballot.comparison;
    let figures = tools.iter().zip(ballot.here).map(|(tool, here)| {
        let votes = tool.community_with(here);
        VoteFigure {
            name: tool.name.clone(),
            percent: votes.percent().map_or_else(|| "—".to_owned(), |p| format!("{p}%")),
            bar: votes.percent(),
            votes: match votes.total() {
                0 => "no votes".to_owned(),
                total => counted(total),
            },
        }
    });
    let figures = figures.collect();
    VoteResult { title: title.clone(), question: question.clone(), url: url.clone(), tools: figures }
}

/// "62% of 120 votes", or "—" when nobody has voted.
pub(super) fn community(votes: Votes) -> String {
    votes.percent().map_or_else(|| "—".to_owned(), |p| format!("{p}% of {}", counted(votes.total())))
}

fn counted(votes: u64) -> String {
    format!("{} {}", figures(votes), plural(usize::try_from(votes).unwrap_or(usize::MAX), "vote"))
}
