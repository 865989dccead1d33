//! Leaving: alone and in crowds, taken back after a slip, and with a reason. On both engines, and over HTTP.

use verdicts::domain::UnixMillis;
use verdicts::domain::delivery::DeliveryState;
use verdicts::domain::issue::IssueNumber;
use verdicts::domain::subscriber::{SubscriberId, SubscriberStatus};
use verdicts::store::Store;

use crate::support::world::*;

const ONE: IssueNumber = IssueNumber(1);

fn later(ms: i64) -> UnixMillis {
    UnixMillis(NOW.0 + ms)
}

async fn status(store: &Store, id: i64) -> SubscriberStatus {
    store.subscriber_by_id(SubscriberId(id)).await.unwrap().unwrap().status
}

async fn leave(store: &Store, id: i64, now: UnixMillis) -> Option<u64> {
    store.unsubscribe(SubscriberId(id), &hash(id as usize), now).await.unwrap()
}

/// P5: each leaving cancels what is queued before it is answered.
async fn a_crowd_leaves_and_everybody_gets_their_own_answer(w: World) {
    let w = World::running(200, w).await;
    let mut leaving = Vec::new();
    for n in (0..300_i64).chain([7, 7, 7]) {
        let store = w.store.clone();
        leaving.push((n, tokio::spawn(async move { leave(&store, n, later(n)).await })));
    }
    let (mut cancelled, mut unknown) = (0, 0);
    for (n, leaving) in leaving {
        match leaving.await.unwrap() {
            Some(count) => cancelled += count,
            None => {
                assert!(!(1..=200).contains(&n), "reader {n} is known");
                unknown += 1;
            }
        }
    }
    assert_eq!((cancelled, unknown), (200, 100), "each letter is cancelled once");
    let tally = w.store.tally(ONE).await.unwrap();
    assert!(tally.balances() && tally.cancelled == 200);
    assert_eq!(w.store.count_suppressed().await.unwrap(), 200);
    for n in 1..=200 {
        assert_eq!(status(&w.store, n).await, SubscriberStatus::Unsubscribed);
    }
}

async fn a_slip_is_undone_with_the_letter_that_it_cost(w: World) {
    let w = World::running(3, w).await;
    assert_eq!(leave(&w.store, 2, later(5)).await, Some(1));
    let left = w.store.last_unsubscription(SubscriberId(2)).await.unwrap().unwrap();
    assert_eq!((left.left_at, left.undone_at), (later(5), None));
    // A second click is the same leaving.
    leave(&w.store, 2, later(6)).await;
    assert_eq!(w.store.last_unsubscription(SubscriberId(2)).await.unwrap().unwrap(), left);

    let undo = |at, now| w.store.undo_unsubscribe(SubscriberId(2), "", at, now);
    assert!(!undo(later(4), later(9)).await.unwrap(), "there was no such leaving");
    let h = hash(2);
    assert!(w.store.undo_unsubscribe(SubscriberId(2), &h, later(5), later(9)).await.unwrap());
    assert!(
        w.store.undo_unsubscribe(SubscriberId(2), &h, later(5), later(10)).await.unwrap(),
        "a repeat is kind"
    );
    let person = w.store.subscriber_by_id(SubscriberId(2)).await.unwrap().unwrap();
    assert_eq!(
        (person.status, person.activated_at, person.ended_at),
        (SubscriberStatus::Active, Some(NOW), None)
    );
    assert!(!w.store.is_suppressed(&h).await.unwrap());
    assert_eq!(
        w.store.tally(ONE).await.unwrap().queued,
        3,
        "the run is not over, so the letter goes after all"
    );

    // Left again: the old token takes back nothing.
    leave(&w.store, 2, later(20)).await;
    assert!(!w.store.undo_unsubscribe(SubscriberId(2), &h, later(5), later(30)).await.unwrap());
    assert_eq!(status(&w.store, 2).await, SubscriberStatus::Unsubscribed);

    // A run that is over stays over.
    w.store.cancel(ONE, later(40)).await.unwrap();
    assert!(w.store.undo_unsubscribe(SubscriberId(2), &h, later(20), later(50)).await.unwrap());
    assert_eq!(w.store.tally(ONE).await.unwrap().cancelled, 3);
}

