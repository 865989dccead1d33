//! One contract for both engines: every verb of the store, and the promises that rest on it.

use std::collections::BTreeMap;

use verdicts::domain::UnixMillis;
use verdicts::domain::class::Refused;
use verdicts::domain::delivery::{Claimed, DeliveryState, Tally, Transition};
use verdicts::domain::issue::{IssueNumber, IssueState, NewIssue};
use verdicts::domain::subscriber::{SubscriberId, SubscriberStatus};
use verdicts::store::{ComparisonChange, Enqueue, Enqueued, LEASE, Store, SubscriberChange, WorkerLease};

use crate::support::world::*;

const ONE: IssueNumber = IssueNumber(1);

fn later(ms: i64) -> UnixMillis {
    UnixMillis(NOW.0 + ms)
}

async fn enlist(store: &Store) -> WorkerLease {
    store.enlist(NOW).await.unwrap().expect("nobody else delivers")
}

async fn claim(store: &Store, me: &WorkerLease, want: usize, now: UnixMillis) -> Vec<Claimed> {
    store.record_and_claim(me, &[], want, now).await.unwrap()
}

async fn tally(store: &Store) -> Tally {
    let tally = store.tally(ONE).await.unwrap();
    assert!(tally.balances(), "{tally:?}");
    tally
}

fn ids(claimed: &[Claimed]) -> Vec<i64> {
    claimed.iter().map(|one| one.subscriber.0).collect()
}

async fn only(store: &Store, state: DeliveryState) -> Vec<i64> {
    let rows = store.deliveries(ONE, state, SubscriberId(0), 1000).await.unwrap();
    rows.iter().map(|row| row.subscriber.0).collect()
}

// comparisons

async fn a_comparison_is_added_updated_and_left_alone(w: World) {
    let mut c = comparison("a-vs-b", NOW);
    assert_eq!(w.store.put_comparison(&c, NOW).await.unwrap(), ComparisonChange::Added);
    assert_eq!(w.store.put_comparison(&c, later(5)).await.unwrap(), ComparisonChange::Unchanged);
    c.title = "A against B".to_owned();
    assert_eq!(w.store.put_comparison(&c, later(9)).await.unwrap(), ComparisonChange::Updated);
    let stored = w.store.comparison("a-vs-b").await.unwrap().unwrap();
    assert_eq!((stored.imported_at, stored.updated_at, stored.featured_in), (NOW, later(9), None));
    assert_eq!(stored.comparison, c);
    assert_eq!(w.store.comparison("x-vs-y").await.unwrap(), None);
}

async fn candidates_are_a_half_open_window_oldest_first(w: World) {
    for (slug, at) in [("at-after", 0), ("newer", 20), ("older", 10), ("at-until", 30), ("too-new", 31)] {
        w.store.put_comparison(&comparison(slug, later(at * 1000)), NOW).await.unwrap();
    }
    let found = w.store.candidates(NOW, later(30_000)).await.unwrap();
    let slugs: Vec<_> = found.iter().map(|c| c.slug.as_str()).collect();
    assert_eq!(slugs, ["older", "newer", "at-until"]);
    let newest = w.store.comparisons(2).await.unwrap();
    let slugs: Vec<_> = newest.iter().map(|c| c.comparison.slug.as_str()).collect();
    assert_eq!(slugs, ["too-new", "at-until"]);
}

// subscribers

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

// issues

