//! Promises P2 to P4 with the real binary: killed at random moments of a run, over and over, it loses nobody, and a
//! second copy exists only of what was in flight at a kill.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::house::{House, reader};
use crate::support::sink::Sink;

const READERS: usize = 5000;
const KILLS: usize = 20;
const CONNECTIONS: usize = 10;

/// P2, P3 and P4: `kill -9` at moments inside the run, wherever they fall.
#[test]
fn kill_nine_loses_nobody() {
    let sink = Sink::start();
    let house = House::new(&sink.url(), &format!("connections = {CONNECTIONS}\n"));
    house.furnish(READERS);

    let mut kills = 0;
    let mut seed: u64 = 0x9E37_79B9_7F4A_7C15;
    while kills < KILLS {
        let send = house.start(&["send"]);
        // The moment is chosen by how many letters the peer has taken, so it falls inside the run on any machine.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let more = usize::try_from(seed >> 33).unwrap() % (READERS / KILLS / 2) + 1;
        assert!(
            sink.wait_for_more(more, Duration::from_secs(60)),
            "the run stands still after {kills} kills"
        );
        send.signal("KILL");
        drop(send);
        kills += 1;
        house.status();
    }
    assert_eq!(house.must(&["send", "--wait"]).code, 0);

    let status = house.status();
    assert_eq!(status["sent"], READERS, "{status}");
    let letters = sink.letters();
    let mut copies: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (to, id) in &letters {
        copies.entry(to).or_default().push(id);
    }
    let missed: Vec<_> = (0..READERS).map(reader).filter(|to| !copies.contains_key(to.as_str())).collect();
    assert!(missed.is_empty(), "lost: {missed:?}");
    for (to, ids) in &copies {
        assert!(ids.iter().all(|id| *id == ids[0]), "{to} has copies under different Message-IDs: {ids:?}");
    }
    let doubles = letters.len() - READERS;
    assert!(
        doubles <= KILLS * CONNECTIONS,
        "{doubles} second copies after {KILLS} kills with {CONNECTIONS} connections"
    );
    let unknown = status["unknown"].as_u64().unwrap();
    assert!(unknown <= (KILLS * CONNECTIONS) as u64, "{unknown}: what had not begun is no unknown outcome");
    assert!(
        i64::try_from(doubles).unwrap() <= status["unknown"].as_i64().unwrap(),
        "every second copy is counted as unknown"
    );
}

/// P2 and P4: who is asked to stop leaves nothing unknown.
#[test]
fn sigterm_finishes_what_is_in_flight() {
    let sink = Sink::start();
    let house = House::new(&sink.url(), &format!("connections = {CONNECTIONS}\n"));
    house.furnish(READERS);
    let mut send = house.start(&["send"]);
    assert!(sink.wait_for_more(200, Duration::from_secs(60)));
    send.signal("TERM");
    send.0.wait().unwrap();
    let status = house.status();
    assert_eq!(status["sending"], 0, "{status}");
    assert_eq!(status["unknown"], 0, "{status}");
    assert!(status["queued"].as_i64().unwrap() > 0, "it stopped in the middle: {status}");
    assert_eq!(status["sent"], sink.letters().len(), "what the relay took is recorded as sent");
    house.must(&["send"]);
    assert_eq!(sink.letters().len(), READERS, "and nobody gets two");
}
