//! Two tools side by side: what a comparison file says, and the figures that follow from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::time::UnixMillis;

/// A comparison of two tools, as a comparison file has it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Names the comparison for ever: lower-case letters, digits and hyphens, at most 120.
    #[schemars(length(min = 1, max = 120), regex(pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub slug: String,
    /// The heading, for example `Tool A vs Tool B`.
    #[schemars(length(min = 1, max = 300))]
    pub title: String,
    /// What the comparison asks, for example `Which one should you ship with?`.
    #[schemars(length(min = 1, max = 300))]
    pub question: String,
    /// When the comparison was (or will be) published, RFC 3339: `2026-11-17T09:00:00Z`.
    pub published_at: chrono::DateTime<chrono::Utc>,
    /// The comparison's own page, absolute, `https://…`.
    #[schemars(url, length(max = 500))]
    pub url: String,
    /// Exactly two tools.
    #[serde(deserialize_with = "two_tools")]
    pub tools: [Tool; 2],
}

/// Reads the tools as a list first, so that one or three of them are told as such.
fn two_tools<'de, D: serde::Deserializer<'de>>(input: D) -> Result<[Tool; 2], D::Error> {
    Vec::<Tool>::deserialize(input)?.try_into().map_err(|tools: Vec<Tool>| {
        let count = tools.len();
        serde::de::Error::custom(format_args!(
            "lists {count} {}, but a comparison has exactly two",
            if count == 1 { "tool" } else { "tools" }
        ))
    })
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Names the tool: lower-case letters, digits and hyphens, at most 120.
    #[schemars(length(min = 1, max = 120), regex(pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub slug: String,
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    /// For example `Developer Tools`.
    #[schemars(length(min = 1, max = 120))]
    pub category: String,
    #[schemars(length(max = 300))]
    pub tagline: String,
    #[schemars(length(max = 5000))]
    pub description: String,
    pub pricing: Pricing,
    /// Readers' votes; null or absent when nobody has voted yet.
    #[serde(default)]
    pub community: Option<Votes>,
    /// The panel: at most one review per reviewer.
    #[schemars(length(max = 100))]
    pub reviews: Vec<Review>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pricing {
    /// The cheapest way in, for example `Free` or `$20/mo`.
    #[schemars(length(min = 1, max = 120))]
    pub entry: String,
}

/// Ships and skips.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Votes {
    pub ship: u32,
    pub skip: u32,
}

/// One panelist's word on a tool.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// The panelist, for example `Skeptic`.
    #[schemars(length(min = 1, max = 120))]
    pub reviewer: String,
    pub verdict: Stance,
    #[schemars(length(min = 1, max = 5000))]
    pub quote: String,
}

/// Would the reviewer ship with the tool, or skip it?
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stance {
    Ship,
    Skip,
}

impl Votes {
    pub fn total(self) -> u64 {
        u64::from(self.ship) + u64::from(self.skip)
    }

    /// Both counts together.
    pub fn plus(self, other: Self) -> Self {
        Self { ship: self.ship.saturating_add(other.ship), skip: self.skip.saturating_add(other.skip) }
    }

    /// Ships in percent of all votes, rounded half up; none when nobody voted, which is "—" and
    /// never 0 %.
    pub fn percent(self) -> Option<u8> {
        let total = self.total();
        if total == 0 {
            return None;
        }
        let rounded = (u64::from(self.ship) * 200 + total) / (total * 2);
        u8::try_from(rounded).ok()
    }
}

impl Stance {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ship => "ship",
            Self::Skip => "skip",
        }
    }

    /// `ship` or `skip`, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Ship, Self::Skip].into_iter().find(|stance| stance.as_str() == text)
    }
}

impl Tool {
    /// The community's ships and skips: what the file says and what readers voted here.
    pub fn community_with(&self, here: Votes) -> Votes {
        self.community.unwrap_or_default().plus(here)
    }

    /// The panel's ships and skips.
    pub fn panel(&self) -> Votes {
        let ship = self.reviews.iter().filter(|r| r.verdict == Stance::Ship).count();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Votes { ship: count(ship), skip: count(self.reviews.len() - ship) }
    }

    pub fn review_by(&self, reviewer: &str) -> Option<&Review> {
        self.reviews.iter().find(|r| r.reviewer == reviewer)
    }
}

impl Comparison {
    pub fn published(&self) -> UnixMillis {
        UnixMillis::from_utc(self.published_at)
    }
}

/// A comparison with what the store knows of it.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredComparison {
    pub comparison: Comparison,
    pub imported_at: UnixMillis,
    pub updated_at: UnixMillis,
    /// The issue that featured it; a comparison is featured once.
    pub featured_in: Option<crate::domain::issue::issues::IssueNumber>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_round_half_up_and_nobody_is_not_zero() {
        let percent = |ship, skip| Votes { ship, skip }.percent();
        assert_eq!(percent(0, 0), None);
        assert_eq!(percent(0, 3), Some(0));
        assert_eq!(percent(4, 0), Some(100));
        assert_eq!(percent(3, 1), Some(75));
        assert_eq!(percent(1, 7), Some(13), "12.5 rounds up");
        assert_eq!(percent(2, 1), Some(67));
        assert_eq!(percent(u32::MAX, u32::MAX), Some(50));
    }
}