async fn an_issue_stands_as_it_was_enqueued(w: World) {
    for slug in ["a-vs-b", "c-vs-d", "e-vs-f"] {
        w.store.put_comparison(&comparison(slug, later(1)), NOW).await.unwrap();
    }
    w.with_readers(3).await;
    let others = [reader(4, SubscriberStatus::Pending), reader(5, SubscriberStatus::Bounced)];
    w.store.add_subscribers(&others, &[hash(4), hash(5)]).await.unwrap();
    assert_eq!(w.store.next_number().await.unwrap(), ONE);
    assert_eq!(w.store.last_issue().await.unwrap(), None);
    let new = NewIssue {
        slot: Some("2026-11-17T09:00:00 America/New_York".to_owned()),
        mentioned: vec!["e-vs-f".to_owned()],
        ..issue(&["c-vs-d", "a-vs-b"])
    };
    let started = w.enqueue(ONE, new.clone()).await;
    assert_eq!(started, Enqueued::Started { number: ONE, audience: 3 });
    let found = w.store.issue(ONE).await.unwrap().unwrap();
    assert_eq!(
        (found.slot, found.state, found.subject),
        (new.slot.clone(), IssueState::Running, new.subject)
    );
    assert_eq!((found.cutoff_at, found.created_at, found.finished_at), (NOW, NOW, None));
    assert_eq!(w.store.stencil(ONE).await.unwrap(), Some(new.stencil));
    assert_eq!(w.store.stencil(IssueNumber(2)).await.unwrap(), None);
    assert_eq!(w.store.issues(5).await.unwrap().len(), 1);
    assert_eq!(w.store.unfinished().await.unwrap().len(), 1);
    assert_eq!(w.store.next_number().await.unwrap(), IssueNumber(2));
    assert_eq!(w.store.last_issue().await.unwrap().unwrap().cutoff_at, NOW);
    assert!(w.store.slot_taken(&new.slot.unwrap()).await.unwrap());
    assert_eq!(w.store.comparison("a-vs-b").await.unwrap().unwrap().featured_in, Some(ONE));
    assert_eq!(w.store.comparison("e-vs-f").await.unwrap().unwrap().featured_in, None, "only mentioned");
    assert_eq!(w.store.candidates(NOW, later(9)).await.unwrap().len(), 1);
    let status = w.store.status(ONE).await.unwrap().unwrap();
    assert_eq!((status.state, status.tally.queued), (IssueState::Running, 3));
    assert_eq!(w.store.status(IssueNumber(2)).await.unwrap(), None);
}

async fn finish(store: &Store) {
    let me = enlist(store).await;
    loop {
        let claimed = claim(store, &me, 100, NOW).await;
        if claimed.is_empty() {
            break;
        }
        let outcomes: Vec<_> = claimed
            .iter()
            .map(|one| verdicts::domain::delivery::Finished { issue: one.issue, ..sent(one.subscriber) })
            .collect();
        store.record_and_claim(&me, &outcomes, 0, NOW).await.unwrap();
    }
    store.finish_done(NOW).await.unwrap();
}

async fn an_issue_is_refused_for_each_reason(w: World) {
    let slot = || Some("2026-11-17T09:00:00 UTC".to_owned());
    w.store.put_comparison(&comparison("a-vs-b", NOW), NOW).await.unwrap();
    w.with_readers(2).await;
    let taken = |by| Enqueued::Taken { by };
    let two = IssueNumber(2);
    assert_eq!(w.enqueue(two, issue(&[])).await, taken(None), "number 1 comes first");
    let unknown = w.store.enqueue(&Enqueue::new(ONE, issue(&["x-vs-y"])), NOW).await.unwrap_err();
    assert_eq!(unknown.to_string(), "comparison \"x-vs-y\" is not in the store; import it first");
    let first = NewIssue { slot: slot(), ..issue(&["a-vs-b"]) };
    w.enqueue(ONE, first.clone()).await;
    assert_eq!(w.enqueue(ONE, issue(&[])).await, taken(Some(ONE)), "the number is used");
    assert_eq!(w.enqueue(two, issue(&[])).await, taken(Some(ONE)), "one is running");
    assert!(w.store.pause(ONE, "to look").await.unwrap());
    assert_eq!(w.enqueue(two, issue(&[])).await, taken(Some(ONE)), "one is paused");
    assert!(w.store.resume(ONE).await.unwrap());
    finish(&w.store).await;
    assert_eq!(w.enqueue(two, issue(&["a-vs-b"])).await, taken(Some(ONE)), "featured once");
    let same_slot = NewIssue { slot: slot(), ..issue(&[]) };
    assert_eq!(w.enqueue(two, same_slot.clone()).await, taken(Some(ONE)), "the slot has an issue");
    assert!(w.store.skip_slot("next week", "nothing new", NOW).await.unwrap());
    let skipped = NewIssue { slot: Some("next week".to_owned()), ..issue(&[]) };
    assert_eq!(w.enqueue(two, skipped.clone()).await, taken(None), "the slot was skipped");
    assert_eq!(w.store.issues(9).await.unwrap().len(), 1, "a refusal writes nothing");
    let started = w.enqueue(two, issue(&[])).await;
    assert_eq!(started, Enqueued::Started { number: two, audience: 2 });
}

