//! What the two panels say together: the verdict, and who disagreed with whom. Pure; the words are
//! made in [`super::compose`].

use std::cmp::Ordering;

use crate::domain::comparison::{Comparison, Stance, Tool};

/// The panel's answer to "which one?".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// One tool is ahead, by so many points of the ship % as it is shown.
    Pick { tool: usize, by: u8 },
    /// Both show the same ship %.
    Tie { percent: u8 },
    /// Only this tool was reviewed, so there is nothing to compare it with.
    OneSided { tool: usize },
    /// No review on either side.
    Unjudged,
}

/// How one tool's panel stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Panel<'a> {
    Nobody,
    Unanimous {
        stance: Stance,
        count: usize,
    },
    /// Fewer reviewers took `stance` than the other one: these.
    Dissent {
        stance: Stance,
        by: Vec<&'a str>,
    },
    /// As many ships as skips.
    Even {
        each: usize,
    },
}

/// Who disagreed, and who judged what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Split<'a> {
    pub panels: [Panel<'a>; 2],
    /// Reviewers of both tools who ship one and skip the other, with the tool they ship.
    pub divided: Vec<(&'a str, usize)>,
    /// Reviewers of both tools.
    pub both: usize,
    /// Reviewers of only the first and only the second.
    pub only: [Vec<&'a str>; 2],
}

/// A reviewer's row in the scorecard: none where they were not asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReviewerStances<'a> {
    pub reviewer: &'a str,
    pub stances: [Option<Stance>; 2],
}

/// Two figures that look the same are a tie, so that the letter never prints "67% to 67%" as a win.
pub fn verdict(comparison: &Comparison) -> Verdict {
    let [first, second] = &comparison.tools;
    match (first.panel().percent(), second.panel().percent()) {
        (None, None) => Verdict::Unjudged,
        (Some(_), None) => Verdict::OneSided { tool: 0 },
        (None, Some(_)) => Verdict::OneSided { tool: 1 },
        (Some(a), Some(b)) => match a.cmp(&b) {
            Ordering::Equal => Verdict::Tie { percent: a },
            Ordering::Greater => Verdict::Pick { tool: 0, by: a - b },
            Ordering::Less => Verdict::Pick { tool: 1, by: b - a },
        },
    }
}

pub fn split(comparison: &Comparison) -> Split<'_> {
    let [first, second] = &comparison.tools;
    let rows = scorecard(comparison);
    let only = |side: usize| {
        rows.iter()
            .filter(move |r| r.stances[side].is_some() && r.stances[1 - side].is_none())
            .map(|r| r.reviewer)
    };
    let divided = rows.iter().filter_map(|row| match row.stances {
        [Some(Stance::Ship), Some(Stance::Skip)] => Some((row.reviewer, 0)),
        [Some(Stance::Skip), Some(Stance::Ship)] => Some((row.reviewer, 1)),
        _ => None,
    });
    Split {
        panels: [panel(first), panel(second)],
        divided: divided.collect(),
        both: rows.iter().filter(|r| r.stances.iter().all(Option::is_some)).count(),
        only: [only(0).collect(), only(1).collect()],
    }
}

fn panel(tool: &Tool) -> Panel<'_> {
    let by = |stance| tool.reviews.iter().filter(move |r| r.verdict == stance).map(|r| r.reviewer.as_str());
    let (ships, skips) = (by(Stance::Ship).count(), by(Stance::Skip).count());
    match (ships, skips) {
        (0, 0) => Panel::Nobody,
        (count, 0) => Panel::Unanimous { stance: Stance::Ship, count },
        (0, count) => Panel::Unanimous { stance: Stance::Skip, count },
        (ships, skips) if ships == skips => Panel::Even { each: ships },
        (ships, skips) if ships < skips => {
            Panel::Dissent { stance: Stance::Ship, by: by(Stance::Ship).collect() }
        }
        _ => Panel::Dissent { stance: Stance::Skip, by: by(Stance::Skip).collect() },
    }
}

