//! Claims and outcomes.

use super::*;

async fn claims_go_by_due_time_and_then_by_subscriber(w: World) {
    let w = World::running(5, w).await;
    let me = enlist(&w.store).await;
    let first = claim(&w.store, &me, 2, NOW).await;
    assert_eq!(ids(&first), [1, 2]);
    assert_eq!((first[1].attempt, first[1].enqueued_at), (1, NOW));
    assert_eq!((first[1].email.clone(), first[1].name.as_deref()), (email(2), Some("Reader \"2\" Ünal")));
    let outcomes = [deferred(SubscriberId(1), later(50), false), sent(SubscriberId(2))];
    let next = w.store.record_and_claim(&me, &outcomes, 2, later(60)).await.unwrap();
    assert_eq!(ids(&next), [3, 4], "older dues first, in the same commit");
    assert_eq!(ids(&claim(&w.store, &me, 9, later(60)).await), [1, 5]);
    assert!(claim(&w.store, &me, 9, later(60)).await.is_empty());
    let rows = w.store.deliveries(ONE, DeliveryState::Sent, SubscriberId(0), 9).await.unwrap();
    assert_eq!((rows[0].email.clone(), rows[0].attempts), (Some(email(2)), 1));
    assert_eq!(rows[0].reply, Some(reply(250, "taken")));
}

async fn what_is_claimed_ahead_is_untried_until_it_begins(w: World) {
    let w = World::running(5, w).await;
    let first = enlist(&w.store).await;
    let ahead = w.store.record_and_claim_ahead(&first, &[], &[], 5, NOW).await.unwrap();
    assert_eq!((ids(&ahead.claimed), ahead.begun.len()), (vec![1, 2, 3, 4, 5], 0));
    let keys = |ids: &[i64]| ids.iter().map(|id| (ONE, SubscriberId(*id))).collect::<Vec<_>>();
    w.store.unsubscribe(SubscriberId(2), &hash(2), NOW).await.unwrap();
    let turned = w.store.record_and_claim_ahead(&first, &[], &keys(&[1, 2]), 0, NOW).await.unwrap();
    assert_eq!(turned.begun, keys(&[1]), "who has left meanwhile gets no letter");
    let both = [sent(SubscriberId(1)), returned(SubscriberId(2), NOW)];
    let turned = w.store.record_and_claim_ahead(&first, &both, &keys(&[3]), 0, NOW).await.unwrap();
    assert_eq!(turned.begun, keys(&[3]));
    assert_eq!(only(&w.store, DeliveryState::Cancelled).await, [2]);
    w.store.erase(SubscriberId(5), &hash(5), NOW).await.unwrap();
    drop(first);
    let me = enlist(&w.store).await;
    assert_eq!(w.store.reclaim(&me, NOW).await.unwrap(), 1, "only what had begun is unknown");
    assert_eq!(
        only(&w.store, DeliveryState::Cancelled).await,
        [2, 5],
        "an erasure forgets words, not what happened"
    );
    let rows = w.store.deliveries(ONE, DeliveryState::Queued, SubscriberId(0), 9).await.unwrap();
    assert_eq!(rows.iter().map(|row| (row.subscriber.0, row.attempts)).collect::<Vec<_>>(), [(4, 0)]);
    assert_eq!((tally(&w.store).await.unknown, only(&w.store, DeliveryState::Deferred).await), (1, vec![3]));
    let late = WorkerLease::for_test(me.worker + 1);
    assert_eq!(w.store.record_and_claim_ahead(&late, &[], &keys(&[4]), 0, NOW).await.unwrap().begun, []);
}

async fn a_returned_row_is_as_it_was(w: World) {
    let w = World::running(1, w).await;
    let (me, one) = (enlist(&w.store).await, SubscriberId(1));
    claim(&w.store, &me, 1, NOW).await;
    w.store.record_and_claim(&me, &[returned(one, later(5))], 0, NOW).await.unwrap();
    assert_eq!(only(&w.store, DeliveryState::Queued).await, [1]);
    assert_eq!(w.store.next_due().await.unwrap(), Some(later(5)));
    assert_eq!(claim(&w.store, &me, 1, later(5)).await[0].attempt, 1, "the attempt did not count");
    w.store.record_and_claim(&me, &[deferred(one, later(9), false)], 0, NOW).await.unwrap();
    assert_eq!(claim(&w.store, &me, 1, later(9)).await[0].attempt, 2);
    w.store.record_and_claim(&me, &[returned(one, later(20))], 0, NOW).await.unwrap();
    let rows = w.store.deliveries(ONE, DeliveryState::Deferred, SubscriberId(0), 9).await.unwrap();
    assert_eq!(
        (rows[0].attempts, rows[0].reply.clone()),
        (1, Some(reply(451, "later"))),
        "the last word stays"
    );
    assert_eq!(rows[0].note.as_deref(), Some("relay down"));
}

