//! No statement walks a table that grows with the readers, unless it says why: what SQLite's planner says, with and
//! without statistics.

use sqlx::{AnyConnection, Connection as _, Row as _};
use verdicts::domain::issue::IssueNumber;
use verdicts::store::Enqueue;

use crate::support::world::*;

/// What may be walked: the batch itself, what was made of it, the issues, of which a year has 52, and, once an issue, the
/// choices that readers made. Tests of subjects are fewer than issues.
const MAY_BE_WALKED: &[&str] = &[
    "e",
    "v",
    "due",
    "todo",
    "gone",
    "g",
    "old",
    "issue",
    "o",
    "CONSTANT",
    "c",
    "preference",
    "subject_test",
];

async fn walked(connection: &mut AnyConnection, text: &str) -> Vec<String> {
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
    let rows = sqlx::query(explain).fetch_all(connection).await.expect("the statement is valid");
    let details = rows.iter().map(|row| row.get::<String, _>("detail"));
    details
        .filter(|detail| {
            let target = detail.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
            // What a subquery gave is as much as was looked up in it, which has a line of its own.
            target.is_some_and(|target| !MAY_BE_WALKED.contains(&target) && !target.starts_with("(subquery"))
        })
        .collect()
}

/// Each walk over a table, with the statement that walks.
async fn walking(world: &World, connection: &mut AnyConnection) -> Vec<(&'static str, String)> {
    let mut walking = Vec::new();
    for one in world.store.statements() {
        walking.extend(walked(connection, one.text).await.into_iter().map(|what| (one.name, what)));
    }
    walking
}

#[tokio::test]
async fn statements_use_keys() {
    let world = World::running(3000, World::sqlite().await).await;
    let me = world.store.enlist(NOW).await.unwrap().unwrap();
    let claimed = world.store.record_and_claim(&me, &[], 500, NOW).await.unwrap();
    let done: Vec<_> = claimed.iter().skip(100).map(|one| sent(one.subscriber)).collect();
    world.store.record_and_claim(&me, &done, 0, NOW).await.unwrap();

    let mut connection = AnyConnection::connect(&world.url).await.unwrap();
    let mut found = walking(&world, &mut connection).await;
    sqlx::raw_sql("ANALYZE").execute(&mut connection).await.unwrap();
    // Statistics are read when a connection opens.
    let mut connection = AnyConnection::connect(&world.url).await.unwrap();
    found.extend(walking(&world, &mut connection).await);
    for one in world.store.statements() {
        let (name, Some((table, why))) = (one.name, one.may_scan) else { continue };
        let allowed = format!("SCAN {table}");
        let before = found.len();
        found.retain(|(walking, what)| *walking != name || !what.starts_with(&allowed));
        assert!(found.len() < before, "{name} walks no {table}, and needs no reason to: {why}");
    }
    assert!(found.is_empty(), "these walk a table and don't say that they may: {found:#?}");

    let scan = "SELECT * FROM delivery WHERE note = 'x'";
    assert_eq!(walked(&mut connection, scan).await, ["SCAN delivery"], "the test can see a walk");
}

/// Readers who wait for the winner of a test are not in it, so a claim never walks over them.
#[tokio::test]
async fn claims_go_by_the_index_of_what_may_go() {
    let world = World::running(1, World::sqlite().await).await;
    let mut connection = AnyConnection::connect(&world.url).await.unwrap();
    let index = "SELECT sql FROM sqlite_master WHERE name = 'delivery_due'";
    let index: String = sqlx::query(index).fetch_one(&mut connection).await.unwrap().get("sql");
    assert!(index.ends_with("WHERE state IN ('queued', 'deferred') AND held = 0"), "{index}");
    let claims = ["deliveries::RECORD_AND_CLAIM", "paced_claim::PEEK", "run::NEXT_DUE", "variants::WAITING"];
    let statements = world.store.statements();
    for claim in claims {
        let named: Vec<_> = statements.iter().filter(|one| one.name.ends_with(claim)).collect();
        let [one] = named[..] else { panic!("{claim} is no statement") };
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", one.text));
        let rows = sqlx::query(explain).fetch_all(&mut connection).await.unwrap();
        let details: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        assert!(details.iter().any(|detail| detail.contains("delivery_due")), "{claim}: {details:?}");
    }
}

/// `cargo test --test store query_plans:: -- --ignored --nocapture`: what a turn costs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a test"]
async fn what_a_turn_costs() {
    for (engine, world) in [("sqlite", World::sqlite().await), ("postgres", World::postgres().await)] {
        let begun = std::time::Instant::now();
        world.with_readers(100_000).await;
        println!("{engine}: 100,000 readers imported in {:?}", begun.elapsed());
        let begun = std::time::Instant::now();
        world.store.enqueue(&Enqueue::new(IssueNumber(1), issue(&[])), NOW).await.unwrap();
        println!("{engine}: 100,000 deliveries enqueued in {:?}", begun.elapsed());
        let me = world.store.enlist(NOW).await.unwrap().unwrap();
        for (want, turns) in [(10, 500), (100, 500)] {
            let mut done = Vec::new();
            let begun = std::time::Instant::now();
            for _ in 0..turns {
                let claimed = world.store.record_and_claim(&me, &done, want, NOW).await.unwrap();
                done = claimed.iter().map(|one| sent(one.subscriber)).collect();
            }
            println!("{engine}: {:?} a turn of {want}", begun.elapsed() / turns);
            world.store.record_and_claim(&me, &done, 0, NOW).await.unwrap();
        }
        let begun = std::time::Instant::now();
        world.store.tally(IssueNumber(1)).await.unwrap();
        println!("{engine}: tally in {:?}", begun.elapsed());
        let begun = std::time::Instant::now();
        world
            .store
            .unsubscribe(verdicts::domain::subscriber::SubscriberId(99_999), &hash(99_999), NOW)
            .await
            .unwrap();
        println!("{engine}: unsubscribe in {:?}", begun.elapsed());
    }
}
