//! One contract for both engines: every verb of the store, and the promises that rest on it.

mod comparisons;
mod figures;
mod issues;
mod queue;
mod subscribers;
mod workers;

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
