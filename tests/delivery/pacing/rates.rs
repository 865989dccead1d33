//! Promise P7: rates and the warm-up hold over restarts and workers.

use super::*;

/// P7: the rate holds over restarts, and for a process that opens the store anew.
#[tokio::test]
async fn the_rate_holds_over_restarts() {
    let mut run = Run::of(World::running(100, World::sqlite().await).await).await;
    run.settings.rate = Some(rate("10/s"));
    let peer = Peer::start(Script::default()).await;
    // A process that is started again and again for a second sends what one would that runs on.
    for _ in 0..100 {
        run.pass(smtp(&peer.url())).await;
        run.later(10);
    }
    assert_eq!(peer.taken().len(), 10);
    let held = run.pass(smtp(&peer.url())).await.held_until.unwrap();
    assert!(held.0 <= run.clock.load(Ordering::SeqCst) + 100, "and says when it goes on");
    // The store as another process finds it.
    let Run { mut world, me, clock, settings, limits } = run;
    drop(me);
    world.store = world.another().await;
    let me = world.store.enlist(NOW).await.unwrap().unwrap();
    let run = Run { world, me, clock, settings, limits };
    run.pass(smtp(&peer.url())).await;
    run.later(50);
    run.pass(smtp(&peer.url())).await;
    assert!(peer.taken().len() <= 11, "{}", peer.taken().len());
    run.later(HOUR);
    assert!(run.pass(smtp(&peer.url())).await.sent <= 2, "a rest saves up next to nothing");
}

/// Claims for two workers in turns and at once; what both got within one second of the test's clock.
async fn two_workers(world: &World, other: &Store, me: &WorkerLease, you: &WorkerLease) -> usize {
    let none = (Warmup::default(), HashMap::new(), HashMap::new(), HashSet::new());
    let pacing = Pacing {
        rate: Some(rate("100/s")),
        warmup: &none.0,
        domains: &none.1,
        room: &none.2,
        slower: &none.3,
        returned: 0,
    };
    let mut claimed = 0;
    for step in 0..100 {
        let now = UnixMillis(NOW.0 + step * 10);
        let (mine, yours) = tokio::join!(
            world.store.record_and_claim_paced(me, &[], &[], 10, now, &pacing),
            other.record_and_claim_paced(you, &[], &[], 10, now, &pacing)
        );
        for (store, who, got) in [(&world.store, me, mine.unwrap()), (other, you, yours.unwrap())] {
            claimed += got.claimed.len();
            let done: Vec<_> = got.claimed.iter().map(|one| sent(one.subscriber)).collect();
            store.record_and_claim_paced(who, &done, &[], 0, now, &pacing).await.unwrap();
        }
    }
    claimed
}

/// P7: the rate is that of all workers together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_one_rate_on_sqlite() {
    let world = World::running(500, World::sqlite().await).await;
    let other = world.another().await;
    let me = world.store.enlist(NOW).await.unwrap().unwrap();
    // Only one process may deliver from a file; that two would share the rate all the same is the store's doing.
    let you = WorkerLease::for_test(99);
    assert_eq!(two_workers(&world, &other, &me, &you).await, 100);
}

/// P7: the ceiling of a day is the same for a process that starts later that day.
#[tokio::test]
async fn a_warm_up_has_its_ceiling_each_day_and_ends() {
    let mut run = Run::of(World::running(40, World::sqlite().await).await).await;
    run.limits.warmup = Warmup(vec![5, 10]);
    let peer = Peer::start(Script::default()).await;
    assert_eq!(run.pass(smtp(&peer.url())).await.sent, 5);
    let again = run.pass(smtp(&peer.url())).await;
    assert_eq!((again.sent, again.held_until), (0, Some(UnixMillis(NOW.0 + 10 * HOUR))), "midnight, UTC");
    // A day without sending is no day of the ramp.
    run.later(24 * HOUR * 3);
    assert_eq!(run.pass(smtp(&peer.url())).await.sent, 10);
    run.later(HOUR);
    assert_eq!(run.pass(smtp(&peer.url())).await.sent, 0);
    run.later(24 * HOUR);
    assert_eq!(run.pass(smtp(&peer.url())).await.sent, 25, "and then there is no ceiling");
}

