//! From comparison files to the octets a relay gets: what every letter promises, whatever is in it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mail_parser::{HeaderName, HeaderValue, MessageParser, MimeHeaders};
use proptest::prelude::*;
use verdicts::domain::colour::Colour;
use verdicts::domain::comparison::{Comparison, Pricing, Review, Stance, Tool, Votes};
use verdicts::domain::issue::IssueNumber;
use verdicts::domain::site::{Mailbox, Site};
use verdicts::domain::theme::{Logo, Theme};
use verdicts::domain::{EmailAddress, UnixMillis};
use verdicts::letter::compose::{ComparisonVotes, Composition, PREHEADER_MAX, SUBJECT_MAX, compose};
use verdicts::letter::lint::{Expected, Grade, lint};
use verdicts::letter::pick::{Reason, Rules, Selection, Window, pick, reach};
use verdicts::letter::{render, samples, sources};
use verdicts::mail::{Letter, Marks, Recipient, Stencil, StencilSlot};

use crate::support::mail::cases::phrases;

/// 2026-11-17T09:00:00Z.
const NOW: UnixMillis = UnixMillis(1_794_906_000_000);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
const ISSUE: IssueNumber = IssueNumber(12);

fn site() -> Site {
    Site {
        name: "Weekly Verdicts".into(),
        base_url: "https://verdicts.example".into(),
        from: Mailbox::parse("Weekly Verdicts <letters@verdicts.example>").unwrap(),
        reply_to: Some(Mailbox::parse("desk@verdicts.example").unwrap()),
        postal_address: "1 Test Street, Testville".into(),
        list_id: "weekly.verdicts.example".into(),
        language: "en".into(),
    }
}

fn rules(max: usize) -> Rules {
    Rules { min: 1, max, mentions: Rules::MENTIONS, reach: reach(None, NOW, WEEK) }
}

fn picked(candidates: &[Comparison], max: usize) -> Selection {
    pick(candidates, Window::since(None, NOW, WEEK), rules(max))
}

fn composed(candidates: &[Comparison], max: usize) -> Composition {
    compose(ISSUE, NOW, &site(), &picked(candidates, max), phrases())
}

fn rendered(composition: &Composition) -> Letter {
    render::render(composition, &site()).unwrap()
}

fn sample(slug: &str) -> Comparison {
    samples(NOW).into_iter().find(|c| c.slug == slug).unwrap()
}

fn ann() -> EmailAddress {
    EmailAddress::parse("ann@example.com").unwrap()
}

fn reader<'a>(email: &'a EmailAddress, name: Option<&'a str>) -> Recipient<'a> {
    Recipient {
        email,
        name,
        message_id: "00112233445566778899aabbccddeeff",
        date: NOW,
        unsubscribe_token: "k1.u42.AbC-dEf_gHiJkLmNoPqRsT",
        preferences_token: "k1.p42.AbC-dEf_gHiJkLmNoPqRsT",
        vote_token: "k1.v42.AbC-dEf_gHiJkLmNoPqRsT",
        topics: None,
    }
}

fn filled(letter: &Letter, name: Option<&str>) -> Vec<u8> {
    let mut out = Vec::new();
    Stencil::build(letter, &site(), ISSUE).unwrap().fill(&reader(&ann(), name), &mut out);
    out
}

/// What `fill` puts into the slots, done the slow way.
fn expected(letter: &Letter, text: &str, addressee: &str) -> String {
    let mut text = text.to_owned();
    for (slot, value) in [
        (StencilSlot::Addressee, addressee),
        (StencilSlot::UnsubscribeUrl, "https://verdicts.example/unsubscribe/k1.u42.AbC-dEf_gHiJkLmNoPqRsT"),
        (StencilSlot::PreferencesUrl, "https://verdicts.example/preferences/k1.p42.AbC-dEf_gHiJkLmNoPqRsT"),
        (StencilSlot::VoteUrl, "https://verdicts.example/vote/k1.v42.AbC-dEf_gHiJkLmNoPqRsT"),
        (StencilSlot::Topics, "everything"),
        (StencilSlot::ReaderOnly, ""),
        (StencilSlot::ReaderEnd, ""),
    ] {
        text = text.replace(&letter.marks.mark(slot), value);
    }
    text
}

