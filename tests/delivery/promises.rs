//! Promises P2 to P4 at every point of a letter's life: the real binary is ended there, more than two hundred times
//! over SQLite and Postgres, and the peer's own ledger is laid beside ours after each.
//!
//! `tests/delivery/crash.rs` kills at moments that nobody chose; here each point has its turns, the narrow ones too.

use std::collections::{BTreeMap, BTreeSet};

use verdicts::domain::delivery::DeliveryState;
use verdicts::domain::issue::IssueNumber;
use verdicts::domain::subscriber::SubscriberId;
use verdicts::store::Store;

use crate::support::faulty;
use crate::support::house::{House, reader};
use crate::support::programs::postgres;
use crate::support::sink::Sink;

const CONNECTIONS: usize = 10;
const READERS: usize = 4000;

/// Every point, and the highest countdown that a run of these readers surely reaches: sessions are ten a run, and a
/// commit carries several letters.
const POINTS: [(&str, u64); 10] = [
    ("claim", 12),
    ("connect", 5),
    ("mail", 40),
    ("rcpt", 40),
    ("data", 40),
    ("before-dot", 40),
    ("after-dot", 40),
    ("answer", 40),
    ("before-commit", 12),
    ("after-commit", 12),
];
/// Kills at each point on each engine.
const TURNS: usize = 11;

/// P2, P3 and P4: nobody is lost, what is recorded goes out once, and each second copy is a counted unknown.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_point_nobody_is_lost() {
    kill_at_every_point(None).await;
}

async fn kill_at_every_point(database: Option<String>) {
    let binary = faulty::binary();
    let sink = Sink::start();
    let mut house = House::new(&sink.url(), &format!("connections = {CONNECTIONS}\n"));
    let url = database.unwrap_or_else(|| format!("sqlite:{}", house.path("verdicts.db").display()));
    house.set("VERDICTS__DATABASE__URL", &url);
    house.furnish(READERS);
    let store = Store::open(&url).await.unwrap();

    let mut ids = BTreeMap::new();
    let (mut seed, mut kills, mut unsure) = (0x9E37_79B9_7F4A_7C15_u64, 0, 0);
    // Turn by turn and not point by point, so that each point meets early and late moments of the run.
    for turn in 0..TURNS {
        for (point, most) in POINTS {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let countdown = if turn == 0 { 1 } else { (seed >> 33) % most + 1 };
            let before = ours(&store, &mut ids).await;
            let told = copies(&sink);
            house.set("VERDICTS_FAULT", &format!("{point}:{countdown}"));
            let ran = house.run_as(&binary, &["send"]);
            assert!(ran.was_killed(), "{point}:{countdown} was not reached: {} {}", ran.out, ran.err);
            kills += 1;

            let status = house.status();
            // One that is on its way and one that is held ready, of which no octet may be taken yet.
            assert!(
                status["sending"].as_u64().unwrap() <= 2 * CONNECTIONS as u64,
                "{point}:{countdown}: {status}"
            );
            let peers = copies(&sink);
            for to in &before {
                assert_eq!(peers[to], told[to], "{point}:{countdown}: {to} was sent and went out again");
            }
            let sent = ours(&store, &mut ids).await;
            let absent: Vec<_> = sent.iter().filter(|to| !peers.contains_key(*to)).collect();
            assert!(absent.is_empty(), "{point}:{countdown}: sent, and the peer has nothing for {absent:?}");
            // What the peer has and we do not know of: each of these will be a second copy.
            let now = peers.keys().filter(|to| !sent.contains(*to)).count() + second_copies(&peers);
            assert!(
                now - unsure <= CONNECTIONS,
                "{} letters in doubt after one kill at {point}",
                now - unsure
            );
            unsure = now;
        }
    }
    assert_eq!(kills, POINTS.len() * TURNS);

    house.unset("VERDICTS_FAULT");
    let unknown = finish(&house, &sink, unsure);
    println!("{kills} kills, {unknown} unknown, {unsure} second copies, 0 lost");
    store.close().await;
}

/// Sends what is left: nobody is lost, and there is a second copy of each letter in doubt. How many are counted as unknown.
fn finish(house: &House, sink: &Sink, unsure: usize) -> usize {
    assert_eq!(house.must(&["send", "--wait"]).code, 0);
    let status = house.status();
    assert_eq!((&status["sent"], &status["state"]), (&READERS.into(), &"finished".into()), "{status}");
    let peers = copies(sink);
    let missed: Vec<_> = (0..READERS).map(reader).filter(|to| !peers.contains_key(to)).collect();
    assert!(missed.is_empty(), "lost: {missed:?}");
    assert_eq!(second_copies(&peers), unsure, "a second copy for each letter in doubt, and no other");
    for (to, copies) in &peers {
        assert!(
            copies.iter().all(|id| *id == copies[0]),
            "{to} has copies under several Message-IDs: {copies:?}"
        );
    }
    let unknown = usize::try_from(status["unknown"].as_i64().unwrap()).unwrap();
    assert!(second_copies(&peers) <= unknown, "each second copy is counted as unknown: {status}");
    unknown
}

/// The peer's ledger: who has which Message-IDs.
fn copies(sink: &Sink) -> BTreeMap<String, Vec<String>> {
    let mut copies: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (to, id) in sink.letters() {
        copies.entry(to).or_default().push(id);
    }
    copies
}

fn second_copies(peers: &BTreeMap<String, Vec<String>>) -> usize {
    peers.values().map(|ids| ids.len() - 1).sum()
}

/// Our ledger: whom we count as sent. `known` keeps what was read, since nobody ceases to be sent.
async fn ours(store: &Store, known: &mut BTreeMap<SubscriberId, String>) -> BTreeSet<String> {
    let mut after = SubscriberId(0);
    let mut seen = 0;
    loop {
        let rows = store.deliveries(IssueNumber(1), DeliveryState::Sent, after, 1000).await.unwrap();
        let Some(last) = rows.last() else { break };
        after = last.subscriber;
        seen += rows.len();
        for row in rows {
            known.insert(row.subscriber, row.email.unwrap().expose().to_owned());
        }
    }
    assert_eq!(seen, known.len(), "who was sent stays sent");
    known.values().cloned().collect()
}

mod needs_postgres {
    use super::*;

    /// P2, P3 and P4, the same on the other engine.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn killed_at_every_point_nobody_is_lost() {
        kill_at_every_point(Some(postgres::fresh_database().await)).await;
    }
}
