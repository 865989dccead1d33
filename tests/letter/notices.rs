//! What notices say in both languages, as letters that nothing breaks.

use std::sync::Arc;

use verdicts::domain::EmailAddress;
use verdicts::domain::notice::{ClaimedNotice, NoticeId, NoticeKind};
use verdicts::domain::site::{Mailbox, Site};
use verdicts::domain::subscriber::SubscriberId;
use verdicts::domain::token::Keyring;
use verdicts::letter::{Latest, NoticeWriter};
use verdicts::mail::Signer;
use verdicts::texts::Texts;

use crate::support::house;
use crate::support::world::*;

fn site(language: &str) -> Site {
    Site {
        name: "Weekly <Verdicts> & Co".to_owned(),
        base_url: "https://verdicts.example".to_owned(),
        from: Mailbox::parse("Wöchentliche Urteile <letters@verdicts.example>").unwrap(),
        reply_to: Some(Mailbox::parse("editors@verdicts.example").unwrap()),
        postal_address: "1 Sample Street, Exampleville".to_owned(),
        list_id: "weekly.verdicts.example".to_owned(),
        language: language.to_owned(),
    }
}

fn writer(language: &str) -> NoticeWriter {
    let texts = Arc::new(Texts::embedded(language).unwrap());
    let keyring = Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap();
    let signer = Arc::new(Signer::load(&[]).unwrap());
    NoticeWriter::new(texts, site(language), keyring, signer).unwrap()
}

fn notice(kind: NoticeKind) -> ClaimedNotice {
    let data = [("expires_at", "1795528800000"), ("change", "12"), ("address", "n***@e***.org")];
    ClaimedNotice {
        id: NoticeId(41),
        kind,
        email: EmailAddress::parse("ann@example.com").unwrap(),
        subscriber: Some(SubscriberId(7)),
        data: data.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect(),
        attempt: 1,
        created_at: NOW,
    }
}

fn latest() -> Latest {
    Latest {
        subject: "A <b> & B: which one ships?".to_owned(),
        url: "https://verdicts.example/issues/12".to_owned(),
    }
}

/// The headers, then the text part as a mail program shows it.
fn shown(letter: &[u8]) -> String {
    let head = String::from_utf8_lossy(letter);
    let head = head.split("\r\n\r\n").next().unwrap().replace("\r\n", "\n");
    let parsed = mail_parser::MessageParser::default().parse(letter).unwrap();
    format!("{head}\n\n{}", parsed.body_text(0).unwrap())
}

#[test]
fn the_letters_in_both_languages() {
    for language in ["en", "de"] {
        let writer = writer(language);
        let letters: Vec<_> = NoticeKind::ALL
            .into_iter()
            .map(|kind| shown(&writer.write(&notice(kind), Some(&latest())).unwrap()))
            .collect();
        insta::assert_snapshot!(format!("notices_{language}"), letters.join("\n=========================\n"));
    }
}

#[test]
fn every_notice_is_a_proper_letter() {
    for language in ["en", "de"] {
        let writer = writer(language);
        for kind in NoticeKind::ALL {
            for latest in [None, Some(latest())] {
                let letter = writer.write(&notice(kind), latest.as_ref()).unwrap();
                assert!(letter.is_ascii());
                let head = letter.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
                for (at, line) in letter.split(|octet| *octet == b'\n').scan(0, |at, line| {
                    let start = *at;
                    *at += line.len() + 1;
                    Some((start, line))
                }) {
                    assert!(line.is_empty() || line.ends_with(b"\r"), "CRLF only");
                    assert!(line.len() <= 77 || at < head, "{kind}: {}", String::from_utf8_lossy(line));
                    assert!(!line[..line.len().saturating_sub(1)].contains(&b'\r'));
                }
                let header = |name| house::header(&letter, name);
                assert_eq!(header("Auto-Submitted").as_deref(), Some("auto-generated"));
                assert_eq!(header("Content-Language").as_deref(), Some(language));
                let one_click = matches!(kind, NoticeKind::Welcome | NoticeKind::AlreadySubscribed);
                assert_eq!(header("List-Unsubscribe").is_some(), one_click, "{kind}");
                assert_eq!(letter, writer.write(&notice(kind), latest.as_ref()).unwrap(), "stable");
                let parsed = mail_parser::MessageParser::default().parse(&letter).unwrap();
                let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
                assert!(html.contains(&format!("lang=\"{language}\"")) && html.contains("<title>"), "{html}");
                assert!(!html.contains("<Verdicts>") && html.contains("&lt;Verdicts&gt;"), "escaped");
                for part in [&text, &html] {
                    assert!(part.contains("1 Sample Street"), "{kind}: the postal address");
                    assert!(!part.contains("{{") && !part.contains("join."), "{kind}: {part}");
                }
                assert!(text.contains("https://verdicts.example/"), "{kind}: {text}");
            }
        }
    }
}

#[test]
fn nothing_in_a_notice_becomes_a_header() {
    let mut hostile = site("en");
    hostile.name = "Verdicts\r\nBcc: all@example.com".to_owned();
    let texts = Arc::new(Texts::embedded("en").unwrap());
    let keyring = Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap();
    let writer = NoticeWriter::new(texts, hostile, keyring, Arc::new(Signer::load(&[]).unwrap())).unwrap();
    let letter = writer.write(&notice(NoticeKind::Confirm), None).unwrap();
    assert_eq!(house::header(&letter, "Bcc"), None);
    assert!(house::header(&letter, "Subject").unwrap().contains("Bcc"), "it stays in the subject");
}

#[test]
fn notices_are_signed_where_letters_are() {
    let house = house::House::new("outbox:outbox", "");
    house.must(&[
        "dkim",
        "generate",
        "--domain",
        "verdicts.example",
        "--selector",
        "s1",
        "--type",
        "ed25519",
    ]);
    let files = std::fs::read_dir(house.path("dkim")).unwrap().map(|entry| entry.unwrap().path());
    let key_file = files.into_iter().find(|path| path.extension().is_some_and(|e| e == "pem")).unwrap();
    let key = verdicts::config::DkimKey {
        domain: "verdicts.example".to_owned(),
        selector: "s1".to_owned(),
        key_file,
        setting: "dkim.key_file",
    };
    let signer = Arc::new(Signer::load(&[key]).unwrap());
    let keyring = Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap();
    let texts = Arc::new(Texts::embedded("en").unwrap());
    let writer = NoticeWriter::new(texts, site("en"), keyring, signer).unwrap();
    let letter = writer.write(&notice(NoticeKind::Confirm), None).unwrap();
    let signature = house::header(&letter, "DKIM-Signature").expect("it is signed");
    assert!(signature.contains("d=verdicts.example") && signature.contains("s=s1"), "{signature}");
    assert_eq!(
        letter,
        writer.write(&notice(NoticeKind::Confirm), None).unwrap(),
        "the same at every attempt"
    );
}
