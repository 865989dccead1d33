//! Opening, migrating, backing up, and who may deliver: what an operator meets first.

use sqlx::{AnyConnection, Connection as _};
use verdicts::domain::delivery::CancelledBy;
use verdicts::domain::issue::IssueNumber;
use verdicts::store::{SCHEMA, Store, StoreError};

use crate::support::world::*;

async fn raw(url: &str, text: &'static str) -> Result<(), sqlx::Error> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(&url.replace("sqlite:", "sqlite://")).await?;
    let done = sqlx::raw_sql(text).execute(&mut connection).await.map(|_| ());
    connection.close().await?;
    done
}

async fn other_schemas_are_refused(w: World) {
    w.store.close().await;
    raw(&w.url, "INSERT INTO schema_version VALUES (99, 'future', 0)").await.unwrap();
    let error = Store::open(&w.url).await.unwrap_err();
    let text =
        format!("schema is 99, this binary needs {SCHEMA}; install the newer verdicts or restore a backup");
    assert_eq!(error.to_string(), text);
    let unchecked = Store::open_unchecked(&w.url).await.unwrap();
    assert_eq!(unchecked.migrate().await.unwrap_err().to_string(), text);
    unchecked.close().await;
    raw(&w.url, "DELETE FROM schema_version").await.unwrap();
    raw(&w.url, "INSERT INTO schema_version VALUES (-1, 'past', 0)").await.unwrap();
    let error = Store::open(&w.url).await.unwrap_err().to_string();
    assert_eq!(
        error,
        format!("schema is -1, this binary needs {SCHEMA}; back up, then run \"verdicts db migrate\"")
    );
}

/// A ledger from before old deliveries became counters, with an issue in it.
async fn a_ledger_from_before_retention_is_brought_up(w: World) {
    let w = w.of_schema(2).await;
    w.raw(
        "INSERT INTO issue (number, state, cutoff_at, subject, preheader, stencil, created_at)
         VALUES (1, 'running', 0, 'A', 'B', 'C', 0);
         INSERT INTO delivery (issue, subscriber, state, enqueued_at, due_at) VALUES (1, 1, 'queued', 0, 0), (1, 2, 'queued', 0, 0);
         INSERT INTO delivery (issue, subscriber, state, enqueued_at, finished_at) VALUES (1, 3, 'cancelled', 0, 5)",
    )
    .await
    .unwrap();
    let error = Store::open(&w.url).await.unwrap_err();
    assert!(matches!(error, StoreError::SchemaOlder { needed: SCHEMA, .. }), "{error}");
    assert_eq!(w.store.migrate().await.unwrap(), (2, SCHEMA));
    let tally = w.store.tally(IssueNumber(1)).await.unwrap();
    assert_eq!((tally.audience, tally.queued, tally.cancelled), (3, 2, 1));
    assert_eq!(w.store.ledger_position().await.unwrap().generation, 0);
    assert_eq!(w.store.raise_ledger_position().await.unwrap().generation, 1);
    w.store.close().await;
}

async fn a_strange_database_is_left_alone(w: World) {
    w.store.close().await;
    raw(&w.url, "DROP TABLE schema_version").await.unwrap();
    let error = Store::open(&w.url).await.unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
}

async fn opening_again_migrates_nothing(w: World) {
    assert_eq!(w.store.migrate().await.unwrap(), (SCHEMA, SCHEMA));
    w.with_readers(2).await;
    assert_eq!(w.another().await.count_subscribers().await.unwrap()["active"], 2);
}

