//! Long quotes, large panels, and what goes first when a letter is too large.

use super::*;

/// Five comparisons whose reviews have ten sentences each.
fn with_long_quotes(sentence: &str) -> Vec<Comparison> {
    let mut five: Vec<Comparison> = samples(NOW);
    for review in five.iter_mut().flat_map(|c| &mut c.tools).flat_map(|t| &mut t.reviews) {
        review.quote = sentence.repeat(10).trim().to_owned();
    }
    five
}

#[test]
fn quotes_end_with_a_sentence_and_the_text_part_has_the_lead_in_full() {
    let sentence = "This sentence is about as long as one that a careful reviewer writes on a good day. ";
    let composition = composed(&with_long_quotes(sentence), 5);
    let letter = rendered(&composition);
    assert!(letter.html.len() <= render::HTML_MAX, "{}", letter.html.len());
    assert!(
        letter.html.contains(&format!("&#8220;{}&#8221;", sentence.repeat(3).trim())),
        "the lead has three"
    );
    assert!(letter.html.contains(&format!("&#8220;{}&#8221;", sentence.trim())), "the others have one");
    assert!(!letter.html.contains(&sentence.repeat(4)) && !letter.html.contains('…'));
    for feature in &composition.comparisons {
        assert!(letter.html.contains(&feature.link_text) && feature.link_text.ends_with("reviews"));
    }
    let flowing = letter.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let whole: usize = composition.comparisons[0].tools.iter().map(|tool| tool.reviews.len()).sum();
    assert_eq!(flowing.matches(sentence.repeat(10).trim()).count(), whole);
}

#[test]
fn of_a_large_panel_those_are_quoted_who_tell_most() {
    let panel = |stances: &str| -> Vec<Review> {
        let stance = |c| if c == '+' { Stance::Ship } else { Stance::Skip };
        let review = |(n, c): (usize, char)| Review {
            reviewer: n.to_string(),
            verdict: stance(c),
            quote: format!("Word {n}."),
        };
        stances.chars().enumerate().map(review).collect()
    };
    for (stances, lead, other) in [
        ("+++++-+-", "0157", "5"),
        ("++++++", "0123", "0"),
        ("-+-", "012", "1"),
        ("+-", "01", "1"),
        ("--------+", "0128", "8"),
        ("+-+-+-+-", "0123", "1"),
        ("-", "0", "0"),
        ("", "", ""),
    ] {
        let mut two = [sample("quarry-vs-atlas-index"), sample("lanternfish-vs-pull-oracle")];
        for comparison in &mut two {
            comparison.tools[0].reviews = panel(stances);
        }
        let composition = composed(&two, 5);
        for feature in &composition.comparisons {
            let quoted: String =
                feature.tools[0].quotes.iter().map(|quote| quote.reviewer.as_str()).collect();
            assert_eq!(quoted, if feature.is_lead { lead } else { other }, "{stances}");
            assert!(!feature.is_lead || feature.tools[0].reviews.len() == stances.len(), "the text has all");
        }
    }
}

#[test]
fn a_letter_that_is_too_large_does_without_the_least_important_first() {
    let long = "One of those sentences that a reviewer writes when there is much to say and time to say it. ";
    let ballots = [ComparisonVotes {
        comparison: sample("quarry-vs-atlas-index"),
        here: [Votes { ship: 1, skip: 2 }, Votes::default()],
    }];
    let whole = composed(&with_long_quotes(long), 4).with_votes(&ballots, phrases());
    let columns = |composition: &Composition, lead: bool| {
        let features = composition.comparisons.iter().filter(|feature| feature.is_lead == lead);
        let quotes = features.flat_map(|feature| &feature.tools).flat_map(|tool| &tool.quotes);
        quotes.map(|quote| quote.text.len()).max().unwrap_or(0)
    };
    let lead_quotes = |c: &Composition| c.comparisons[0].tools.iter().map(|tool| tool.quotes.len()).max();
    assert_eq!(whole.reduced(0), whole);
    assert!(!whole.also.is_empty() && columns(&whole, false) > 90 && columns(&whole, true) > 120);
    type Gone = fn(&Composition) -> bool;
    let gone: [(usize, Gone); 3] = [
        (5, |c| c.also.iter().all(|mention| mention.verdict.is_empty())),
        (6, |c| c.votes.is_empty()),
        (7, |c| c.comparisons[1..].iter().all(|feature| feature.scorecard.is_empty())),
    ];
    for step in 0..=Composition::STEPS.len() {
        let reduced = whole.reduced(step);
        assert_eq!(columns(&reduced, false) <= 90, step >= 1, "step {step}");
        assert_eq!(columns(&reduced, false) == 0, step >= 2, "step {step}");
        assert_eq!(columns(&reduced, true) <= 120, step >= 3, "step {step}");
        assert_eq!(lead_quotes(&reduced) <= Some(2), step >= 4, "step {step}");
        assert_eq!(lead_quotes(&reduced) == Some(0), step >= 8, "step {step}");
        for (from, is_gone) in gone {
            assert_eq!(is_gone(&reduced), step >= from, "step {step}, {from}");
        }
        assert!(!reduced.comparisons[0].scorecard.is_empty(), "the lead's scorecard stays");
        let figures = |c: &Composition| {
            c.comparisons.iter().map(|f| (f.answer.clone(), f.url.clone())).collect::<Vec<_>>()
        };
        assert_eq!(figures(&reduced), figures(&whole));
        if step > 0 {
            let size = |step| rendered_html(&whole.reduced(step)).len();
            assert!(size(step) < size(step - 1), "step {step} saves something");
        }
    }
}

#[test]
fn an_outsized_letter_is_refused_with_a_remedy() {
    let many: Vec<Comparison> = (0..40)
        .map(|n| Comparison { slug: format!("lanternfish-{n}"), ..sample("lanternfish-vs-pull-oracle") })
        .collect();
    let error = render::render(&composed(&many, 50), &site()).unwrap_err();
    assert!(error.to_string().contains("max_comparisons"), "{error}");
}
