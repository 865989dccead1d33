//! Promise P3: a line that breaks around the final dot.

use super::*;

/// P3: the line drops after the final dot.
#[tokio::test]
async fn a_line_that_drops_after_the_dot_is_unknown_and_goes_again_under_the_same_message_id() {
    let run = Run::of(8).await;
    let peer = Peer::start(scripted(|ask| match (ask.at, ask.to.as_str(), ask.nth) {
        (At::Dot, "reader3@example.com", 1) => Act::TakeAndDrop,
        _ => Act::Usual,
    }))
    .await;
    let pass = run.pass(smtp(&peer.url())).await;
    assert_eq!((pass.sent, pass.deferred, pass.unknown), (7, 1, 1));
    assert_eq!(run.tally().await.unknown, 1);
    run.until_due().await;
    assert_eq!(run.pass(smtp(&peer.url())).await.sent, 1);
    let ids: Vec<_> = peer
        .taken()
        .into_iter()
        .filter(|taken| taken.to == "reader3@example.com")
        .map(|taken| taken.message_id)
        .collect();
    assert!(ids.len() == 2 && ids[0] == ids[1] && !ids[0].is_empty(), "{ids:?}");
    assert_eq!((run.tally().await.sent, run.tally().await.unknown), (8, 1), "and stays counted as such");
}

/// P3: the answer to the final dot never comes.
#[tokio::test]
async fn a_relay_that_takes_a_letter_and_never_answers_leaves_it_unknown() {
    let run = Run::of(8).await;
    let peer = Peer::start(scripted(|ask| match (ask.at, ask.to.as_str(), ask.nth) {
        (At::Dot, "reader3@example.com", 1) => Act::TakeAndHang,
        _ => Act::Usual,
    }))
    .await;
    let moment = Duration::from_millis(150);
    let timeouts = Timeouts { block: moment, final_dot: moment, ..Timeouts::default() };
    let transport = || smtp_with(&peer.url(), SessionOptions { timeouts, ..SessionOptions::default() });
    let pass = run.pass(transport()).await;
    assert_eq!((pass.sent, pass.deferred, pass.unknown), (7, 1, 1), "the others did not wait for it");
    assert!(pass.paused.is_empty(), "one silence is no reason to stop: {pass:?}");
    run.until_due().await;
    assert_eq!(run.pass(transport()).await.sent, 1);
    let ids: Vec<_> = peer.taken().into_iter().filter(|taken| taken.to == "reader3@example.com").collect();
    assert!(ids.len() == 2 && ids[0].message_id == ids[1].message_id, "{ids:?}");
    assert_eq!((run.tally().await.sent, run.tally().await.unknown), (8, 1));
}

/// P1: one letter for each reader, wherever the clock goes.
#[tokio::test]
async fn a_clock_that_jumps_neither_loses_a_letter_nor_sends_one_twice() {
    let run = Run::of(20).await;
    let peer = Peer::start(scripted(|ask| match (ask.at, ask.to.as_str(), ask.nth) {
        (At::Rcpt, "reader3@example.com" | "reader4@example.com", 1) => Act::Say("451 4.3.0 not now"),
        _ => Act::Usual,
    }))
    .await;
    const HOUR: i64 = 3_600_000;
    run.clock.fetch_sub(HOUR, Ordering::SeqCst);
    assert_eq!(run.pass(smtp(&peer.url())).await, Pass::default(), "nothing is due yet, and nothing is lost");
    run.clock.fetch_add(HOUR, Ordering::SeqCst);
    assert_eq!(run.pass(smtp(&peer.url())).await.sent, 18);
    run.clock.fetch_sub(HOUR, Ordering::SeqCst);
    assert_eq!(run.pass(smtp(&peer.url())).await, Pass::default());
    assert_eq!(run.world.store.reclaim(&run.me, UnixMillis(NOW.0 - HOUR)).await.unwrap(), 0);
    // Forward by a day and not further: delivery.max_age still has room.
    run.clock.fetch_add(25 * HOUR, Ordering::SeqCst);
    assert_eq!(run.pass(smtp(&peer.url())).await.sent, 2);
    assert_eq!(run.tally().await.sent, 20);
    assert!(peer.copies().len() == 20 && peer.copies().values().all(|copies| *copies == 1));
}

#[tokio::test]
async fn a_relay_that_never_confirms_does_not_get_the_whole_list() {
    let mut run = Run::of(100).await;
    run.settings.connections = 2;
    let peer =
        Peer::start(scripted(|ask| if ask.at == At::Dot { Act::TakeAndDrop } else { Act::Usual })).await;
    let pass = run.pass(smtp(&peer.url())).await;
    assert!(pass.paused.len() == 1 && pass.unknown <= 10, "{pass:?}");
    assert!(peer.taken().len() <= 10, "{}", peer.taken().len());
}

#[tokio::test]
async fn a_line_that_drops_before_the_dot_is_known_not_to_be_sent() {
    let run = Run::of(8).await;
    let peer = Peer::start(scripted(|ask| match (ask.at, ask.to.as_str(), ask.nth) {
        (At::Rcpt, "reader3@example.com", 1) => Act::Drop,
        (At::Mail, _, _) if ask.session == 2 => Act::SayAndDrop("421 4.3.2 one moment"),
        _ => Act::Usual,
    }))
    .await;
    let mut passes = vec![run.pass(smtp(&peer.url())).await];
    while run.tally().await.open() > 0 {
        run.until_due().await;
        passes.push(run.pass(smtp(&peer.url())).await);
    }
    assert!(passes.iter().all(|pass| pass.unknown == 0 && pass.failed == 0 && pass.paused.is_empty()));
    assert!(peer.copies().len() == 8 && peer.copies().values().all(|copies| *copies == 1));
}