/// The constraints hold whoever writes.
async fn no_row_can_lie_about_its_state(w: World) {
    let w = World::running(1, w).await;
    w.store.close().await;
    for lie in [
        "UPDATE delivery SET state = 'sent'",
        "UPDATE delivery SET state = 'sending', attempts = 1",
        "UPDATE delivery SET state = 'lost'",
        "UPDATE delivery SET due_at = NULL",
        "UPDATE delivery SET attempts = 1",
        "UPDATE delivery SET finished_at = 1",
        "UPDATE delivery SET state = 'deferred', attempts = 1, worker = 1",
        "UPDATE delivery SET ahead = 1",
        "UPDATE delivery SET held = 2",
        "UPDATE delivery SET held = 1, state = 'deferred'",
        "UPDATE delivery SET cancelled_by = 'leaving'",
        "UPDATE delivery SET state = 'cancelled', due_at = NULL, finished_at = 1",
        "UPDATE delivery SET state = 'cancelled', due_at = NULL, finished_at = 1, cancelled_by = 'rain'",
        "UPDATE delivery SET arm = 'c'",
        "UPDATE delivery SET letter = -1",
        "UPDATE delivery SET choice = 0",
        "INSERT INTO issue_variant (issue, letter, arm, subject, slugs, stencil) VALUES (1, 0, 'a', '', '', '')",
        "INSERT INTO delivery (issue, subscriber, state, enqueued_at, due_at) VALUES (1, 1, 'queued', 0, 0)",
        "UPDATE subscriber SET status = 'unsubscribed'",
        "UPDATE subscriber SET activated_at = NULL",
        "UPDATE subscriber SET status = 'happy', ended_at = 1",
        "UPDATE issue SET state = 'finished'",
        "UPDATE issue SET state = 'paused'",
        "UPDATE issue SET pause_reason = 'why'",
        "INSERT INTO issue (number, state, cutoff_at, subject, preheader, stencil, created_at)
         VALUES (2, 'running', 0, '', '', '', 0)",
    ] {
        let error = raw(&w.url, lie).await.expect_err(lie);
        let kind = error.as_database_error().map(|e| e.kind());
        use sqlx::error::ErrorKind::{CheckViolation, UniqueViolation};
        assert!(matches!(kind, Some(CheckViolation | UniqueViolation)), "{lie}: {error}");
    }
    for by in CancelledBy::ALL {
        let by = by.as_str();
        let row = format!(
            "UPDATE delivery SET state = 'cancelled', due_at = NULL, finished_at = 1, cancelled_by = '{by}'"
        );
        w.raw(&row).await.expect(by);
    }
}

contract! {
    other_schemas_are_refused,
    a_ledger_from_before_retention_is_brought_up,
    a_strange_database_is_left_alone,
    opening_again_migrates_nothing,
    no_row_can_lie_about_its_state,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_open_an_empty_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    open_at_once(&format!("sqlite:{}", folder.path().join("a b/#1 100%25.db").display())).await;
    assert!(folder.path().join("a b/#1 100%.db").exists());
}

async fn open_at_once(url: &str) {
    let open = |url: String| async move { Store::open(&url).await.map(|_| ()) };
    let opening: Vec<_> = (0..8).map(|_| tokio::spawn(open(url.to_owned()))).collect();
    for one in opening {
        one.await.unwrap().unwrap();
    }
}

/// P1: two processes on one file never both deliver.
#[tokio::test]
async fn one_process_delivers_from_a_sqlite_file() {
    let w = World::sqlite().await;
    let first = w.store.enlist(NOW).await.unwrap().unwrap();
    let other = w.another().await;
    assert!(other.enlist(NOW).await.unwrap().is_none());
    drop(first);
    assert!(other.enlist(NOW).await.unwrap().is_some());
}

