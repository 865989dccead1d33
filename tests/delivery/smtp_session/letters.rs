//! Letters on one session, and the next that is asked for ahead.

use super::*;

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
async fn a_session_ends_after_its_letters() {
    let peer = Peer::start(Script::default()).await;
    let options = SessionOptions { letters: 2, ..SessionOptions::default() };
    let mut session = session_on(&smtp(&peer.url()), &options).await.unwrap();
    deliver(&mut session, "a@example.com").await;
    assert!(session.is_open());
    deliver(&mut session, "b@example.com").await;
    assert!(!session.is_open());
}
