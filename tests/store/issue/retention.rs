//! Old deliveries become counters and failed ones get another try: the tally is the same before and after (promise P4).

use sqlx::{Connection as _, Row as _};
use verdicts::domain::delivery::{DeliveryState, Tally};
use verdicts::domain::issue::{IssueNumber, IssueState};
use verdicts::domain::subscriber::SubscriberId;
use verdicts::store::{Enqueue, Enqueued, Requeued};

use crate::support::house;
use crate::support::world::*;

const READERS: usize = 50;
const ONE: IssueNumber = IssueNumber(1);

/// Forty sent (five of them after an unknown outcome), six failed, four cancelled, and the issue finished.
async fn finished_issue(world: World) -> (World, Tally) {
    let world = World::running(READERS, world).await;
    let store = &world.store;
    for n in 47..=50 {
        store.unsubscribe(SubscriberId(n), &hash(n as usize), NOW).await.unwrap();
    }
    let me = store.enlist(NOW).await.unwrap().unwrap();
    let claimed = store.record_and_claim(&me, &[], READERS, NOW).await.unwrap();
    assert_eq!(claimed.len(), 46);
    let unknown: Vec<_> = claimed[..5].iter().map(|one| deferred(one.subscriber, NOW, true)).collect();
    let again = store.record_and_claim(&me, &unknown, 5, NOW).await.unwrap();
    assert_eq!(again.len(), 5);
    let mut done: Vec<_> = claimed[..40].iter().map(|one| sent(one.subscriber)).collect();
    done.extend(claimed[40..].iter().map(|one| failed(one.subscriber)));
    store.record_and_claim(&me, &done, 0, NOW).await.unwrap();
    assert_eq!(store.finish_done(NOW).await.unwrap(), [ONE]);
    let tally = store.tally(ONE).await.unwrap();
    let expected = Tally { audience: 50, sent: 40, failed: 6, cancelled: 4, unknown: 5, ..Tally::default() };
    assert_eq!(tally, expected);
    (world, tally)
}

/// P4: condensed issues balance as before.
async fn condensing_changes_no_count(world: World) {
    let (world, tally) = finished_issue(world).await;
    let store = &world.store;
    let (young, old) = (NOW.minus(std::time::Duration::from_secs(1)), NOW);
    assert_eq!(store.condense(young, 7).await.unwrap(), 0, "what is younger than keep stays");
    let mut condensed = 0;
    loop {
        let batch = store.condense(old, 7).await.unwrap();
        assert!(batch <= 7, "a batch is small");
        assert_eq!(store.tally(ONE).await.unwrap(), tally, "after {condensed} and {batch}");
        condensed += batch;
        if batch == 0 {
            break;
        }
    }
    assert_eq!(condensed, 44, "all that was sent or cancelled");
    for (state, left) in [(DeliveryState::Sent, 0), (DeliveryState::Cancelled, 0), (DeliveryState::Failed, 6)]
    {
        let rows = store.deliveries(ONE, state, SubscriberId(0), 100).await.unwrap();
        assert_eq!(rows.len(), left, "{state:?}");
    }
    let status = store.status(ONE).await.unwrap().unwrap();
    assert_eq!((status.tally, status.state), (tally, IssueState::Finished));
}

/// P4: and so they do while their failed letters are tried again.
async fn a_condensed_issue_can_be_tried_again(world: World) {
    let (world, tally) = finished_issue(world).await;
    let store = &world.store;
    while store.condense(NOW, 1000).await.unwrap() > 0 {}
    let failed: Vec<_> = store
        .deliveries(ONE, DeliveryState::Failed, SubscriberId(0), 100)
        .await
        .unwrap()
        .iter()
        .map(|row| row.subscriber)
        .collect();
    // One of them leaves: nothing is due for who has left.
    store.unsubscribe(failed[0], &hash(failed[0].0 as usize), NOW).await.unwrap();
    assert_eq!(store.requeue(ONE, &failed[..4], NOW).await.unwrap(), Requeued::Again(3));
    let open = store.tally(ONE).await.unwrap();
    assert_eq!(open, Tally { failed: 3, deferred: 3, ..tally });
    assert!(open.balances());
    assert_eq!(store.issue(ONE).await.unwrap().unwrap().state, IssueState::Running);
    assert_eq!(store.condense(NOW, 1000).await.unwrap(), 0, "an issue that runs again is not condensed");

    let me = store.enlist(NOW).await.unwrap().unwrap();
    let claimed = store.record_and_claim(&me, &[], 10, NOW).await.unwrap();
    assert_eq!(claimed.len(), 3);
    assert!(claimed.iter().all(|one| one.enqueued_at == NOW && one.attempt == 2), "their age counts anew");
    let done: Vec<_> = claimed.iter().map(|one| sent(one.subscriber)).collect();
    store.record_and_claim(&me, &done, 0, NOW).await.unwrap();
    assert_eq!(store.finish_done(NOW).await.unwrap(), [ONE]);
    while store.condense(NOW, 1000).await.unwrap() > 0 {}
    assert_eq!(store.tally(ONE).await.unwrap(), Tally { sent: 43, failed: 3, ..tally });
}

