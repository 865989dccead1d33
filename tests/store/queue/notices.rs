//! The queue of notices, on both engines.

use std::time::Duration;

use verdicts::domain::UnixMillis;
use verdicts::domain::delivery::Transition;
use verdicts::domain::notice::{ClaimedNotice, NewNotice, NextNotice, NoticeKind};
use verdicts::domain::rate::Rate;
use verdicts::domain::subscriber::{SubscriberId, SubscriberStatus};
use verdicts::store::{Store, WorkerLease};

use crate::support::world::*;

const MINUTE: Duration = Duration::from_secs(60);

async fn enlist(store: &Store) -> WorkerLease {
    store.enlist_for_notices(NOW).await.unwrap().expect("nobody else sends notices")
}

fn confirm(n: usize) -> NewNotice {
    NewNotice::new(NoticeKind::Confirm, &email(n), SubscriberId(n as i64)).with("expires_at", "1795528800000")
}

async fn claim(store: &Store, me: &WorkerLease, now: UnixMillis) -> Option<ClaimedNotice> {
    match store.claim_notice(me, None, now).await.unwrap() {
        NextNotice::Due(notice) => Some(notice),
        NextNotice::At(_) | NextNotice::Nothing => None,
    }
}

async fn a_notice_is_claimed_once_and_ends(w: World) {
    let first = w.store.add_notice(&confirm(1), NOW).await.unwrap();
    let second = w.store.add_notice(&confirm(2), NOW.plus(MINUTE)).await.unwrap();
    assert!(first < second);
    let me = enlist(&w.store).await;
    let claimed = claim(&w.store, &me, NOW).await.unwrap();
    assert_eq!((claimed.id, claimed.attempt, claimed.created_at), (first, 1, NOW));
    assert_eq!((claimed.kind, claimed.email.clone()), (NoticeKind::Confirm, email(1)));
    assert_eq!(claimed.data["expires_at"], "1795528800000");
    let next = w.store.claim_notice(&me, None, NOW).await.unwrap();
    assert_eq!(next, NextNotice::At(NOW.plus(MINUTE)), "the second is not due yet");
    let taken = Transition::Sent { reply: reply(250, "taken") };
    w.store.finish_notice(&me, first, &taken, NOW).await.unwrap();
    assert_eq!(w.store.count_notices().await.unwrap(), [("queued".to_owned(), 1), ("sent".to_owned(), 1)]);
    assert_eq!(w.store.forget_notices(NOW, 10).await.unwrap(), 1);
    assert_eq!(w.store.count_notices().await.unwrap(), [("queued".to_owned(), 1)]);
}

async fn a_refusal_for_now_comes_again_and_one_for_good_does_not(w: World) {
    let id = w.store.add_notice(&confirm(1), NOW).await.unwrap();
    let me = enlist(&w.store).await;
    claim(&w.store, &me, NOW).await.unwrap();
    let later = NOW.plus(MINUTE);
    let reply_451 = Some(reply(451, "later"));
    let deferred =
        Transition::Deferred { due_at: later, reply: reply_451, note: "busy".to_owned(), unknown: false };
    w.store.finish_notice(&me, id, &deferred, NOW).await.unwrap();
    assert_eq!(w.store.claim_notice(&me, None, NOW).await.unwrap(), NextNotice::At(later));
    assert_eq!(claim(&w.store, &me, later).await.unwrap().attempt, 2);
    let returned = Transition::Returned { due_at: later.plus(MINUTE), note: "no relay".to_owned() };
    w.store.finish_notice(&me, id, &returned, later).await.unwrap();
    let third = claim(&w.store, &me, later.plus(MINUTE)).await.unwrap();
    assert_eq!(third.attempt, 2, "what was not tried does not count");
    let failed = Transition::Failed { reply: Some(reply(550, "nobody here")), note: "hard".to_owned() };
    w.store.finish_notice(&me, id, &failed, later).await.unwrap();
    assert_eq!(w.store.claim_notice(&me, None, later.plus(MINUTE * 999)).await.unwrap(), NextNotice::Nothing);
    assert_eq!(w.store.count_notices().await.unwrap(), [("failed".to_owned(), 1)]);
}

