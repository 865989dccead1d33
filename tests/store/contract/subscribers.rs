//! Who comes, who leaves, and what stays of them.

use super::*;

async fn an_import_adds_keeps_and_leaves_out(w: World) {
    let rows = [
        reader(1, SubscriberStatus::Active),
        reader(2, SubscriberStatus::Pending),
        reader(1, SubscriberStatus::Active),
        reader(3, SubscriberStatus::Unsubscribed),
    ];
    let hashes = [hash(1), hash(2), hash(1), hash(3)];
    use SubscriberChange::{Added, Duplicate, Suppressed};
    let changes = w.store.add_subscribers(&rows, &hashes).await.unwrap();
    assert_eq!(changes, [Added, Added, Duplicate, Added]);
    assert_eq!(w.store.add_subscribers(&rows, &hashes).await.unwrap(), [Duplicate; 4]);
    assert!(w.store.is_suppressed(&hash(3)).await.unwrap(), "who left elsewhere is suppressed here");

    let one = w.store.subscriber(&email(1)).await.unwrap().unwrap();
    assert_eq!((one.status, one.activated_at, one.ended_at), (SubscriberStatus::Active, Some(NOW), None));
    let two = w.store.subscriber_by_id(SubscriberId(2)).await.unwrap().unwrap();
    assert_eq!((two.name.as_deref(), two.activated_at), (Some("Reader \"2\" Ünal"), None));
    let three = w.store.subscriber(&email(3)).await.unwrap().unwrap();
    assert_eq!((three.status, three.ended_at), (SubscriberStatus::Unsubscribed, Some(NOW)));

    assert!(w.store.erase(one.id, &hash(1), NOW).await.unwrap());
    let again = w.store.add_subscribers(&rows[..1], &hashes[..1]).await.unwrap();
    assert_eq!(again, [Suppressed], "an erased person does not come back with the next import");
    let counts = w.store.count_subscribers().await.unwrap();
    let expected = [("active", 0), ("bounced", 0), ("complained", 0), ("pending", 1), ("unsubscribed", 1)];
    assert_eq!(counts, BTreeMap::from(expected));
    assert_eq!(w.store.count_suppressed().await.unwrap(), 2);
}

async fn ids_follow_the_file_and_are_never_used_again(w: World) {
    w.with_readers(20).await;
    let all = w.store.subscribers_after(SubscriberId(0), None, 100).await.unwrap();
    assert_eq!(
        all.iter().map(|s| s.email.clone()).collect::<Vec<_>>(),
        (1..=20).map(email).collect::<Vec<_>>()
    );
    let last = all.last().unwrap().id;
    w.store.erase(last, &hash(20), NOW).await.unwrap();
    let rows = [reader(21, SubscriberStatus::Active)];
    w.store.add_subscribers(&rows, &[hash(21)]).await.unwrap();
    assert!(w.store.subscriber(&email(21)).await.unwrap().unwrap().id > last);
    let page = w.store.subscribers_after(SubscriberId(5), Some(SubscriberStatus::Active), 3).await.unwrap();
    assert_eq!(page.iter().map(|s| s.id.0).collect::<Vec<_>>(), [6, 7, 8]);
    let nobody =
        w.store.subscribers_after(SubscriberId(0), Some(SubscriberStatus::Bounced), 3).await.unwrap();
    assert!(nobody.is_empty());
}

async fn two_imports_of_the_same_people_add_each_once(w: World) {
    let (rows, hashes) = readers(3000);
    let (mut back, mut back_hashes) = (rows.clone(), hashes.clone());
    back.reverse();
    back_hashes.reverse();
    let other = w.another().await;
    let (one, two) =
        tokio::join!(w.store.add_subscribers(&rows, &hashes), other.add_subscribers(&back, &back_hashes));
    let changes: Vec<_> = one.unwrap().into_iter().chain(two.unwrap()).collect();
    let added = changes.iter().filter(|change| **change == SubscriberChange::Added).count();
    assert_eq!((changes.len(), added), (6000, 3000));
    assert_eq!(w.store.count_subscribers().await.unwrap()["active"], 3000);
}

