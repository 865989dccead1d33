//! Writes every letter of `tests/fixtures/letters` and every notice as files to look at: `letters OUT`. `tests/screenshots` draws them.

#[path = "../tests/support/mail/cases.rs"]
mod cases;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use cases::{ISSUE, NOW, cases, site};
use verdicts::domain::EmailAddress;
use verdicts::domain::colour::Colour;
use verdicts::domain::notice::{ClaimedNotice, NoticeId, NoticeKind};
use verdicts::domain::subscriber::SubscriberId;
use verdicts::domain::theme::{Logo, Theme};
use verdicts::domain::token::Keyring;
use verdicts::letter::render::Templates;
use verdicts::letter::{Latest, NoticeWriter};
use verdicts::mail::{Recipient, Signer, Stencil};
use verdicts::texts::Texts;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let out = std::env::args().nth(1).ok_or("usage: letters OUT")?;
    let out = Path::new(&out);
    fs::create_dir_all(out)?;
    let templates = Templates::embedded()?;
    for case in cases() {
        letter(out, &case.name, &templates, &case.composition())?;
    }
    let first = cases().swap_remove(0).composition();
    for (name, theme) in themes() {
        letter(out, name, &Templates::embedded()?.with_theme(&theme), &first)?;
    }
    for language in ["en", "de"] {
        notices(out, language)?;
    }
    Ok(())
}

/// Accents that are hard to read, and a logo that nobody can load: what a letter looks like with images off.
fn themes() -> [(&'static str, Theme); 4] {
    let accent = |hex: &str| Colour::parse(hex).expect("it is a colour");
    let logo = Logo {
        url: "https://verdicts.invalid/logo.png".into(),
        width: 180,
        height: 40,
        alt: "Weekly Verdicts".into(),
    };
    [
        ("theme-yellow", Theme { accent: accent("#ffcc00"), radius: 0, ..Theme::default() }),
        ("theme-navy", Theme { accent: accent("#14213d"), radius: 24, ..Theme::default() }),
        (
            "theme-red",
            Theme { accent: accent("#c8102e"), heading: "Verdana, sans-serif".into(), ..Theme::default() },
        ),
        ("images-off", Theme { logo: Some(logo), ..Theme::default() }),
    ]
}

fn letter(
    out: &Path,
    name: &str,
    templates: &Templates,
    composition: &verdicts::letter::compose::Composition,
) -> Result<(), Failure> {
    let letter = templates.render(composition)?;
    let mut octets = Vec::new();
    let ann = EmailAddress::parse("ann@example.com")?;
    let reader = Recipient {
        email: &ann,
        name: Some("Ann"),
        message_id: "00112233445566778899aabbccddeeff",
        date: NOW,
        unsubscribe_token: "k1.u42.AbC-dEf_gHiJkLmNoPqRsT",
        preferences_token: "k1.p42.AbC-dEf_gHiJkLmNoPqRsT",
        vote_token: "k1.v42.AbC-dEf_gHiJkLmNoPqRsT",
        topics: None,
    };
    Stencil::build(&letter, &site(), ISSUE)?.fill(&reader, &mut octets);
    write(out, name, &octets)
}

fn notices(out: &Path, language: &str) -> Result<(), Failure> {
    let texts = Arc::new(Texts::embedded(language)?);
    let keyring = Keyring::parse(&Keyring::file_text(1, &[7; 32]))?;
    let mut site = site();
    site.language = language.to_owned();
    let latest = Latest::new(&site, ISSUE, "Tidewater over Stonewall DB, and two more verdicts");
    let writer = NoticeWriter::new(texts, site, keyring, Arc::new(Signer::load(&[])?))?;
    for kind in NoticeKind::ALL {
        let data = [("expires_at", "1795528800000"), ("address", "new@example.com"), ("change", "3")];
        let notice = ClaimedNotice {
            id: NoticeId(41),
            kind,
            email: EmailAddress::parse("ann@example.com")?,
            subscriber: Some(SubscriberId(7)),
            data: data.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect(),
            attempt: 1,
            created_at: NOW,
        };
        write(out, &format!("notice-{kind}-{language}"), &writer.write(&notice, Some(&latest))?)?;
    }
    Ok(())
}

/// The letter as it goes over the wire, and its two parts as a mail program shows them.
fn write(out: &Path, name: &str, octets: &[u8]) -> Result<(), Failure> {
    let parsed = mail_parser::MessageParser::default().parse(octets).ok_or("it is no letter")?;
    let html = parsed.body_html(0).ok_or("it has no HTML part")?;
    fs::write(out.join(format!("{name}.eml")), octets)?;
    fs::write(out.join(format!("{name}.html")), html.as_bytes())?;
    fs::write(out.join(format!("{name}.txt")), parsed.body_text(0).unwrap_or_default().as_bytes())?;
    println!("{name}: {} octets of HTML", html.len());
    Ok(())
}
