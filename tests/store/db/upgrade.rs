//! A database of an old release opens, migrates, and goes on: a run in the middle of a subject test ends as it would have.
//!
//! `tests/fixtures/databases/schema-8.sql` was written by the release of that schema and dumped with `sqlite3 … .dump`. Issue 1 is
//! over; subject B won, letters of every kind have failed, and 70 rows are counters. Issue 2 was called off in its test. Issue 3
//! is on its way: readers drawn for either subject, letters of two choices of topics, one reader's hour, letters claimed
//! and begun and claimed ahead by a worker that was killed, some put off, and readers who left, paused or were erased meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use mail_parser::MessageParser;
use sqlx::{AnyConnection, Connection as _, Row as _};
use verdicts::domain::UnixMillis;
use verdicts::domain::delivery::Tally;
use verdicts::domain::issue::IssueNumber;
use verdicts::domain::subject::{Arm, Why};
use verdicts::domain::subscriber::SubscriberId;
use verdicts::domain::token::Keyring;
use verdicts::store::{Requeued, SCHEMA, Store};

use crate::support::house::House;
use crate::support::peer::{Peer, Script, Taken};
use crate::support::world::*;

const DUMP: &str = include_str!("../../fixtures/databases/schema-8.sql");
/// When issue 3 was enqueued: 2025-01-14T14:00:00Z.
const BEGAN: UnixMillis = UnixMillis(1_736_863_200_000);
/// What an issue is called, and its comparisons on tools and on agents.
const OF_ONE: [&str; 3] = ["First", "Shovel vs Spade", "Bond vs Bourne"];
const OF_THREE: [&str; 3] = ["Third", "Anvil vs Bench", "Poirot vs Maigret"];
const ONE: IssueNumber = IssueNumber(1);
const TWO: IssueNumber = IssueNumber(2);
const THREE: IssueNumber = IssueNumber(3);

/// The dump in place of what `w` had in it; on Postgres its rows, in the tables of the same migrations.
async fn of_the_release_before(w: World) -> World {
    if w.url.starts_with("sqlite:") {
        let w = w.emptied().await;
        w.raw(DUMP).await.unwrap();
        return w;
    }
    let w = w.of_schema(8).await;
    let mut rows = "DELETE FROM ledger_mark;\n".to_owned();
    for line in DUMP.lines() {
        if let Some((table, values)) = line.strip_prefix("INSERT INTO ").and_then(|row| row.split_once(' '))
            && !["schema_version", "sqlite_sequence"].contains(&table)
        {
            rows.push_str(&format!("INSERT INTO {table} OVERRIDING SYSTEM VALUE {values}\n"));
        }
    }
    for table in ["subscriber", "worker"] {
        rows.push_str(&format!(
            "SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}));\n"
        ));
    }
    w.raw(&rows).await.unwrap();
    w
}

async fn texts(w: &World, query: &str) -> Vec<String> {
    let mut connection = AnyConnection::connect(&w.url.replace("sqlite:", "sqlite://")).await.unwrap();
    let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect()
}

/// The rows of an issue, those that are alike in one line: how many, state, letter and arm, choice, and what else is set.
async fn rows(w: &World, issue: IssueNumber) -> BTreeSet<String> {
    let query = format!(
        "SELECT CAST(COUNT(*) AS TEXT) || ' ' || state || ' ' || CAST(letter AS TEXT) || arm
                || COALESCE(' choice ' || CAST(choice AS TEXT), '')
                || CASE held WHEN 1 THEN ' held' ELSE '' END || CASE ahead WHEN 1 THEN ' ahead' ELSE '' END
                || COALESCE(' by ' || cancelled_by, '')
         FROM delivery WHERE issue = {issue} GROUP BY state, letter, arm, choice, held, ahead, cancelled_by"
    );
    texts(w, &query).await.into_iter().collect()
}

