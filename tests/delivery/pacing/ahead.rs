//! What is claimed before its slot.

use super::*;

/// What is claimed around a slow domain is for later, as in a plain turn: a kill leaves only what had begun unknown.
async fn claim_for_later(world: World) {
    readers_at(&world.store, &[("slow.test", 2), ("quick.test", 4)]).await;
    let mut connection = <sqlx::AnyConnection as sqlx::Connection>::connect(&world.url).await.unwrap();
    let bounced = "UPDATE subscriber SET status = 'bounced', ended_at = 1 WHERE id = 6";
    sqlx::raw_sql(bounced).execute(&mut connection).await.unwrap();
    let (warmup, room, slower) = (Warmup::default(), HashMap::new(), HashSet::new());
    let domains = HashMap::from([("slow.test".to_owned(), rate("1/s"))]);
    let pacing =
        Pacing { rate: None, warmup: &warmup, domains: &domains, room: &room, slower: &slower, returned: 0 };
    let me = world.store.enlist(NOW).await.unwrap().unwrap();
    let got = world.store.record_and_claim_paced(&me, &[], &[], 9, NOW, &pacing).await.unwrap();
    assert_eq!(got.claimed.iter().map(|one| one.subscriber.0).collect::<Vec<_>>(), [1, 3, 4, 5]);
    assert_eq!(
        (got.put_off, got.begun.len()),
        (1, 0),
        "one of the slow domain waits, and who has left is passed over"
    );
    let keys = [got.claimed[0].subscriber, got.claimed[1].subscriber].map(|one| (ONE, one));
    let begun = world.store.record_and_claim_paced(&me, &[], &keys, 0, NOW, &pacing).await.unwrap();
    assert_eq!(begun.begun, keys);
    let done = [sent(keys[0].1)];
    let turned = world.store.record_and_claim_paced(&me, &done, &[], 9, NOW, &pacing).await.unwrap();
    assert!(turned.claimed.is_empty());
    drop(me);
    let mut unknown = 0;
    let next = world.store.enlist(NOW).await.unwrap().unwrap();
    // The server may need a moment to see that the other session is gone.
    for _ in 0..200 {
        unknown += world.store.reclaim(&next, NOW).await.unwrap();
        if world.store.tally(ONE).await.unwrap().sending == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(unknown, 1, "only what had begun is unknown");
    let tally = world.store.tally(ONE).await.unwrap();
    assert_eq!((tally.sent, tally.deferred, tally.queued, tally.cancelled), (1, 1, 3, 1), "{tally:?}");
}

#[tokio::test]
async fn paced_claims_are_for_later() {
    claim_for_later(World::sqlite().await).await;
}

mod needs_postgres {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn paced_claims_are_for_later() {
        claim_for_later(World::postgres().await).await;
    }
}
