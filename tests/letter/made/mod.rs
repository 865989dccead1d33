//! From comparison files to the octets a relay gets: what every letter promises, whatever is in it.

mod any;
mod files;
mod look;
mod sizes;
mod wire;
mod words;

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

fn rendered_html(composition: &Composition) -> String {
    rendered(composition).html
}
