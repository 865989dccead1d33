//! All SQL. A verb is a whole transaction: it either happened or it did not, and no caller holds one open.
//!
//! One text of SQL serves SQLite and Postgres; `dialect` holds what differs. Times are BIGINT milliseconds.
//! SQLite runs in WAL with one writer at a time (a gate in this process, `busy_timeout` between processes).
//!
//! Locks on Postgres are always taken in this order, so that nobody waits in a ring: the ledger or the intake of
//! subscribers (advisory locks, never both), issue, subscriber, delivery, the paces (another advisory lock).

mod db;
mod issue;
mod plans;
mod queue;
mod reader;

pub use db::error::{Result, StoreError};
pub use db::restore_guard::{Mark, MarkFile};
pub use db::schema::SCHEMA;
pub use db::store::Store;
pub use issue::comparisons::{Carried, ComparisonChange};
pub use issue::enqueued::Enqueued;
pub use issue::issues::{DeliveryRow, LastIssue};
pub use issue::public::{Figures, ListsVersion};
pub use issue::retention::Requeued;
pub use issue::subject_test::{Decided, NewSubjectTest, SubjectTest, Subjects};
pub use issue::variants::{Choices, ChosenHour, ChosenTopics, NewVariant, Served, Waiting};
pub use queue::deliveries::Turned;
pub use queue::notices::NoticeRow;
pub use queue::paced_claim::Paced;
pub use queue::rate_state::Pacing;
pub use queue::worker_lease::{LEASE, WorkerLease};
pub use reader::address_change::{AddressChange, AskedChange, CHANGE_FOR, Changed, TAKE_BACK_FOR};
pub use reader::import::SubscriberChange;
pub use reader::unsubscribe::{Leaving, Reasons};
pub use reader::votes::{CastVote, Total, Voted};
