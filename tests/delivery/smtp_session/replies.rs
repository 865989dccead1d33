//! What a relay answers, and what it means for the session.

use super::*;

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
