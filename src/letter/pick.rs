//! Which comparisons go into the next letter. Pure: the same candidates give the same selection in
//! any order.
//!
//! The rule, in the words of the operator's guide:
//! - The window opens at the last issue's cut-off (for the first issue: one lookback ago) and
//!   closes now.
//! - What was not featured rolls over: a comparison may still be featured until it is one lookback
//!   older than the window's opening. What is new goes before what rolled over.
//! - Within each, the lead is what most people had a word on (panel reviews and readers' votes);
//!   ties go to the newer one, then to the slug in alphabetical order.
//! - `max` are featured; up to `mentions` more get a line under "Also compared" and roll over; the
//!   rest waits unseen.
//! - With fewer than `min` *new* ones there is no letter, and everything waits: what rolled over
//!   fills a letter and never makes one, so a second run in the same week finds nothing to send.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::domain::UnixMillis;
use crate::domain::comparison::Comparison;
use crate::domain::preferences::Topics;

/// The span of publishing times that an issue covers: after `after`, at or before `until`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    pub after: UnixMillis,
    pub until: UnixMillis,
}

impl Window {
    /// The window of the next issue: from the last issue's cut-off, or one lookback ago for the
    /// first issue.
    pub fn since(last_cutoff: Option<UnixMillis>, now: UnixMillis, lookback: Duration) -> Self {
        Self { after: last_cutoff.unwrap_or_else(|| now.minus(lookback)), until: now }
    }
}

/// Where a comparison becomes too old to be featured: the lower bound (exclusive) to ask the
/// store's `candidates` with. One lookback before the window opens once there has been an issue, so
/// that what it passed over gets another chance.
pub fn reach(last_cutoff: Option<UnixMillis>, now: UnixMillis, lookback: Duration) -> UnixMillis {
    match last_cutoff {
        Some(cutoff) => cutoff.minus(lookback),
        None => now.minus(lookback),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// Fewer new ones than this: no letter. At least 1 is meant, and 0 is taken as 1.
    pub min: usize,
    /// At most this many are featured. 0 is taken as 1.
    pub max: usize,
    /// At most this many stand under "Also compared".
    pub mentions: usize,
    /// Nothing published at or before this moment is featured; see [`reach`].
    pub reach: UnixMillis,
}

impl Rules {
    /// Rows under "Also compared" unless said otherwise.
    pub const MENTIONS: usize = 6;
}

/// What goes in, what doesn't, and why.
#[derive(Clone, PartialEq, Debug)]
pub struct Selection {
    /// In the order of the letter; the first is the lead.
    pub featured: Vec<Choice>,
    /// A line and a link each. They stay candidates for the next issue.
    pub mentioned: Vec<Choice>,
    /// By slug, in alphabetical order.
    pub left_out: Vec<(String, Reason)>,
    /// Why there is no letter, if there is none; `featured` and `mentioned` are empty then.
    pub quiet: Option<Quiet>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Choice {
    pub comparison: Comparison,
    pub why: RankedBy,
}

/// Why a comparison stands where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RankedBy {
    /// Published before the window opened, and not featured yet.
    pub rolled_over: bool,
    /// Panel reviews on both tools together.
    pub reviews: u64,
    /// Readers' votes on both tools together.
    pub votes: u64,
}

/// Why a comparison is not in the letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Published after the window closed.
    NotYet { published: UnixMillis },
    /// Published at or before the reach.
    TooOld { published: UnixMillis },
    /// `max` and `mentions` were full; it rolls over.
    NoRoom,
    /// Too few comparisons for a letter; it waits for the next.
    TooFew,
    /// The same slug stands in the list more than once; one of them was taken.
    Repeated,
}

/// There is no letter this time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quiet {
    pub found: usize,
    pub min: usize,
}

