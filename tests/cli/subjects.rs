//! The subject of a letter: an operator's own words, and the story of a test of two, from the command to the last reader.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use mail_parser::MessageParser;
use sqlx::Connection as _;

use crate::support::faulty;
use crate::support::house::{House, outbox};
use crate::support::mail::letters;
use crate::support::peer::{self, Act, At, Peer, Script, Taken};
use crate::support::programs::postgres;
use crate::support::served::Served;
use crate::support::site;

const READERS: usize = 300;
const A: &str = "Pocketbase Nano or Stackforge: a close one";
const B: &str = "Stackforge loses one vote, and that’s it";

/// Takes every letter, but never says so at first to some readers: those letters go out a second time.
fn forgetful() -> Script {
    let rule = |ask: &peer::Ask| {
        let is_lost = ask.at == At::Dot && ask.nth == 1 && ask.to.contains("7@");
        if is_lost { Act::TakeAndDrop } else { Act::Usual }
    };
    Script { rule: Box::new(rule), ..Script::default() }
}

fn subject(letter: &[u8]) -> String {
    MessageParser::default().parse(letter).unwrap().subject().unwrap().to_owned()
}

/// Every reader's subject; whoever has two copies has the same octets twice.
fn subjects(taken: &[Taken]) -> BTreeMap<String, String> {
    let mut first: BTreeMap<&str, &Taken> = BTreeMap::new();
    for one in taken {
        let before = first.entry(&one.to).or_insert(one);
        assert!(before.letter == one.letter, "{} has two letters that differ", one.to);
    }
    first.into_iter().map(|(to, one)| (to.to_owned(), subject(&one.letter))).collect()
}

fn count(subjects: &BTreeMap<String, String>, subject: &str) -> usize {
    subjects.values().filter(|one| *one == subject).count()
}