fn parts(octets: &[u8]) -> (String, String) {
    let message = MessageParser::default().parse(octets).unwrap();
    let types: Vec<_> = message
        .parts
        .iter()
        .filter_map(|p| p.content_type())
        .map(|t| t.subtype().unwrap().to_owned())
        .collect();
    assert_eq!(types, ["alternative", "plain", "html"]);
    let part = |n: usize| message.parts[n].text_contents().unwrap().replace("\r\n", "\n");
    (part(1), part(2))
}

fn assert_wire(octets: &[u8]) {
    assert!(octets.is_ascii());
    assert!(octets.ends_with(b"\r\n"));
    let text = std::str::from_utf8(octets).unwrap();
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "a bare CR or LF");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    for line in head.split("\r\n") {
        assert!(line.len() <= 998);
        // A URL can't be folded.
        assert!(line.len() <= 78 || line.contains("://") || line.contains("mailto:"), "{line}");
    }
    for line in body.split("\r\n") {
        assert!(line.len() <= 76, "{} octets: {line}", line.len());
    }
}

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
fn a_letter_of_one_as_it_goes_over_the_wire() {
    let letter = rendered(&composed(&[sample("tessera-vs-mockingbird")], 5));
    let octets = String::from_utf8(filled(&letter, Some("Ann"))).unwrap();
    insta::assert_snapshot!("one_wire", octets.replace("\r\n", "\n"));
}

#[test]
fn the_html_of_a_tie_without_votes() {
    let letter = rendered(&composed(&[sample("quarry-vs-atlas-index")], 5));
    insta::assert_snapshot!("tie_html", letter.html.replace("><", ">\n<"));
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
fn html_stands_on_its_own() {
    let html = rendered(&composed(&samples(NOW), 5)).html;
    for needed in [
        "<html lang=\"en\"",
        "<title>",
        "color-scheme",
        "role=\"presentation\"",
        "scope=\"col\"",
        "scope=\"row\"",
    ] {
        assert!(html.contains(needed), "{needed}");
    }
    for absent in ["<img", "fonts.googleapis", "url(", "<script", "mj-", "undefined"] {
        let hit = html.find(absent).map(|at| &html[at.saturating_sub(40)..(at + 40).min(html.len())]);
        assert!(hit.is_none() || absent == "mj-" && !html.contains("<mj-"), "{absent}: {hit:?}");
    }
    assert!(html.matches("<table").count() == html.matches("</table>").count());
}

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

fn rendered_html(composition: &Composition) -> String {
    rendered(composition).html
}

#[test]
fn an_outsized_letter_is_refused_with_a_remedy() {
    let many: Vec<Comparison> = (0..40)
        .map(|n| Comparison { slug: format!("lanternfish-{n}"), ..sample("lanternfish-vs-pull-oracle") })
        .collect();
    let error = render::render(&composed(&many, 50), &site()).unwrap_err();
    assert!(error.to_string().contains("max_comparisons"), "{error}");
}

#[test]
fn content_that_looks_like_a_mark_a_tag_or_a_template_is_printed_as_it_is() {
    let hostile =
        "[[0:unsubscribe_url]] {{ slots.addressee }} <script>alert(1)</script> </mj-text> & \"=20\" [[1:x]]";
    let mut comparison = sample("lanternfish-vs-pull-oracle");
    comparison.tools[0].name = hostile.into();
    comparison.tools[0].reviews[0].quote = hostile.into();
    comparison.title = hostile.into();
    let letter = rendered(&composed(&[comparison], 5));
    let (text, html) = parts(&filled(&letter, Some("Ann")));
    assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(hostile), "{text}");
    let escaped =
        hostile.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    assert!(html.contains(&escaped));
    assert!(!html.contains("<script"));
    assert_eq!(html.matches("/unsubscribe/").count(), 1, "only the footer's link");
    assert_eq!(text.matches("/unsubscribe/").count(), 1);
}

