//! What a letter says, and the comparisons that go into it.

use super::*;

#[test]
fn every_sample_is_read_and_most_fall_into_the_last_week() {
    let all = samples(NOW);
    assert_eq!(all.len(), samples::files().count());
    assert_eq!(all.len(), 9);
    let fresh = |now: UnixMillis| {
        samples(now).iter().filter(|c| c.published() > now.minus(WEEK) && c.published() <= now).count()
    };
    assert_eq!(fresh(NOW), 6);
    assert_eq!(fresh(UnixMillis(1_900_000_000_000)), 6);
    let read = sources::read(&[PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/samples"))]);
    assert_eq!((read.good.len(), read.bad), (9, vec![]));
}

#[test]
fn all_quotes_of_one_comparison_are_in_both_parts() {
    let comparison = sample("lanternfish-vs-pull-oracle");
    let (text, html) =
        parts(&filled(&rendered(&composed(std::slice::from_ref(&comparison), 5)), Some("Ann")));
    let flowing = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let quotes: Vec<&str> =
        comparison.tools.iter().flat_map(|t| &t.reviews).map(|r| r.quote.as_str()).collect();
    assert_eq!(quotes.len(), 8);
    for quote in quotes {
        assert!(flowing.contains(quote), "{quote}");
        assert!(html.contains(&quote.replace('\'', "&#39;")), "{quote}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 72 || line.contains("https://")), "{text}");
}

#[test]
fn a_letter_of_five_in_words() {
    let letter = rendered(&composed(&samples(NOW), 5));
    insta::assert_snapshot!("five_text", letter.text);
}

#[test]
fn subjects_and_preheaders_say_what_is_inside() {
    let mut lines = Vec::new();
    let all = samples(NOW);
    let old: Vec<Comparison> = all
        .iter()
        .cloned()
        .map(|mut c| {
            c.published_at = NOW.minus(Duration::from_secs(60)).utc();
            c
        })
        .collect();
    for comparison in &old {
        let one = composed(std::slice::from_ref(comparison), 5);
        lines.push(format!("{}\n  {}\n  {}", one.subject, one.preheader, one.comparisons[0].split));
    }
    for max in [2, 3, 5] {
        let many = composed(&all, max);
        lines.push(format!("{}\n  {}", many.subject, many.preheader));
    }
    insta::assert_snapshot!("subjects", lines.join("\n"));
}

#[test]
fn a_reader_votes_from_the_letter_and_sees_how_the_last_votes_came_out() {
    let composition = composed(&samples(NOW), 2);
    let (text, html) = parts(&filled(&rendered(&composition), Some("Ann")));
    let (one, two) = (&composition.comparisons[0], &composition.comparisons[1]);
    for tool in &one.tools {
        for say in ["ship", "skip"] {
            let link = format!(
                "\"https://verdicts.example/vote/k1.v42.AbC-dEf_gHiJkLmNoPqRsT?compare={}&amp;tool={}&amp;say={say}\"",
                one.slug, tool.slug
            );
            assert_eq!(html.matches(&link).count(), 1, "{link}");
        }
    }
    for (one, tool) in [&one, &two].into_iter().flat_map(|one| one.tools.iter().map(move |tool| (one, tool)))
    {
        let line = format!(
            "https://verdicts.example/vote/k1.v42.AbC-dEf_gHiJkLmNoPqRsT?compare={}&tool={}",
            one.slug, tool.slug
        );
        assert!(text.lines().any(|l| l == line), "{text}");
    }
    assert!(!html.contains("How readers voted") && !text.contains("HOW READERS VOTED"), "nobody has voted");

    let ballots = [
        ComparisonVotes {
            comparison: sample("quarry-vs-atlas-index"),
            here: [Votes { ship: 1, skip: 2 }, Votes::default()],
        },
        ComparisonVotes { comparison: sample("brook-vs-steno-9"), here: [Votes::default(); 2] },
    ];
    let voted = composition.clone().with_votes(&ballots, phrases());
    assert_eq!(voted.votes.len(), 1, "one without a vote is left out");
    let figures: Vec<_> =
        voted.votes[0].tools.iter().map(|t| (t.percent.as_str(), t.votes.as_str())).collect();
    assert_eq!(figures, [("33%", "3 votes"), ("—", "no votes")]);
    let letter = rendered(&voted);
    let (text, html) = parts(&filled(&letter, Some("Ann")));
    insta::assert_snapshot!(
        "votes_text",
        &text[text.find("HOW READERS").unwrap()..text.find("ALSO COMPARED").unwrap()]
    );
    for shown in ["How readers voted on the last letter", "33%", "3 votes", "no votes", "Quarry"] {
        assert!(html.contains(shown), "{shown}");
    }
    let stencil = Stencil::build(&letter, &site(), ISSUE).unwrap();
    for page in [stencil.web_html(), stencil.web_text(), render::web_page(&letter, &site())] {
        assert!(!page.contains("/vote/") && !page.contains("say=ship") && page.contains("33%"));
    }
}

#[test]
fn what_was_only_mentioned_rolls_over_behind_what_is_new() {
    let all = samples(NOW);
    let first = picked(&all, 5);
    assert_eq!(first.mentioned_slugs(), ["quarry-vs-atlas-index"]);
    let later = NOW.plus(WEEK);
    let mut left: Vec<Comparison> =
        all.into_iter().filter(|c| !first.featured_slugs().contains(&c.slug)).collect();
    let mut fresh = sample("tessera-vs-mockingbird");
    fresh.slug = "fresh-one".into();
    fresh.published_at = later.minus(Duration::from_secs(3600)).utc();
    left.push(fresh);
    let rules = Rules { reach: reach(Some(NOW), later, WEEK), ..rules(5) };
    let second = pick(&left, Window::since(Some(NOW), later, WEEK), rules);
    assert_eq!(second.featured_slugs(), ["fresh-one", "quarry-vs-atlas-index"]);
    assert!(second.featured[1].why.rolled_over);
    let third = pick(
        &left,
        Window::since(Some(later), later.plus(WEEK), WEEK),
        Rules { reach: reach(Some(later), later.plus(WEEK), WEEK), ..rules },
    );
    assert!(
        third
            .left_out
            .iter()
            .any(|(slug, why)| slug == "quarry-vs-atlas-index" && matches!(why, Reason::TooOld { .. }))
    );
}

#[test]
fn the_html_of_a_tie_without_votes() {
    let letter = rendered(&composed(&[sample("quarry-vs-atlas-index")], 5));
    insta::assert_snapshot!("tie_html", letter.html.replace("><", ">\n<"));
}
