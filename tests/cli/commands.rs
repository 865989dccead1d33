//! The operator's commands, each run for real: what they print, what they leave behind, how they exit.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::house::{House, header, outbox, reader};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn init_writes_a_site_that_checks_out_and_overwrites_nothing() {
    let house = House::new("outbox:outbox", "");
    house.must(&["init", "site"]);
    let key = house.path("site/verdicts.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600, "the key is its owner's");
    let before = fs::read(&key).unwrap();

    let check = house.must(&["--config", "site/verdicts.toml", "check", "--json"]);
    let rows = json(&check.out);
    assert!(rows.as_array().unwrap().iter().all(|row| row["grade"] != "bad"), "{rows}");
    assert!(check.out.contains("site.from is still the sample's"), "{rows}");

    let again = house.run(&["init", "site"]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("is there already"), "{}", again.err);
    assert_eq!(fs::read(&key).unwrap(), before);
}

#[test]
fn check_finds_a_relay_that_is_not_there() {
    let house = House::new("smtp://127.0.0.1:1", "");
    house.furnish(1);
    let check = house.run(&["check"]);
    assert_eq!(check.code, 1);
    assert!(check.out.contains("BAD") && check.out.contains("127.0.0.1:1"), "{}", check.out);
}

#[test]
fn check_finds_a_key_that_others_can_read_and_one_that_is_none() {
    let house = House::new("outbox:outbox", "");
    fs::set_permissions(house.path("verdicts.key"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(house.must(&["check"]).out.contains("chmod 600"));
    house.write("verdicts.key", "1 not-a-key\n");
    let check = house.run(&["check"]);
    assert_eq!(check.code, 1);
    assert!(check.out.contains("line 1 of the key file"), "{}", check.out);
    assert!(house.run(&["status"]).err.contains("line 1 of the key file"));
}

#[test]
fn a_draft_and_a_dry_run_change_nothing() {
    let house = House::new("outbox:outbox", "");
    house.furnish(2);
    let draft = json(&house.must(&["issue", "draft", "--json"]).out);
    assert_eq!(draft["issue"], 1);
    assert_eq!(draft["readers"], 2);
    assert_eq!(draft["featured"][0]["slug"], "lead");
    house.must(&["send", "--dry-run"]);
    assert_eq!(house.must(&["issue", "list", "--json"]).out.trim(), "[]");
}

#[test]
fn a_preview_and_a_test_letter_stay_outside_the_ledger() {
    let house = House::new("outbox:outbox", "");
    house.furnish(2);
    house.must(&["issue", "preview", "1", "--out", "look"]);
    for (name, needle) in
        [("letter.html", "Stackforge"), ("letter.txt", "Stackforge"), ("letter.eml", "List-Unsubscribe:")]
    {
        let text = fs::read_to_string(house.path("look").join(name)).unwrap();
        assert!(text.contains(needle), "{name} lacks {needle}");
    }
    house.must(&["issue", "test", "1", "--to", "me@example.com"]);
    let letters = outbox(&house.path("outbox"));
    assert_eq!(letters.len(), 1);
    assert!(header(&letters[0], "To").unwrap().contains("me@example.com"));
    assert_eq!(house.must(&["issue", "list", "--json"]).out.trim(), "[]", "no issue was started");
    assert_eq!(house.run(&["issue", "test", "1", "--to", "me"]).code, 2);
    assert_eq!(house.run(&["issue", "preview", "7"]).code, 1);
}

#[test]
fn a_run_is_paused_resumed_and_cancelled() {
    // Nobody listens there, so the run pauses by itself and every letter stays queued.
    let house = House::new("smtp://127.0.0.1:1", "");
    house.furnish(3);
    let send = house.run(&["send"]);
    assert_eq!(send.code, 1);
    assert!(send.err.contains("paused") && send.err.contains("issue resume 1"), "{}", send.err);
    let status = house.status();
    assert_eq!(
        (&status["state"], &status["failed"]),
        (&Value::from("paused"), &Value::from(0)),
        "no reader is marked"
    );
    assert!(status["pause_reason"].as_str().unwrap().contains("can't be reached"), "{status}");

    assert_eq!(house.run(&["send"]).code, 1, "a paused run waits for its operator");
    assert_eq!(house.run(&["issue", "pause", "1"]).code, 1);
    house.must(&["issue", "resume", "1"]);
    assert_eq!(house.status()["state"], "running");
    house.must(&["issue", "pause", "1"]);
    assert!(house.must(&["issue", "cancel", "1"]).out.contains("3 letters will not be sent"));
    assert_eq!(house.status()["cancelled"], 3);
    assert_eq!(house.run(&["issue", "resume", "1"]).code, 1);
    let draft = json(&house.must(&["issue", "draft", "--json"]).out);
    assert_eq!(draft["featured"][0]["slug"], "lead", "nobody has seen it, so it is free again");
}

#[test]
fn somebody_added_shown_exported_and_erased() {
    let house = House::new("outbox:outbox", "");
    house.must(&["subscribers", "add", "ann@example.com", "--name", "Ann \"A\" Lee"]);
    assert!(house.must(&["subscribers", "show", "ann@EXAMPLE.com"]).out.contains("Ann \"A\" Lee"));
    let csv = house.must(&["subscribers", "export"]).out;
    house.write("copy.csv", &csv);
    let other = House::new("outbox:outbox", "");
    let copy = house.path("copy.csv");
    other.must(&["subscribers", "import", copy.to_str().unwrap()]);
    assert_eq!(other.must(&["subscribers", "export"]).out, csv, "an export comes in again the same");

    house.must(&["subscribers", "erase", "ann@example.com", "--yes"]);
    assert!(!house.must(&["subscribers", "export"]).out.contains("ann@"));
    house.run(&["subscribers", "import", copy.to_str().unwrap()]);
    assert!(!house.must(&["subscribers", "export"]).out.contains("ann@"), "who was erased stays out");
}

#[test]
fn a_backup_is_a_database_of_its_own() {
    let house = House::new("outbox:outbox", "");
    house.furnish(5);
    house.must(&["send"]);
    house.must(&["db", "backup", "copy.db"]);
    assert_eq!(house.run(&["db", "backup", "copy.db"]).code, 1, "a backup overwrites nothing");
    let settings = fs::read_to_string(house.path("verdicts.toml")).unwrap();
    house.write("copy.toml", &settings.replace("sqlite:verdicts.db", "sqlite:copy.db"));
    let status = json(&house.must(&["--config", "copy.toml", "status", "--json"]).out);
    assert_eq!(status["sent"], 5);
    assert!(house.must(&["db", "migrate"]).out.contains("nothing to do"));
}

#[test]
fn schema_and_completions_are_printed() {
    let house = House::new("outbox:outbox", "");
    let schema = json(&house.must(&["comparisons", "schema"]).out);
    assert!(schema["properties"]["tools"].is_object(), "{schema}");
    assert!(house.must(&["completions", "bash"]).out.contains("_verdicts"));
}

#[test]
fn logs_and_errors_mask_addresses_and_passwords() {
    let house = House::new("smtp://letters:hunter2secret@127.0.0.1:1", "");
    house.furnish(2);
    let ran = house.run(&["--log", "debug", "send"]);
    let said = format!("{}{}", ran.out, ran.err);
    assert!(!said.contains("hunter2secret"), "{said}");
    assert!(!said.contains(&reader(0)), "{said}");
}
