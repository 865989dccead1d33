//! Whatever is typed into a field stays what it is, words: it opens no element and no comment, adds no header, fills no slot and
//! runs no template, in HTML, in text and in the headers. Every field there is, of letters and of notices.
//!
//! Some of it is refused when a file is read (`sources::parse`); here it has got past that, as it would from a database that an
//! older version wrote.

use std::path::Path;
use std::sync::Arc;

use mail_parser::MessageParser;
use verdicts::domain::comparison::Comparison;
use verdicts::domain::site::Site;
use verdicts::domain::theme::{Logo, Theme};
use verdicts::letter::compose::{ComparisonVotes, compose};
use verdicts::letter::lint::{Expected, Grade, lint};
use verdicts::letter::pick::{Choice, RankedBy, Selection};
use verdicts::letter::render::Templates;
use verdicts::letter::{Latest, sources};
use verdicts::mail::Signer;

use crate::support::mail::cases;
use crate::support::mail::mails;
use crate::support::mail::markup;

/// What somebody may type who means no good, or writes about templates.
const TYPED: [&str; 21] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)' x='",
    "` onload=alert(1) `",
    "</p></td></tr></table></div></body></html>",
    "</mj-text></mj-column></mj-section></mj-body></mjml>",
    "<mj-image src=\"https://evil.test/pixel.png\" />",
    "<mj-include path=\"/etc/passwd\" />",
    "--><!--[if mso]><table><tr><td><![endif]--><!--",
    "]]><![CDATA[",
    "<style>*{display:none}</style>",
    "&lt;b&gt; &amp;amp; &#60;i&#62;",
    "{{ site.name }} {{ slots.unsubscribe_url }} {% raw %} {# no #}",
    "{% include \"footer.mjml\" %}",
    "[[0:unsubscribe_url]] [[1:vote_url]] [[0:reader_only]] @@unsubscribe@@ %%name%%",
    "one\r\nBcc: eve@example.com\r\n\r\nboo",
    "one\nSubject: owned\rX: y",
    "nul \0 bell \u{7} delete \u{7f} next \u{85}",
    "=?utf-8?Q?=0D=0ABcc=3A_eve=40example=2Ecom?= =0D=0A=2E",
    "\u{202E}reversed \u{2066}isolated \u{2028}line \u{2029}paragraph",
    "\r\n.\r\nMAIL FROM:<eve@example.com>\r\n",
];

/// Everything that anybody types.
#[derive(Clone)]
struct World {
    comparison: Comparison,
    site: Site,
    reader: String,
    /// An operator's own, in place of the composed ones.
    subject: Option<String>,
    preheader: Option<String>,
    /// What stands in the masthead while images are off.
    logo_alt: Option<String>,
}

type Set = fn(&mut World, &str);

/// Each field by name. A slug and a URL lead somewhere, so none of this is read from a file (see below).
const FIELDS: [(&str, Set); 17] = [
    ("title", |w, typed| w.comparison.title = typed.to_owned()),
    ("question", |w, typed| w.comparison.question = typed.to_owned()),
    ("name", |w, typed| w.comparison.tools[0].name = typed.to_owned()),
    ("other name", |w, typed| w.comparison.tools[1].name = format!("{typed}2")),
    // A title of the two names is set as two names.
    ("names and title", |w, typed| {
        w.comparison.tools[0].name = typed.to_owned();
        w.comparison.title = format!("{typed} vs {}", w.comparison.tools[1].name);
    }),
    ("category", |w, typed| w.comparison.tools[1].category = typed.to_owned()),
    ("tagline", |w, typed| w.comparison.tools[0].tagline = typed.to_owned()),
    ("description", |w, typed| w.comparison.tools[0].description = typed.to_owned()),
    ("entry", |w, typed| w.comparison.tools[0].pricing.entry = typed.to_owned()),
    ("reviewer", |w, typed| w.comparison.tools[0].reviews[0].reviewer = typed.to_owned()),
    ("quote", |w, typed| w.comparison.tools[0].reviews[0].quote = typed.to_owned()),
    ("site name", |w, typed| w.site.name = typed.to_owned()),
    ("postal address", |w, typed| w.site.postal_address = typed.to_owned()),
    ("reader", |w, typed| w.reader = typed.to_owned()),
    ("subject", |w, typed| w.subject = Some(typed.to_owned())),
    ("preheader", |w, typed| w.preheader = Some(typed.to_owned())),
    ("logo", |w, typed| w.logo_alt = Some(typed.to_owned())),
];

