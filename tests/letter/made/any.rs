//! What holds for any comparisons and any name.

use super::*;

fn any_comparison() -> impl Strategy<Value = Comparison> {
    let review = ("[A-E]", any::<bool>(), "\\PC{1,200}");
    let tool = |slug: &'static str| {
        (proptest::collection::vec(review, 0..5), "\\PC{1,40}", proptest::option::of((0u32..500, 0u32..500)))
            .prop_map(move |(reviews, name, votes)| {
                let mut seen = std::collections::BTreeSet::new();
                Tool {
                    slug: slug.into(),
                    name,
                    category: "Tools".into(),
                    tagline: String::new(),
                    description: String::new(),
                    pricing: Pricing { entry: "Free".into() },
                    community: votes.map(|(ship, skip)| Votes { ship, skip }),
                    reviews: reviews
                        .into_iter()
                        .filter(|r| seen.insert(r.0.clone()))
                        .map(|(reviewer, ships, quote)| Review {
                            reviewer,
                            verdict: if ships { Stance::Ship } else { Stance::Skip },
                            quote,
                        })
                        .collect(),
                }
            })
    };
    (tool("a"), tool("b"), "[a-z]{1,8}", "\\PC{1,60}", 0i64..30 * 24 * 3600).prop_map(
        |(a, b, slug, title, age)| Comparison {
            slug,
            title,
            question: "Which?".into(),
            published_at: UnixMillis(NOW.0 + 7 * 24 * 3_600_000 - age * 1000).utc(),
            url: "https://verdicts.example/compare/x".into(),
            tools: [a, b],
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn picking_is_fair_and_does_not_depend_on_order(
        mut all in proptest::collection::vec(any_comparison(), 0..12), max in 1usize..6, min in 0usize..4, mentions in 0usize..4, issue in any::<bool>(), turn in 0usize..12,
    ) {
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|c| seen.insert(c.slug.clone()));
        let last = issue.then(|| NOW.minus(Duration::from_secs(5 * 24 * 3600)));
        let window = Window::since(last, NOW, WEEK);
        let rules = Rules { min, max, mentions, reach: reach(last, NOW, WEEK) };
        let selection = pick(&all, window, rules);
        let mut turned = all.clone();
        turned.reverse();
        if !turned.is_empty() { let by = turn % turned.len(); turned.rotate_left(by); }
        prop_assert_eq!(&pick(&turned, window, rules), &selection);
        prop_assert!(selection.featured.len() <= max && selection.mentioned.len() <= mentions);
        prop_assert_eq!(selection.quiet.is_some(), selection.featured.is_empty());
        for choice in selection.featured.iter().chain(&selection.mentioned) {
            let at = choice.comparison.published();
            prop_assert!(at > rules.reach && at <= window.until);
        }
        let mut found: Vec<String> = selection.featured_slugs();
        found.extend(selection.mentioned_slugs());
        found.extend(selection.left_out.iter().map(|(slug, _)| slug.clone()));
        found.sort();
        let mut given: Vec<String> = all.iter().map(|c| c.slug.clone()).collect();
        given.sort();
        prop_assert_eq!(found, given, "each exactly once");
    }

    #[test]
    fn any_content_and_any_name_come_out_as_they_went_in(
        all in proptest::collection::vec(any_comparison(), 1..4), name in proptest::option::of("\\PC{0,60}"),
    ) {
        let mut all = all;
        for (n, comparison) in all.iter_mut().enumerate() {
            comparison.slug = format!("c{n}");
            comparison.published_at = NOW.minus(Duration::from_secs(60)).utc();
        }
        let composition = composed(&all, 5);
        prop_assert!(composition.subject.chars().count() <= SUBJECT_MAX);
        prop_assert!(composition.preheader.chars().count() <= PREHEADER_MAX);
        let letter = rendered(&composition);
        let octets = filled(&letter, name.as_deref());
        assert_wire(&octets);
        let message = MessageParser::default().parse(&octets).unwrap();
        let subject = composition.subject.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert_eq!(
            message.subject().unwrap().chars().filter(|c| !c.is_whitespace()).collect::<String>(),
            subject.chars().filter(|c| !c.is_whitespace() && !is_hidden(*c)).collect::<String>()
        );
        prop_assert_eq!(message.to().unwrap().first().unwrap().address(), Some("ann@example.com"));
        let (text, html) = parts(&octets);
        let shown = verdicts::mail::encode::one_line(name.as_deref().unwrap_or(""), 80);
        let addressee = if shown.is_empty() { String::new() } else { format!(" {shown}") };
        prop_assert_eq!(text, expected(&letter, &letter.text, &addressee));
        let escaped = addressee.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;");
        prop_assert_eq!(html, expected(&letter, &letter.html, &escaped));
    }
}

fn is_hidden(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}