/// P1, from several processes' worth of pools at once.
async fn of_twenty_triggers_one_starts(w: World) {
    w.store.put_comparison(&comparison("a-vs-b", NOW), NOW).await.unwrap();
    w.with_readers(50).await;
    let other = w.another().await;
    let triggers: Vec<_> = (0..20)
        .map(|n| {
            let store = if n % 2 == 0 { w.store.clone() } else { other.clone() };
            let new = NewIssue { slot: Some("slot".to_owned()), ..issue(&["a-vs-b"]) };
            tokio::spawn(async move { store.enqueue(&Enqueue::new(ONE, new.clone()), NOW).await.unwrap() })
        })
        .collect();
    let mut started = 0;
    for trigger in triggers {
        match trigger.await.unwrap() {
            Enqueued::Started { number, audience } => {
                assert_eq!((number, audience), (ONE, 50));
                started += 1;
            }
            Enqueued::Taken { by } => assert_eq!(by, Some(ONE)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(started, 1);
    assert_eq!(tally(&w.store).await.audience, 50);
}

async fn a_pause_holds_and_says_why(w: World) {
    let w = World::running(2, w).await;
    let me = enlist(&w.store).await;
    assert!(!w.store.resume(ONE).await.unwrap());
    assert!(w.store.pause(ONE, "the relay refuses us").await.unwrap());
    assert!(!w.store.pause(ONE, "again").await.unwrap());
    let status = w.store.status(ONE).await.unwrap().unwrap();
    assert_eq!(
        (status.state, status.pause_reason.as_deref()),
        (IssueState::Paused, Some("the relay refuses us"))
    );
    assert!(claim(&w.store, &me, 10, later(10)).await.is_empty());
    assert_eq!(w.store.next_due().await.unwrap(), None);
    assert!(w.store.finish_done(NOW).await.unwrap().is_empty());
    assert!(w.store.resume(ONE).await.unwrap());
    assert_eq!(claim(&w.store, &me, 10, later(10)).await.len(), 2);
}

async fn calling_off_before_a_letter_left_frees_everything(w: World) {
    w.store.put_comparison(&comparison("a-vs-b", NOW), NOW).await.unwrap();
    w.with_readers(3).await;
    w.enqueue(ONE, issue(&["a-vs-b"])).await;
    let me = enlist(&w.store).await;
    claim(&w.store, &me, 1, NOW).await;
    w.store.record_and_claim(&me, &[returned(SubscriberId(1), NOW)], 0, NOW).await.unwrap();
    assert_eq!(w.store.cancel(ONE, later(1)).await.unwrap(), Some(3));
    assert_eq!(w.store.cancel(ONE, later(2)).await.unwrap(), None);
    assert_eq!(w.store.cancel(IssueNumber(7), later(2)).await.unwrap(), None);
    let over = w.store.issue(ONE).await.unwrap().unwrap();
    assert_eq!((over.state, over.finished_at), (IssueState::Cancelled, Some(later(1))));
    assert_eq!(w.store.comparison("a-vs-b").await.unwrap().unwrap().featured_in, None);
    assert_eq!(w.store.last_issue().await.unwrap(), None, "its window is open again");
    assert_eq!(tally(&w.store).await.cancelled, 3);
    let again = w.enqueue(IssueNumber(2), issue(&["a-vs-b"])).await;
    assert_eq!(again, Enqueued::Started { number: IssueNumber(2), audience: 3 });
}

async fn calling_off_in_the_middle_keeps_what_left_and_what_is_in_flight(w: World) {
    w.store.put_comparison(&comparison("a-vs-b", NOW), NOW).await.unwrap();
    w.with_readers(6).await;
    w.enqueue(ONE, issue(&["a-vs-b"])).await;
    let me = enlist(&w.store).await;
    claim(&w.store, &me, 4, NOW).await;
    assert_eq!(w.store.cancel(ONE, NOW).await.unwrap(), Some(2));
    assert_eq!(
        w.store.comparison("a-vs-b").await.unwrap().unwrap().featured_in,
        Some(ONE),
        "letters in flight"
    );
    assert_eq!(w.store.last_issue().await.unwrap().unwrap().number, ONE);
    let outcomes = [
        sent(SubscriberId(1)),
        deferred(SubscriberId(2), later(5), false),
        returned(SubscriberId(3), later(5)),
        failed(SubscriberId(4)),
    ];
    assert!(w.store.record_and_claim(&me, &outcomes, 10, later(10)).await.unwrap().is_empty());
    let t = tally(&w.store).await;
    assert_eq!((t.sent, t.failed, t.cancelled, t.open()), (1, 1, 4, 0));
}

async fn a_run_ends_when_nothing_is_open(w: World) {
    let w = World::running(2, w).await;
    let me = enlist(&w.store).await;
    claim(&w.store, &me, 2, NOW).await;
    assert!(w.store.finish_done(NOW).await.unwrap().is_empty(), "letters are in flight");
    let outcomes = [sent(SubscriberId(1)), deferred(SubscriberId(2), later(60_000), false)];
    w.store.record_and_claim(&me, &outcomes, 0, NOW).await.unwrap();
    assert!(w.store.finish_done(NOW).await.unwrap().is_empty(), "one waits for another try");
    assert_eq!(w.store.next_due().await.unwrap(), Some(later(60_000)));
    assert_eq!(claim(&w.store, &me, 2, later(59_999)).await.len(), 0);
    let second = claim(&w.store, &me, 2, later(60_000)).await;
    assert_eq!((ids(&second), second[0].attempt), (vec![2], 2));
    w.store.record_and_claim(&me, &[sent(SubscriberId(2))], 0, later(60_000)).await.unwrap();
    assert_eq!(w.store.finish_done(later(70_000)).await.unwrap(), [ONE]);
    assert!(w.store.finish_done(later(80_000)).await.unwrap().is_empty());
    let over = w.store.issue(ONE).await.unwrap().unwrap();
    assert_eq!((over.state, over.finished_at), (IssueState::Finished, Some(later(70_000))));
}

// schedule

/// P1 and P8: a slot is run or skipped once.
async fn a_slot_is_dealt_with_once(w: World) {
    assert!(!w.store.slot_taken("monday").await.unwrap());
    assert!(w.store.skip_slot("monday", "too late", NOW).await.unwrap());
    assert!(!w.store.skip_slot("monday", "again", NOW).await.unwrap());
    assert!(w.store.slot_taken("monday").await.unwrap());
    assert_eq!(w.store.schedule_since("0 0 9 * * Tue", NOW).await.unwrap(), NOW);
    assert_eq!(w.store.schedule_since("0 0 9 * * Tue", later(9)).await.unwrap(), NOW);
    assert_eq!(w.store.schedule_since("0 0 9 * * Wed", later(9)).await.unwrap(), later(9));
}

// the queue

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

/// P4 after every step of a long random walk, and nobody is ever claimed after leaving.
async fn a_speed_is_said_while_it_is_news(w: World) {
    assert_eq!(w.store.speed(NOW).await.unwrap(), None);
    let me = enlist(&w.store).await;
    w.store.note_speed(&me, 41.25, NOW).await.unwrap();
    w.store.note_speed(&me, 1234.5678, later(2_000)).await.unwrap();
    assert_eq!(w.store.speed(later(4_000)).await.unwrap(), Some(1234.568), "the newer note alone");
    assert_eq!(w.store.speed(later(17_001)).await.unwrap(), None, "whoever noted it is gone");
    assert_eq!(w.store.speed(later(-60_000)).await.unwrap(), None, "a clock that was set back");
    drop(me);
    let other = enlist(&w.store).await;
    w.store.note_speed(&other, 10.0, later(30_000)).await.unwrap();
    assert_eq!(w.store.speed(later(30_000)).await.unwrap(), Some(10.0));
    assert_eq!(w.store.speed(later(4_000)).await.unwrap(), None, "old notes are forgotten");
}

async fn refusals_are_counted_by_class(w: World) {
    let w = World::running(4, w).await;
    let me = enlist(&w.store).await;
    let claimed = claim(&w.store, &me, 4, NOW).await;
    let who = |n: usize| claimed[n].subscriber;
    let finished = [failed(who(0)), deferred(who(1), later(5), false), sent(who(2))];
    w.store.record_and_claim(&me, &finished, 0, NOW).await.unwrap();
    let refused = w.store.refused(ONE).await.unwrap();
    assert_eq!(refused.failed.counts().iter().map(|(_, n)| n).sum::<u64>(), 1, "{refused:?}");
    assert_eq!(refused.deferred.counts().iter().map(|(_, n)| n).sum::<u64>(), 1, "{refused:?}");
    assert_eq!(w.store.refused(IssueNumber(9)).await.unwrap(), Refused::default());
}

async fn the_books_balance_at_every_step(w: World) {
    let w = World::running(40, w).await;
    let store = &w.store;
    let me = enlist(store).await;
    let mut dice = Dice(20_261_117);
    let (mut now, mut flying, mut gone) = (NOW, Vec::<Claimed>::new(), std::collections::HashSet::new());
    let mut sent_once = std::collections::HashSet::new();
    for _ in 0..150 {
        now = UnixMillis(now.0 + dice.below(3) as i64);
        match dice.below(12) {
            0 => {
                let id = dice.below(40) as i64 + 1;
                store.unsubscribe(SubscriberId(id), &hash(id as usize), now).await.unwrap();
                gone.insert(id);
            }
            1 => assert!(store.pause(ONE, "a look").await.unwrap() && store.resume(ONE).await.unwrap()),
            2 => {
                let id = dice.below(40) as i64 + 1;
                store.erase(SubscriberId(id), &hash(id as usize), now).await.unwrap();
                gone.insert(id);
            }
            _ => {
                let take = dice.below(flying.len() + 1);
                let done: Vec<_> =
                    flying.drain(..take).map(|one| outcome(&mut dice, one.subscriber, now)).collect();
                for one in &done {
                    if matches!(one.transition, Transition::Sent { .. }) {
                        assert!(sent_once.insert(one.subscriber), "{:?} was sent before", one.subscriber);
                    }
                }
                let claimed = store.record_and_claim(&me, &done, dice.below(6), now).await.unwrap();
                for one in &claimed {
                    assert!(!gone.contains(&one.subscriber.0), "P5: {:?} has left", one.subscriber);
                }
                flying.extend(claimed);
            }
        }
        let t = tally(store).await;
        assert_eq!((t.audience, t.sending), (40, flying.len() as i64));
        assert_eq!(t.sent, sent_once.len() as i64);
    }
}

fn outcome(dice: &mut Dice, who: SubscriberId, now: UnixMillis) -> verdicts::domain::delivery::Finished {
    let due = UnixMillis(now.0 + dice.below(4) as i64);
    match dice.below(8) {
        0 => failed(who),
        1 => returned(who, due),
        2 => deferred(who, due, true),
        3 | 4 => deferred(who, due, false),
        _ => sent(who),
    }
}

/// A seeded die (SplitMix64): the same walk every time.
struct Dice(u64);

impl Dice {
    /// 0 to `n` - 1.
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

contract! {
    a_comparison_is_added_updated_and_left_alone,
    candidates_are_a_half_open_window_oldest_first,
    an_import_adds_keeps_and_leaves_out,
    ids_follow_the_file_and_are_never_used_again,
    two_imports_of_the_same_people_add_each_once,
    a_batch_is_told_apart_row_by_row,
    unsubscribing_is_at_once_and_repeats_succeed,
    who_leaves_while_being_sent_keeps_the_outcome_and_gets_no_second_try,
    an_erased_person_leaves_rows_without_address,
    an_issue_stands_as_it_was_enqueued,
    an_issue_is_refused_for_each_reason,
    of_twenty_triggers_one_starts,
    a_pause_holds_and_says_why,
    calling_off_before_a_letter_left_frees_everything,
    calling_off_in_the_middle_keeps_what_left_and_what_is_in_flight,
    a_run_ends_when_nothing_is_open,
    a_slot_is_dealt_with_once,
    claims_go_by_due_time_and_then_by_subscriber,
    what_is_claimed_ahead_is_untried_until_it_begins,
    a_returned_row_is_as_it_was,
    long_and_dirty_replies_are_cut,
    what_was_sent_counts_even_after_the_row_was_taken_over,
    a_worker_does_not_take_its_own_rows,
    an_old_copy_still_takes_a_late_sent,
    a_claim_passes_over_who_is_not_active,
    nothing_stays_open_behind_a_cancellation,
    nothing_stays_open_for_who_has_left,
    an_empty_turn_is_nothing,
    a_speed_is_said_while_it_is_news,
    refusals_are_counted_by_class,
    the_books_balance_at_every_step,
}