#[test]
fn hostile_names_are_harmless() {
    let letter = rendered(&composed(&[sample("lanternfish-vs-pull-oracle")], 5));
    let long = "Wolfeschlegelsteinhausenbergerdorff ".repeat(40);
    let names = [
        "<script>alert(1)</script>",
        "Ann\r\nBcc: eve@example.com\r\n\r\nboo",
        "Ann \"the =20 [[0:unsubscribe_url]]\" Lee, <x@example.com>",
        "🚀 Zoë 日本語",
        "\u{202E}\u{05D3}\u{05D5}\u{05D3}",
        "=?utf-8?Q?x?=",
        &long,
    ];
    for name in names {
        let octets = filled(&letter, Some(name));
        assert_wire(&octets);
        let (text, html) = parts(&octets);
        assert!(!html.contains("<script"), "{name}");
        assert!(!text.contains('\u{202E}'));
        let message = MessageParser::default().parse(&octets).unwrap();
        let to = message.to().unwrap().first().unwrap();
        assert_eq!(to.address(), Some("ann@example.com"), "{name}");
        assert_eq!(message.to().unwrap().iter().count(), 1, "{name}");
        assert!(message.header(HeaderName::Bcc).is_none());
        let shown = to.name().unwrap();
        let wanted: String = name.chars().filter(|c| *c != '\u{202E}').collect();
        let wanted = wanted.split_whitespace().collect::<Vec<_>>().join(" ");
        let wanted: String = wanted.chars().take(120).collect();
        assert_eq!(shown, wanted.trim(), "{name}");
        assert!(text.lines().any(|l| l.starts_with("Hello ")), "{text}");
    }
    let (text, html) = parts(&filled(&letter, None));
    assert!(text.contains("\nHello,\n"));
    assert!(html.contains("Hello. "));
}

#[test]
fn the_headers_of_a_bulk_letter() {
    let octets = filled(&rendered(&composed(&[sample("brook-vs-steno-9")], 5)), Some("Ann"));
    let message = MessageParser::default().parse(&octets).unwrap();
    let raw = |name: &str| message.header_raw(name).map(|v| v.replace("\r\n", "").trim().to_owned());
    assert_eq!(
        raw("List-Unsubscribe").unwrap(),
        "<https://verdicts.example/unsubscribe/k1.u42.AbC-dEf_gHiJkLmNoPqRsT>, \
         <mailto:desk@verdicts.example?subject=unsubscribe%20k1.u42.AbC-dEf_gHiJkLmNoPqRsT>"
    );
    assert_eq!(raw("List-Unsubscribe-Post").unwrap(), "List-Unsubscribe=One-Click");
    assert_eq!(raw("List-Id").unwrap(), "Weekly Verdicts <weekly.verdicts.example>");
    assert_eq!(raw("Message-ID").unwrap(), "<00112233445566778899aabbccddeeff@verdicts.example>");
    assert_eq!(raw("Date").unwrap(), "Tue, 17 Nov 2026 09:00:00 +0000");
    assert_eq!(raw("MIME-Version").unwrap(), "1.0");
    assert_eq!(raw("Reply-To").unwrap(), "desk@verdicts.example");
    for once in ["From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Id"] {
        let count = message.headers_raw().filter(|(name, _)| name.eq_ignore_ascii_case(once)).count();
        assert_eq!(count, 1, "{once}");
    }
    assert!(!matches!(message.header("Subject"), None | Some(HeaderValue::Empty)));
}

