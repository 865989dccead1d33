//! All SQL. A verb is a whole transaction: it either happened or it did not, and no caller holds one open.
//!
//! One text of SQL serves SQLite and Postgres; [`dialect`] holds what differs. Times are BIGINT milliseconds.
//! SQLite runs in WAL with one writer at a time (a gate in this process, `busy_timeout` between processes).

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::domain::comparison::{Comparison, StoredComparison};
use crate::domain::delivery::{Claimed, DeliveryState, Finished, Reply, Status, Tally};
use crate::domain::issue::{Issue, IssueNumber, IssueState, NewIssue};
use crate::domain::subscriber::{NewSubscriber, Subscriber, SubscriberId, SubscriberStatus};
use crate::domain::{EmailAddress, UnixMillis};

/// What can go wrong in the store, each with the remedy in its text.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{0}")]
    Placeholder(String),
}

pub type Result<T> = std::result::Result<T, StoreError>;

/// The store. Cheap to clone; every clone shares the pools.
#[derive(Clone)]
pub struct Store {}

/// What an import of one comparison did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ComparisonChange {
    Added,
    Updated,
    Unchanged,
}

/// What became of one row of a subscriber import, in the order of the batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SubscriberChange {
    Added,
    /// The address was there already (in the store, or earlier in the file); nothing was changed.
    Duplicate,
    /// The address is suppressed and stays out.
    Suppressed,
}

/// What happened to the wish to start an issue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Enqueued {
    /// The issue and one delivery per active subscriber stand in the ledger, in one commit.
    Started { number: IssueNumber, audience: i64 },
    /// Somebody else was first: the slot is taken, one of the comparisons has been featured, or another issue is not
    /// finished. Nothing was written.
    Taken { by: Option<IssueNumber> },
}

/// The newest issue's cut-off and number: where the next window begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LastIssue {
    pub number: IssueNumber,
    pub cutoff_at: UnixMillis,
}

/// One failed (or deferred) delivery for the operator's eyes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryRow {
    pub subscriber: SubscriberId,
    /// None once the subscriber is erased.
    pub email: Option<EmailAddress>,
    pub state: DeliveryState,
    pub attempts: u32,
    pub reply: Option<Reply>,
    pub note: Option<String>,
}

/// The right to deliver from this store: while it lives, rows claimed under its `worker` number are ours.
///
/// On SQLite it is an exclusive lock on a file beside the database, so one process delivers at a time; on Postgres an
/// advisory lock held by a connection, so that many may. Both vanish with the process, however it ends.
pub struct Enlistment {
    pub worker: i64,
}

impl Store {
    /// Opens `sqlite:PATH` (created if absent) or `postgres://…`. Refuses a schema that is not this binary's, with the remedy in the
    /// error, except that an empty database is migrated on the spot.
    pub async fn open(_url: &str) -> Result<Self> {
        todo!()
    }
    /// Opens without looking at the schema, for `db migrate`.
    pub async fn open_unchecked(_url: &str) -> Result<Self> {
        todo!()
    }
    /// Brings the schema up to this binary's; refuses a newer one. Returns the versions before and after.
    pub async fn migrate(&self) -> Result<(i64, i64)> {
        todo!()
    }
    /// An online copy of a SQLite database (VACUUM INTO a temporary name, then renamed); on Postgres an error that
    /// says which pg_dump command to run. Refuses to overwrite.
    pub async fn backup(&self, _file: &Path) -> Result<()> {
        todo!()
    }
    /// Reads one row: for `/readyz` and `check`.
    pub async fn ping(&self) -> Result<()> {
        todo!()
    }
    pub async fn close(&self) {
        todo!()
    }

    // comparisons
    pub async fn put_comparison(&self, _c: &Comparison, _now: UnixMillis) -> Result<ComparisonChange> {
        todo!()
    }
    pub async fn comparison(&self, _slug: &str) -> Result<Option<StoredComparison>> {
        todo!()
    }
    /// Newest first.
    pub async fn comparisons(&self, _limit: i64) -> Result<Vec<StoredComparison>> {
        todo!()
    }
    /// Comparisons that no issue has featured, published after `after` and at or before `until`; oldest first.
    pub async fn candidates(&self, _after: UnixMillis, _until: UnixMillis) -> Result<Vec<Comparison>> {
        todo!()
    }