#[tokio::test]
async fn letters_that_come_back_untried_do_not_use_the_day_up() {
    let mut run = Run::of(World::running(10, World::sqlite().await).await).await;
    run.limits.warmup = Warmup(vec![5]);
    let peer = Peer::start(scripted(|ask| match (ask.at, ask.session) {
        (At::Mail, 1..=10) => Act::Say("550 5.7.1 not you"),
        _ => Act::Usual,
    }))
    .await;
    assert_eq!(run.pass(smtp(&peer.url())).await.paused.len(), 1);
    run.world.store.resume(ONE).await.unwrap();
    let mut sent = 0;
    for _ in 0..5 {
        sent += run.pass(smtp(&peer.url())).await.sent;
        run.world.store.resume(ONE).await.unwrap();
    }
    assert_eq!(sent, 5);
}

/// A setting for relays that count.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_carries_as_many_letters_as_the_settings_say() {
    let peer = Peer::start(Script::default()).await;
    let house = House::new(&peer.url(), "connections = 1\nsession_letters = 3\n");
    house.furnish(10);
    house.must(&["send"]);
    assert_eq!(house.status()["sent"], 10);
    assert_eq!(peer.sessions(), 4, "three times three letters, and one");
    assert!(peer.copies().values().all(|copies| *copies == 1));
}

/// Another process asks while the run goes on: the speed comes from the one that delivers, the classes from the ledger.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_says_how_fast_the_run_goes_and_what_was_refused() {
    let rule = |ask: &Ask| match (ask.at, ask.to.as_str()) {
        (At::Rcpt, "reader1@example.org") => Act::Say("550 5.1.1 no such user"),
        (At::Rcpt, "reader2@example.com") => Act::Say("452 4.2.2 full for now"),
        _ => Act::Usual,
    };
    let peer = Peer::start(Script { rule: Box::new(rule), ..Script::default() }).await;
    let house = House::new(&peer.url(), "rate = \"10/s\"\n");
    house.furnish(400);
    let mut run = house.start(&["send"]);
    let begun = std::time::Instant::now();
    let status = loop {
        // Before the first letter there may be no issue to ask about.
        let status = if peer.taken().is_empty() { serde_json::Value::Null } else { house.status() };
        if status["letters_per_second"].is_number() {
            break status;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "no speed: {status}");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(status["failed_by_class"], serde_json::json!({ "mailbox": 1 }), "{status}");
    assert_eq!(status["deferred_by_class"], serde_json::json!({ "full": 1 }), "{status}");
    let (speed, left) =
        (status["letters_per_second"].as_f64().unwrap(), status["seconds_to_go"].as_f64().unwrap());
    let open =
        ["queued", "sending", "deferred"].map(|state| status[state].as_f64().unwrap()).iter().sum::<f64>();
    assert!(speed > 0.0 && (left - (open / speed).ceil()).abs() < 1.0, "{status}");
    let said = house.must(&["status"]).out;
    assert!(said.contains("letters a second, ") && said.contains("failed: 1 mailbox"), "{said}");
    run.signal("TERM");
    assert!(run.0.wait().unwrap().success());
}

mod needs_postgres {
    use super::*;

    /// P7: the rate is that of all workers together.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn two_workers_share_one_rate() {
        let world = World::running(500, World::postgres().await).await;
        let other = world.another().await;
        let me = world.store.enlist(NOW).await.unwrap().unwrap();
        let you = other.enlist(NOW).await.unwrap().unwrap();
        assert_eq!(two_workers(&world, &other, &me, &you).await, 100);
    }
}