async fn undoing_lifts_nothing_but_its_own_leaving(w: World) {
    let rows = [
        reader(1, SubscriberStatus::Bounced),
        reader(2, SubscriberStatus::Pending),
        reader(3, SubscriberStatus::Active),
    ];
    w.store.add_subscribers(&rows, &[hash(1), hash(2), hash(3)]).await.unwrap();
    // Who had ended before has nothing to take back.
    leave(&w.store, 1, later(5)).await;
    assert_eq!(w.store.last_unsubscription(SubscriberId(1)).await.unwrap(), None);
    assert!(!w.store.undo_unsubscribe(SubscriberId(1), &hash(1), later(5), later(6)).await.unwrap());
    assert!(w.store.is_suppressed(&hash(1)).await.unwrap());
    // Who had not confirmed comes back unconfirmed.
    leave(&w.store, 2, later(5)).await;
    assert!(w.store.undo_unsubscribe(SubscriberId(2), &hash(2), later(5), later(6)).await.unwrap());
    assert_eq!(status(&w.store, 2).await, SubscriberStatus::Pending);
    // An address that something else keeps out stays out.
    let other = [reader(9, SubscriberStatus::Complained)];
    w.store.add_subscribers(&other, &[hash(3)]).await.unwrap();
    leave(&w.store, 3, later(5)).await;
    assert!(!w.store.undo_unsubscribe(SubscriberId(3), &hash(3), later(5), later(6)).await.unwrap());
    assert_eq!(status(&w.store, 3).await, SubscriberStatus::Unsubscribed);
    // And nobody comes back from an erasure.
    w.store.erase(SubscriberId(2), &hash(2), later(7)).await.unwrap();
    assert!(!w.store.undo_unsubscribe(SubscriberId(2), &hash(2), later(5), later(8)).await.unwrap());
}

async fn a_letter_in_flight_keeps_its_outcome_when_a_leaving_is_undone(w: World) {
    let w = World::running(2, w).await;
    let me = w.store.enlist(NOW).await.unwrap().unwrap();
    let claimed = w.store.record_and_claim(&me, &[], 1, NOW).await.unwrap();
    assert_eq!(claimed[0].subscriber, SubscriberId(1));
    assert_eq!(leave(&w.store, 1, later(5)).await, Some(0));
    assert!(w.store.undo_unsubscribe(SubscriberId(1), &hash(1), later(5), later(6)).await.unwrap());
    w.store.record_and_claim(&me, &[sent(SubscriberId(1))], 0, later(7)).await.unwrap();
    let sent = w.store.deliveries(ONE, DeliveryState::Sent, SubscriberId(0), 9).await.unwrap();
    assert_eq!(sent.len(), 1);
}

async fn reasons_are_counted_and_words_go_with_the_person(w: World) {
    w.with_readers(5).await;
    for n in 1..=4 {
        leave(&w.store, n, later(n)).await;
    }
    w.store.give_unsubscribe_reason(SubscriberId(1), "too_many", None).await.unwrap();
    w.store
        .give_unsubscribe_reason(SubscriberId(2), "other", Some("no time, says reader2@example.com"))
        .await
        .unwrap();
    w.store.give_unsubscribe_reason(SubscriberId(3), "other", Some("first thought")).await.unwrap();
    w.store.give_unsubscribe_reason(SubscriberId(3), "content", Some("second thought")).await.unwrap();
    w.store.give_unsubscribe_reason(SubscriberId(5), "other", Some("still here")).await.unwrap();
    let reasons = w.store.unsubscribe_reasons(10).await.unwrap();
    let counts: Vec<_> = reasons.counts.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
    assert_eq!(counts, [("content", 1), ("none", 1), ("other", 1), ("too_many", 1)]);
    let words: Vec<_> = reasons.words.iter().map(|(_, words)| words.as_str()).collect();
    assert_eq!(words, ["second thought", "no time, says reader2@example.com"]);

    w.store.erase(SubscriberId(2), &hash(2), later(9)).await.unwrap();
    w.store.undo_unsubscribe(SubscriberId(3), &hash(3), later(3), later(9)).await.unwrap();
    let reasons = w.store.unsubscribe_reasons(10).await.unwrap();
    assert!(reasons.words.is_empty(), "{reasons:?}");
    assert_eq!(reasons.counts.get("other"), Some(&1), "the count stays, without the words");
    assert_eq!(reasons.counts.get("content"), None, "what was taken back does not count");
}

contract! {
    a_crowd_leaves_and_everybody_gets_their_own_answer,
    a_slip_is_undone_with_the_letter_that_it_cost,
    undoing_lifts_nothing_but_its_own_leaving,
    a_letter_in_flight_keeps_its_outcome_when_a_leaving_is_undone,
    reasons_are_counted_and_words_go_with_the_person,
}