#[tokio::test]
async fn a_backup_is_a_whole_store_and_overwrites_nothing() {
    let w = World::running(5, World::sqlite().await).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.db");
    w.store.backup(&file).await.unwrap();
    let copy = Store::open(&format!("sqlite:{}", file.display())).await.unwrap();
    assert_eq!(copy.tally(IssueNumber(1)).await.unwrap().queued, 5);
    copy.close().await;
    let error = w.store.backup(&file).await.unwrap_err();
    assert!(matches!(error, StoreError::BackupExists(_)), "{error}");
    let error = w.store.backup(&folder.path().join("no/such/folder.db")).await.unwrap_err();
    assert!(matches!(error, StoreError::Backup { .. }), "{error}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().map(|e| e.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("partial")), "{left:?}");
}

#[tokio::test]
async fn what_cannot_be_opened_says_why_and_never_the_password() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let junk = folder.path().join("junk.db");
    std::fs::write(&junk, "this is not a database, and it is long enough to be looked at as one".repeat(20))
        .unwrap();
    for (url, says) in [
        (format!("postgres://ann:s3cret@127.0.0.1:{closed}/verdicts"), "check that the server runs"),
        ("mysql://ann:s3cret@127.0.0.1/x".to_owned(), "neither SQLite nor Postgres"),
        ("postgres://ann:s3cret@[/x".to_owned(), "is not a URL"),
        ("sqlite:".to_owned(), "names no file"),
        (format!("sqlite:{}", folder.path().display()), "it is a folder"),
        (format!("sqlite:{}/below.db", junk.display()), "check the path"),
        (format!("sqlite:{}", junk.display()), "restore the last backup"),
    ] {
        let error = Store::open(&url).await.unwrap_err().to_string();
        assert!(error.contains(says) && !error.contains("s3cret") && !error.contains('\n'), "{url}: {error}");
    }
}

/// P9: another process that holds the file makes a verb fail as "locked", which passes; a full disk fails as such,
/// and the ledger goes on from where it was.
#[tokio::test]
async fn a_full_disk_is_named_and_loses_nothing() {
    let w = World::running(3, World::sqlite().await).await;
    let full = w.another().await;
    full.limit_pages_for_test().await.unwrap();
    let error = full.add_subscribers(&readers(1000).0, &readers(1000).1).await.unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }) && !error.is_transient(), "{error}");
    assert_eq!(w.store.tally(IssueNumber(1)).await.unwrap().queued, 3);
    w.with_readers(1000).await;
}

/// What Postgres alone promises.
mod needs_postgres_alone {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn many_may_open_an_empty_database_at_once() {
        open_at_once(&crate::support::programs::postgres::fresh_database().await).await;
    }

    /// P1: no letter is claimed by two workers.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn many_workers_share_a_ledger() {
        let w = World::running(200, World::postgres().await).await;
        let mut workers = Vec::new();
        for _ in 0..4 {
            let store = w.another().await;
            let me = store.enlist(NOW).await.unwrap().unwrap();
            workers.push(tokio::spawn(async move {
                let (mut mine, mut done) = (Vec::new(), Vec::new());
                loop {
                    let claimed = store.record_and_claim(&me, &done, 7, NOW).await.unwrap();
                    if claimed.is_empty() {
                        // Those that live are left alone.
                        assert_eq!(store.reclaim(&me, NOW).await.unwrap(), 0);
                        return (mine, me);
                    }
                    done = claimed.iter().map(|one| sent(one.subscriber)).collect();
                    mine.extend(claimed.iter().map(|one| one.subscriber.0));
                }
            }));
        }
        let (mut all, mut alive) = (Vec::new(), Vec::new());
        for worker in workers {
            let (mine, me) = worker.await.unwrap();
            all.extend(mine);
            alive.push(me);
        }
        all.sort_unstable();
        assert_eq!(all, (1..=200).collect::<Vec<_>>(), "everybody once");
    }

    #[tokio::test]
    async fn an_expired_lease_is_taken_over() {
        let w = World::running(1, World::postgres().await).await;
        let slow = w.store.enlist(NOW).await.unwrap().unwrap();
        w.store.record_and_claim(&slow, &[], 1, NOW).await.unwrap();
        let me = w.another().await.enlist(NOW).await.unwrap().unwrap();
        assert_eq!(w.store.reclaim(&me, NOW).await.unwrap(), 0);
        assert_eq!(w.store.reclaim(&me, NOW.plus(verdicts::store::LEASE * 2)).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_store_names_its_own_backup() {
        let w = World::postgres().await;
        let url = w.url.replace("verdicts@", "verdicts:s3cret@");
        let store = Store::open(&url).await.unwrap();
        let error = store.backup(std::path::Path::new("copy.dump")).await.unwrap_err().to_string();
        assert!(error.contains("pg_dump") && error.contains("verdicts@127.0.0.1"), "{error}");
        assert!(!error.contains("s3cret") && !format!("{store:?}").contains("s3cret"), "{error}");
    }
}
