//! One SMTP session against a scripted peer: every kind of answer, and every place where the line may break.

use std::time::Duration;

use verdicts::domain::EmailAddress;
use verdicts::domain::relay::{RelayUrl, SmtpUrl};
use verdicts::mail::{
    ConnectError, Envelope, Outcome, Relay, Session, SessionOptions, Stage, Timeouts, Wire,
};

use crate::support::peer::{self, Act, At, Peer, Script, Tls};

fn smtp(url: &str) -> SmtpUrl {
    match RelayUrl::parse(url).unwrap() {
        RelayUrl::Smtp(url) => url,
        RelayUrl::Outbox(_) => panic!("{url} is no SMTP URL"),
    }
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

const LETTER: &[u8] =
    b"From: news@example.org\r\nMessage-ID: <1@example.org>\r\n\r\n.\r\n..\r\n.hidden\r\n\r\nlast\r\n";

async fn session_on(url: &SmtpUrl, options: &SessionOptions) -> Result<Session, ConnectError> {
    Relay::new(url, options.clone())?.open().await
}

async fn open(peer: &Peer) -> Session {
    session_on(&smtp(&peer.url()), &SessionOptions::default()).await.unwrap()
}

async fn deliver(session: &mut Session, to: &str) -> Outcome {
    session.deliver(&address("news@example.org"), &address(to), LETTER).await
}

async fn deliver_to(session: &mut Session, to: &[&str]) -> Vec<String> {
    let mut gists = Vec::new();
    for to in to {
        gists.push(match deliver(session, to).await {
            Outcome::Accepted(reply) => reply.code.to_string(),
            Outcome::Refused { stage, reply } => format!("{} at {stage}", reply.code),
            Outcome::LineDropped { after_dot, .. } => format!("dropped, after the dot: {after_dot}"),
        });
    }
    gists
}

#[tokio::test]
async fn letters_arrive_octet_for_octet_over_one_session() {
    for pipelining in [true, false] {
        let peer = Peer::start(Script { pipelining, ..Script::default() }).await;
        let mut session = open(&peer).await;
        assert_eq!(session.is_pipelining(), pipelining);
        assert_eq!(deliver_to(&mut session, &["a@example.com", "b@example.com"]).await, ["250", "250"]);
        assert!(session.is_open());
        session.close().await;
        let taken = peer.taken();
        assert_eq!(taken.len(), 2);
        assert!(taken.iter().all(|taken| taken.letter == LETTER), "{:?}", taken[0]);
        assert_eq!(peer.sessions(), 1);
        assert_eq!(peer.groups(), if pipelining { 2 } else { 0 }, "in one write only if announced");
        assert_eq!(peer.commands().last().map(String::as_str), Some("QUIT"));
    }
}

/// Delivers to each in turn, asking for the next in the write that ends the one before.
async fn deliver_ahead(session: &mut Session, to: &[&str]) -> Vec<String> {
    let from = address("news@example.org");
    let to: Vec<_> = to.iter().map(|to| address(to)).collect();
    let mut gists = Vec::new();
    for (index, one) in to.iter().enumerate() {
        let outcome = match session.begin(&from, one, &mut Wire::new(LETTER.to_vec())).await {
            Some(outcome) => outcome,
            None => session.end(to.get(index + 1).map(|to| Envelope { from: &from, to })).await,
        };
        gists.push(match outcome {
            Outcome::Accepted(reply) => reply.code.to_string(),
            Outcome::Refused { stage, reply } => format!("{} at {stage}", reply.code),
            Outcome::LineDropped { after_dot, .. } => format!("dropped, after the dot: {after_dot}"),
        });
    }
    gists
}

#[tokio::test]
async fn the_next_letter_is_asked_for_in_the_write_that_ends_the_one_before() {
    for (pipelining, data_without_recipients) in [(true, false), (true, true), (false, false)] {
        let rule = Box::new(|ask: &peer::Ask| match (ask.at, ask.to.as_str()) {
            (At::Rcpt, "bad@example.com") => Act::Say("550 5.1.1 nobody"),
            (At::Dot, "spam@example.com") => Act::Say("554 5.7.1 no"),
            _ => Act::Usual,
        });
        let script = Script { pipelining, data_without_recipients, rule, ..Script::default() };
        let peer = Peer::start(script).await;
        let mut session = open(&peer).await;
        let to = ["a@example.com", "bad@example.com", "spam@example.com", "b@example.com", "c@example.com"];
        assert_eq!(
            deliver_ahead(&mut session, &to).await,
            ["250", "550 at RCPT TO", "554 at the end of the letter", "250", "250"]
        );
        session.close().await;
        let got: Vec<_> = peer.taken().into_iter().map(|taken| (taken.to, taken.letter == LETTER)).collect();
        let right = ["a@example.com", "b@example.com", "c@example.com"].map(|to| (to.to_owned(), true));
        assert_eq!((got.as_slice(), peer.sessions()), (&right[..], 1), "pipelining {pipelining}");
        assert_eq!(peer.commands().last().map(String::as_str), Some("QUIT"));
    }
}

#[tokio::test]
async fn a_line_that_was_asked_ahead_for_one_never_carries_the_letter_of_another() {
    let peer = Peer::start(Script::default()).await;
    let mut session = open(&peer).await;
    let (from, a, b) = (address("news@example.org"), address("a@example.com"), address("b@example.com"));
    assert!(session.begin(&from, &a, &mut Wire::new(LETTER.to_vec())).await.is_none());
    assert!(matches!(session.end(Some(Envelope { from: &from, to: &b })).await, Outcome::Accepted(_)));
    let outcome = session.begin(&from, &a, &mut Wire::new(LETTER.to_vec())).await;
    assert!(matches!(outcome, Some(Outcome::LineDropped { after_dot: false, .. })), "{outcome:?}");
    assert!(!session.is_open());
    assert_eq!(peer.taken().len(), 1);
}

#[tokio::test]
async fn a_line_that_breaks_at_the_dot_takes_what_was_asked_ahead_with_it() {
    for (act, after_dot) in [(Act::TakeAndDrop, true), (Act::SayAndDrop("421 4.3.2 closing"), false)] {
        let scripted = act.clone();
        let rule =
            Box::new(move |ask: &peer::Ask| if ask.at == At::Dot { scripted.clone() } else { Act::Usual });
        let peer = Peer::start(Script { rule, ..Script::default() }).await;
        let mut session = open(&peer).await;
        let gists = deliver_ahead(&mut session, &["a@example.com", "b@example.com"]).await;
        let first = if after_dot { "dropped, after the dot: true" } else { "421 at the end of the letter" };
        assert_eq!(gists, [first, "dropped, after the dot: false"]);
    }
}

#[tokio::test]
async fn a_refused_recipient_leaves_the_session_usable() {
    for (pipelining, data_without_recipients) in [(true, false), (true, true), (false, false)] {
        let rule = Box::new(|ask: &peer::Ask| match (ask.at, ask.to.as_str()) {
            (At::Rcpt, "bad@example.com") => Act::Say("550 5.1.1 bad@example.com is unknown"),
            (At::Rcpt, "busy@example.com") => Act::Say("450-4.2.0 busy\r\n450 4.2.0 come again"),
            (At::Data, "data@example.com") => Act::Say("451 4.3.0 not now"),
            (At::Dot, "spam@example.com") => Act::Say("554 5.7.1 no"),
            _ => Act::Usual,
        });
        let script = Script { pipelining, data_without_recipients, rule, ..Script::default() };
        let peer = Peer::start(script).await;
        let mut session = open(&peer).await;
        let to = [
            "bad@example.com",
            "a@example.com",
            "busy@example.com",
            "data@example.com",
            "spam@example.com",
            "b@example.com",
        ];
        assert_eq!(
            deliver_to(&mut session, &to).await,
            ["550 at RCPT TO", "250", "450 at RCPT TO", "451 at DATA", "554 at the end of the letter", "250"]
        );
        assert_eq!((peer.sessions(), peer.taken().len()), (1, 2), "pipelining {pipelining}");
        assert!(peer.taken().iter().all(|taken| taken.letter == LETTER));
    }
}

#[tokio::test]
async fn replies_keep_code_and_words_and_not_the_address() {
    let rule = Box::new(|ask: &peer::Ask| match ask.at {
        At::Rcpt => Act::Say("550-5.1.1 <BAD@Example.com>:\r\n550 5.1.1 no such user"),
        _ => Act::Usual,
    });
    let peer = Peer::start(Script { rule, ..Script::default() }).await;
    let Outcome::Refused { stage: Stage::Rcpt, reply } =
        deliver(&mut open(&peer).await, "bad@example.com").await
    else {
        panic!("not refused")
    };
    assert_eq!((reply.code, reply.enhanced.as_deref()), (550, Some("5.1.1")));
    assert_eq!(reply.text, "<b***@e***.com>: no such user");
}

#[tokio::test]
async fn a_refused_sender_is_told_from_a_refused_recipient() {
    for pipelining in [true, false] {
        let rule = Box::new(|ask: &peer::Ask| match ask.at {
            At::Mail if ask.session == 1 => Act::Say("550 5.7.1 not you"),
            _ => Act::Usual,
        });
        let peer = Peer::start(Script { pipelining, rule, ..Script::default() }).await;
        let mut session = open(&peer).await;
        let Outcome::Refused { stage, reply } = deliver(&mut session, "a@example.com").await else {
            panic!()
        };
        assert_eq!((stage, reply.code), (Stage::Mail, 550));
        assert!(peer.taken().is_empty());
    }
}

#[tokio::test]
async fn a_421_ends_the_session() {
    for at in [At::Mail, At::Rcpt, At::Data, At::Dot] {
        for pipelining in [true, false] {
            let rule = Box::new(move |ask: &peer::Ask| match ask.at == at {
                true => Act::SayAndDrop("421 4.3.2 shutting down"),
                false => Act::Usual,
            });
            let peer = Peer::start(Script { pipelining, rule, ..Script::default() }).await;
            let mut session = open(&peer).await;
            let outcome = deliver(&mut session, "a@example.com").await;
            assert!(
                matches!(&outcome, Outcome::Refused { reply, .. } if reply.code == 421),
                "{at:?}: {outcome:?}"
            );
            assert!(!session.is_open());
        }
    }
}

#[tokio::test]
async fn a_line_that_breaks_is_unknown_only_after_the_dot() {
    for pipelining in [true, false] {
        for (at, act, after_dot) in [
            (At::Mail, Act::Drop, false),
            (At::Rcpt, Act::Drop, false),
            (At::Data, Act::Drop, false),
            (At::Dot, Act::Drop, true),
            (At::Dot, Act::TakeAndDrop, true),
        ] {
            let scripted = act.clone();
            let rule =
                Box::new(move |ask: &peer::Ask| if ask.at == at { scripted.clone() } else { Act::Usual });
            let peer = Peer::start(Script { pipelining, rule, ..Script::default() }).await;
            let mut session = open(&peer).await;
            let gist = deliver_to(&mut session, &["a@example.com"]).await;
            assert_eq!(gist, [format!("dropped, after the dot: {after_dot}")], "{at:?} {act:?}");
            assert!(!session.is_open());
            assert_eq!(peer.taken().len(), usize::from(act == Act::TakeAndDrop));
            let again = deliver_to(&mut session, &["a@example.com"]).await;
            assert_eq!(again, ["dropped, after the dot: false"], "a closed session sends nothing");
        }
    }
}

#[tokio::test]
async fn a_letter_that_could_not_leave_is_known_not_to_be_sent() {
    // Far more than the buffers of a loopback socket hold, and a peer that goes without reading.
    let letter = [&b"x"[..], &b"0123456789abcdef0123456789abcdef\r\n".repeat(600_000)].concat();
    let rule = Box::new(|ask: &peer::Ask| if ask.at == At::Body { Act::Drop } else { Act::Usual });
    let peer = Peer::start(Script { rule, ..Script::default() }).await;
    let mut session = open(&peer).await;
    let outcome = session.deliver(&address("news@example.org"), &address("a@example.com"), &letter).await;
    assert!(matches!(outcome, Outcome::LineDropped { after_dot: false, .. }), "{outcome:?}");
}

#[tokio::test]
async fn no_answer_in_time_ends_the_session_and_no_late_answer_is_taken_for_another() {
    let short = Duration::from_millis(50);
    let timeouts =
        Timeouts { envelope: short, data: short, block: short, final_dot: short, ..Timeouts::default() };
    for (at, after_dot) in [(At::Rcpt, false), (At::Data, false), (At::Dot, true)] {
        // A yes that never gets its line end is an answer that does not come.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let silent = tokio::spawn(mute(listener, at));
        let options = SessionOptions { timeouts, ..SessionOptions::default() };
        let mut session = session_on(&smtp(&url), &options).await.unwrap();
        let gist = deliver_to(&mut session, &["a@example.com"]).await;
        assert_eq!(gist, [format!("dropped, after the dot: {after_dot}")], "{at:?}");
        assert!(!session.is_open());
        silent.abort();
    }
}

/// A server that answers up to `at` and is silent from there.
async fn mute(listener: tokio::net::TcpListener, at: At) {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let (stream, _) = listener.accept().await.unwrap();
    let mut line = BufReader::new(stream);
    line.write_all(b"220 mute.test\r\n").await.unwrap();
    let mut in_letter = false;
    loop {
        let mut text = String::new();
        if line.read_line(&mut text).await.unwrap() == 0 {
            return;
        }
        let (stage, answer) = match text.trim_end() {
            "." => (Some(At::Dot), "250 ok\r\n"),
            _ if in_letter => continue,
            text if text.starts_with("RCPT") => (Some(At::Rcpt), "250 ok\r\n"),
            "DATA" => (Some(At::Data), "354 go\r\n"),
            _ => (None, "250 ok\r\n"),
        };
        in_letter = stage == Some(At::Data);
        if stage != Some(at) {
            line.write_all(answer.as_bytes()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn answers_out_of_step_end_the_session() {
    // Two answers to one MAIL: all that follow are shifted by one.
    let rule = Box::new(
        |ask: &peer::Ask| if ask.at == At::Mail { Act::Say("250 ok\r\n250 ok") } else { Act::Usual },
    );
    let peer = Peer::start(Script { rule, ..Script::default() }).await;
    let mut session = open(&peer).await;
    assert_eq!(deliver_to(&mut session, &["a@example.com"]).await, ["dropped, after the dot: false"]);
    assert!(!session.is_open());
}

#[tokio::test]
async fn a_session_ends_after_its_letters() {
    let peer = Peer::start(Script::default()).await;
    let options = SessionOptions { letters: 2, ..SessionOptions::default() };
    let mut session = session_on(&smtp(&peer.url()), &options).await.unwrap();
    deliver(&mut session, "a@example.com").await;
    assert!(session.is_open());
    deliver(&mut session, "b@example.com").await;
    assert!(!session.is_open());
}

#[tokio::test]
async fn what_the_relay_can_not_carry_is_refused_at_our_own_door() {
    let peer = Peer::start(Script { size: Some(200), ..Script::default() }).await;
    let mut session = open(&peer).await;
    let (from, to) = (address("news@example.org"), address("ann@example.com"));
    for (to, letter, code) in [
        (address("änne@example.com"), LETTER, "5.6.7"),
        (to.clone(), &b"x\r\n".repeat(100)[..], "5.3.4"),
        (to.clone(), b"bare\n.\nMAIL FROM:<x@example.com>\r\n", "5.6.0"),
        (to.clone(), "é\r\n".as_bytes(), "5.6.0"),
    ] {
        let outcome = session.deliver(&from, &to, letter).await;
        let Outcome::Refused { stage: Stage::Local, reply } = &outcome else { panic!("{outcome:?}") };
        assert_eq!(reply.enhanced.as_deref(), Some(code));
    }
    assert!(session.is_open());
    assert!(!peer.commands().iter().any(|command| command.starts_with("MAIL")));

    let peer = Peer::start(Script { smtputf8: true, ..Script::default() }).await;
    deliver(&mut open(&peer).await, "änne@example.com").await;
    assert!(peer.commands().contains(&"MAIL FROM:<news@example.org> SMTPUTF8".to_owned()));
    assert_eq!(peer.taken()[0].to, "änne@example.com");
    // Such a letter has the address in its own To as well (RFC 6532).
    let (from, to) = (address("news@example.org"), address("änne@example.com"));
    let letter = "To: änne@example.com\r\n\r\nHello\r\n".as_bytes();
    let outcome = open(&peer).await.deliver(&from, &to, letter).await;
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    assert_eq!(peer.taken()[1].letter, letter);
}

#[tokio::test]
async fn tls_is_checked_against_the_ca_that_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for tls in [Tls::Upgrade, Tls::Implicit] {
        let peer = Peer::start(Script { tls, ..Script::default() }).await;
        let ca_file = dir.path().join("ca.pem");
        std::fs::write(&ca_file, &peer.ca_pem).unwrap();
        let options = SessionOptions { ca_file: Some(ca_file), ..SessionOptions::default() };
        let mut session = session_on(&smtp(&peer.url()), &options).await.unwrap();
        assert!(session.is_pipelining(), "read again under TLS");
        deliver(&mut session, "a@example.com").await;
        session.close().await;
        assert!(peer.taken()[0].encrypted && peer.taken()[0].letter == LETTER);

        let untrusting = session_on(&smtp(&peer.url()), &SessionOptions::default()).await.err().unwrap();
        assert!(matches!(untrusting, ConnectError::Tls { .. }), "{tls:?}: {untrusting}");
        assert!(untrusting.to_string().contains("ca_file"), "{untrusting}");
        assert_eq!(peer.taken().len(), 1);
    }
}

#[tokio::test]
async fn starttls_is_required_and_can_not_be_stripped_or_injected_into() {
    let dir = tempfile::tempdir().unwrap();
    let peer = Peer::start(Script::default()).await;
    let url = format!("smtp://{}?starttls=required", peer.addr);
    let stripped = session_on(&smtp(&url), &SessionOptions::default()).await.err().unwrap();
    assert!(matches!(stripped, ConnectError::NoStartTls { .. }), "{stripped}");

    let rule = Box::new(|ask: &peer::Ask| match ask.at {
        At::StartTls => Act::Say("220 go ahead\r\n250-peer.test\r\n250 SIZE 1"),
        _ => Act::Usual,
    });
    let peer = Peer::start(Script { tls: Tls::Upgrade, rule, ..Script::default() }).await;
    let ca_file = dir.path().join("ca.pem");
    std::fs::write(&ca_file, &peer.ca_pem).unwrap();
    let options = SessionOptions { ca_file: Some(ca_file), ..SessionOptions::default() };
    let injected = session_on(&smtp(&peer.url()), &options).await;
    assert!(injected.is_err(), "plain text behind the 220 passed for the relay's encrypted answer");
}

#[tokio::test]
async fn a_ca_file_that_is_none_is_named() {
    let options = SessionOptions { ca_file: Some("/nonexistent/ca.pem".into()), ..SessionOptions::default() };
    let error = session_on(&smtp("smtps://127.0.0.1:1"), &options).await.err().unwrap();
    assert!(error.to_string().contains("/nonexistent/ca.pem"), "{error}");
}

#[tokio::test]
async fn authentication_by_plain_and_by_login() {
    for mechanisms in ["PLAIN LOGIN", "LOGIN", "CRAM-MD5 PLAIN", "=LOGIN", "=PLAIN"] {
        let script = Script { auth: Some((mechanisms, "ann", "s3cret")), ..Script::default() };
        let peer = Peer::start(script).await;
        let url = |password: &str| smtp(&format!("smtp://ann:{password}@{}", peer.addr));
        let options = SessionOptions::default();
        assert!(session_on(&url("s3cret"), &options).await.is_ok(), "{mechanisms}");
        let error = session_on(&url("wrong"), &options).await.err().unwrap();
        assert!(
            matches!(&error, ConnectError::Refused { stage: Stage::Auth, reply, .. } if reply.code == 535),
            "{mechanisms}: {error}"
        );
        assert!(!error.to_string().contains("wrong@") && !error.to_string().contains("s3cret"));
    }
    let peer = Peer::start(Script { auth: Some(("CRAM-MD5", "ann", "x")), ..Script::default() }).await;
    let error = session_on(&smtp(&format!("smtp://ann:x@{}", peer.addr)), &SessionOptions::default()).await;
    assert!(matches!(error.err().unwrap(), ConnectError::NoAuth { .. }));
    assert!(!peer.commands().iter().any(|command| command.starts_with("AUTH")));
}

#[tokio::test]
async fn a_relay_that_is_not_there_or_does_not_want_us() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("smtp://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = session_on(&smtp(&nobody), &SessionOptions::default()).await.err().unwrap();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");

    for (words, code) in [("554 5.7.1 go away", 554), ("421 4.7.0 too many of you", 421)] {
        let rule = Box::new(
            move |ask: &peer::Ask| if ask.at == At::Greeting { Act::SayAndDrop(words) } else { Act::Usual },
        );
        let peer = Peer::start(Script { rule, ..Script::default() }).await;
        let error = session_on(&smtp(&peer.url()), &SessionOptions::default()).await.err().unwrap();
        assert!(
            matches!(&error, ConnectError::Refused { stage: Stage::Greeting, reply, .. } if reply.code == code),
            "{error}"
        );
    }
    let rule = Box::new(|ask: &peer::Ask| if ask.at == At::Greeting { Act::Drop } else { Act::Usual });
    let peer = Peer::start(Script { rule, ..Script::default() }).await;
    let error = session_on(&smtp(&peer.url()), &SessionOptions::default()).await.err().unwrap();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
}
