//! What the store gives to everybody, on both engines: published comparisons, and issues of which a letter has left.

use verdicts::domain::UnixMillis;
use verdicts::domain::comparison::{Stance, Votes};
use verdicts::domain::issue::{IssueNumber, NewIssue};
use verdicts::domain::subscriber::SubscriberId;
use verdicts::store::{CastVote, Enqueue, Store};

use crate::support::world::*;

const ONE: IssueNumber = IssueNumber(1);

fn later(ms: i64) -> UnixMillis {
    UnixMillis(NOW.0 + ms)
}

async fn public(store: &Store) -> Vec<i64> {
    let listed: Vec<i64> =
        store.public_issues(0, 10).await.unwrap().iter().map(|issue| issue.number.0).collect();
    assert_eq!(store.lists_version(NOW).await.unwrap().issues, listed.len() as i64);
    for number in 1..=2 {
        let there = store.public_issue(IssueNumber(number)).await.unwrap().is_some();
        assert_eq!(there, listed.contains(&number), "issue {number}");
    }
    listed
}

async fn an_issue_is_public_from_its_first_letter_on(w: World) {
    let w = World::running(2, w).await;
    assert!(public(&w.store).await.is_empty(), "queued, and nothing more");
    let me = w.store.enlist(NOW).await.unwrap().unwrap();
    let claimed = w.store.record_and_claim(&me, &[], 1, NOW).await.unwrap();
    assert_eq!(public(&w.store).await, [1], "one is on its way");
    w.store.record_and_claim(&me, &[sent(claimed[0].subscriber)], 0, NOW).await.unwrap();
    assert_eq!(public(&w.store).await, [1]);
    w.store.pause(ONE, "the relay refused").await.unwrap();
    assert_eq!(public(&w.store).await, [1], "a pause takes nothing back");
    w.store.cancel(ONE, later(1)).await.unwrap();
    assert_eq!(public(&w.store).await, [1], "nor does calling off the rest");
}

async fn an_issue_called_off_in_time_never_was(w: World) {
    let w = World::running(2, w).await;
    w.store.cancel(ONE, NOW).await.unwrap();
    assert!(public(&w.store).await.is_empty());
    let number = IssueNumber(2);
    w.store.enqueue(&Enqueue::new(number, issue(&[])), later(5)).await.unwrap();
    let me = w.store.enlist(NOW).await.unwrap().unwrap();
    let claimed = w.store.record_and_claim(&me, &[], 2, later(5)).await.unwrap();
    let done: Vec<_> = claimed
        .iter()
        .map(|one| verdicts::domain::delivery::Finished { issue: number, ..sent(one.subscriber) })
        .collect();
    w.store.record_and_claim(&me, &done, 0, later(6)).await.unwrap();
    w.store.finish_done(later(7)).await.unwrap();
    assert_eq!(public(&w.store).await, [2]);
    let skipped = w.store.public_issues(1, 10).await.unwrap();
    assert!(skipped.is_empty(), "pages leave out what came before");
}

async fn comparisons_show_when_their_time_has_come(w: World) {
    for (slug, at) in [("early", -10), ("due", 0), ("late", 10)] {
        w.store.put_comparison(&comparison(slug, later(at * 1000)), NOW).await.unwrap();
    }
    for slug in ["early", "due"] {
        assert!(w.store.public_comparison(slug, NOW).await.unwrap().is_some(), "{slug}");
    }
    assert!(w.store.public_comparison("late", NOW).await.unwrap().is_none());
    assert!(w.store.figures("late", ["a", "b"], NOW).await.unwrap().is_none());
    let slugs = |found: Vec<verdicts::domain::comparison::StoredComparison>| {
        found.into_iter().map(|c| c.comparison.slug).collect::<Vec<_>>()
    };
    assert_eq!(slugs(w.store.public_comparisons(10, NOW).await.unwrap()), ["due", "early"]);
    assert_eq!(slugs(w.store.public_comparisons(1, later(10_000)).await.unwrap()), ["late"]);
    let listed = w.store.public_slugs(10, NOW).await.unwrap();
    assert_eq!(listed, [("due".to_owned(), NOW), ("early".to_owned(), NOW)]);
    let (before, after) =
        (w.store.lists_version(NOW).await.unwrap(), w.store.lists_version(later(10_000)).await.unwrap());
    assert_eq!((before.comparisons, after.comparisons), (2, 3), "time alone changes the lists");
}

async fn figures_change_with_whatever_the_page_shows(w: World) {
    w.with_readers(2).await;
    w.store.put_comparison(&comparison("a-vs-b", NOW), NOW).await.unwrap();
    let figures = async || w.store.figures("a-vs-b", ["a", "b"], NOW).await.unwrap().unwrap();
    let mut seen = vec![figures().await];
    let vote = CastVote { reader: SubscriberId(1), tool: "b", published: NOW, stance: Stance::Skip };
    w.store.vote(&vote, later(3)).await.unwrap();
    seen.push(figures().await);
    assert_eq!(seen[1].totals.map(|t| t.votes), [Votes::default(), Votes { ship: 0, skip: 1 }]);
    w.store.put_comparison(&comparison("a-vs-b", later(-5000)), later(9)).await.unwrap();
    seen.push(figures().await);
    w.enqueue(ONE, issue(&["a-vs-b"])).await;
    assert_eq!(figures().await, seen[2], "an issue that nobody has yet is nobody's business");
    let me = w.store.enlist(NOW).await.unwrap().unwrap();
    w.store.record_and_claim(&me, &[], 1, NOW).await.unwrap();
    seen.push(figures().await);
    assert_eq!(seen[3].issue, Some(ONE));
    for (n, one) in seen.iter().enumerate() {
        assert!(!seen[..n].contains(one), "{n}: {one:?}");
    }
    assert_eq!(figures().await, seen[3], "and stay the same as long as nothing changes");
}

async fn an_issue_carries_the_featured_first(w: World) {
    w.with_readers(1).await;
    for slug in ["one", "two", "three", "four"] {
        w.store.put_comparison(&comparison(slug, NOW), NOW).await.unwrap();
    }
    let new = NewIssue { mentioned: vec!["two".to_owned()], ..issue(&["three", "one"]) };
    w.enqueue(ONE, new.clone()).await;
    let carried = w.store.comparisons_in(&[ONE, IssueNumber(7)]).await.unwrap();
    let listed: Vec<_> = carried.iter().map(|c| (c.comparison.slug.as_str(), c.featured)).collect();
    assert_eq!(listed, [("three", true), ("one", true), ("two", false)]);
    assert!(w.store.comparisons_in(&[]).await.unwrap().is_empty());
}

contract! {
    an_issue_is_public_from_its_first_letter_on,
    an_issue_called_off_in_time_never_was,
    comparisons_show_when_their_time_has_come,
    figures_change_with_whatever_the_page_shows,
    an_issue_carries_the_featured_first,
}
