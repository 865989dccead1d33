//! The course of a pass, from the first letter to the last.

use super::*;

/// P1: one letter for each reader over all connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_letters_each_exactly_once() {
    let run = Run::of(5_000).await;
    let peer = Peer::start(Script::default()).await;
    let seen = Mutex::new(Vec::<Progress>::new());
    let (_stop, never) = watch::channel(false);
    let mailer = run.mailer(smtp(&peer.url()));
    let pass =
        pass(&run.world.store, &run.me, &mailer, &never, |now| seen.lock().unwrap().push(now)).await.unwrap();
    assert_eq!((pass.sent, pass.failed, pass.deferred, pass.returned), (5_000, 0, 0, 0));
    assert_eq!(run.tally().await.sent, 5_000);
    let copies = peer.copies();
    assert!(copies.len() == 5_000 && copies.values().all(|copies| *copies == 1));
    assert!(peer.most_standing() <= 10, "{} sessions at a time", peer.most_standing());
    let seen = seen.into_inner().unwrap();
    assert!(seen.iter().all(|now| now.in_flight <= 20), "a claimed row is one that a connection holds");
    assert!(seen.is_sorted_by_key(|now| now.sent) && seen.last().unwrap().sent == 5_000);
    assert_eq!(run.world.store.finish_done(NOW).await.unwrap(), [ONE]);
}

#[tokio::test]
async fn three_letters_open_no_ten_sessions() {
    let run = Run::of(3).await;
    let peer = Peer::start(Script::default()).await;
    run.pass(smtp(&peer.url())).await;
    assert!((1..=3).contains(&peer.sessions()), "{}", peer.sessions());
    assert_eq!(peer.taken().len(), 3);
    assert_eq!(run.pass(smtp(&peer.url())).await, Pass::default(), "a second pass finds nothing to do");
    assert!(peer.sessions() <= 3, "and opens nothing");
}

#[tokio::test]
async fn a_session_is_replaced_after_its_letters() {
    let mut run = Run::of(20).await;
    run.settings.connections = 1;
    let peer = Peer::start(Script::default()).await;
    let RelayUrl::Smtp(url) = RelayUrl::parse(&peer.url()).unwrap() else { panic!() };
    let options = SessionOptions { letters: 3, ..SessionOptions::default() };
    let pass = run.pass(Transport::Smtp(Box::new(Relay::new(&url, options).unwrap()))).await;
    assert_eq!((pass.sent, pass.deferred, peer.sessions()), (20, 0, 7));
    assert_eq!(
        peer.commands().iter().filter(|command| *command == "QUIT").count(),
        7,
        "each with a good-bye"
    );
}

/// P5: what is queued is cancelled, in the middle of a pass.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_unsubscribes_in_the_middle_of_a_pass_gets_nothing_any_more() {
    let mut run = Run::of(5).await;
    run.settings.connections = 1;
    let (filling, in_fill) = mpsc::channel();
    let (done, go_on) = mpsc::channel::<()>();
    let (filling, go_on) = (Mutex::new(filling), Mutex::new(go_on));
    run.letters = loader(move |claimed| {
        if claimed.email.expose() == "reader1@example.com" {
            filling.lock().unwrap().send(()).unwrap();
            go_on.lock().unwrap().recv().unwrap();
        }
    });
    let peer = Peer::start(Script::default()).await;
    let store = run.world.store.clone();
    let leaving = tokio::spawn(async move {
        tokio::task::spawn_blocking(move || in_fill.recv().unwrap()).await.unwrap();
        let three = store.subscriber(&crate::support::world::email(3)).await.unwrap().unwrap();
        assert_eq!(store.unsubscribe(three.id, &crate::support::world::hash(3), NOW).await.unwrap(), Some(1));
        done.send(()).unwrap();
    });
    let pass = run.pass(smtp(&peer.url())).await;
    leaving.await.unwrap();
    assert_eq!(pass.sent, 4);
    assert!(!peer.copies().contains_key("reader3@example.com"));
    assert_eq!(run.tally().await.cancelled, 1);
}

#[tokio::test]
async fn told_to_stop_it_finishes_what_is_in_flight_and_claims_no_more() {
    let mut run = Run::of(100).await;
    run.settings.connections = 2;
    let peer = Peer::start(Script::default()).await;
    let (stop, stopping) = watch::channel(false);
    let mailer = run.mailer(smtp(&peer.url()));
    let pass = pass(&run.world.store, &run.me, &mailer, &stopping, |now| {
        stop.send_if_modified(|stop| now.sent >= 5 && !std::mem::replace(stop, true));
    })
    .await
    .unwrap();
    // Five or six when it is told, and the two letters that each connection holds.
    assert!(pass.stopped && (5..=10).contains(&pass.sent), "{pass:?}");
    let tally = run.tally().await;
    assert_eq!((tally.sending, tally.sent + tally.queued), (0, 100), "nothing is left in the air");
    assert_eq!(peer.taken().len() as i64, tally.sent);
    assert_eq!(run.pass(smtp(&peer.url())).await.sent + pass.sent, 100);
    assert!(peer.copies().values().all(|copies| *copies == 1));
}

#[tokio::test]
async fn a_rate_slows_down_and_does_not_keep_an_idle_pass_waiting() {
    let mut run = Run::of(30).await;
    run.settings.rate = Some("1000/s".parse().unwrap());
    let peer = Peer::start(Script::default()).await;
    let begun = std::time::Instant::now();
    // The rate is kept by the clock, so this one has to go.
    let from = EmailAddress::parse("bounces@example.org").unwrap();
    let mailer = Mailer::new(smtp(&peer.url()), run.settings, from, keyring(), run.letters.clone());
    let (_stop, never) = watch::channel(false);
    let done = pass(&run.world.store, &run.me, &Arc::new(mailer), &never, |_| {}).await.unwrap();
    assert_eq!(done.sent, 30);
    assert!(begun.elapsed() >= Duration::from_millis(28), "{:?}", begun.elapsed());
    run.settings.rate = Some("1/d".parse().unwrap());
    assert_eq!(run.pass(smtp(&peer.url())).await, Pass::default());
}