impl World {
    fn new() -> Self {
        Self {
            comparison: cases::comparison("pick"),
            site: cases::site(),
            reader: "Ann".to_owned(),
            subject: None,
            preheader: None,
            logo_alt: None,
        }
    }

    /// The letter with this comparison as its lead, under "Also compared" and among the votes.
    fn letter(&self) -> Vec<u8> {
        let choice = |comparison: &Comparison| Choice {
            comparison: comparison.clone(),
            why: RankedBy { rolled_over: false, reviews: 0, votes: 0 },
        };
        let selection = Selection {
            featured: vec![choice(&self.comparison), choice(&cases::comparison("tie"))],
            mentioned: vec![choice(&self.comparison)],
            left_out: Vec::new(),
            quiet: None,
        };
        let ballot = ComparisonVotes { comparison: self.comparison.clone(), here: Default::default() };
        let phrases = cases::phrases();
        let mut composition =
            compose(cases::ISSUE, cases::NOW, &self.site, &selection, phrases).with_votes(&[ballot], phrases);
        composition.subject = self.subject.clone().unwrap_or(composition.subject);
        composition.preheader = self.preheader.clone().unwrap_or(composition.preheader);
        let logo = |alt: &String| Logo {
            url: "https://verdicts.example/logo.png".to_owned(),
            width: 160,
            height: 40,
            alt: alt.clone(),
        };
        let theme = Theme { logo: self.logo_alt.as_ref().map(logo), ..Theme::default() };
        let templates = Templates::embedded().expect("ours parse").with_theme(&theme);
        mails::filled(&templates, &composition, &self.site, Some(&self.reader), cases::NOW)
    }
}

#[test]
fn nothing_typed_into_one_field_is_more_than_words() {
    let all = TYPED.join(" ");
    for (field, set) in FIELDS {
        let mut world = World::new();
        set(&mut world, "Harmless words");
        let wanted = world.letter();
        set(&mut world, &all);
        assert_same_shape(field, &world.letter(), &wanted, &world.site.postal_address);
    }
}

#[test]
fn nothing_typed_into_all_fields_is_more_than_words() {
    let fill = |typed: &str| {
        let mut world = World::new();
        // Not as a title of two names, which would be another shape.
        FIELDS
            .iter()
            .filter(|(name, _)| *name != "names and title")
            .for_each(|(_, set)| set(&mut world, typed));
        world
    };
    let wanted = fill("Harmless words").letter();
    for typed in TYPED {
        let world = fill(typed);
        assert_same_shape(typed, &world.letter(), &wanted, &world.site.postal_address);
    }
}

#[test]
fn nothing_typed_is_more_than_words_in_a_notice() {
    let signer = Arc::new(Signer::load(&[]).expect("no key is no trouble"));
    let notices = |typed: &str| {
        let site = Site { name: typed.to_owned(), postal_address: typed.to_owned(), ..cases::site() };
        let latest = Latest { subject: typed.to_owned(), ..mails::latest() };
        mails::notices_of(&site, &latest, &signer, cases::NOW)
    };
    let wanted = notices("Harmless words");
    for typed in TYPED {
        for (mail, wanted) in notices(typed).iter().zip(&wanted) {
            assert_same_tags(&format!("{}: {typed:?}", mail.name), &mail.html(), &wanted.html());
            assert_same_headers(&mail.name, &mail.octets, &wanted.octets);
            assert_visible(&mail.name, &mail.octets);
        }
    }
}

#[test]
fn files_with_line_ends_in_lines_and_links_that_are_none_are_refused() {
    let pick = serde_json::to_value(cases::comparison("pick")).unwrap();
    let lines = [
        "/title",
        "/question",
        "/tools/0/name",
        "/tools/0/category",
        "/tools/0/tagline",
        "/tools/0/pricing/entry",
        "/tools/0/reviews/0/reviewer",
    ];
    let refused = |pointer: &str, typed: &str| {
        let mut file = pick.clone();
        *file.pointer_mut(pointer).expect("there is such a field") = typed.into();
        let errors = sources::parse(Path::new("a.json"), &file.to_string()).err().unwrap_or_default();
        let field = pointer[1..].rsplit('/').next().unwrap();
        errors.iter().any(|error| error.field.contains(field))
    };
    for pointer in lines {
        for typed in ["a\r\nBcc: eve@example.com", "a\nb", "a\0b", "a\u{2028}b"] {
            assert!(refused(pointer, typed), "{pointer}: {typed:?}");
        }
    }
    for pointer in ["/tools/0/reviews/0/quote", "/tools/0/description"] {
        assert!(refused(pointer, "a\0b") && refused(pointer, "a\u{7}b"), "{pointer}");
        assert!(!refused(pointer, "a\r\nb"), "a longer text has lines");
    }
    for typed in
        TYPED.into_iter().chain(["javascript:alert(1)", "https://a.test/\" onclick=\"x", "//a.test", ""])
    {
        for pointer in ["/slug", "/tools/0/slug", "/url"] {
            assert!(refused(pointer, typed), "{pointer}: {typed:?}");
        }
    }
}