async fn long_and_dirty_replies_are_cut(w: World) {
    let w = World::running(1, w).await;
    let me = enlist(&w.store).await;
    claim(&w.store, &me, 1, NOW).await;
    let reply = Some(reply(550, &format!("\0é\r\n\u{1}{}", "x".repeat(900))));
    let fail = Transition::Failed { reply, note: "no".to_owned() };
    w.store.record_and_claim(&me, &[finished(SubscriberId(1), fail)], 0, NOW).await.unwrap();
    let rows = w.store.deliveries(ONE, DeliveryState::Failed, SubscriberId(0), 9).await.unwrap();
    let text = rows[0].reply.clone().unwrap().text;
    assert_eq!((text.chars().count(), text.starts_with("éxx")), (500, true));
}

/// However the status changed, the claim looks at it.
async fn a_claim_passes_over_who_is_not_active(w: World) {
    let w = World::running(3, w).await;
    let mut connection = <sqlx::AnyConnection as sqlx::Connection>::connect(&w.url).await.unwrap();
    let bounced = "UPDATE subscriber SET status = 'bounced', ended_at = 1 WHERE id = 2";
    sqlx::raw_sql(bounced).execute(&mut connection).await.unwrap();
    let me = enlist(&w.store).await;
    assert_eq!(ids(&claim(&w.store, &me, 9, NOW).await), [1, 3]);
    let rows = w.store.deliveries(ONE, DeliveryState::Cancelled, SubscriberId(0), 9).await.unwrap();
    assert_eq!((rows[0].subscriber, rows[0].attempts), (SubscriberId(2), 0));
    assert_eq!(rows[0].note.as_deref(), Some("not an active subscriber any more"));
    tally(&w.store).await;
}

/// Workers put letters back while readers leave and the issue is called off: nothing stays open behind it.
async fn nothing_stays_open_behind_a_cancellation(w: World) {
    let w = leaving_during_turns(w, true).await;
    let t = tally(&w.store).await;
    assert_eq!((t.audience, t.open()), (60, 0), "{t:?}");
}

/// The same without the cancellation: what is open belongs to those who stayed (1, and 42 to 60).
async fn nothing_stays_open_for_who_has_left(w: World) {
    let w = leaving_during_turns(w, false).await;
    for state in [DeliveryState::Queued, DeliveryState::Deferred, DeliveryState::Sending] {
        let open = only(&w.store, state).await;
        assert!(open.iter().all(|id| *id == 1 || *id > 41), "{state:?}: {open:?}");
    }
}

async fn leaving_during_turns(w: World, cancel: bool) -> World {
    let w = World::running(60, w).await;
    let workers: Vec<_> = (1..=3)
        .map(|n| {
            let (store, me) = (w.store.clone(), WorkerLease::for_test(n));
            tokio::spawn(async move {
                let mut done = Vec::new();
                for turn in 0..40 {
                    let claimed = store.record_and_claim(&me, &done, 6, NOW).await.unwrap();
                    done = claimed
                        .iter()
                        .map(|one| match (turn + one.subscriber.0) % 3 {
                            0 => returned(one.subscriber, NOW),
                            1 if one.subscriber.0 % 5 == 0 => sent(one.subscriber),
                            _ => deferred(one.subscriber, NOW, false),
                        })
                        .collect();
                    tokio::task::yield_now().await;
                }
                store.record_and_claim(&me, &done, 0, NOW).await.unwrap();
            })
        })
        .collect();
    for n in 1..=20_usize {
        w.store.unsubscribe(SubscriberId(n as i64 * 2), &hash(n * 2), NOW).await.unwrap();
        w.store.erase(SubscriberId(n as i64 * 2 + 1), &hash(n * 2 + 1), NOW).await.unwrap();
    }
    if cancel {
        w.store.cancel(ONE, NOW).await.unwrap().unwrap();
    }
    for worker in workers {
        worker.await.unwrap();
    }
    w
}

async fn an_empty_turn_is_nothing(w: World) {
    let me = enlist(&w.store).await;
    assert!(w.store.record_and_claim(&me, &[], 0, NOW).await.unwrap().is_empty());
    assert!(claim(&w.store, &me, 10, NOW).await.is_empty());
    assert_eq!(w.store.next_due().await.unwrap(), None);
    w.store.ping().await.unwrap();
    w.store.close().await;
    assert!(w.store.ping().await.is_err());
}

contract! {
    claims_go_by_due_time_and_then_by_subscriber,
    what_is_claimed_ahead_is_untried_until_it_begins,
    a_returned_row_is_as_it_was,
    long_and_dirty_replies_are_cut,
    a_claim_passes_over_who_is_not_active,
    nothing_stays_open_behind_a_cancellation,
    nothing_stays_open_for_who_has_left,
    an_empty_turn_is_nothing,
}
