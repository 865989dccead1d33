//! Rows of a worker that is gone.

use super::*;

/// P2 and P3: a worker that is gone leaves unknown outcomes, and its late word still counts.
async fn what_was_sent_counts_even_after_the_row_was_taken_over(w: World) {
    let w = World::running(4, w).await;
    let dead = enlist(&w.store).await;
    claim(&w.store, &dead, 4, NOW).await;
    let number = dead.worker;
    drop(dead);
    let me = next_worker(&w.store).await;
    assert!(me.worker > number);
    w.store.unsubscribe(SubscriberId(4), &hash(4), NOW).await.unwrap();
    assert_eq!(reclaim_all(&w.store, &me, 4).await, 4);
    assert_eq!(w.store.reclaim(&me, later(1)).await.unwrap(), 0);
    let t = tally(&w.store).await;
    assert_eq!((t.deferred, t.cancelled, t.unknown), (3, 1, 4));
    let again = claim(&w.store, &me, 1, later(1)).await;
    assert_eq!((ids(&again), again[0].attempt), (vec![1], 2));
    // The old worker was only slow. Its refusals are void now; what the relay took is taken.
    let late = WorkerLease::for_test(number);
    let words =
        [sent(SubscriberId(1)), sent(SubscriberId(2)), failed(SubscriberId(3)), sent(SubscriberId(4))];
    w.store.record_and_claim(&late, &words, 0, later(2)).await.unwrap();
    w.store.record_and_claim(&me, &[failed(SubscriberId(1))], 0, later(3)).await.unwrap();
    let t = tally(&w.store).await;
    assert_eq!((t.sent, t.failed, t.deferred, t.sending, t.unknown), (3, 0, 1, 0, 4));
}

/// The server may need a moment to see that the other session is gone.
async fn reclaim_all(store: &Store, me: &WorkerLease, rows: u64) -> u64 {
    let mut done = 0;
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while done < rows && std::time::Instant::now() < until {
        done += store.reclaim(me, NOW).await.unwrap();
        tokio::task::yield_now().await;
    }
    done
}

async fn next_worker(store: &Store) -> WorkerLease {
    enlist(store).await
}

async fn a_worker_does_not_take_its_own_rows(w: World) {
    let w = World::running(2, w).await;
    let me = enlist(&w.store).await;
    claim(&w.store, &me, 2, NOW).await;
    assert_eq!(w.store.reclaim(&me, later(1)).await.unwrap(), 0);
    assert_eq!(w.store.reclaim(&me, NOW.plus(LEASE * 2)).await.unwrap(), 0);
    assert_eq!(tally(&w.store).await.sending, 2);
}

/// A copy put back from a backup knows rows in flight and letters that were sent since as due.
async fn an_old_copy_still_takes_a_late_sent(w: World) {
    let w = World::running(2, w).await;
    let me = enlist(&w.store).await;
    w.store.record_and_claim(&me, &[sent(SubscriberId(2))], 0, NOW).await.unwrap();
    assert_eq!(only(&w.store, DeliveryState::Sent).await, [2]);
    assert_eq!(ids(&claim(&w.store, &me, 9, NOW).await), [1]);
}

contract! {
    what_was_sent_counts_even_after_the_row_was_taken_over,
    a_worker_does_not_take_its_own_rows,
    an_old_copy_still_takes_a_late_sent,
}