async fn a_batch_is_told_apart_row_by_row(w: World) {
    use SubscriberChange::{Added, Duplicate, Suppressed};
    w.with_readers(1500).await;
    for n in [7, 1400] {
        let id = w.store.subscriber(&email(n)).await.unwrap().unwrap().id;
        w.store.erase(id, &hash(n), NOW).await.unwrap();
    }
    // Known ones, erased ones and repeated ones on both sides of what one statement takes.
    let (mut rows, mut hashes) = readers(2500);
    for n in [7, 2, 2400] {
        rows.push(reader(n, SubscriberStatus::Bounced));
        hashes.push(hash(n));
    }
    let changes = w.store.add_subscribers(&rows, &hashes).await.unwrap();
    for (place, change) in changes.iter().enumerate() {
        let expected = match place + 1 {
            7 | 1400 => Suppressed,
            ..=1500 | 2501.. => Duplicate,
            _ => Added,
        };
        assert_eq!(*change, expected, "row {place}");
    }
    assert_eq!(w.store.count_subscribers().await.unwrap()["active"], 2498);
    assert_eq!(w.store.count_suppressed().await.unwrap(), 2);
}

/// P5: what is queued is cancelled with the leaving.
async fn unsubscribing_is_at_once_and_repeats_succeed(w: World) {
    let w = World::running(3, w).await;
    let two = SubscriberId(2);
    assert_eq!(w.store.unsubscribe(two, &hash(2), later(1)).await.unwrap(), Some(1));
    assert_eq!(w.store.unsubscribe(two, &hash(2), later(2)).await.unwrap(), Some(0));
    assert_eq!(w.store.unsubscribe(SubscriberId(99), &hash(99), NOW).await.unwrap(), None);
    assert!(!w.store.is_suppressed(&hash(99)).await.unwrap());
    let gone = w.store.subscriber_by_id(two).await.unwrap().unwrap();
    assert_eq!((gone.status, gone.ended_at), (SubscriberStatus::Unsubscribed, Some(later(1))));
    let me = enlist(&w.store).await;
    assert_eq!(ids(&claim(&w.store, &me, 10, later(3)).await), [1, 3]);
    assert_eq!(tally(&w.store).await.cancelled, 1);
}

/// P5: only what is on the wire at that moment still arrives.
async fn who_leaves_while_being_sent_keeps_the_outcome_and_gets_no_second_try(w: World) {
    let w = World::running(4, w).await;
    let me = enlist(&w.store).await;
    assert_eq!(claim(&w.store, &me, 4, NOW).await.len(), 4);
    for n in 1..=4 {
        assert_eq!(w.store.unsubscribe(SubscriberId(n), &hash(n as usize), NOW).await.unwrap(), Some(0));
    }
    assert_eq!(tally(&w.store).await.sending, 4);
    let outcomes = [
        sent(SubscriberId(1)),
        deferred(SubscriberId(2), later(10), true),
        returned(SubscriberId(3), later(10)),
        failed(SubscriberId(4)),
    ];
    assert!(w.store.record_and_claim(&me, &outcomes, 10, later(100)).await.unwrap().is_empty());
    let t = tally(&w.store).await;
    assert_eq!((t.sent, t.cancelled, t.failed, t.open(), t.unknown), (1, 2, 1, 0, 1));
    assert_eq!(only(&w.store, DeliveryState::Cancelled).await, [2, 3]);
}

async fn an_erased_person_leaves_rows_without_address(w: World) {
    let w = World::running(2, w).await;
    let me = enlist(&w.store).await;
    claim(&w.store, &me, 2, NOW).await;
    let words = reply(550, "<reader1@example.com>: no such user");
    let note = "reader1@example.com is gone".to_owned();
    let bounce =
        |n| finished(SubscriberId(n), Transition::Failed { reply: Some(words.clone()), note: note.clone() });
    w.store.record_and_claim(&me, &[bounce(1)], 0, NOW).await.unwrap();
    assert!(w.store.erase(SubscriberId(1), &hash(1), NOW).await.unwrap());
    assert!(!w.store.erase(SubscriberId(1), &hash(1), NOW).await.unwrap());
    assert!(w.store.erase(SubscriberId(2), &hash(2), NOW).await.unwrap());
    w.store.record_and_claim(&me, &[bounce(2)], 0, NOW).await.unwrap();
    let rows = w.store.deliveries(ONE, DeliveryState::Failed, SubscriberId(0), 10).await.unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!((row.email, row.note), (None, None));
        assert_eq!(row.reply.map(|r| (r.code, r.text)), Some((550, String::new())));
    }
    assert_eq!(w.store.subscriber(&email(1)).await.unwrap(), None);
    assert!(w.store.is_suppressed(&hash(1)).await.unwrap());
}

contract! {
    an_import_adds_keeps_and_leaves_out,
    ids_follow_the_file_and_are_never_used_again,
    two_imports_of_the_same_people_add_each_once,
    a_batch_is_told_apart_row_by_row,
    unsubscribing_is_at_once_and_repeats_succeed,
    who_leaves_while_being_sent_keeps_the_outcome_and_gets_no_second_try,
    an_erased_person_leaves_rows_without_address,
}
