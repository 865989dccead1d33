//! What a relay says no to: one letter, one reader, or us.

use super::*;

/// P6: 5xx is not tried again.
#[tokio::test]
async fn a_hard_refusal_fails_one_and_the_others_get_theirs() {
    let run = Run::of(20).await;
    let peer = Peer::start(scripted(|ask| match (ask.at, ask.to.as_str()) {
        (At::Rcpt, "reader7@example.com") => Act::Say("550 5.1.1 nobody here"),
        _ => Act::Usual,
    }))
    .await;
    let pass = run.pass(smtp(&peer.url())).await;
    assert_eq!((pass.sent, pass.failed, pass.paused.len()), (19, 1, 0));
    let failed = run.world.store.deliveries(ONE, DeliveryState::Failed, SubscriberId(0), 10).await.unwrap();
    assert_eq!(failed[0].email.as_ref().unwrap().expose(), "reader7@example.com");
    assert_eq!(failed[0].reply.as_ref().unwrap().to_string(), "550 5.1.1 nobody here");
    run.clock.fetch_add(7 * 24 * 3600 * 1000, Ordering::SeqCst);
    assert_eq!(run.pass(smtp(&peer.url())).await, Pass::default(), "a hard refusal is not tried again");
}

/// P6: 4xx is tried again with backoff.
#[tokio::test]
async fn a_soft_refusal_waits_longer_each_time_and_then_gets_through() {
    let run = Run::of(5).await;
    let peer = Peer::start(scripted(|ask| match (ask.at, ask.to.as_str(), ask.nth) {
        (At::Rcpt, "reader2@example.com", 1..=3) => Act::Say("451 4.7.1 greylisted"),
        _ => Act::Usual,
    }))
    .await;
    let mut waits = Vec::new();
    for _ in 0..3 {
        assert_eq!(run.pass(smtp(&peer.url())).await.deferred, 1);
        assert_eq!(run.pass(smtp(&peer.url())).await, Pass::default(), "not before it is due");
        let before = run.clock.load(Ordering::SeqCst);
        run.until_due().await;
        waits.push((run.clock.load(Ordering::SeqCst) - before) / 60_000);
    }
    assert_eq!(waits, [1, 2, 4], "minutes");
    assert_eq!(run.pass(smtp(&peer.url())).await.sent, 1);
    assert_eq!(run.tally().await.sent, 5);
}

/// P6: 4xx is tried until `max_age`, and no longer.
#[tokio::test]
async fn a_soft_refusal_ends_when_the_letter_is_too_old() {
    let run = Run::of(1).await;
    let peer = Peer::start(scripted(|ask| match ask.at {
        At::Rcpt => Act::Say("452 4.2.2 mailbox full"),
        _ => Act::Usual,
    }))
    .await;
    let mut tries = 1;
    while run.pass(smtp(&peer.url())).await.failed == 0 {
        run.until_due().await;
        tries += 1;
        assert!(tries < 100);
    }
    assert_eq!(
        run.clock.load(Ordering::SeqCst),
        NOW.plus(run.settings.max_age).0,
        "the last try is at the limit"
    );
    let failed = run.world.store.deliveries(ONE, DeliveryState::Failed, SubscriberId(0), 1).await.unwrap();
    assert_eq!(failed[0].reply.as_ref().unwrap().code, 452);
}

/// P6: a refused login is about us.
#[tokio::test]
async fn refused_authentication_pauses_and_touches_no_reader() {
    let run = Run::of(30).await;
    let script = Script { auth: Some(("PLAIN", "ann", "right")), ..Script::default() };
    let peer = Peer::start(script).await;
    let pass = run.pass(smtp(&format!("smtp://ann:wrong@{}", peer.addr))).await;
    assert_eq!((pass.sent, pass.failed, pass.deferred), (0, 0, 0));
    assert!(pass.paused.len() == 1 && pass.paused[0].1.contains("535"), "{:?}", pass.paused);
    assert_eq!(run.state().await, IssueState::Paused);
    assert_eq!(run.tally().await.queued, 30, "every row is as it was");
    assert!(run.world.store.resume(ONE).await.unwrap());
    assert_eq!(run.pass(smtp(&format!("smtp://ann:right@{}", peer.addr))).await.sent, 30);
}

/// P6: refusals that are about us pause the run and mark no reader.
#[tokio::test]
async fn one_policy_refusal_is_one_recipients_and_five_in_a_row_are_ours() {
    let mut run = Run::of(20).await;
    run.settings.connections = 1;
    let peer = Peer::start(scripted(|ask| match (ask.at, ask.to.as_str()) {
        (At::Rcpt, "reader4@example.com") => Act::Say("550 5.7.1 not from you"),
        _ => Act::Usual,
    }))
    .await;
    let pass = run.pass(smtp(&peer.url())).await;
    assert_eq!((pass.sent, pass.deferred, pass.paused.len()), (19, 1, 0));

    let mut run = Run::of(20).await;
    run.settings.connections = 1;
    let peer = Peer::start(scripted(|ask| match ask.at {
        At::Dot => Act::Say("554 5.7.1 listed"),
        _ => Act::Usual,
    }))
    .await;
    let pass = run.pass(smtp(&peer.url())).await;
    assert_eq!((pass.sent, pass.failed, pass.deferred, pass.paused.len()), (0, 0, 5, 1), "{pass:?}");
    assert!(pass.paused[0].1.contains("5.7.1 listed"));
    let tally = run.tally().await;
    assert_eq!((tally.failed, tally.open()), (0, 20), "nobody is the worse for it");
}
