//! Several relays, and a run that pauses when none is left.

use super::*;

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
