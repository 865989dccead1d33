//! What is not there for a while: a relay, the store, the disk, the issue.

use super::*;

/// P6: a relay that is not there is nobody's refusal.
#[tokio::test]
async fn a_relay_that_is_down_pauses_after_some_tries_and_the_run_goes_on_later() {
    let run = Run::of(30).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let pass = run.pass(smtp(&format!("smtp://{addr}"))).await;
    assert_eq!(pass.paused.len(), 1);
    let words = &pass.paused[0].1;
    assert!(words.contains(&addr.to_string()) && words.contains("3 attempts"), "{words}");
    assert_eq!(run.tally().await.queued, 30);
    run.world.store.resume(ONE).await.unwrap();
    let listener = tokio::net::TcpListener::bind(addr).await.unwrap();
    let peer = Peer::on(listener, Script::default());
    assert_eq!(run.pass(smtp(&peer.url())).await.sent, 30);
}

#[tokio::test]
async fn a_relay_that_is_back_at_the_third_try_costs_nothing() {
    let run = Run::of(1).await;
    let peer = Peer::start(scripted(|ask| match (ask.at, ask.session) {
        (At::Greeting, 1..=2) => Act::SayAndDrop("421 4.3.2 starting up"),
        _ => Act::Usual,
    }))
    .await;
    let pass = run.pass(smtp(&peer.url())).await;
    assert_eq!((pass.sent, pass.returned, pass.paused.len()), (1, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_wants_fewer_sessions_gets_fewer() {
    let run = Run::of(200).await;
    let peer = Peer::start(scripted(|ask| match (ask.at, ask.session) {
        (At::Greeting, 3..) => Act::SayAndDrop("421 4.7.0 too many connections"),
        _ => Act::Usual,
    }))
    .await;
    let pass = run.pass(smtp(&peer.url())).await;
    assert_eq!((pass.sent, pass.paused.len()), (200, 0), "{pass:?}");
    assert!(peer.copies().values().all(|copies| *copies == 1));
}

/// P9: no letter is started that can't be written down, and the next process goes on; P3 bounds what goes twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_fails_ends_the_pass_and_the_smtp_talk() {
    let mut run = Run::of(50).await;
    run.settings.connections = 2;
    let (filling, in_fill) = mpsc::channel();
    let (done, go_on) = mpsc::channel::<()>();
    let (filling, go_on) = (Mutex::new(filling), Mutex::new(go_on));
    run.letters = loader(move |claimed| {
        if claimed.email.expose() == "reader9@example.com" {
            filling.lock().unwrap().send(()).unwrap();
            go_on.lock().unwrap().recv().unwrap();
        }
    });
    let peer = Peer::start(Script::default()).await;
    let store = run.world.store.clone();
    let closing = tokio::spawn(async move {
        tokio::task::spawn_blocking(move || in_fill.recv().unwrap()).await.unwrap();
        store.close().await;
        done.send(()).unwrap();
    });
    let error = run.try_pass(smtp(&peer.url())).await.unwrap_err();
    closing.await.unwrap();
    assert!(!error.to_string().is_empty());
    let taken = peer.taken().len();
    assert!(taken < 50, "it went on sending what it could not write down: {taken}");

    // The next process goes on from there, and what could not be written down is the only thing that goes twice.
    let Run { mut world, me, clock, settings, .. } = run;
    drop(me);
    world.store = world.another().await;
    let me = world.store.enlist(NOW).await.unwrap().unwrap();
    let unknown = world.store.reclaim(&me, NOW).await.unwrap();
    assert!(unknown <= 2, "{unknown} rows were in the air for 2 connections");
    let run = Run { world, me, clock, settings, letters: loader(|_| {}) };
    run.pass(smtp(&peer.url())).await;
    assert_eq!(run.tally().await.sent, 50);
    let twice = peer.copies().values().filter(|copies| **copies > 1).count();
    assert!(peer.copies().len() == 50 && twice as u64 <= unknown, "{twice} went twice");
}

#[tokio::test]
async fn the_outbox_gets_a_file_a_reader_and_its_troubles_are_ours() {
    let run = Run::of(12).await;
    let dir = tempfile::tempdir().unwrap();
    let outbox = dir.path().join("outbox");
    std::fs::write(&outbox, "in the way").unwrap();
    let pass = run.pass(Transport::Outbox(Outbox::new(&outbox))).await;
    assert_eq!((pass.sent, pass.failed, pass.paused.len()), (0, 0, 1));
    assert_eq!(run.tally().await.queued, 12);

    std::fs::remove_file(&outbox).unwrap();
    run.world.store.resume(ONE).await.unwrap();
    assert_eq!(run.pass(Transport::Outbox(Outbox::new(&outbox))).await.sent, 12);
    let names: Vec<_> = std::fs::read_dir(&outbox)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 12);
    assert!(names.iter().all(|name| name.starts_with("0001-") && name.ends_with(".eml")), "{names:?}");
}

#[tokio::test]
async fn an_issue_that_can_not_be_read_is_paused_and_nothing_is_lost() {
    let mut run = Run::of(12).await;
    run.letters = Arc::new(|_| Box::pin(async { Err("the stencil is of version 9".to_owned()) }));
    let peer = Peer::start(Script::default()).await;
    let pass = run.pass(smtp(&peer.url())).await;
    assert!(pass.paused.len() == 1 && pass.paused[0].1.contains("version 9"), "{pass:?}");
    assert_eq!((run.tally().await.queued, peer.sessions()), (12, 0));
}