#[test]
fn a_stored_stencil_fills_the_same_octets() {
    let letter = rendered(&composed(&samples(NOW), 3));
    let stencil = Stencil::build(&letter, &site(), ISSUE).unwrap();
    let stored = Stencil::from_text(&stencil.to_text()).unwrap();
    let (mut before, mut after) = (Vec::new(), b"left over".to_vec());
    stencil.fill(&reader(&ann(), Some("Ann")), &mut before);
    stored.fill(&reader(&ann(), Some("Ann")), &mut after);
    assert_eq!(before, after);
    assert_eq!(stored.subject(), letter.subject);
    assert!(stored.size().abs_diff(before.len()) < 2_000);
    for (text, needle) in
        [("", "can't be read"), (&stencil.to_text().replace("stencil-1", "stencil-9"), "stencil-9")]
    {
        let error = Stencil::from_text(text).unwrap_err().to_string();
        assert!(error.contains(needle), "{error}");
    }
}

#[test]
fn every_slot_has_a_value_for_every_reader() {
    let mut composition = composed(&[sample("brook-vs-steno-9")], 5);
    composition.intro = "Something to read.".to_owned();
    let letter = rendered(&composition);
    let fill = |name, topics| {
        let mut out = Vec::new();
        let email = ann();
        let reader = Recipient { topics, ..reader(&email, name) };
        Stencil::build(&letter, &site(), ISSUE).unwrap().fill(&reader, &mut out);
        assert_wire(&out);
        parts(&out)
    };
    let (text, html) = fill(None, None);
    assert!(text.contains("Hello,") && text.contains("You read:         everything\n"), "{text}");
    assert!(html.contains("Hello. ") && html.contains("You read: everything."));
    let (text, html) = fill(Some("Ann"), Some("Coding & <i>agents</i>, \"Köder\""));
    assert!(
        text.contains("Hello Ann,") && text.contains("You read:         Coding & <i>agents</i>, \"Köder\"\n")
    );
    assert!(html.contains("You read: Coding &amp; &lt;i&gt;agents&lt;/i&gt;, &quot;Köder&quot;."), "{html}");
    let many = "A topic with a long name, ".repeat(40);
    let (text, _) = fill(None, Some(&many));
    assert!(text.lines().all(|line| line.chars().count() < 240), "a list of topics has an end");
    let (text, html) = fill(Some("Ann\r\nBcc: x"), Some("One\r\n\r\nTwo"));
    assert!(text.contains("One Two") && html.contains("One Two"));
}

#[test]
fn a_slot_that_nobody_fills_is_refused_when_the_template_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let load = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        render::Templates::with_folder(folder.path()).map(|_| ()).map_err(|error| error.to_string())
    };
    for slot in StencilSlot::ALL.map(StencilSlot::as_str) {
        assert_eq!(load("letter.txt", &format!("One\n{{{{ slots.{slot} }}}}")), Ok(()), "{slot}");
        for name in ["letter.txt", "footer.mjml"] {
            let error = load(name, &format!("<p>\n  {{{{ slots.{slot}s }}}}</p>")).unwrap_err();
            let place = folder.path().join(name);
            assert!(error.contains(&format!("{}:2:6: ", place.display())), "{error}");
            assert!(
                error.contains(&format!("there is no slot \"{slot}s\"; there are addressee,")),
                "{error}"
            );
            std::fs::remove_file(place).unwrap();
        }
    }
}

