use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::domain::comparison::{Pricing, Review, Stance, Tool};
use crate::texts::Texts;

fn tool(name: &str, ship: usize, skip: usize) -> Tool {
    let review = |n: usize| Review {
        reviewer: format!("Reviewer {n}"),
        verdict: if n < ship { Stance::Ship } else { Stance::Skip },
        quote: String::new(),
    };
    Tool {
        slug: name.to_lowercase(),
        name: name.to_owned(),
        category: String::new(),
        tagline: String::new(),
        description: String::new(),
        pricing: Pricing { entry: String::new() },
        community: None,
        reviews: (0..ship + skip).map(review).collect(),
    }
}

/// Two tools with so many ships and skips each.
fn of(names: [&str; 2], a: (usize, usize), b: (usize, usize)) -> Comparison {
    Comparison {
        slug: "a-vs-b".into(),
        title: format!("{} vs {}", names[0], names[1]),
        question: String::new(),
        published_at: chrono::DateTime::UNIX_EPOCH,
        url: String::new(),
        tools: [tool(names[0], a.0, a.1), tool(names[1], b.0, b.1)],
    }
}

fn quarry(a: (usize, usize), b: (usize, usize)) -> Comparison {
    of(["Quarry", "Atlas"], a, b)
}

fn both(featured: &[&Comparison]) -> (Heading, Option<Heading>) {
    static TEXTS: LazyLock<Texts> = LazyLock::new(|| Texts::of_letters(None).unwrap());
    let (texts, language) = (&*TEXTS, TEXTS.site_language());
    let phrases = Phrases { texts, language };
    (heading(featured, "Weekly Verdicts", phrases), second_heading(featured, "Weekly Verdicts", phrases))
}

