//! An old copy of the database that is put in its place is recognised: nobody silently gets an issue twice.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use crate::support::house::{self, House, Ran};
use crate::support::sink::Sink;

const READERS: usize = 2000;

fn restore(house: &House, backup: &str) {
    for name in ["verdicts.db-wal", "verdicts.db-shm"] {
        let _ = fs::remove_file(house.path(name));
    }
    fs::copy(house.path(backup), house.path("verdicts.db")).unwrap();
}

fn assert_refused(house: &House) {
    let Ran { code, err, .. } = house.run(&["send"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("older copy") && err.contains("db accept-restored"), "{err}");
}

#[test]
fn a_copy_from_before_the_run_does_not_send_the_issue_again() {
    let sink = Sink::start();
    let house = House::new(&sink.url(), "");
    house.furnish(50);
    house.must(&["db", "backup", "before.db"]);
    house.must(&["send"]);
    assert_eq!(sink.letters().len(), 50);
    assert_eq!(house.run(&["send"]).code, 3, "the database itself goes on");

    restore(&house, "before.db");
    assert_refused(&house);
    assert_refused(&house);
    assert_eq!(sink.letters().len(), 50, "nobody got a second letter");

    let accepted = house.must(&["db", "accept-restored"]);
    assert!(accepted.out.contains("accepted"), "{}", accepted.out);
    let again = house.run(&["send"]);
    assert_eq!(again.code, 3, "its comparisons count as sent: {}{}", again.out, again.err);

    // A letter of its own comes after it, with a number that no reader has seen.
    let file = house.write("next.json", &house::comparison("next", chrono::Utc::now()));
    house.must(&["comparisons", "import", file.to_str().unwrap()]);
    house.must(&["send"]);
    assert_eq!(house.status()["issue"], 2);
    assert_eq!(sink.letters().len(), 100);
    let ids: BTreeSet<_> = sink.letters().into_iter().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), 100, "no Message-ID is used for two letters");
    assert!(house.must(&["db", "accept-restored"]).out.contains("nothing to accept"));
}

#[test]
fn a_copy_from_the_middle_of_a_run_is_paused_for_the_operator() {
    let sink = Sink::start();
    let house = House::new(&sink.url(), "rate = \"1000/s\"\n");
    house.furnish(READERS);
    let mut send = house.start(&["send"]);
    assert!(sink.wait_for_more(100, Duration::from_secs(60)));
    house.must(&["db", "backup", "middle.db"]);
    assert!(send.0.wait().unwrap().success());
    assert_eq!(sink.letters().len(), READERS);

    restore(&house, "middle.db");
    let open = house.status();
    assert!(open["queued"].as_u64().unwrap() > 0, "the copy is from the middle: {open}");
    assert_refused(&house);
    let accepted = house.must(&["db", "accept-restored"]);
    assert!(accepted.out.contains("issue 1 is paused"), "{}", accepted.out);
    let Ran { code, err, .. } = house.run(&["send"]);
    assert_eq!(code, 1);
    assert!(err.contains("paused") && err.contains("restored"), "{err}");
    house.must(&["issue", "cancel", "1"]);
    assert_eq!(house.run(&["send"]).code, 3);
    assert_eq!(sink.letters().len(), READERS, "nobody got a second letter");
}

#[test]
fn another_database_is_not_taken_for_an_old_copy() {
    let house = House::new("outbox:outbox", "");
    house.furnish(5);
    house.must(&["send"]);
    for name in ["verdicts.db", "verdicts.db-wal", "verdicts.db-shm"] {
        let _ = fs::remove_file(house.path(name));
    }
    house.furnish(5);
    house.must(&["send"]);
    assert_eq!(house.status()["sent"], 5);
}

#[test]
fn serve_refuses_an_old_copy_as_well() {
    let sink = Sink::start();
    let house = House::new(&sink.url(), "[schedule]\ncron = \"0 0 9 * * Tue\"\n");
    house.furnish(10);
    house.must(&["db", "backup", "before.db"]);
    house.must(&["send"]);
    restore(&house, "before.db");
    let worker = house.start_logged(&["worker"], "worker.log");
    assert!(
        house.wait_for_line("worker.log", "older copy", Duration::from_secs(30)),
        "the worker says why it does nothing"
    );
    drop(worker);
    assert_eq!(sink.letters().len(), 10);
}