async fn what_a_gone_worker_had_is_sent_again_and_a_late_sent_counts(w: World) {
    let id = w.store.add_notice(&confirm(1), NOW).await.unwrap();
    let gone = enlist(&w.store).await;
    claim(&w.store, &gone, NOW).await.unwrap();
    assert_eq!(w.store.reclaim_notices(&gone, NOW).await.unwrap(), 0, "a worker does not take its own");
    let number = gone.worker;
    drop(gone);
    let other = w.another().await;
    let me = enlist(&other).await;
    // A server needs a moment to see that a session is over.
    let mut back = 0;
    for _ in 0..200 {
        back = other.reclaim_notices(&me, NOW).await.unwrap();
        if back > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(back, 1);
    let again = claim(&other, &me, NOW).await.unwrap();
    assert_eq!((again.id, again.attempt), (id, 2));
    let taken = Transition::Sent { reply: reply(250, "taken") };
    let back_again = Transition::Returned { due_at: NOW, note: "x".to_owned() };
    other.finish_notice(&me, id, &back_again, NOW).await.unwrap();
    w.store.finish_notice(&WorkerLease::for_test(number), id, &taken, NOW).await.unwrap();
    assert_eq!(other.claim_notice(&me, None, NOW).await.unwrap(), NextNotice::Nothing);
}

async fn notices_keep_to_the_rate_and_go_ahead(w: World) {
    for n in 1..=5 {
        w.store.add_notice(&confirm(n), NOW).await.unwrap();
    }
    let me = enlist(&w.store).await;
    let rate = Some(Rate { letters: 1, per: MINUTE });
    let (mut now, mut sent) = (NOW, Vec::new());
    while sent.len() < 5 {
        match w.store.claim_notice(&me, rate, now).await.unwrap() {
            NextNotice::Due(_) => sent.push(now.since(NOW).as_secs()),
            NextNotice::At(at) => {
                assert!(at > now, "it is told to wait, not to spin");
                now = at;
            }
            NextNotice::Nothing => panic!("five were queued, {} came", sent.len()),
        }
    }
    assert!(sent[4] >= 120, "five in a row at one a minute: {sent:?}");
    assert!(sent[1] <= 60, "who goes ahead does not wait for more than one letter: {sent:?}");
}

async fn who_leaves_gets_no_welcome_and_who_is_erased_nothing(w: World) {
    w.with_readers(2).await;
    for n in [1, 2] {
        for kind in [NoticeKind::Welcome, NoticeKind::AddressChanged] {
            let notice = NewNotice::new(kind, &email(n), SubscriberId(n as i64)).with("address", "x***");
            w.store.add_notice(&notice, NOW).await.unwrap();
        }
    }
    w.store.unsubscribe(SubscriberId(1), &hash(1), NOW).await.unwrap();
    assert_eq!(w.store.count_notices().await.unwrap(), [("queued".to_owned(), 3)]);
    w.store.erase(SubscriberId(2), &hash(2), NOW).await.unwrap();
    assert_eq!(w.store.count_notices().await.unwrap(), [("queued".to_owned(), 1)]);
    assert_eq!(
        w.store.subscriber_by_id(SubscriberId(1)).await.unwrap().unwrap().status,
        SubscriberStatus::Unsubscribed
    );
}

contract! {
    a_notice_is_claimed_once_and_ends,
    a_refusal_for_now_comes_again_and_one_for_good_does_not,
    what_a_gone_worker_had_is_sent_again_and_a_late_sent_counts,
    notices_keep_to_the_rate_and_go_ahead,
    who_leaves_gets_no_welcome_and_who_is_erased_nothing,
}