/// Ships and skips of a panel.
type Counts = (usize, usize);
/// Subject, preheader, and the second subject.
type Said = (&'static str, &'static str, Option<&'static str>);

// A table: every verdict with its subject, its preheader and its second subject.
#[test]
fn one_comparison_is_a_question_with_its_answer() {
    let cases: [(Counts, Counts, Said); 9] = [
        (
            (2, 1),
            (1, 2),
            (
                "Quarry or Atlas? The panel picks Quarry",
                "67% would ship Quarry, 33% Atlas. Reviewer 2 is the only skip on Quarry.",
                Some("Quarry over Atlas, 67% to 33%"),
            ),
        ),
        // A landslide is clear, and no more than that.
        (
            (0, 4),
            (4, 0),
            (
                "Quarry or Atlas? The panel clearly picks Atlas",
                "100% would ship Atlas, 0% Quarry. All four skip Quarry. All four ship Atlas.",
                Some("Atlas over Quarry, 100% to 0%"),
            ),
        ),
        // Who is ahead and yet skipped by most is not picked.
        (
            (2, 3),
            (1, 4),
            (
                "Quarry or Atlas? The panel would ship neither",
                "40% would ship Quarry, 20% Atlas. Reviewer 0 and Reviewer 1 are the only ships on Quarry.",
                Some("Quarry over Atlas, 40% to 20%"),
            ),
        ),
        (
            (2, 2),
            (2, 2),
            (
                "Quarry or Atlas? The panel calls it a tie",
                "50% would ship either. The panel is split down the middle on both, 2 to 2.",
                Some("Quarry and Atlas: 50% each"),
            ),
        ),
        (
            (3, 0),
            (3, 0),
            (
                "Quarry or Atlas? The panel ships both",
                "Three reviewers ship each of them, without a dissenting voice.",
                Some("Quarry and Atlas: 100% each"),
            ),
        ),
        (
            (0, 3),
            (0, 3),
            (
                "Quarry or Atlas? The panel skips both",
                "Three reviewers skip each of them, without a dissenting voice.",
                Some("Quarry and Atlas: 0% each"),
            ),
        ),
        // 2 of 3 and 67 of 100 look the same, so they are a tie.
        (
            (2, 1),
            (67, 33),
            (
                "Quarry or Atlas? The panel calls it a tie",
                "67% would ship either.",
                Some("Quarry and Atlas: 67% each"),
            ),
        ),
        (
            (1, 0),
            (0, 0),
            (
                "Quarry or Atlas? Half a verdict",
                "Only Quarry has been reviewed so far: 100% of the panel ships it. The only reviewer of Quarry ships it.",
                Some("Quarry: 100% of the panel"),
            ),
        ),
        (
            (0, 0),
            (0, 0),
            (
                "Quarry or Atlas? No verdict yet",
                "Nobody of the panel has reviewed them; what each is and costs stands inside.",
                None,
            ),
        ),
    ];
    for (a, b, (subject, preheader, second)) in cases {
        let comparison = quarry(a, b);
        let (heading, rival) = both(&[&comparison]);
        assert_eq!(heading.subject, subject);
        // The ninety-nine names of one case are not what it is about.
        assert!(heading.preheader.starts_with(preheader), "{}", heading.preheader);
        assert_eq!(rival.as_ref().map(|rival| rival.subject.as_str()), second);
    }
}

#[test]
fn several_are_the_lead_and_a_count() {
    let others = [of(["Tessera", "Mock"], (1, 0), (0, 1)), of(["Brook", "Steno"], (1, 1), (1, 1))];
    let cases: [(Counts, Counts, Said); 5] = [
        (
            (4, 0),
            (1, 3),
            (
                "Quarry over Atlas, and two more verdicts",
                "100% of the panel to 25%. Also: Tessera vs Mock, Brook vs Steno.",
                Some("Quarry or Atlas? And two more verdicts"),
            ),
        ),
        (
            (1, 3),
            (0, 4),
            (
                "Quarry over Atlas, and two more verdicts",
                "25% of the panel to 0%, so it would ship neither. Also: Tessera vs Mock, Brook vs Steno.",
                Some("Quarry or Atlas? And two more verdicts"),
            ),
        ),
        (
            (1, 1),
            (2, 2),
            (
                "Quarry and Atlas tie, and two more verdicts",
                "At 50% each. Also: Tessera vs Mock, Brook vs Steno.",
                Some("Quarry or Atlas? And two more verdicts"),
            ),
        ),
        (
            (2, 0),
            (3, 0),
            (
                "Quarry and Atlas tie, and two more verdicts",
                "The whole panel ships both. Also: Tessera vs Mock, Brook vs Steno.",
                Some("Quarry or Atlas? And two more verdicts"),
            ),
        ),
        (
            (0, 0),
            (0, 0),
            (
                "Quarry or Atlas, and two more verdicts",
                "No verdict yet: the panel has reviewed neither. Also: Tessera vs Mock, Brook vs Steno.",
                Some("Quarry or Atlas? And two more verdicts"),
            ),
        ),
    ];
    for (a, b, (subject, preheader, second)) in cases {
        let lead = quarry(a, b);
        let (heading, rival) = both(&[&lead, &others[0], &others[1]]);
        assert_eq!((heading.subject.as_str(), heading.preheader.as_str()), (subject, preheader));
        assert_eq!(rival.as_ref().map(|rival| rival.subject.as_str()), second);
    }
    let (one_more, _) = both(&[&quarry((1, 0), (0, 1)), &others[0]]);
    assert_eq!(one_more.subject, "Quarry over Atlas, and one more verdict");
}

#[test]
fn long_names_are_shortened_and_both_stay() {
    let long = "The Extraordinarily Thorough and Rather Long-Winded Continuous Assistant";
    for (names, subject) in [
        ([long, "Atlas"], "The Extraordinari… or Atlas? The panel picks The Extraordinari…"),
        (["Atlas", long], "Atlas or The Extraordinarily Thorough…? The panel picks Atlas"),
    ] {
        assert_eq!(both(&[&of(names, (2, 1), (1, 2))]).0.subject, subject);
    }
    let two = of([long, &"Supercalifragilistic".repeat(9)], (2, 1), (1, 2));
    let (one, second) = both(&[&two]);
    assert_eq!(one.subject, "The Extraordinarily Thorough… or SupercalifragilisticSupercali…?");
    let second = second.unwrap().subject;
    assert!(second.starts_with("The Extraordi") && second.contains("Supercali"), "{second}");
    let (many, _) = both(&[&two, &two, &two]);
    assert!(many.subject.contains("Supercali") && many.subject.contains("(+2)"), "{}", many.subject);
}

#[test]
fn an_issue_of_nothing_is_called_after_its_site() {
    assert_eq!(both(&[]), (Heading { subject: "Weekly Verdicts".into(), preheader: String::new() }, None));
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '%')
        .filter(|w| !w.is_empty())
        .map(str::to_lowercase)
        .collect()
}

proptest! {
    /// Whatever the panel says: short enough, nothing said twice, and nothing that shouts.
    #[test]
    fn every_heading_keeps_to_the_rules(
        panels in prop::collection::vec(((0_usize..6, 0_usize..6), (0_usize..6, 0_usize..6)), 1..6),
        lengths in (3_usize..90, 3_usize..90),
    ) {
        let name = |letter: &str, length: usize| format!("{}{}", letter.to_uppercase(), letter.repeat(length - 1));
        let names = [name("q", lengths.0), name("z", lengths.1)];
        let all: Vec<Comparison> =
            panels.into_iter().map(|(a, b)| of([&names[0], &names[1]], a, b)).collect();
        let featured: Vec<&Comparison> = all.iter().collect();
        let (first, second) = both(&featured);
        for heading in [Some(&first), second.as_ref()].into_iter().flatten() {
            let Heading { subject, preheader } = heading;
            prop_assert!(subject.chars().count() <= SUBJECT_MAX, "{subject}");
            prop_assert!(preheader.chars().count() <= PREHEADER_MAX, "{preheader}");
            prop_assert!(subject.starts_with(char::is_uppercase), "{subject}");
            prop_assert!(!subject.contains('!') && subject.matches('?').count() <= 1, "{subject}");
            prop_assert!(crate::letter::lint::heading(subject, preheader).is_empty(), "{subject} / {preheader}");
            let (said, more) = (words(subject), words(preheader).join(" "));
            for four in said.windows(4) {
                prop_assert!(!more.contains(&four.join(" ")), "{subject} / {preheader}");
            }
        }
        if let Some(second) = second {
            prop_assert_ne!(first.subject, second.subject);
        }
    }
}
