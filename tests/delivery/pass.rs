//! Passes over the queue: a real store, a scripted relay, and what both know afterwards.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use tokio::sync::watch;
use verdicts::delivery::{Clock, Letters, Loader, Mailer, MailerSettings, Pass, Progress, Transport, pass};
use verdicts::domain::delivery::{Claimed, DeliveryState, Tally};
use verdicts::domain::issue::{IssueNumber, IssueState};
use verdicts::domain::relay::RelayUrl;
use verdicts::domain::subscriber::SubscriberId;
use verdicts::domain::token::Keyring;
use verdicts::domain::{EmailAddress, UnixMillis};
use verdicts::mail::{Outbox, Relay, SessionOptions, Timeouts};
use verdicts::store::{StoreError, WorkerLease};

use crate::support::peer::{Act, Ask, At, Peer, Script};
use crate::support::world::{NOW, World};

const ONE: IssueNumber = IssueNumber(1);

fn keyring() -> Keyring {
    Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap()
}

/// A short letter with the Message-ID that the real ones have, and a hook for what a test wants to happen in between.
struct Plain {
    keyring: Keyring,
    hook: Box<dyn Fn(&Claimed) + Send + Sync>,
}

impl Letters for Plain {
    fn fill(&self, claimed: &Claimed, _now: UnixMillis, out: &mut Vec<u8>) {
        (self.hook)(claimed);
        let id = self.keyring.message_id(claimed.issue, claimed.subscriber);
        out.extend_from_slice(
            format!("Message-ID: <{id}@example.org>\r\nSubject: Which one ships?\r\n\r\nThis one.\r\n")
                .as_bytes(),
        );
    }
}

fn loader(hook: impl Fn(&Claimed) + Send + Sync + 'static) -> Loader {
    let letters: Arc<dyn Letters> = Arc::new(Plain { keyring: keyring(), hook: Box::new(hook) });
    Arc::new(move |_| {
        let letters = letters.clone();
        Box::pin(async move { Ok(letters) })
    })
}

fn smtp(url: &str) -> Transport {
    smtp_with(url, SessionOptions::default())
}

fn smtp_with(url: &str, options: SessionOptions) -> Transport {
    let RelayUrl::Smtp(url) = RelayUrl::parse(url).unwrap() else { panic!("{url}") };
    Transport::Smtp(Box::new(Relay::new(&url, options).unwrap()))
}

/// A store with a running issue, and the means to make passes over it.
struct Run {
    world: World,
    me: WorkerLease,
    clock: Arc<AtomicI64>,
    settings: MailerSettings,
    letters: Loader,
}

impl Run {
    async fn of(readers: usize) -> Self {
        let world = World::running(readers, World::sqlite().await).await;
        let me = world.store.enlist(NOW).await.unwrap().unwrap();
        let settings = MailerSettings { reconnect: Duration::from_millis(1), ..MailerSettings::default() };
        Self { world, me, clock: Arc::new(AtomicI64::new(NOW.0)), settings, letters: loader(|_| {}) }
    }

    fn mailer(&self, transport: Transport) -> Arc<Mailer> {
        let clock = self.clock.clone();
        let clock: Clock = Arc::new(move || UnixMillis(clock.load(Ordering::SeqCst)));
        let from = EmailAddress::parse("bounces@example.org").unwrap();
        let mailer = Mailer::new(transport, self.settings, from, keyring(), self.letters.clone());
        Arc::new(mailer.with_clock(clock))
    }

    async fn pass(&self, transport: Transport) -> Pass {
        self.try_pass(transport).await.unwrap()
    }

    async fn try_pass(&self, transport: Transport) -> Result<Pass, StoreError> {
        let (_stop, never) = watch::channel(false);
        let mailer = self.mailer(transport);
        // A worker spawns its passes.
        sendable(pass(&self.world.store, &self.me, &mailer, &never, |_| {})).await
    }

    /// Moves the clock to when the next letter is due.
    async fn until_due(&self) {
        let due = self.world.store.next_due().await.unwrap().expect("something waits");
        self.clock.fetch_max(due.0, Ordering::SeqCst);
    }

    async fn tally(&self) -> Tally {
        let tally = self.world.store.tally(ONE).await.unwrap();
        assert!(tally.balances(), "{tally:?}");
        tally
    }

    async fn state(&self) -> IssueState {
        self.world.store.issue(ONE).await.unwrap().unwrap().state
    }
}

fn sendable<F: Future + Send>(future: F) -> F {
    future
}

fn scripted(rule: impl Fn(&Ask) -> Act + Send + Sync + 'static) -> Script {
    Script { rule: Box::new(rule), ..Script::default() }
}

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