/// Sends what is due until so many letters are sent.
fn send_until(house: &House, sent: usize) -> serde_json::Value {
    let begun = Instant::now();
    loop {
        let ran = house.run(&["send"]);
        assert!([0, 3].contains(&ran.code), "{}{}", ran.out, ran.err);
        let status = house.status();
        if status["sent"] == sent {
            return status;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{status}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn vote(site: &Served, link: &str, method: &str) -> String {
    let path = link.split_once("/vote/").unwrap().1.split('?').next().unwrap();
    let form = "compare=lead&tool=stackforge&say=skip";
    let (query, body) = if method == "POST" { ("", form) } else { (form, "") };
    let request = format!(
        "{method} /vote/{path}?{query} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
        site.address,
        body.len()
    );
    String::from_utf8_lossy(&site.say(request.as_bytes())).into_owned()
}

fn vote_link(letter: &[u8]) -> String {
    let parsed = MessageParser::default().parse(letter).unwrap();
    let html = parsed.body_html(0).unwrap().into_owned();
    letters::html_links(&html).into_iter().find(|link| link.contains("/vote/")).unwrap()
}

async fn send_to_the_last_reader(database: Option<String>) {
    let binary = faulty::binary();
    let peer = Peer::start(forgetful()).await;
    let mut house = House::new(&peer.url(), "connections = 4\n[delivery]\nfirst_retry = \"1s\"\n");
    let address = site::free_address();
    house.set("VERDICTS__SITE__BASE_URL", &format!("http://{address}"));
    let url = database.unwrap_or_else(|| format!("sqlite:{}", house.path("verdicts.db").display()));
    house.set("VERDICTS__DATABASE__URL", &url);
    house.furnish(READERS);
    house.must(&["issue", "subject", "1", A, "--against", B, "--share", "20%", "--wait", "4h"]);
    let draft = house.must(&["issue", "draft"]);
    assert!(
        draft.out.contains(A) && draft.out.contains(B) && draft.out.contains("20% of the readers"),
        "{}",
        draft.out
    );

    let first = draw(&house, &peer).await;

    let site = Served::with(&house, address, vec![("VERDICTS__DATABASE__URL".to_owned(), url.clone())]);
    let page = || {
        String::from_utf8_lossy(&site.say(b"GET /issues/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
            .into_owned()
    };
    readers_vote(&house, &site, &peer.taken());
    assert!(page().contains(A));

    assert_eq!(house.run(&["send"]).code, 3, "nothing is due before");
    let mut connection = sqlx::AnyConnection::connect(&url.replace("sqlite:", "sqlite://")).await.unwrap();
    sqlx::query("UPDATE subject_test SET decide_at = 1").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    decide(&mut house, &binary);
    house.must(&["send", "--wait"]);
    let status = house.status();
    assert_eq!((&status["sent"], &status["state"]), (&READERS.into(), &"finished".into()), "{status}");
    let all = subjects(&peer.taken());
    assert_eq!((count(&all, A), count(&all, B), all.len()), (30, 270, READERS), "the rest gets the winner");
    assert!(first.iter().all(|(to, subject)| all[to] == *subject));
    assert!(peer.taken().len() > READERS, "some went out twice, and were the same both times");
    winner_is_shown(&house);
    let begun = Instant::now();
    while !page().contains("Stackforge loses one vote") {
        assert!(begun.elapsed() < Duration::from_secs(20), "the archive keeps the other subject");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!page().contains(A));
}

/// Killed among the first letters, it goes on with the same draw: who got which subject.
async fn draw(house: &House, peer: &Peer) -> BTreeMap<String, String> {
    let send = house.start(&["send"]);
    let begun = Instant::now();
    while peer.taken().len() < 10 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no letter comes");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    send.signal("KILL");
    drop(send);
    let status = send_until(house, 60);
    assert_eq!((&status["queued"], &status["state"]), (&240.into(), &"running".into()));
    let test = &status["subject_test"];
    assert_eq!(
        (&test["held"], &test["a"]["sent"], &test["b"]["sent"]),
        (&240.into(), &30.into(), &30.into())
    );
    assert_eq!((&test["b"]["subject"], &test["decided"]), (&B.into(), &serde_json::Value::Null));
    let first = subjects(&peer.taken());
    assert_eq!((count(&first, A), count(&first, B), first.len()), (30, 30, 60));
    let late = house.run(&["issue", "subject", "1", "Something else"]);
    assert_eq!(late.code, 1);
    assert!(late.err.contains("have gone out") && late.err.contains("issue 2"), "{}", late.err);
    first
}

/// Looking at a ballot counts nothing; eleven votes from letters of B and one from A do.
fn readers_vote(house: &House, site: &Served, taken: &[Taken]) {
    let of = |wanted: &'static str| {
        let mut readers = BTreeSet::new();
        taken.iter().filter(move |one| subject(&one.letter) == wanted && readers.insert(one.to.clone()))
    };
    for one in of(A).chain(of(B)) {
        assert!(vote(site, &vote_link(&one.letter), "GET").starts_with("HTTP/1.1 200"));
    }
    assert_eq!(house.status()["subject_test"]["b"]["voted"], 0);
    for one in of(A).take(1).chain(of(B).take(11)) {
        assert!(vote(site, &vote_link(&one.letter), "POST").starts_with("HTTP/1.1 200"));
    }
    let test = house.status()["subject_test"].clone();
    assert_eq!(
        (&test["a"]["voted"], &test["b"]["voted"], &test["b"]["rate"]),
        (&1.into(), &11.into(), &36.7.into())
    );
    let shown = house.must(&["status"]).out;
    assert!(
        shown.contains("11 of 30 readers voted (36.7%)") && shown.contains("240 letters wait"),
        "{shown}"
    );
}

/// Killed on either side of the decision, it is made once.
fn decide(house: &mut House, binary: &Path) {
    for (point, decided, held) in [("before-decision:1", false, 240), ("after-decision:1", true, 0)] {
        house.set("VERDICTS_FAULT", point);
        let ran = house.run_as(binary, &["send"]);
        assert!(ran.was_killed(), "{point}: {}{}", ran.out, ran.err);
        house.unset("VERDICTS_FAULT");
        let status = house.status();
        let test = &status["subject_test"];
        assert_eq!(
            (test["decided"].is_object(), &test["held"]),
            (decided, &held.into()),
            "{point}: {status}"
        );
        assert_eq!((&status["sent"], &status["queued"]), (&60.into(), &240.into()));
    }
}

fn winner_is_shown(house: &House) {
    let show = house.must(&["issue", "show", "1"]).out;
    assert!(show.contains("subject B won") && show.contains("more of its readers voted"), "{show}");
    let show: serde_json::Value =
        serde_json::from_str(&house.must(&["issue", "show", "1", "--json"]).out).unwrap();
    assert_eq!(show["subject_test"]["decided"]["winner"], "b");
    assert_eq!(show["subject_test"]["a"]["voted"], 1, "as it was decided");
    assert!(house.must(&["issue", "list"]).out.contains(B));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_winner_goes_to_the_rest() {
    send_to_the_last_reader(None).await;
}

#[test]
fn a_test_by_itself_ends_without_votes_and_nobody_is_left() {
    let house = House::new("outbox:outbox", "[subject_test]\nshare = \"20%\"\nwait = \"1s\"\n");
    house.furnish(READERS);
    let draft: serde_json::Value =
        serde_json::from_str(&house.must(&["issue", "draft", "--json"]).out).unwrap();
    let (a, b) = (draft["subject"].as_str().unwrap(), draft["against"].as_str().unwrap());
    assert_ne!(a, b);
    house.must(&["send", "--wait"]);
    let status = house.status();
    assert_eq!((&status["sent"], &status["state"]), (&READERS.into(), &"finished".into()));
    assert_eq!(status["subject_test"]["decided"]["why"], "too_few");
    let subjects: Vec<String> = outbox(&house.path("outbox")).iter().map(|letter| subject(letter)).collect();
    let count = |wanted: &str| subjects.iter().filter(|subject| *subject == wanted).count();
    assert_eq!((count(a), count(b)), (270, 30));
}

#[test]
fn a_worker_decides_what_send_began() {
    let house = House::new("outbox:outbox", "[subject_test]\nshare = \"20%\"\nwait = \"2s\"\n");
    house.furnish(READERS);
    let sent = house.must(&["send"]);
    assert!(sent.err.contains("the other 240 wait for the winner until"), "{}", sent.err);
    assert_eq!(house.status()["sent"], 60);
    let _worker = house.start(&["worker"]);
    let begun = Instant::now();
    while house.status()["state"] != "finished" {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", house.status());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(outbox(&house.path("outbox")).len(), READERS);
}

#[test]
fn an_operators_words_are_the_letters_own() {
    let house = House::new("outbox:outbox", "");
    house.furnish(3);
    for bad in ["one\r\nBcc: eve@example.com", "one\ntwo", "", "a\u{2028}b", &"long ".repeat(60)] {
        let ran = house.run(&["issue", "subject", "1", bad]);
        assert_eq!(ran.code, 2, "{bad:?}");
        assert!(ran.err.contains("the subject: it "), "{}", ran.err);
    }
    let ran = house.run(&["issue", "subject", "1", "Fine", "--preheader", "not\nfine"]);
    assert_eq!((ran.code, ran.err.contains("--preheader: it has a line break")), (2, true), "{}", ran.err);
    for (arguments, words) in [
        (["--against", "Fine", "--share", "20%"], "it is the same subject"),
        (["--against", "Other", "--share", "100%"], "--share \"100%\": it is not a share"),
        (["--against", "Other", "--wait", "soon"], "--wait \"soon\": it is not a span"),
        (["--against", "Other", "--wait", "0s"], "it is too short"),
    ] {
        let ran = house.run(&[&["issue", "subject", "1", "Fine"][..], &arguments].concat());
        assert_eq!((ran.code, ran.err.contains(words)), (2, true), "{arguments:?}: {}", ran.err);
    }
    let ran = house.run(&["issue", "subject", "2", "Too early"]);
    assert_eq!((ran.code, ran.err.contains("write the subject of issue 1")), (1, true), "{}", ran.err);

    let long = format!("Our own words, {}", "which go on and on ".repeat(4));
    let hint = house.must(&["issue", "subject", "1", &long]);
    assert!(hint.out.contains("a phone shows 70 or fewer"), "{}", hint.out);
    house.must(&[
        "issue",
        "subject",
        "1",
        "Æther & <b>bold</b> =?utf-8?Q?x?= 🚀",
        "--preheader",
        "A line of ours",
    ]);
    let shown = house.must(&["issue", "subject", "1"]).out;
    assert!(shown.contains("🚀") && shown.contains("preheader  A line of ours"), "{shown}");
    house.must(&["send"]);
    let sent = letters::letters(&house.path("outbox"));
    assert_eq!(sent.len(), 3);
    for mail in &sent {
        assert_eq!(mail.subject, "Æther & <b>bold</b> =?utf-8?Q?x?= 🚀");
        assert!(mail.html.contains("A line of ours") && !mail.html.contains("<b>bold"), "it is escaped");
    }
    assert!(house.must(&["issue", "show", "1"]).out.contains("🚀"));
    assert!(house.must(&["issue", "list"]).out.contains("🚀"));
    let status = house.must(&["status", "--json"]).out;
    assert!(!status.contains("subject_test"), "{status}");
}

#[test]
fn what_was_written_can_be_taken_back_and_send_takes_it_as_well() {
    let house = House::new("outbox:outbox", "");
    house.furnish(2);
    let composed = house.must(&["issue", "subject", "1"]).out;
    house.must(&["issue", "subject", "1", "Ours"]);
    assert!(house.must(&["issue", "subject", "1", "--clear"]).out.contains(composed.lines().next().unwrap()));
    let sent = house.must(&["send", "--subject", "Ours at last"]);
    assert!(sent.err.contains("Ours at last"), "{}", sent.err);
    let subjects: BTreeSet<String> =
        letters::letters(&house.path("outbox")).into_iter().map(|m| m.subject).collect();
    assert_eq!(subjects, ["Ours at last".to_owned()].into());
}

mod needs_postgres {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn the_winner_goes_to_the_rest() {
        send_to_the_last_reader(Some(postgres::fresh_database().await)).await;
    }
}
