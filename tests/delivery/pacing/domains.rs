//! Domains with a lane of their own: nobody waits behind them.

use super::*;

fn at_domain(peer: &Peer, domain: &str) -> usize {
    peer.taken().iter().filter(|taken| taken.to.ends_with(domain)).count()
}

#[tokio::test]
async fn a_domain_keeps_to_its_limit_and_the_others_flow() {
    let mut run = Run::of(World::sqlite().await).await;
    readers_at(&run.world.store, &[("slow.test", 50), ("quick.test", 50)]).await;
    let limit = DomainPace { rate: Some(rate("10/s")), connections: None };
    run.limits.domains.insert("slow.test".to_owned(), limit);
    let peer = Peer::start(Script::default()).await;
    let done = run.pass(smtp(&peer.url())).await;
    assert_eq!((at_domain(&peer, "quick.test"), at_domain(&peer, "slow.test")), (50, 1));
    assert_eq!((done.deferred, done.returned, run.tally().await.queued), (0, 0, 49), "waiting is no attempt");
    assert!(done.held_until.is_some());
    for _ in 0..20 {
        run.later(100);
        run.pass(smtp(&peer.url())).await;
    }
    assert_eq!(at_domain(&peer, "slow.test"), 21, "after two seconds more");
    for _ in 0..29 {
        run.later(100);
        run.pass(smtp(&peer.url())).await;
    }
    assert_eq!((run.tally().await.sent, run.tally().await.open()), (100, 0));
    assert!(peer.copies().values().all(|copies| *copies == 1));
}

#[tokio::test]
async fn a_pass_waits_for_slots_that_are_near_and_leaves_nobody_behind() {
    let mut run = Run::of(World::sqlite().await).await;
    readers_at(&run.world.store, &[("slow.test", 20), ("quick.test", 20)]).await;
    let limit = DomainPace { rate: Some(rate("500/s")), connections: None };
    run.limits.domains.insert("slow.test".to_owned(), limit);
    run.settings.linger = Duration::from_secs(60);
    // A clock that moves by itself: ten milliseconds each time that somebody looks.
    let clock = run.clock.clone();
    let clock: Clock = Arc::new(move || UnixMillis(clock.fetch_add(10, Ordering::SeqCst)));
    let peer = Peer::start(Script::default()).await;
    let from = EmailAddress::parse("bounces@example.org").unwrap();
    let mailer = Mailer::new(smtp(&peer.url()), run.settings, from, keyring(), loader());
    let mailer = Arc::new(mailer.with_limits(run.limits.clone()).with_clock(clock));
    let (_stop, never) = watch::channel(false);
    let done = pass(&run.world.store, &run.me, &mailer, &never, |_| {}).await.unwrap();
    assert_eq!((done.sent, done.held_until), (40, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_has_no_more_connections_than_it_may() {
    let mut run = Run::of(World::sqlite().await).await;
    readers_at(&run.world.store, &[("few.test", 60), ("many.test", 60)]).await;
    let limit = DomainPace { rate: None, connections: Some(2) };
    run.limits.domains.insert("few.test".to_owned(), limit);
    let standing = Arc::new(std::sync::Mutex::new((HashSet::new(), 0)));
    let seen = standing.clone();
    let peer = Peer::start(scripted(move |ask| {
        if ask.to.ends_with("few.test") {
            let mut seen = seen.lock().unwrap();
            match ask.at {
                At::Rcpt => drop(seen.0.insert(ask.to.clone())),
                At::Dot => drop(seen.0.remove(&ask.to)),
                _ => {}
            }
            seen.1 = seen.1.max(seen.0.len());
        }
        Act::Usual
    }))
    .await;
    while run.tally().await.open() > 0 {
        run.pass(smtp(&peer.url())).await;
        run.later(25);
    }
    assert_eq!(run.tally().await.sent, 120);
    let most = standing.lock().unwrap().1;
    assert!((1..=2).contains(&most), "{most} at a time");
}

#[tokio::test]
async fn a_hundred_thousand_at_the_head_hold_back_nobody_behind() {
    let run = Run::of(World::sqlite().await).await;
    readers_at(&run.world.store, &[("slow.test", 100_000), ("quick.test", 10)]).await;
    let (warmup, room, slower) = (Warmup::default(), HashMap::new(), HashSet::new());
    let domains = HashMap::from([("slow.test".to_owned(), rate("1/s"))]);
    let pacing =
        Pacing { rate: None, warmup: &warmup, domains: &domains, room: &room, slower: &slower, returned: 0 };
    let (mut turns, mut quick, mut slow, mut parked) = (0, 0, 0, 0);
    while quick < 10 {
        let done = run.world.store.record_and_claim_paced(&run.me, &[], &[], 10, NOW, &pacing).await.unwrap();
        let of_quick = done.claimed.iter().filter(|one| one.email.domain() == "quick.test").count();
        (quick, slow, parked) =
            (quick + of_quick, slow + done.claimed.len() - of_quick, parked + done.put_off);
        turns += 1;
        assert!(turns <= 15, "{turns} turns, and {quick} of 10");
    }
    assert_eq!((slow, parked), (1, 99_999), "each was set back once");
    let tally = run.tally().await;
    assert_eq!((tally.queued, tally.sending, tally.deferred), (99_999, 11, 0));
    // And what was set back comes at its turn, one a second.
    let due = run.world.store.next_queued().await.unwrap().unwrap();
    assert_eq!(due, UnixMillis(NOW.0 + 1000));
    let next = run.world.store.record_and_claim_paced(&run.me, &[], &[], 10, due, &pacing).await.unwrap();
    assert_eq!((next.claimed.len(), next.put_off), (1, 0));
}

#[tokio::test]
async fn a_domain_that_asks_for_less_is_slowed_and_recovers_and_nobody_else_waits() {
    let run = Run::of(World::sqlite().await).await;
    readers_at(&run.world.store, &[("busy.test", 40), ("fine.test", 40)]).await;
    let angry = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let script = angry.clone();
    let peer = Peer::start(scripted(move |ask| match ask.at {
        At::Rcpt if ask.to.ends_with("busy.test") && script.load(Ordering::SeqCst) => {
            Act::Say("421 4.7.28 our system has detected an unusual rate of mail")
        }
        _ => Act::Usual,
    }))
    .await;
    let done = run.pass(smtp(&peer.url())).await;
    assert_eq!((at_domain(&peer, "fine.test"), done.paused.len(), done.failed), (40, 0, 0));
    let asked = peer.commands().iter().filter(|line| line.contains("busy.test")).count();
    assert!(asked <= 20, "it was asked {asked} times for 40 letters");
    let slowed = run.world.store.slowed_domains(NOW).await.unwrap();
    assert!(slowed.len() == 1 && slowed[0].0 == "busy.test" && slowed[0].1.factor == 500_000, "{slowed:?}");
    // Another process knows it as well, and sends nothing there for the moment.
    let before = peer.commands().len();
    run.later(2_000);
    run.pass(smtp(&peer.url())).await;
    assert_eq!(peer.commands().len(), before);
    angry.store(false, Ordering::SeqCst);
    run.later(30 * 60_000);
    let mut passes = 0;
    while run.tally().await.open() > 0 {
        run.pass(smtp(&peer.url())).await;
        run.later(60_000);
        passes += 1;
        assert!(passes < 60);
    }
    assert_eq!(run.tally().await.sent, 80);
    let now = UnixMillis(run.clock.load(Ordering::SeqCst));
    assert_eq!(run.world.store.slowed_domains(now).await.unwrap(), [], "it has recovered by itself");
}
