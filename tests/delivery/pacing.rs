//! The pace of a run: rates that hold over restarts and workers, domains with their own lane, failover, the warm-up of a new
//! sender, and a run that pauses and says why. The clock is the test's; nothing here sleeps to make time pass.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use verdicts::delivery::{
    Clock, DomainPace, Letters, Loader, Mailer, MailerSettings, PaceLimits, Pass, Relays, Transport, pass,
};
use verdicts::domain::delivery::{Claimed, Tally};
use verdicts::domain::issue::IssueNumber;
use verdicts::domain::pace::Warmup;
use verdicts::domain::rate::Rate;
use verdicts::domain::relay::RelayUrl;
use verdicts::domain::subscriber::{NewSubscriber, SubscriberStatus};
use verdicts::domain::token::Keyring;
use verdicts::domain::{EmailAddress, UnixMillis};
use verdicts::mail::{Relay, SessionOptions};
use verdicts::store::{Enqueue, Pacing, Store, WorkerLease};

use crate::support::house::House;
use crate::support::peer::{Act, Ask, At, Peer, Script};
use crate::support::world::{NOW, World, sent};

const ONE: IssueNumber = IssueNumber(1);
const HOUR: i64 = 3_600_000;

fn keyring() -> Keyring {
    Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap()
}

struct Plain;

impl Letters for Plain {
    fn fill(&self, claimed: &Claimed, _now: UnixMillis, out: &mut Vec<u8>) {
        let id = keyring().message_id(claimed.issue, claimed.subscriber);
        out.extend_from_slice(format!("Message-ID: <{id}@example.org>\r\n\r\nThis one.\r\n").as_bytes());
    }
}

fn loader() -> Loader {
    Arc::new(|_| Box::pin(async { Ok(Arc::new(Plain) as Arc<dyn Letters>) }))
}

fn relay(url: &str) -> Relay {
    let RelayUrl::Smtp(url) = RelayUrl::parse(url).unwrap() else { panic!("{url}") };
    Relay::new(&url, SessionOptions::default()).unwrap()
}

fn smtp(url: &str) -> Transport {
    Transport::Smtp(Box::new(relay(url)))
}

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

fn scripted(rule: impl Fn(&Ask) -> Act + Send + Sync + 'static) -> Script {
    Script { rule: Box::new(rule), ..Script::default() }
}

/// A store with a running issue and a clock that only the test moves.
struct Run {
    world: World,
    me: WorkerLease,
    clock: Arc<AtomicI64>,
    settings: MailerSettings,
    limits: PaceLimits,
}

impl Run {
    async fn of(world: World) -> Self {
        let me = world.store.enlist(NOW).await.unwrap().unwrap();
        let settings = MailerSettings {
            reconnect: Duration::from_millis(1),
            linger: Duration::ZERO,
            ..MailerSettings::default()
        };
        Self { world, me, clock: Arc::new(AtomicI64::new(NOW.0)), settings, limits: PaceLimits::default() }
    }

    /// One pass of a process that has just started: it knows nothing but what the store knows.
    async fn pass(&self, transport: Transport) -> Pass {
        let clock = self.clock.clone();
        let clock: Clock = Arc::new(move || UnixMillis(clock.load(Ordering::SeqCst)));
        let from = EmailAddress::parse("bounces@example.org").unwrap();
        let mailer = Mailer::new(transport, self.settings, from, keyring(), loader())
            .with_limits(self.limits.clone())
            .with_clock(clock);
        let (_stop, never) = watch::channel(false);
        let mailer = Arc::new(mailer);
        let pass = pass(&self.world.store, &self.me, &mailer, &never, |_| {});
        // On a clock that stands still, what is tried again for ever would never end.
        tokio::time::timeout(Duration::from_secs(60), pass).await.expect("the pass ends").unwrap()
    }

