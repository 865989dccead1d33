//! Issues and their runs, from the trigger to the end.

use super::*;

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

contract! {
    an_issue_stands_as_it_was_enqueued,
    an_issue_is_refused_for_each_reason,
    of_twenty_triggers_one_starts,
    a_pause_holds_and_says_why,
    calling_off_before_a_letter_left_frees_everything,
    calling_off_in_the_middle_keeps_what_left_and_what_is_in_flight,
    a_run_ends_when_nothing_is_open,
    a_slot_is_dealt_with_once,
}
