//! Readers' votes in words: the community's figure, and how the votes on the last letter came out.
//! Pure.

use super::composition::{Composition, VoteFigure, VoteResult};
use super::sentences::UNKNOWN;
use crate::domain::comparison::{Comparison, Votes};
use crate::letter::english::figures;
use crate::texts::Phrases;

/// A comparison that readers could vote on, with the votes cast here.
#[derive(Clone, PartialEq, Debug)]
pub struct ComparisonVotes {
    pub comparison: Comparison,
    /// On the first tool and on the second.
    pub here: [Votes; 2],
}

impl Composition {
    /// The letter with the results of `ballots`: those on which anybody has voted here, with the
    /// community's figures as the pages show them (the votes of the comparison's file included).
    #[must_use]
    pub fn with_votes(mut self, ballots: &[ComparisonVotes], phrases: Phrases<'_>) -> Self {
        let voted = ballots.iter().filter(|ballot| ballot.here.iter().any(|votes| votes.total() > 0));
        self.votes = voted.map(|ballot| result(ballot, phrases)).collect();
        self
    }
}

fn result(ballot: &ComparisonVotes, phrases: Phrases<'_>) -> VoteResult {
    let Comparison { title, question, url, tools, .. } = &ballot.comparison;
    let figures = tools.iter().zip(ballot.here).map(|(tool, here)| {
        let votes = tool.community_with(here);
        VoteFigure {
            name: tool.name.clone(),
            percent: votes.percent().map_or_else(|| UNKNOWN.to_owned(), |p| format!("{p}%")),
            bar: votes.percent(),
            votes: match votes.total() {
                0 => phrases.get("letter.votes_none"),
                total => counted(total, phrases),
            },
        }
    });
    let figures = figures.collect();
    VoteResult { title: title.clone(), question: question.clone(), url: url.clone(), tools: figures }
}

/// "62% of 120 votes", or "—" when nobody has voted.
pub(super) fn community(votes: Votes, phrases: Phrases<'_>) -> String {
    let Some(percent) = votes.percent() else { return UNKNOWN.to_owned() };
    let (percent, votes) = (percent.to_string(), counted(votes.total(), phrases));
    phrases.fill("letter.community", &[("percent", &percent), ("votes", &votes)])
}

fn counted(votes: u64, phrases: Phrases<'_>) -> String {
    phrases.fill("read.votes", &[("count", &figures(votes))])
}