/// Reviewer by reviewer: first those who judged both tools, then those of the first only, then of
/// the second only, each in the order of the file.
pub fn scorecard(comparison: &Comparison) -> Vec<ReviewerStances<'_>> {
    let [first, second] = &comparison.tools;
    let mut rows: Vec<ReviewerStances<'_>> = first
        .reviews
        .iter()
        .map(|review| {
            let other = second.review_by(&review.reviewer).map(|r| r.verdict);
            ReviewerStances { reviewer: &review.reviewer, stances: [Some(review.verdict), other] }
        })
        .collect();
    rows.sort_by_key(|row| row.stances[1].is_none());
    let rest = second.reviews.iter().filter(|review| first.review_by(&review.reviewer).is_none());
    rows.extend(rest.map(|r| ReviewerStances { reviewer: &r.reviewer, stances: [None, Some(r.verdict)] }));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::comparison::{Pricing, Review};

    fn tool(name: &str, stances: &[(&str, Stance)]) -> Tool {
        Tool {
            slug: name.to_lowercase(),
            name: name.to_owned(),
            category: String::new(),
            tagline: String::new(),
            description: String::new(),
            pricing: Pricing { entry: String::new() },
            community: None,
            reviews: stances
                .iter()
                .map(|(who, verdict)| Review {
                    reviewer: (*who).to_owned(),
                    verdict: *verdict,
                    quote: String::new(),
                })
                .collect(),
        }
    }

    fn of(a: &[(&str, Stance)], b: &[(&str, Stance)]) -> Comparison {
        Comparison {
            slug: "a-vs-b".into(),
            title: "A vs B".into(),
            question: String::new(),
            published_at: chrono::DateTime::UNIX_EPOCH,
            url: String::new(),
            tools: [tool("A", a), tool("B", b)],
        }
    }

    use Stance::{Ship, Skip};

    #[test]
    fn the_verdict_follows_the_figures_that_are_shown() {
        type Given = &'static [(&'static str, Stance)];
        let cases: [(Given, Given, Verdict); 7] = [
            (&[], &[], Verdict::Unjudged),
            (&[("X", Ship)], &[], Verdict::OneSided { tool: 0 }),
            (&[], &[("X", Skip)], Verdict::OneSided { tool: 1 }),
            (&[("X", Ship)], &[("X", Skip)], Verdict::Pick { tool: 0, by: 100 }),
            (&[("X", Skip)], &[("X", Ship), ("Y", Skip)], Verdict::Pick { tool: 1, by: 50 }),
            (&[("X", Ship)], &[("Y", Ship), ("Z", Ship)], Verdict::Tie { percent: 100 }),
            (&[("X", Skip)], &[("Y", Skip)], Verdict::Tie { percent: 0 }),
        ];
        for (a, b, expected) in cases {
            assert_eq!(verdict(&of(a, b)), expected, "{a:?} {b:?}");
        }
    }

    #[test]
    fn the_split_names_who_dissents_and_who_was_asked_once() {
        let comparison = of(
            &[("Builder", Ship), ("Skeptic", Ship), ("Futurist", Ship)],
            &[("Builder", Ship), ("Skeptic", Skip), ("Founder", Ship)],
        );
        let split = split(&comparison);
        assert_eq!(
            split.panels,
            [
                Panel::Unanimous { stance: Ship, count: 3 },
                Panel::Dissent { stance: Skip, by: vec!["Skeptic"] }
            ]
        );
        assert_eq!(split.divided, [("Skeptic", 0)]);
        assert_eq!((split.both, &split.only), (2, &[vec!["Futurist"], vec!["Founder"]]));
        let rows: Vec<&str> = scorecard(&comparison).iter().map(|r| r.reviewer).collect();
        assert_eq!(rows, ["Builder", "Skeptic", "Futurist", "Founder"]);
    }
}