/// Chooses from `candidates` (comparisons that no issue has featured).
pub fn pick(candidates: &[Comparison], window: Window, rules: Rules) -> Selection {
    let mut left_out = Vec::new();
    let mut eligible = Vec::new();
    let mut seen = BTreeSet::new();
    let mut ordered: Vec<&Comparison> = candidates.iter().collect();
    // Before the slugs are compared, so that of two with one slug the same is kept whatever order
    // they came in.
    ordered.sort_by_cached_key(|c| (c.slug.clone(), Reverse(c.published()), format!("{c:?}")));
    for comparison in ordered {
        let published = comparison.published();
        let reason = if !seen.insert(comparison.slug.as_str()) {
            Some(Reason::Repeated)
        } else if published > window.until {
            Some(Reason::NotYet { published })
        } else if published <= rules.reach.min(window.after) {
            Some(Reason::TooOld { published })
        } else {
            None
        };
        match reason {
            Some(reason) => left_out.push((comparison.slug.clone(), reason)),
            None => eligible.push(choice(comparison, window)),
        }
    }
    eligible.sort_by_cached_key(rank);
    let min = rules.min.max(1);
    let found = eligible.iter().filter(|choice: &&Choice| !choice.why.rolled_over).count();
    let quiet = (found < min).then_some(Quiet { found, min });
    let (featured, mentioned) = match quiet {
        Some(_) => {
            left_out.extend(eligible.drain(..).map(|c| (c.comparison.slug, Reason::TooFew)));
            (Vec::new(), Vec::new())
        }
        None => {
            let mut rest = eligible.split_off(eligible.len().min(rules.max.max(1)));
            let unseen = rest.split_off(rest.len().min(rules.mentions));
            left_out.extend(unseen.into_iter().map(|c| (c.comparison.slug, Reason::NoRoom)));
            (eligible, rest)
        }
    };
    left_out.sort_by(|a, b| a.0.cmp(&b.0));
    Selection { featured, mentioned, left_out, quiet }
}

fn choice(comparison: &Comparison, window: Window) -> Choice {
    let [first, second] = &comparison.tools;
    let votes = |t: &crate::domain::comparison::Tool| t.community.map_or(0, |v| v.total());
    let why = RankedBy {
        rolled_over: comparison.published() <= window.after,
        reviews: first.panel().total() + second.panel().total(),
        votes: votes(first) + votes(second),
    };
    Choice { comparison: comparison.clone(), why }
}

fn rank(choice: &Choice) -> (bool, Reverse<u64>, Reverse<UnixMillis>, String) {
    let RankedBy { rolled_over, reviews, votes } = choice.why;
    let Choice { comparison, .. } = choice;
    (rolled_over, Reverse(reviews + votes), Reverse(comparison.published()), comparison.slug.clone())
}

impl Selection {
    pub fn featured_slugs(&self) -> Vec<String> {
        slugs(&self.featured)
    }

    pub fn mentioned_slugs(&self) -> Vec<String> {
        slugs(&self.mentioned)
    }

    /// What is left of it for a reader who chose topics, in the same order.
    pub fn of(&self, topics: &Topics) -> Self {
        let wanted = |choices: &[Choice]| {
            choices.iter().filter(|choice| topics.want(&choice.comparison)).cloned().collect()
        };
        Self { featured: wanted(&self.featured), mentioned: wanted(&self.mentioned), ..self.clone() }
    }
}

fn slugs(choices: &[Choice]) -> Vec<String> {
    choices.iter().map(|c| c.comparison.slug.clone()).collect()
}

impl fmt::Display for RankedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |n: u64, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        let age = if self.rolled_over { "rolled over" } else { "new" };
        write!(f, "{age}, {}, {}", count(self.reviews, "review"), count(self.votes, "vote"))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet { published } => {
                write!(f, "not published before {published}; a later issue takes it")
            }
            Self::TooOld { published } => {
                write!(f, "published {published}, too long ago; raise schedule.lookback to reach it")
            }
            Self::NoRoom => {
                f.write_str("no room this time; it rolls over (schedule.max_comparisons raises the limit)")
            }
            Self::TooFew => f.write_str("waits, since there are too few for a letter"),
            Self::Repeated => f.write_str("its slug stands twice in the list; one of them was taken"),
        }
    }
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, min } = self;
        write!(
            f,
            "{found} new comparisons, a letter needs {min}; import more, or lower schedule.min_comparisons"
        )
    }
}