/// The same tags, headers and links as a letter of harmless words, no control character anywhere, and no error of the linter.
fn assert_same_shape(what: &str, letter: &[u8], wanted: &[u8], postal_address: &str) {
    let html = |octets: &[u8]| part(octets, 2);
    assert_same_tags(what, &html(letter), &html(wanted));
    assert_same_headers(what, letter, wanted);
    assert_visible(what, letter);
    for link in ["/unsubscribe/k1", "/preferences/k1", "/vote/k1"] {
        for number in [1, 2] {
            let count = |octets: &[u8]| part(octets, number).matches(link).count();
            assert_eq!(count(letter), count(wanted), "{what}: {link}");
        }
    }
    let errors: Vec<_> = lint(letter, Expected { postal_address: Some(postal_address), is_notice: false })
        .into_iter()
        .filter(|finding| finding.grade == Grade::Error)
        .collect();
    assert_eq!(errors, [], "{what}");
}

/// Elements, comments and the names of attributes are those of the template, in Outlook's comments as well; where links lead, too.
fn assert_same_tags(what: &str, html: &str, wanted: &str) {
    let tags = |html: &str| -> Vec<String> {
        let tokens = markup::tokens(html);
        // Words may or may not be there: an empty figure is a blank.
        tokens.iter().filter(|token| !token.starts_with('"')).map(|token| without_words(token)).collect()
    };
    let found = markup::differences(&tags(html), &tags(wanted));
    assert!(found.is_empty(), "{what}: - now, + with harmless words\n{}", found.join("\n"));
}

/// A tag without the values that say something to a reader.
fn without_words(tag: &str) -> String {
    let mut tag = tag.to_owned();
    for name in ["aria-label", "alt", "title"] {
        if let Some((before, rest)) = tag.clone().split_once(&format!(" {name}=\"")) {
            // Of all values these alone have quotation marks in them once they are decoded; what follows is one of ours.
            let ours = [" aria-roledescription=", " href=", " class=", " style=", " role="];
            let end = ours.into_iter().filter_map(|next| rest.find(next)).min().unwrap_or(rest.len() - 1);
            tag = format!("{before} {name}{}", &rest[end..]);
        }
    }
    tag
}

/// The same headers in the same order, one a line, and all of one line where they are not folded.
fn assert_same_headers(what: &str, letter: &[u8], wanted: &[u8]) {
    let names = |octets: &[u8]| -> Vec<String> {
        let head = String::from_utf8(octets.to_vec()).expect("it is ASCII");
        let head = head.split("\r\n\r\n").next().unwrap().to_owned();
        assert!(!head.replace("\r\n", "").contains(['\r', '\n', '\0']), "{what}: {head}");
        let lines = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
        lines.map(|line| line.split_once(':').expect("a header").0.to_owned()).collect()
    };
    assert_eq!(names(letter), names(wanted), "{what}");
    let message = MessageParser::default().parse(letter).expect("it is a mail");
    assert_eq!(message.parts.len(), 3, "{what}: parts");
    assert_eq!(message.to().unwrap().first().unwrap().address(), Some("ann@example.com"), "{what}");
    assert_eq!(
        message.from().unwrap().first().unwrap().address(),
        Some("letters@verdicts.example"),
        "{what}"
    );
    assert!(!message.subject().unwrap().contains(char::is_control), "{what}: {:?}", message.subject());
}

/// No character that nobody sees and that changes what they see, or that no mail may have.
fn assert_visible(what: &str, octets: &[u8]) {
    let subject = MessageParser::default().parse(octets).unwrap().subject().unwrap().to_owned();
    for (place, text) in [("subject", subject), ("text", part(octets, 1)), ("HTML", part(octets, 2))] {
        let hidden = |c: char| {
            c.is_control() && c != '\n' || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!text.contains(hidden), "{what}: {:?} in {place}", text.chars().find(|c| hidden(*c)));
    }
}

fn part(octets: &[u8], number: usize) -> String {
    let message = MessageParser::default().parse(octets).expect("it is a mail");
    message.parts[number].text_contents().expect("it is text").replace("\r\n", "\n")
}