#[test]
fn the_archive_shows_no_reader() {
    let letter = rendered(&composed(&samples(NOW), 3));
    let stencil = Stencil::build(&letter, &site(), ISSUE).unwrap();
    for page in [stencil.web_html(), stencil.web_text(), render::web_page(&letter, &site())] {
        for absent in
            ["/unsubscribe/", "/preferences/", "Hello", "[[", "You get this letter", "You read", "=_verdicts"]
        {
            assert!(!page.contains(absent), "{absent}");
        }
        assert!(page.contains("1 Test Street"));
    }
    assert_eq!(stencil.web_html(), render::web_page(&letter, &site()));
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
fn whatever_the_accent_no_word_is_hard_to_read() {
    let composition = composed(&samples(NOW), 2);
    let logo = Logo {
        url: "https://verdicts.example/logo.png".into(),
        width: 160,
        height: 40,
        alt: "Weekly Verdicts".into(),
    };
    for accent in ["#0a6b49", "#ffcc00", "#14213d", "#c8102e", "#ffffff", "#000000", "#808080", "#7fff00"] {
        let theme = Theme {
            accent: Colour::parse(accent).unwrap(),
            accent_dark: (accent == "#808080").then(|| Colour::parse("#303030").unwrap()),
            logo: Some(logo.clone()),
            radius: 0,
            ..Theme::default()
        };
        let letter = render::Templates::embedded().unwrap().with_theme(&theme).render(&composition).unwrap();
        let expected = Expected { postal_address: Some("1 Test Street, Testville"), ..Expected::default() };
        let found = lint(&filled(&letter, Some("Ann")), expected);
        assert!(found.iter().all(|finding| finding.grade == Grade::Hint), "{accent}: {found:?}");
        assert!(letter.html.contains(accent), "{accent} is the button's");
        assert!(
            letter.html.contains("<img src=\"https://verdicts.example/logo.png\" alt=\"Weekly Verdicts\"")
        );
    }
}

/// A colour, a font or a corner that a template writes down would not follow the theme.
#[test]
fn templates_take_every_colour_and_font_from_the_theme() {
    for folder in
        ["templates/letter", "templates/letter/parts", "templates/notices", "templates/notices/parts"]
    {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for file in files.filter(|path| path.is_file()) {
            let text = std::fs::read_to_string(&file).unwrap().replace("&#", "");
            let hex = text
                .match_indices('#')
                .find(|(at, _)| text[at + 1..].chars().take(6).filter(char::is_ascii_hexdigit).count() == 6);
            assert!(hex.is_none(), "{}: {hex:?}", file.display());
            assert!(!text.contains("Georgia") && !text.contains("Helvetica"), "{}", file.display());
        }
    }
}

#[test]
fn a_template_without_an_unsubscribe_link_is_refused() {
    let letter = Letter {
        subject: "x".into(),
        html: "<p>x</p>".into(),
        text: "x".into(),
        marks: Marks::clear_of(&[]),
    };
    let error = Stencil::build(&letter, &site(), ISSUE).unwrap_err().to_string();
    assert!(error.contains("unsubscribe_url"), "{error}");
}

#[test]
fn templates_from_a_folder_take_the_place_of_the_embedded_ones() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("letter.txt"), "Ours: {{ subject }} {{ slots.unsubscribe_url }}")
        .unwrap();
    let templates = render::Templates::with_folder(folder.path()).unwrap();
    let letter = templates.render(&composed(&samples(NOW), 1)).unwrap();
    assert!(letter.text.starts_with("Ours: "));
    std::fs::write(folder.path().join("letter.txt"), "{{ nothing }}").unwrap();
    let error = render::Templates::with_folder(folder.path())
        .and_then(|t| t.render(&composed(&samples(NOW), 1)))
        .unwrap_err()
        .to_string();
    assert!(error.contains("letter.txt:1:") && error.contains("nothing"), "{error}");
}

// Sources

