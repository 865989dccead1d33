//! What an operator reads after a run, and the letters that are tried again by the class of their refusal.

use crate::support::house::House;
use crate::support::peer::{self, Act, At, Peer, Script};

/// A relay that refuses some of twelve readers in their own ways, until it is told to take everybody.
async fn refusing(forgiving: std::sync::Arc<std::sync::atomic::AtomicBool>) -> Peer {
    let rule = move |ask: &peer::Ask| {
        if ask.at != At::Rcpt || forgiving.load(std::sync::atomic::Ordering::SeqCst) {
            return Act::Usual;
        }
        match ask.to.as_str() {
            "reader1@example.org" | "reader2@example.com" => Act::Say("550 5.1.1 no such user"),
            "reader3@example.org" => Act::Say("553 5.1.3 not an address"),
            "reader5@example.org" => Act::Say("554 5.4.6 goes in a circle"),
            "reader6@example.com" => Act::Say("451 4.2.2 full for now"),
            _ => Act::Usual,
        }
    };
    Peer::start(Script { rule: Box::new(rule), ..Script::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_sorts_the_refusals_and_a_retry_takes_one_class() {
    let forgiving = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let peer = refusing(forgiving.clone()).await;
    let house = House::new(&peer.url(), "[delivery]\nfirst_retry = \"1h\"\n");
    house.furnish(12);
    let sent = house.must(&["send"]);
    for line in ["failed: 3 × mailbox, 1 × network", "deferred: 1 × full", "× 550 5.1.1", "3 × example.org"]
    {
        assert!(sent.out.contains(line), "{line}\n{}", sent.out);
    }
    let shown = house.must(&["issue", "show", "1"]);
    assert!(shown.out.contains("failed: 3 × mailbox, 1 × network"), "{}", shown.out);
    let json: serde_json::Value =
        serde_json::from_str(&house.must(&["issue", "show", "1", "--json"]).out).unwrap();
    assert_eq!(json["refusals"]["failed"], serde_json::json!({ "mailbox": 3, "network": 1 }));
    assert_eq!(json["refusals"]["domains"]["example.com"], 2, "{json}");

    forgiving.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(house.run(&["issue", "retry", "1", "--class", "policy"]).code, 3, "none of that class");
    let wrong = house.run(&["issue", "retry", "1", "--class", "mail"]);
    assert!(wrong.code == 2 && wrong.err.contains("mailbox, full, policy"), "{}", wrong.err);
    assert_eq!(house.run(&["issue", "retry", "7"]).code, 1, "no such issue");
    let again = house.must(&["issue", "retry", "1", "--class", "mailbox"]);
    assert!(again.out.contains("3 failed letters"), "{}", again.out);
    let status = house.status();
    assert_eq!((&status["failed"], &status["state"]), (&1.into(), &"running".into()), "{status}");
    house.must(&["send"]);
    let status = house.status();
    assert_eq!([&status["sent"], &status["failed"], &status["deferred"]], [10, 1, 1], "{status}");
    house.must(&["issue", "retry", "1"]);
    house.must(&["send"]);
    assert_eq!(house.status()["sent"], 11);
    assert!(peer.copies().values().all(|copies| *copies == 1), "who had the letter gets no second one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finished_issue_runs_again_for_a_retry_and_finishes_again() {
    let forgiving = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let peer = refusing(forgiving.clone()).await;
    let house = House::new(&peer.url(), "");
    house.furnish(6);
    house.must(&["send"]);
    assert_eq!(house.status()["state"], "finished");
    house.must(&["db", "condense"]);
    forgiving.store(true, std::sync::atomic::Ordering::SeqCst);
    house.must(&["issue", "retry", "1", "--class", "all"]);
    assert_eq!(house.status()["state"], "running");
    house.must(&["send"]);
    let status = house.status();
    assert_eq!(
        (&status["state"], &status["sent"], &status["audience"]),
        (&"finished".into(), &6.into(), &6.into())
    );
    assert_eq!(house.run(&["issue", "retry", "1"]).code, 3, "nothing has failed any more");
    assert_eq!(house.status()["state"], "finished", "and it stays finished");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refused_address_is_listed_with_its_last_reply() {
    let peer = Peer::start(Script {
        rule: Box::new(|ask| match (ask.at, ask.to.as_str(), ask.nth) {
            (At::Rcpt, "reader1@example.org", 1) => Act::Say("550 5.1.1 no such user"),
            (At::Rcpt, "reader1@example.org", _) => Act::Say("551 5.1.6 has moved away"),
            (At::Rcpt, "reader2@example.com", _) => Act::Say("553 5.1.3 not an address"),
            (At::Rcpt, "reader4@example.com", _) => Act::Say("451 4.2.2 full for now"),
            _ => Act::Usual,
        }),
        ..Script::default()
    })
    .await;
    let house = House::new(&peer.url(), "[delivery]\nfirst_retry = \"1h\"\n");
    house.furnish(6);
    let failures = || house.must(&["issue", "show", "1", "--failures"]).out;
    house.must(&["send"]);
    assert_eq!(failures().lines().count(), 3);
    assert!(failures().contains("550 5.1.1 no such user"), "{}", failures());
    // Tried again, reader1 is refused in other words: those count, and the first ones are gone.
    house.must(&["issue", "retry", "1"]);
    house.must(&["send"]);
    let refused = [
        ("failed", "reader1@example.org", 551, "551 5.1.6 has moved away"),
        ("failed", "reader2@example.com", 553, "553 5.1.3 not an address"),
        ("deferred", "reader4@example.com", 451, "451 4.2.2 full for now"),
    ];
    let shown = failures();
    assert_eq!(shown.lines().count(), refused.len(), "who has the letter is not listed\n{shown}");
    for ((state, email, _, reply), line) in refused.iter().zip(shown.lines()) {
        let whole =
            line.starts_with(state) && line.contains(&format!("  {email}  ")) && line.ends_with(reply);
        assert!(whole, "{state} {email} {reply}\n{shown}");
    }

    let json = house.must(&["issue", "show", "1", "--failures", "--json"]).out;
    let rows: Vec<serde_json::Value> =
        serde_json::Deserializer::from_str(&json).into_iter().collect::<Result<_, _>>().unwrap();
    assert_eq!(rows.len(), refused.len(), "{json}");
    for ((state, email, code, _), row) in refused.iter().zip(&rows) {
        assert_eq!((&row["state"], &row["email"]), (&(*state).into(), &(*email).into()), "{row}");
        assert_eq!(row["reply"]["code"], *code, "{row}");
    }
}
