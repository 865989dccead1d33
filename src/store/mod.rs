//! All SQL. A verb is a whole transaction: it either happened or it did not, and no caller holds
//! one open.
//!
//! One text of SQL serves SQLite and Postgres; `db::dialect` holds what differs. Times are BIGINT
//! milliseconds. SQLite runs in WAL with one writer at a time (a gate in this process,
//! `busy_timeout` between processes).
//!
//! Four rooms, each of which uses those before it and none after: `db`, the database itself;
//! `queue`, the letters and notices that are owed; `reader`, the people; `issue`, what goes out and
//! what is left of it.
//!
//! # Locks
//!
//! On SQLite a transaction that writes is alone. On Postgres each takes what it needs in this
//! order, and rows of one table in the order of their keys, so that nobody waits in a ring:
//!
//! 1. `Lock::Ledger` or `Lock::Intake`, never both
//! 2. the issue: shared by whoever records and claims, held by whoever pauses, cancels, decides or
//!    finishes it
//! 3. subscribers
//! 4. deliveries; a claim skips those that somebody else holds
//! 5. `Lock::Paces`, and under it the rows of the rates; whoever has it waits for no row of the
//!    tables above
//!
//! What hangs on a subscriber (votes, preferences, consents, notices) is written under that
//! subscriber's row. A worker's life is a lock of another class, held by a session of its own and
//! waited for by nobody.

mod db;
mod issue;
mod plans;
mod queue;
mod reader;

pub use db::error::{Result, StoreError};
pub use db::restore_guard::{LedgerPosition, RestoreGuard};
pub use db::schema::SCHEMA;
pub use db::store::Store;
pub use issue::comparisons::{Carried, ComparisonChange};
pub use issue::enqueue::Enqueue;
pub use issue::enqueued::Enqueued;
pub use issue::issues::{DeliveryRow, LastIssue};
pub use issue::public::{Figures, ListsVersion};
pub use issue::retention::Requeued;
pub use issue::subject_test::{Decided, NewSubjectTest, SubjectTest, Subjects};
pub use issue::variants::{Choices, ChosenHour, ChosenTopics, NewVariant, Served, Waiting};
#[doc(hidden)]
pub use plans::PlannedStatement;
pub use queue::deliveries::Claims;
pub use queue::notices::NoticeRow;
pub use queue::paced_claim::PacedClaims;
pub use queue::rate_state::Pacing;
pub use queue::worker_lease::{LEASE, WorkerLease};
pub use reader::address_change::{AddressChange, AskedChange, CHANGE_FOR, Changed, TAKE_BACK_FOR};
pub use reader::import::SubscriberChange;
pub use reader::unsubscribe::{UnsubscribeReasons, Unsubscription};
pub use reader::votes::{CastVote, Total, Voted};