fn errors(name: &str, text: &str) -> Vec<String> {
    sources::parse(Path::new(name), text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn valid_json() -> serde_json::Value {
    serde_json::to_value(sample("brook-vs-steno-9")).unwrap()
}

fn broken(change: impl FnOnce(&mut serde_json::Value)) -> Vec<String> {
    let mut value = valid_json();
    change(&mut value);
    errors("a.json", &serde_json::to_string_pretty(&value).unwrap())
}

#[test]
fn a_comparison_file_is_refused_by_line_field_and_remedy() {
    let mut all = Vec::new();
    all.extend(errors("a.json", "{\n  \"slug\": 3"));
    all.extend(errors("a.json", "{\n  \"slug\": \"x\"\n  \"title\""));
    all.extend(errors("a.toml", "slug = \"x\"\ntitle = \n"));
    all.extend(errors("a.toml", "slug = \"x\"\ntitle = 3\n"));
    all.extend(broken(|v| v["tools"].as_array_mut().unwrap().truncate(1)));
    all.extend(broken(|v| {
        let third = v["tools"][0].clone();
        v["tools"].as_array_mut().unwrap().push(third);
    }));
    all.extend(broken(|v| v["tools"][1] = v["tools"][0].clone()));
    all.extend(broken(|v| v["titel"] = "x".into()));
    all.extend(broken(|v| v["slug"] = "Not A Slug".into()));
    all.extend(broken(|v| v["tools"][1]["reviews"][2]["verdict"] = "maybe".into()));
    all.extend(broken(|v| v["tools"][1]["reviews"][2]["reviewer"] = "Builder".into()));
    all.extend(broken(|v| v["tools"][0]["name"] = "two\nlines".into()));
    all.extend(broken(|v| v["tools"][0]["reviews"][0]["quote"] = "x".repeat(5001).into()));
    all.extend(broken(|v| v["published_at"] = "yesterday".into()));
    for url in [
        "/compare/x",
        "http://verdicts.example/x",
        "javascript:alert(1)",
        "https://u:p@x.example/",
        "https://x.example/\" x",
    ] {
        all.extend(broken(|v| v["url"] = url.into()));
    }
    insta::assert_snapshot!("source_errors", all.join("\n"));
    assert!(broken(|v| v["url"] = "http://127.0.0.1:8080/compare/x".into()).is_empty());
}

#[test]
fn toml_takes_a_date_or_a_text_and_says_the_same_as_json() {
    let toml = samples::files().find(|(name, _)| name == "quarry-vs-atlas-index.toml").unwrap().1;
    let native = sources::parse(Path::new("a.toml"), &toml).unwrap();
    let quoted =
        toml.replace("published_at = 2026-11-14T10:15:00Z", "published_at = \"2026-11-14T10:15:00Z\"");
    assert_ne!(toml, quoted);
    assert_eq!(sources::parse(Path::new("a.toml"), &quoted).unwrap(), native);
    let json = serde_json::to_string(&native).unwrap();
    assert_eq!(sources::parse(Path::new("a.json"), &format!("\u{FEFF}{json}")).unwrap(), native);
    let wrong = toml.replace("name = \"Atlas Index\"", "name = \"\"");
    assert_eq!(errors("a.toml", &wrong).len(), 1);
    assert!(
        errors("a.toml", &wrong)[0].contains("tools[1].name: is empty"),
        "{:?}",
        errors("a.toml", &wrong)
    );
}

#[test]
fn folders_are_read_in_order_and_a_slug_is_taken_once() {
    let folder = tempfile::tempdir().unwrap();
    let json = serde_json::to_string(&valid_json()).unwrap();
    for name in ["b.json", "a.json", "notes.md"] {
        std::fs::write(folder.path().join(name), &json).unwrap();
    }
    std::fs::write(folder.path().join("c.json"), [0xFF, 0xFE]).unwrap();
    std::fs::write(folder.path().join("d.json"), vec![b' '; 1024 * 1024 + 1]).unwrap();
    let read = sources::read(&[folder.path().to_owned(), folder.path().join("missing.json")]);
    assert_eq!(read.good.len(), 1);
    assert!(read.good[0].0.ends_with("a.json"));
    let told: Vec<String> = read.bad.iter().map(ToString::to_string).collect();
    for (line, needle) in told.iter().zip(["missing.json", "also the slug", "not UTF-8", "larger than 1 MiB"])
    {
        assert!(line.contains(needle), "{line}");
    }
    assert_eq!(told.len(), 4);
}

#[test]
fn the_schema_names_every_field_and_its_limits() {
    let schema = sources::schema();
    for field in ["slug", "title", "question", "published_at", "url", "tools"] {
        assert!(schema["properties"][field].is_object(), "{field}");
    }
    assert_eq!(schema["properties"]["slug"]["maxLength"], 120);
    assert!(schema["properties"]["slug"]["pattern"].is_string());
    assert_eq!(schema["$defs"]["Review"]["properties"]["quote"]["maxLength"], 5000);
    assert_eq!(schema["properties"]["tools"]["minItems"], 2);
    assert_eq!(schema["properties"]["tools"]["maxItems"], 2);
}

// Properties

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