async fn a_retry_is_refused_where_it_would_harm(world: World) {
    let (world, tally) = finished_issue(world).await;
    let store = &world.store;
    while store.condense(NOW, 1000).await.unwrap() > 0 {}
    let all: Vec<_> = (1..=READERS as i64).map(SubscriberId).collect();
    assert_eq!(store.requeue(IssueNumber(9), &all, NOW).await.unwrap(), Requeued::Unknown);
    let second = store.enqueue(&Enqueue::new(IssueNumber(2), issue(&[])), NOW).await.unwrap();
    assert!(matches!(second, Enqueued::Started { .. }));
    assert_eq!(store.requeue(ONE, &all, NOW).await.unwrap(), Requeued::Busy(IssueNumber(2)));
    assert_eq!(store.tally(ONE).await.unwrap(), tally, "nothing was changed");
    store.cancel(IssueNumber(2), NOW).await.unwrap();
    assert_eq!(store.requeue(IssueNumber(2), &all, NOW).await.unwrap(), Requeued::Cancelled);
    // Only failed rows are ever put back, whoever is named.
    assert_eq!(store.requeue(ONE, &all, NOW).await.unwrap(), Requeued::Again(6));
    // Its letters have left, although no row says so any more: its comparisons stay featured.
    store.cancel(ONE, NOW).await.unwrap();
    assert_eq!(store.last_issue().await.unwrap().map(|last| last.number), Some(ONE));
    assert!(store.tally(ONE).await.unwrap().balances());
}

contract! {
    condensing_changes_no_count,
    a_condensed_issue_can_be_tried_again,
    a_retry_is_refused_where_it_would_harm,
}

/// `cargo test --release --test store retention:: -- --ignored --nocapture`: how large a database gets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a test"]
async fn how_large_a_million_is() {
    const MILLION: usize = 1_000_000;
    let world = World::sqlite().await;
    let store = &world.store;
    let size = || {
        let path = world.url.trim_start_matches("sqlite:");
        std::fs::metadata(path).unwrap().len() / 1_000_000
    };
    let mut connection = sqlx::AnyConnection::connect(&world.url).await.unwrap();
    let mut look = async |what: &str| {
        sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await.unwrap();
        let free =
            sqlx::query("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size");
        let free: i64 = free.fetch_one(&mut connection).await.unwrap().get(0);
        println!("{what}: {} MB, of which {} MB are free for new rows", size(), free / 1_000_000);
    };
    world.with_readers(MILLION).await;
    look("a million readers").await;
    store.enqueue(&Enqueue::new(ONE, issue(&[])), NOW).await.unwrap();
    look("with an issue for each").await;
    let me = store.enlist(NOW).await.unwrap().unwrap();
    let mut done = Vec::new();
    loop {
        let claimed = store.record_and_claim(&me, &done, 5_000, NOW).await.unwrap();
        if claimed.is_empty() {
            break;
        }
        done = claimed.iter().map(|one| sent(one.subscriber)).collect();
    }
    store.finish_done(NOW).await.unwrap();
    look("all of it sent").await;
    let (begun, mut slowest) = (std::time::Instant::now(), std::time::Duration::ZERO);
    loop {
        let batch = std::time::Instant::now();
        if store.condense(NOW, 2_000).await.unwrap() == 0 {
            break;
        }
        slowest = slowest.max(batch.elapsed());
    }
    println!("condensed in {:?}, the slowest batch of 2,000 in {slowest:?}", begun.elapsed());
    look("condensed").await;
    assert_eq!(store.tally(ONE).await.unwrap().sent, MILLION as i64);
}

/// Nobody runs `serve` here: the send of a later week does what it would do.
#[tokio::test]
async fn a_send_condenses_what_is_old() {
    let house = house::House::new("outbox:outbox", "");
    house.furnish(5);
    house.must(&["send"]);
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}", house.path("verdicts.db").display());
    let mut ledger = sqlx::AnyConnection::connect(&url).await.unwrap();
    let old = "UPDATE issue SET finished_at = finished_at - 91 * 86400000;
               UPDATE delivery SET finished_at = finished_at - 91 * 86400000";
    sqlx::raw_sql(old).execute(&mut ledger).await.unwrap();
    let file = house.write("next.json", &house::comparison("next", chrono::Utc::now()));
    house.must(&["comparisons", "import", file.to_str().unwrap()]);
    house.must(&["send"]);
    let rows = sqlx::query("SELECT issue FROM delivery").fetch_all(&mut ledger).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get::<i64, _>("issue")).collect::<Vec<_>>(), [2; 5]);
    let status = house.must(&["status", "1", "--json"]).out;
    assert!(status.contains(r#""audience":5"#) && status.contains(r#""sent":5"#), "{status}");
}