fn lines(text: &str) -> BTreeSet<String> {
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// The rows of the three issues as [`rows`] says them, counted by hand in the fixture.
const ROWS_OF_ONE: &str = "
    5 sent 0a
    18 sent 0b
    4 sent 0b choice 1
    2 sent 1a choice 2
    5 sent 1b choice 2
    1 sent 2a choice 3
    3 sent 2b choice 3
    1 failed 0a
    3 failed 0b
    1 failed 0a choice 1
    1 failed 0b choice 1
    1 failed 1a choice 2
    1 failed 1b choice 2
    1 failed 2a choice 3
    1 failed 2b choice 3
    2 cancelled 0a by topics";
const ROWS_OF_TWO: &str = "
    6 sent 0a
    11 sent 0b
    1 sent 0a choice 1
    3 sent 1a choice 2
    5 sent 1b choice 2
    3 sent 2a choice 3
    1 sent 2b choice 3
    2 cancelled 0a by topics";
const ROWS_OF_THREE: &str = "
    12 sent 0a
    10 sent 0b
    5 sent 0a choice 1
    3 sent 0b choice 1
    3 sent 1a choice 2
    6 sent 1b choice 2
    4 sent 2a choice 3
    4 sent 2b choice 3
    1 failed 0b
    1 sending 0a ahead
    1 sending 1b choice 2 ahead
    1 sending 0b
    1 sending 1a choice 2
    1 deferred 0b
    1 deferred 1b choice 2
    1 queued 0a
    1 queued 0b
    34 queued 0a held
    4 queued 0a choice 1 held
    12 queued 1a choice 2 held
    4 queued 2a choice 3 held
    1 cancelled 0a by leaving
    1 cancelled 0a held by leaving
    1 cancelled 1a choice 2 held by leaving
    1 cancelled 0a held by erasure
    2 cancelled 0a by pause
    1 cancelled 0a held by pause
    1 cancelled 0a by unwanted
    2 cancelled 0a by topics";

async fn assert_every_row_says_what_it_said(w: &World) {
    assert_eq!(rows(w, ONE).await, lines(ROWS_OF_ONE));
    let of_two = rows(w, TWO).await;
    let (called_off, others): (BTreeSet<_>, _) =
        of_two.into_iter().partition(|row| row.ends_with("operator") || row.ends_with("erasure"));
    assert_eq!(others, lines(ROWS_OF_TWO));
    let held = called_off.iter().filter(|row| row.contains(" held ")).count();
    assert!(called_off.len() - held > 3 && held > 3, "both who was drawn and who waited: {called_off:?}");
    assert_eq!(rows(w, THREE).await, lines(ROWS_OF_THREE));

    let far = "SELECT note FROM delivery WHERE due_at > 1900000000000 OR enqueued_at > 1900000000000";
    assert_eq!(texts(w, far).await, [""; 0], "every time is one of the calendar");
    let words = texts(w, "SELECT note FROM delivery WHERE issue = 3 AND note IS NOT NULL").await;
    assert!(
        !words.iter().any(|note| note.contains("not begun")) && words.iter().any(|note| note == "relay down")
    );
    let letters = "SELECT CAST(letter AS TEXT) || arm FROM issue_variant WHERE issue = 3 ORDER BY 1";
    assert_eq!(texts(w, letters).await, ["0b", "1a", "1b", "2a", "2b"]);
    let choices =
        "SELECT CAST(choice AS TEXT) || ' ' || topics || ' ' || COALESCE(CAST(letter AS TEXT), 'nothing')
        FROM issue_topics WHERE issue = 3 ORDER BY choice";
    let expected = [
        r#"1 ["Agents","Developer Tools"] 0"#,
        r#"2 ["Agents"] 1"#,
        r#"3 ["Developer Tools"] 2"#,
        r#"4 ["Gardening"] nothing"#,
    ];
    assert_eq!(texts(w, choices).await, expected);
}

fn reader(email: &str) -> i64 {
    let number = email.strip_prefix("reader").and_then(|rest| rest.split('@').next());
    number.and_then(|number| number.parse().ok()).unwrap()
}

/// What each reader got: the letter by what it carries, and the arm that its subject names.
fn got(taken: &[Taken], [name, on_tools, on_agents]: [&str; 3]) -> BTreeMap<i64, String> {
    let mut got = BTreeMap::new();
    for one in taken {
        let parsed = MessageParser::default().parse(&one.letter).unwrap();
        let text = parsed.body_text(0).unwrap();
        let subject = parsed.subject().unwrap();
        let arm = subject.strip_prefix(&format!("{name}, subject ")).unwrap_or_else(|| panic!("{subject}"));
        let (letter, topics) = match (text.contains(on_tools), text.contains(on_agents)) {
            (true, true) => ("0", "Agents, Developer Tools"),
            (false, true) => ("1", "Agents"),
            (true, false) => ("2", "Developer Tools"),
            (false, false) => panic!("an empty letter: {text}"),
        };
        let reader = reader(&one.to);
        let chose = (1..=4).contains(&(reader % 10)) || reader == 15;
        let read = text.lines().find_map(|line| line.strip_prefix("You read:")).unwrap().trim().to_owned();
        assert_eq!(read == topics, chose, "reader {reader} reads {read}: {text}");
        assert!(
            got.insert(reader, format!("{letter}{}", arm.to_lowercase())).is_none(),
            "reader {reader} has two"
        );
    }
    got
}

/// The letter that the rows of `readers` ask for.
async fn asked_for(w: &World, issue: IssueNumber, states: &str) -> BTreeMap<i64, String> {
    let query = format!(
        "SELECT CAST(subscriber AS TEXT) || ' ' || CAST(letter AS TEXT) || arm FROM delivery
         WHERE issue = {issue} AND {states}"
    );
    let rows = texts(w, &query).await;
    rows.iter()
        .filter_map(|row| row.split_once(' '))
        .map(|(n, letter)| (n.parse().unwrap(), letter.to_owned()))
        .collect()
}

/// Takes back the leaving of `reader` as the link in its answer does.
async fn come_back(store: &Store, reader: i64, now: UnixMillis) {
    let keyring = Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap();
    let id = SubscriberId(reader);
    let left_at = store.last_unsubscription(id).await.unwrap().unwrap().left_at;
    let person = store.subscriber_by_id(id).await.unwrap().unwrap();
    let hash = keyring.suppression_hash(&person.email);
    assert!(store.undo_unsubscribe(id, &hash, left_at, now).await.unwrap(), "reader {reader} comes back");
}

async fn a_run_in_the_middle_of_a_test_is_finished(w: World) {
    let w = of_the_release_before(w).await;
    let before = tallies(&w).await;
    let peer = Peer::start(Script::default()).await;
    let mut house = House::new(&peer.url(), "[delivery]\nkeep = \"3650d\"\n");
    house.set("VERDICTS__DATABASE__URL", &w.url);
    let refused = house.run(&["send"]);
    let says = format!("schema is 8, this binary needs {SCHEMA}; back up, then run \"verdicts db migrate\"");
    assert!(refused.code == 1 && refused.err.contains(&says), "{}", refused.err);
    house.must(&["db", "migrate"]);
    assert_every_row_says_what_it_said(&w).await;
    assert_eq!(tallies(&w).await, before);
    assert!(before.iter().all(Tally::balances));
    let drawn = send_what_was_drawn(&w, &house, &peer).await;
    let all = send_the_winner(&w, &house, &peer, drawn).await;

    // And the failed letters of an issue that was over go again as what they were.
    let failed = asked_for(&w, ONE, "state = 'failed'").await;
    assert_eq!(failed.len(), 10);
    let readers: Vec<_> = failed.keys().copied().map(SubscriberId).collect();
    let now = UnixMillis::now();
    assert_eq!(w.store.requeue(ONE, &readers, now).await.unwrap(), Requeued::Again(10));
    house.must(&["send", "--wait"]);
    let taken = peer.taken();
    assert_eq!(got(&taken[all.len()..], OF_ONE), failed);
    for (tally, before) in tallies(&w).await.into_iter().zip(before) {
        assert!(tally.balances() && tally.audience == before.audience && tally.open() == 0, "{tally:?}");
    }
}

async fn tallies(w: &World) -> Vec<Tally> {
    let mut all = Vec::new();
    for number in [ONE, TWO, THREE] {
        all.push(w.store.tally(number).await.unwrap());
    }
    all
}

/// Before the decision, and soon enough after leaving to take it back.
const SOON: UnixMillis = UnixMillis(BEGAN.0 + 45 * 60 * 1000);

/// Two who had left take it back before the decision: one waits again, one goes on with what was put off. What was drawn goes
/// out; nobody who waits goes along.
async fn send_what_was_drawn(w: &World, house: &House, peer: &Peer) -> BTreeMap<i64, String> {
    let decide_at = w.store.subject_test(THREE).await.unwrap().unwrap().decide_at;
    w.raw("UPDATE subject_test SET decide_at = 4000000000000 WHERE issue = 3").await.unwrap();
    come_back(&w.store, 8, SOON).await;
    come_back(&w.store, 18, SOON).await;
    let drawn = asked_for(w, THREE, "held = 0 AND state IN ('queued', 'deferred', 'sending')").await;
    assert_eq!(drawn.keys().copied().collect::<Vec<_>>(), [2, 6, 11, 16, 17, 18, 19, 26, 62]);
    let sent = house.run(&["send"]);
    assert_eq!(sent.code, 0, "{}{}", sent.out, sent.err);
    assert!(sent.err.contains("2 letters were in flight when a worker ended"), "{}", sent.err);
    let status = house.status();
    assert_eq!(
        (&status["sent"], &status["queued"], &status["deferred"]),
        (&56.into(), &55.into(), &0.into())
    );
    assert_eq!(status["subject_test"]["held"], 55, "nobody who waits went along: {status}");
    assert_eq!(
        status["unknown"], 3,
        "one before, and two that had begun; those claimed ahead were not tried"
    );
    assert_eq!(got(&peer.taken(), OF_THREE), drawn);
    w.raw(&format!("UPDATE subject_test SET decide_at = {} WHERE issue = 3", decide_at.0)).await.unwrap();
    drawn
}

/// The decision, as the votes of that time have it; a third one comes back after it. What everybody got in the end.
async fn send_the_winner(
    w: &World,
    house: &House,
    peer: &Peer,
    drawn: BTreeMap<i64, String>,
) -> BTreeMap<i64, String> {
    let decided = w.store.decide_subject_test(UnixMillis::now()).await.unwrap().unwrap();
    assert_eq!(decided.decided.map(|one| (one.winner, one.why)), Some((Arm::B, Why::Rate)));
    assert_eq!(decided.figures.map(|arm| (arm.sent, arm.voted)), [(28, 1), (28, 12)]);
    come_back(&w.store, 1, SOON).await;
    let rest = asked_for(w, THREE, "state = 'queued'").await;
    assert_eq!((rest.len(), &*rest[&1], &*rest[&8]), (56, "1b", "0b"));
    assert!(rest.values().all(|letter| letter.ends_with('b')), "the winner, of their own topics: {rest:?}");
    house.must(&["send", "--wait"]);
    let status = house.status();
    assert_eq!((&status["state"], &status["audience"]), (&"finished".into(), &120.into()));
    assert_eq!(
        (&status["sent"], &status["failed"], &status["cancelled"]),
        (&112.into(), &1.into(), &7.into())
    );
    let all: BTreeMap<_, _> = drawn.into_iter().chain(rest).collect();
    assert_eq!(got(&peer.taken(), OF_THREE), all, "everybody once");
    all
}

contract! {
    a_run_in_the_middle_of_a_test_is_finished,
}
