//! Every mail that goes out, made without a relay: the letters of `cases.rs` as one reader gets them, and the notices.

use std::sync::Arc;

use mail_parser::MessageParser;
use verdicts::domain::notice::{ClaimedNotice, NoticeId, NoticeKind};
use verdicts::domain::site::Site;
use verdicts::domain::subscriber::SubscriberId;
use verdicts::domain::token::Keyring;
use verdicts::domain::{EmailAddress, UnixMillis};
use verdicts::letter::compose::Composition;
use verdicts::letter::render::Templates;
use verdicts::letter::{Latest, NoticeWriter};
use verdicts::mail::{Recipient, Signer, Stencil};
use verdicts::texts::Texts;

use super::cases::{self, ISSUE, NOW};

/// One mail as it goes over the wire, and what it was made of.
pub struct Mail {
    pub name: String,
    pub mjml: String,
    pub octets: Vec<u8>,
}

impl Mail {
    /// The headers, one a line as they stand there.
    pub fn head(&self) -> String {
        let octets = String::from_utf8(self.octets.clone()).expect("it is ASCII");
        octets.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n", "\n")
    }

    pub fn text(&self) -> String {
        self.part(1)
    }

    pub fn html(&self) -> String {
        self.part(2)
    }

    /// The whole is part 0.
    fn part(&self, number: usize) -> String {
        let message = MessageParser::default().parse(&self.octets).expect("it is a mail");
        message.parts[number].text_contents().expect("it is text").replace("\r\n", "\n")
    }
}

/// The letter of every case, as Ann gets it.
pub fn letters() -> Vec<Mail> {
    letters_of(&cases::site(), NOW)
}

/// The letters of a site, dated `now`, with every link to its own pages.
pub fn letters_of(site: &Site, now: UnixMillis) -> Vec<Mail> {
    let templates = Templates::embedded().expect("ours parse");
    let letter = |case: &cases::Case| {
        let mut composition = case.composition_of(site);
        let features = composition.comparisons.iter_mut().map(|one| &mut one.url);
        let mentions = composition.also.iter_mut().map(|one| &mut one.url);
        for url in features.chain(mentions).chain(composition.votes.iter_mut().map(|one| &mut one.url)) {
            *url = url.replace(&cases::site().base_url, &site.base_url);
        }
        letter(&templates, &case.name, &composition, site, now)
    };
    cases::cases().iter().map(letter).collect()
}

/// The letter of one case.
pub fn letter_of(name: &str) -> Mail {
    let templates = Templates::embedded().expect("ours parse");
    let case = cases::cases().into_iter().find(|case| case.name == name).expect("there is such a case");
    letter(&templates, name, &case.composition(), &cases::site(), NOW)
}

fn letter(
    templates: &Templates,
    name: &str,
    composition: &Composition,
    site: &Site,
    now: UnixMillis,
) -> Mail {
    Mail {
        name: name.to_owned(),
        mjml: templates.mjml(composition).expect("ours render"),
        octets: filled(templates, composition, site, Some("Ann"), now),
    }
}

/// A letter for a reader of this name.
pub fn filled(
    templates: &Templates,
    composition: &Composition,
    site: &Site,
    name: Option<&str>,
    now: UnixMillis,
) -> Vec<u8> {
    let letter = templates.render(composition).expect("it fits");
    let mut octets = Vec::new();
    let stencil = Stencil::build(&letter, site, ISSUE).expect("ours have every link");
    let email = EmailAddress::parse("ann@example.com").expect("an address");
    stencil.fill(&reader(&email, name, now), &mut octets);
    octets
}

pub fn reader<'a>(email: &'a EmailAddress, name: Option<&'a str>, now: UnixMillis) -> Recipient<'a> {
    Recipient {
        email,
        name,
        message_id: "00112233445566778899aabbccddeeff",
        date: now,
        unsubscribe_token: "k1.u42.AbC-dEf_gHiJkLmNoPqRsT",
        preferences_token: "k1.p42.AbC-dEf_gHiJkLmNoPqRsT",
        vote_token: "k1.v42.AbC-dEf_gHiJkLmNoPqRsT",
        topics: None,
    }
}

/// Every notice in every language, with a latest issue and without.
pub fn notices() -> Vec<Mail> {
    notices_of(&cases::site(), &latest(), &Arc::new(Signer::load(&[]).expect("no key is no trouble")), NOW)
}

/// Every notice of a site, dated `now`.
pub fn notices_of(site: &Site, latest: &Latest, signer: &Arc<Signer>, now: UnixMillis) -> Vec<Mail> {
    let mut mails = Vec::new();
    for language in ["en", "de"] {
        let site = Site { language: language.to_owned(), ..site.clone() };
        let writer = writer(site, signer);
        for kind in NoticeKind::ALL {
            for (what, latest) in [("", Some(latest)), ("_before_any_issue", None)] {
                if what.is_empty() || kind == NoticeKind::Welcome {
                    mails.push(Mail {
                        name: format!("{kind}{what}_{language}"),
                        mjml: writer.mjml(&notice(kind, now), latest).expect("ours render"),
                        octets: writer.write(&notice(kind, now), latest).expect("ours render"),
                    });
                }
            }
        }
    }
    mails
}

fn writer(site: Site, signer: &Arc<Signer>) -> NoticeWriter {
    let texts = Arc::new(Texts::embedded(&site.language).expect("it is shipped"));
    let keyring = Keyring::parse(&Keyring::file_text(1, &[7; 32])).expect("it is a key");
    NoticeWriter::new(texts, site, keyring, Arc::clone(signer)).expect("ours parse")
}

fn notice(kind: NoticeKind, now: UnixMillis) -> ClaimedNotice {
    let data = [("expires_at", "1795528800000"), ("change", "12"), ("address", "n***@e***.org")];
    ClaimedNotice {
        id: NoticeId(41),
        kind,
        email: EmailAddress::parse("ann@example.com").expect("an address"),
        subscriber: Some(SubscriberId(7)),
        data: data.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect(),
        attempt: 1,
        created_at: now,
    }
}

pub fn latest() -> Latest {
    Latest {
        subject: "Understudy over Autoreply X, and four more verdicts".to_owned(),
        url: "https://verdicts.example/issues/12".to_owned(),
    }
}
