//! What relays say that is not said as ours would: within the bounds of RFC 5321 §4.2 it is taken, beyond them the line
//! ends, and nothing that a relay sends makes us grow.

use std::time::Duration;

use verdicts::domain::EmailAddress;
use verdicts::domain::relay::{RelayUrl, SmtpUrl};
use verdicts::mail::{ConnectError, Outcome, Relay, Session, SessionOptions, Stage};

use crate::support::peer::{Act, Ask, At, Ehlo, Peer, Script, Tls};

const LETTER: &[u8] = b"From: news@example.org\r\nMessage-ID: <1@example.org>\r\n\r\nHello.\r\n";

fn smtp(url: &str) -> SmtpUrl {
    match RelayUrl::parse(url).unwrap() {
        RelayUrl::Smtp(url) => url,
        RelayUrl::Outbox(_) => panic!("{url} is no SMTP URL"),
    }
}

async fn open(peer: &Peer) -> Result<Session, ConnectError> {
    let dir = tempfile::tempdir().unwrap();
    let ca_file = dir.path().join("ca.pem");
    std::fs::write(&ca_file, &peer.ca_pem).unwrap();
    let options = SessionOptions { ca_file: Some(ca_file), ..SessionOptions::default() };
    Relay::new(&smtp(&peer.url()), options)?.open().await
}

async fn deliver(session: &mut Session) -> Outcome {
    let [from, to] = ["news@example.org", "ann@example.com"].map(|text| EmailAddress::parse(text).unwrap());
    session.deliver(&from, &to, LETTER).await
}

/// Says `act` at `at`, and at `at` only.
fn at(at: At, act: Act) -> Box<dyn Fn(&Ask) -> Act + Send + Sync> {
    Box::new(move |ask| if ask.at == at { act.clone() } else { Act::Usual })
}

/// OpenSMTPD 6.8 refuses the second EHLO of a conversation; TLS begins another.
#[tokio::test]
async fn ehlo_is_said_once_for_each_start_of_the_conversation() {
    for (tls, times) in [(Tls::None, 1), (Tls::Upgrade, 2), (Tls::Implicit, 1)] {
        let peer = Peer::start(Script { ehlo: Ehlo::Once, tls, ..Script::default() }).await;
        let mut session = open(&peer).await.unwrap();
        assert!(session.is_pipelining(), "{tls:?}");
        assert!(matches!(deliver(&mut session).await, Outcome::Accepted(_)), "{tls:?}");
        let said = peer.commands().iter().filter(|command| command.starts_with("EHLO")).count();
        assert_eq!(said, times, "{tls:?}");
    }
}

#[tokio::test]
async fn who_does_not_know_ehlo_gets_helo() {
    let peer = Peer::start(Script { ehlo: Ehlo::Unknown, ..Script::default() }).await;
    let mut session = open(&peer).await.unwrap();
    assert!(!session.is_pipelining());
    assert!(matches!(deliver(&mut session).await, Outcome::Accepted(_)));
    let url = smtp(&format!("smtp://{}?starttls=required", peer.addr));
    let error = Relay::new(&url, SessionOptions::default()).unwrap().open().await.err().unwrap();
    assert!(matches!(error, ConnectError::NoStartTls { .. }), "{error}");
}

#[tokio::test]
async fn a_reply_is_read_by_its_code_whatever_stands_behind_it() {
    for (stage, octets) in [
        (At::Greeting, &b"220\r\n"[..]),
        (At::Greeting, b"220-mx\r\n220-\r\n220\r\n"),
        (At::Greeting, b"220 gr\xfc\xdf Gott\r\n"),
        (At::Mail, b"250\r\n"),
        (At::Mail, b"250\n"),
        (At::Rcpt, b"250 Empf\xe4nger gut\r\n"),
        (At::Rcpt, b"251 will forward\r\n"),
        (At::Data, b"354\r\n"),
        (At::Dot, b"250\r\n"),
        (At::Dot, b"250-\r\n250\r\n"),
    ] {
        for pipelining in [true, false] {
            let rule = at(stage, Act::SayOctets(octets));
            let peer = Peer::start(Script { pipelining, rule, ..Script::default() }).await;
            let mut session = open(&peer).await.unwrap();
            let outcome = deliver(&mut session).await;
            assert!(matches!(outcome, Outcome::Accepted(_)), "{stage:?} {octets:?}: {outcome:?}");
            assert!(session.is_open());
        }
    }
}

#[tokio::test]
async fn a_refusal_in_latin_1_is_a_refusal_and_its_words_are_kept() {
    let rule = at(At::Rcpt, Act::SayOctets(b"550 5.1.1 Empf\xe4nger unbekannt\r\n"));
    let peer = Peer::start(Script { rule, ..Script::default() }).await;
    let Outcome::Refused { stage: Stage::Rcpt, reply } = deliver(&mut open(&peer).await.unwrap()).await
    else {
        panic!("not refused")
    };
    assert_eq!((reply.code, reply.text.as_str()), (550, "Empfänger unbekannt"));
    assert_eq!(reply.enhanced.as_deref(), Some("5.1.1"));
}

/// A line without an end, and lines without an end, at every place where a relay speaks; before STARTTLS too.
#[tokio::test]
async fn nothing_that_a_relay_says_is_read_without_end() {
    const LIMIT: Duration = Duration::from_secs(20);
    for flood in [&[b'2'; 65_536][..], b"250-and more\r\n", b"220-and more\r\n", b"354-and more\r\n"] {
        for (stage, tls) in [
            (At::Greeting, Tls::None),
            (At::Greeting, Tls::Upgrade),
            (At::StartTls, Tls::Upgrade),
            (At::Mail, Tls::None),
            (At::Rcpt, Tls::Implicit),
            (At::Data, Tls::None),
            (At::Dot, Tls::None),
        ] {
            let peer =
                Peer::start(Script { tls, rule: at(stage, Act::Flood(flood)), ..Script::default() }).await;
            let session = tokio::time::timeout(LIMIT, open(&peer)).await.expect("it ends by itself");
            let Ok(mut session) = session else { continue };
            let outcome =
                tokio::time::timeout(LIMIT, deliver(&mut session)).await.expect("it ends by itself");
            let after_the_dot = stage == At::Dot;
            assert!(
                matches!(outcome, Outcome::LineDropped { after_dot, .. } if after_dot == after_the_dot),
                "{stage:?} {tls:?}: {outcome:?}"
            );
            assert!(!session.is_open());
        }
    }
}

#[tokio::test]
async fn words_that_come_before_the_letter_has_ended_are_no_answer_to_it() {
    let rule = at(At::Data, Act::SayOctets(b"354 go on\r\n250 2.0.0 queued already\r\n"));
    let peer = Peer::start(Script { rule, ..Script::default() }).await;
    let outcome = deliver(&mut open(&peer).await.unwrap()).await;
    assert!(matches!(outcome, Outcome::LineDropped { after_dot: false, .. }), "{outcome:?}");
    assert!(peer.taken().is_empty());
}