    // subscribers
    /// One batch (≤ 1,000) in one transaction. A known address is left exactly as it is. `hashes` are the suppression hashes of
    /// the rows, in their order.
    pub async fn add_subscribers(
        &self,
        _rows: &[NewSubscriber],
        _hashes: &[String],
    ) -> Result<Vec<SubscriberChange>> {
        todo!()
    }
    pub async fn subscriber(&self, _email: &EmailAddress) -> Result<Option<Subscriber>> {
        todo!()
    }
    pub async fn subscriber_by_id(&self, _id: SubscriberId) -> Result<Option<Subscriber>> {
        todo!()
    }
    /// The next page of at most `limit` subscribers with an id above `after`, by id (keyset, for exports that stream).
    pub async fn subscribers_after(
        &self,
        _after: SubscriberId,
        _status: Option<SubscriberStatus>,
        _limit: i64,
    ) -> Result<Vec<Subscriber>> {
        todo!()
    }
    pub async fn count_subscribers(&self) -> Result<BTreeMap<&'static str, i64>> {
        todo!()
    }
    pub async fn count_suppressed(&self) -> Result<i64> {
        todo!()
    }
    /// Sets the status, suppresses the address (reason `unsubscribed`) and cancels what is queued or deferred, in one durable
    /// (fsynced) commit. Repeats succeed. None: no such subscriber; else how many deliveries were cancelled.
    pub async fn unsubscribe(&self, _id: SubscriberId, _hash: &str, _now: UnixMillis) -> Result<Option<u64>> {
        todo!()
    }
    /// Deletes the person's row, keeps a suppression (reason `erased`) and the deliveries' rows without address.
    pub async fn erase(&self, _id: SubscriberId, _hash: &str, _now: UnixMillis) -> Result<bool> {
        todo!()
    }
    pub async fn is_suppressed(&self, _hash: &str) -> Result<bool> {
        todo!()
    }

    // issues
    pub async fn last_issue(&self) -> Result<Option<LastIssue>> {
        todo!()
    }
    /// The highest number so far plus one. Only `enqueue` makes it true.
    pub async fn next_number(&self) -> Result<IssueNumber> {
        todo!()
    }
    /// Issue, its comparisons and one delivery for each active, unsuppressed subscriber, in one commit. Refuses (`Taken`) if `expected` is not
    /// the next number any more, if the slot has an issue or a skip, if a featured comparison is featured, or if an issue is running or paused.
    pub async fn enqueue(
        &self,
        _expected: IssueNumber,
        _issue: &NewIssue,
        _now: UnixMillis,
    ) -> Result<Enqueued> {
        todo!()
    }
    pub async fn issue(&self, _number: IssueNumber) -> Result<Option<Issue>> {
        todo!()
    }
    /// Newest first.
    pub async fn issues(&self, _limit: i64) -> Result<Vec<Issue>> {
        todo!()
    }
    pub async fn stencil(&self, _number: IssueNumber) -> Result<Option<String>> {
        todo!()
    }
    /// Issues that are running or paused, oldest first.
    pub async fn unfinished(&self) -> Result<Vec<Issue>> {
        todo!()
    }
    /// Running → paused, with the reason; false if it was not running.
    pub async fn pause(&self, _number: IssueNumber, _reason: &str) -> Result<bool> {
        todo!()
    }
    /// Paused → running; false if it was not paused.
    pub async fn resume(&self, _number: IssueNumber) -> Result<bool> {
        todo!()
    }
    /// Cancels everything not final; deliveries being sent at this moment keep their outcome. Releases the featured comparisons if not
    /// one letter had been sent or was in flight. None: no such issue, or it is finished already; else the cancelled deliveries.
    pub async fn cancel(&self, _number: IssueNumber, _now: UnixMillis) -> Result<Option<u64>> {
        todo!()
    }
    pub async fn tally(&self, _number: IssueNumber) -> Result<Tally> {
        todo!()
    }
    pub async fn status(&self, _number: IssueNumber) -> Result<Option<Status>> {
        todo!()
    }
    /// Deliveries in `state`, by subscriber, after `after` (keyset).
    pub async fn deliveries(
        &self,
        _number: IssueNumber,
        _state: DeliveryState,
        _after: SubscriberId,
        _limit: i64,
    ) -> Result<Vec<DeliveryRow>> {
        todo!()
    }

    // schedule
    /// Whether the slot has an issue or was skipped.
    pub async fn slot_taken(&self, _slot: &str) -> Result<bool> {
        todo!()
    }
    /// Writes down that a slot passed without a letter, and why; false if the slot was taken already.
    pub async fn skip_slot(&self, _slot: &str, _reason: &str, _now: UnixMillis) -> Result<bool> {
        todo!()
    }
    /// When the scheduler first looked at this schedule: slots before it are not owed. Written once per schedule text.
    pub async fn schedule_since(&self, _schedule: &str, _now: UnixMillis) -> Result<UnixMillis> {
        todo!()
    }

    // the queue
    /// Tries to become a worker. None: another process delivers from this SQLite file.
    pub async fn enlist(&self, _now: UnixMillis) -> Result<Option<Enlistment>> {
        todo!()
    }
    /// Rows claimed by workers that are gone go back to `deferred`, due now, with an unknown outcome. Returns how many.
    pub async fn reclaim(&self, _me: &Enlistment, _now: UnixMillis) -> Result<u64> {
        todo!()
    }
    /// One turn of the ledger, one commit: writes down what `finished`, then claims up to `want` deliveries due at `now` of running issues for `me`.
    /// Finished rows that are no longer ours (the lease ran out, another worker took over) are left alone unless the transition is Sent.
    /// A claimed row's subscriber is active at this moment; others are cancelled here.
    pub async fn turn(
        &self,
        _me: &Enlistment,
        _finished: &[Finished],
        _want: usize,
        _now: UnixMillis,
    ) -> Result<Vec<Claimed>> {
        todo!()
    }
    /// When the next delivery of a running issue becomes due, if one waits.
    pub async fn next_due(&self) -> Result<Option<UnixMillis>> {
        todo!()
    }
    /// Marks running issues without open deliveries finished; returns their numbers.
    pub async fn finish_done(&self, _now: UnixMillis) -> Result<Vec<IssueNumber>> {
        todo!()
    }
}

/// How long a claim stands if its worker neither answers nor is known to be gone: beyond the longest an SMTP session
/// may take for one letter (RFC 5321 §4.5.3.2: five minutes each for MAIL and RCPT, two for DATA, ten for the final dot).
pub const LEASE: Duration = Duration::from_secs(30 * 60);
