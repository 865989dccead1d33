//! What writers on Postgres wait for, and what they don't.

use std::time::Duration;

use sqlx::{AnyConnection, Connection as _};
use tokio::task::JoinHandle;
use verdicts::domain::notice::{NewNotice, NextNotice, NoticeKind};
use verdicts::domain::pace::Warmup;
use verdicts::domain::rate::Rate;
use verdicts::domain::signup::{Evidence, SignUp};
use verdicts::domain::subscriber::{SubscriberId, SubscriberStatus};
use verdicts::store::{Pacing, Store, StoreError};

use crate::support::world::*;

/// Beyond what any of these takes on a busy machine, and short of Postgres's own patience (30 seconds).
const SOON: Duration = Duration::from_secs(10);

fn rate() -> Rate {
    "36000/h".parse().unwrap()
}

async fn claim_at_a_pace(store: &Store) -> usize {
    let me = store.enlist(NOW).await.unwrap().unwrap();
    let (warmup, none, any, slower) =
        (Warmup::default(), Default::default(), Default::default(), Default::default());
    let pacing = Pacing {
        rate: Some(rate()),
        warmup: &warmup,
        domains: &none,
        room: &any,
        slower: &slower,
        returned: 0,
    };
    // Later than the notice, which took a letter's place.
    let later = NOW.plus(Duration::from_secs(1));
    store.record_and_claim_paced(&me, &[], &[], 1, later, &pacing).await.unwrap().claimed.len()
}

async fn claim_a_notice(store: &Store) -> NextNotice {
    let me = store.enlist_for_notices(NOW).await.unwrap().unwrap();
    store.claim_notice(&me, Some(rate()), NOW).await.unwrap()
}

/// Returns once somebody waits for another transaction, which in these stories is the writer under way.
async fn somebody_waits(watcher: &mut AnyConnection) {
    // Other stories have databases of their own on the same server, and wait there for theirs.
    const WAITING: &str = "SELECT 1 AS there FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'transactionid' AND NOT granted AND datname = current_database()";
    let waits = async {
        while sqlx::query(WAITING).fetch_all(&mut *watcher).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, waits).await.expect("the writer gets as far as the row that is taken");
}

/// `write` adds reader 7, whom somebody else is adding at this moment: it has taken its locks and can't go on.
async fn nobody_else_waits<F>(write: impl FnOnce(Store) -> JoinHandle<F>)
where
    F: Send + 'static,
{
    let world = World::running(3, World::postgres().await).await;
    let notice = NewNotice::new(NoticeKind::Confirm, &email(1), SubscriberId(1));
    world.store.add_notice(&notice, NOW).await.unwrap();
    let mut other = AnyConnection::connect(&world.url).await.unwrap();
    let mut watcher = AnyConnection::connect(&world.url).await.unwrap();
    let mut taken = other.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO subscriber (email, status, source, created_at) VALUES ($1, 'pending', 'test', 0)",
    )
    .bind(email(7).expose())
    .execute(&mut *taken)
    .await
    .unwrap();
    let under_way = write(world.another().await);
    somebody_waits(&mut watcher).await;

    let notice = tokio::time::timeout(SOON, claim_a_notice(&world.store)).await;
    assert!(matches!(notice.expect("a notice waits for no newcomer"), NextNotice::Due(_)));
    let claimed = tokio::time::timeout(SOON, claim_at_a_pace(&world.store)).await;
    assert_eq!(claimed.expect("a claim waits for no newcomer"), 1);

    assert!(!under_way.is_finished(), "it was under way all the time");
    taken.rollback().await.unwrap();
    under_way.await.unwrap();
}

fn keyring() -> verdicts::domain::token::Keyring {
    use verdicts::domain::token::Keyring;
    Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap()
}

mod needs_postgres {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_import_under_way_holds_up_no_claim_and_no_notice() {
        nobody_else_waits(|store| {
            tokio::spawn(async move {
                let added = store.add_subscribers(&[reader(7, SubscriberStatus::Active)], &[hash(7)]).await;
                added.expect("it goes in when the other one is gone");
            })
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_sign_up_under_way_holds_up_no_claim_and_no_notice() {
        let evidence = Evidence {
            form: "https://verdicts.example/".to_owned(),
            text_id: "join.consent".to_owned(),
            language: "en".to_owned(),
            text: "One letter a week.".to_owned(),
            ip: None,
        };
        let ask = SignUp {
            hash: hash(7),
            evidence,
            of_asker: Vec::new(),
            of_mailbox: Vec::new(),
            of_already: verdicts::domain::signup::of_already(&keyring(), &email(7)),
            email: email(7),
        };
        nobody_else_waits(|store| {
            tokio::spawn(async move {
                let heard: Result<_, StoreError> = store.sign_up(&ask, NOW).await;
                heard.expect("it is heard when the other one is gone");
            })
        })
        .await;
    }
}