    fn later(&self, millis: i64) {
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    async fn tally(&self) -> Tally {
        let tally = self.world.store.tally(ONE).await.unwrap();
        assert!(tally.balances(), "{tally:?}");
        tally
    }
}

/// Active readers at the domains, in this order.
async fn readers_at(store: &Store, domains: &[(&str, usize)]) {
    let mut number = 0;
    for (domain, count) in domains {
        let rows: Vec<_> = (0..*count)
            .map(|_| {
                number += 1;
                NewSubscriber {
                    email: EmailAddress::parse(&format!("r{number}@{domain}")).unwrap(),
                    ..crate::support::world::reader(number, SubscriberStatus::Active)
                }
            })
            .collect();
        let hashes: Vec<_> =
            (0..*count).map(|n| crate::support::world::hash(number * 1_000_000 + n)).collect();
        for (rows, hashes) in rows.chunks(5000).zip(hashes.chunks(5000)) {
            store.add_subscribers(rows, hashes).await.unwrap();
        }
    }
    store.enqueue(&Enqueue::new(ONE, crate::support::world::issue(&[])), NOW).await.unwrap();
}

fn at_domain(peer: &Peer, domain: &str) -> usize {
    peer.taken().iter().filter(|taken| taken.to.ends_with(domain)).count()
}

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
            (quick + of_quick, slow + done.claimed.len() - of_quick, parked + done.parked);
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
    assert_eq!((next.claimed.len(), next.parked), (1, 0));
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

fn several(relays: &[(&str, u32)]) -> Transport {
    Transport::Several(Relays::new(relays.iter().map(|(url, weight)| (relay(url), *weight)).collect()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_relays_share_the_connections_by_weight() {
    let run = Run::of(World::running(400, World::sqlite().await).await).await;
    let (heavy, light) = (Peer::start(Script::default()).await, Peer::start(Script::default()).await);
    let done = run.pass(several(&[(&heavy.url(), 4), (&light.url(), 1)])).await;
    assert_eq!(done.sent, 400);
    assert!(
        (heavy.most_standing(), light.most_standing()) == (8, 2),
        "{:?}",
        (heavy.sessions(), light.sessions())
    );
    assert_eq!(heavy.taken().len() + light.taken().len(), 400);
}

#[tokio::test]
async fn a_relay_that_is_gone_or_refuses_us_is_left_out_and_the_others_take_its_mail() {
    let refusing = |at: At, words: &'static str| {
        scripted(move |ask| if ask.at == at { Act::Say(words) } else { Act::Usual })
    };
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let login = Script { auth: Some(("PLAIN", "ann", "right")), ..Script::default() };
    let login = Peer::start(login).await;
    let mail = Peer::start(refusing(At::Mail, "550 5.7.1 you are not welcome")).await;
    let greeting = Peer::start(refusing(At::Greeting, "554 5.7.1 you are listed")).await;
    for first in
        [format!("smtp://{gone}"), format!("smtp://ann:wrong@{}", login.addr), mail.url(), greeting.url()]
    {
        let run = Run::of(World::running(50, World::sqlite().await).await).await;
        let good = Peer::start(Script::default()).await;
        let done = run.pass(several(&[(&first, 1), (&good.url(), 1)])).await;
        assert_eq!((done.sent, done.failed, done.deferred, &done.paused[..]), (50, 0, 0, &[][..]), "{first}");
        assert_eq!(good.taken().len(), 50);
        assert_eq!(run.tally().await.sent, 50);
    }
    assert!(mail.sessions() <= 10, "left out, it is not asked again and again: {}", mail.sessions());
}

/// P6: refused by every relay, the run pauses and no reader is marked.
#[tokio::test]
async fn only_when_no_relay_is_left_does_the_run_pause() {
    let run = Run::of(World::running(50, World::sqlite().await).await).await;
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let peer = Peer::start(scripted(|ask| match ask.at {
        At::Mail => Act::Say("550 5.7.1 you are not welcome"),
        _ => Act::Usual,
    }))
    .await;
    let done = run.pass(several(&[(&format!("smtp://{gone}"), 1), (&peer.url(), 1)])).await;
    assert_eq!((done.sent, done.failed, done.paused.len()), (0, 0, 1), "{done:?}");
    assert_eq!(run.tally().await.queued, 50, "and no reader is marked");
    run.world.store.resume(ONE).await.unwrap();
    let good = Peer::start(Script::default()).await;
    assert_eq!(run.pass(several(&[(&peer.url(), 1), (&good.url(), 1)])).await.sent, 50);
}

/// P6, the whole story with the real binary: a relay that refuses us pauses the run, which says why; nobody is marked;
/// resumed, it goes on. In the same run a warm-up holds the rest back until tomorrow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_run_pauses_says_why_and_goes_on_when_resumed() {
    let welcome = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let script = welcome.clone();
    let peer = Peer::start(scripted(move |ask| match ask.at {
        At::Mail if !script.load(Ordering::SeqCst) => Act::Say("550 5.7.1 your sender is blocked"),
        _ => Act::Usual,
    }))
    .await;
    let url = peer.url();
    let lines = "warmup = [3]\ndomains = { \"example.org\" = { rate = \"1000/s\", connections = 1 } }\n\
        [delivery]\nlinger = \"1s\"\n";
    let story = tokio::task::spawn_blocking(move || {
        let house = House::new(&url, lines);
        house.furnish(8);
        let refused = house.run(&["send"]);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(
            refused.err.contains("your sender is blocked") && refused.err.contains("issue resume 1"),
            "{refused:?}"
        );
        let status = house.status();
        assert_eq!((&status["state"], &status["queued"]), (&"paused".into(), &8.into()), "{status}");
        assert!(status["pause_reason"].as_str().unwrap().contains("550 5.7.1"), "{status}");
        assert!(house.must(&["status"]).out.contains("paused: the relay refuses us"));
        assert_eq!(house.run(&["send"]).code, 1, "a paused run stays so until somebody says otherwise");
        let active = house.must(&["subscribers", "stats", "--json"]).out;
        assert!(active.contains("\"active\":8"), "nobody is marked: {active}");

        welcome.store(true, Ordering::SeqCst);
        house.must(&["issue", "resume", "1"]);
        let sent = house.must(&["send"]);
        let status = house.status();
        assert_eq!((&status["sent"], &status["queued"]), (&3.into(), &5.into()), "{status}");
        assert!(
            sent.err.contains("the pace lets the next letter go at") && sent.err.contains("T00:00:00Z"),
            "{sent:?}"
        );
        assert_eq!(house.run(&["send"]).code, 3, "today is used up, also for another process");
    });
    story.await.unwrap();
    assert_eq!(peer.taken().len(), 3);
}

/// What is claimed around a slow domain is for later, as in a plain turn: a kill leaves only what had begun unknown.
async fn claim_for_later(world: World) {
    readers_at(&world.store, &[("slow.test", 2), ("quick.test", 4)]).await;
    let mut connection = <sqlx::AnyConnection as sqlx::Connection>::connect(&world.url).await.unwrap();
    let bounced = "UPDATE subscriber SET status = 'bounced', ended_at = 1 WHERE id = 6";
    sqlx::raw_sql(bounced).execute(&mut connection).await.unwrap();
    let (warmup, room, slower) = (Warmup::default(), HashMap::new(), HashSet::new());
    let domains = HashMap::from([("slow.test".to_owned(), rate("1/s"))]);
    let pacing =
        Pacing { rate: None, warmup: &warmup, domains: &domains, room: &room, slower: &slower, returned: 0 };
    let me = world.store.enlist(NOW).await.unwrap().unwrap();
    let got = world.store.record_and_claim_paced(&me, &[], &[], 9, NOW, &pacing).await.unwrap();
    assert_eq!(got.claimed.iter().map(|one| one.subscriber.0).collect::<Vec<_>>(), [1, 3, 4, 5]);
    assert_eq!(
        (got.parked, got.begun.len()),
        (1, 0),
        "one of the slow domain waits, and who has left is passed over"
    );
    let keys = [got.claimed[0].subscriber, got.claimed[1].subscriber].map(|one| (ONE, one));
    let begun = world.store.record_and_claim_paced(&me, &[], &keys, 0, NOW, &pacing).await.unwrap();
    assert_eq!(begun.begun, keys);
    let done = [sent(keys[0].1)];
    let turned = world.store.record_and_claim_paced(&me, &done, &[], 9, NOW, &pacing).await.unwrap();
    assert!(turned.claimed.is_empty());
    drop(me);
    let mut unknown = 0;
    let next = world.store.enlist(NOW).await.unwrap().unwrap();
    // The server may need a moment to see that the other session is gone.
    for _ in 0..200 {
        unknown += world.store.reclaim(&next, NOW).await.unwrap();
        if world.store.tally(ONE).await.unwrap().sending == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(unknown, 1, "only what had begun is unknown");
    let tally = world.store.tally(ONE).await.unwrap();
    assert_eq!((tally.sent, tally.deferred, tally.queued, tally.cancelled), (1, 1, 3, 1), "{tally:?}");
}

#[tokio::test]
async fn paced_claims_are_for_later() {
    claim_for_later(World::sqlite().await).await;
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

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn paced_claims_are_for_later() {
        claim_for_later(World::postgres().await).await;
    }
}
