//! Issues: what they carry, how they go into the queue, and what is left of them.
//!
//! Owns the tables `comparison`, `comparison_topic`, `issue`, `issue_comparison`, `issue_variant`,
//! `issue_topics`, `issue_hour`, `subject_test`, `wording`, `slot_skip`, `schedule_since` and
//! `condensed`.
//!
//! Locks, on Postgres: whoever says which issue is next, or puts letters back into an old one,
//! takes `Lock::Ledger` first (to enqueue, to write a subject, to skip a slot, to condense, to
//! requeue). Then the issue, then its deliveries in the order of their subscribers.

pub(in crate::store) mod comparisons;
pub(in crate::store) mod enqueue;
pub(in crate::store) mod enqueued;
pub(in crate::store) mod issues;
pub(in crate::store) mod public;
pub(in crate::store) mod retention;
pub(in crate::store) mod schedule;
pub(in crate::store) mod subject_test;
pub(in crate::store) mod variants;
pub(in crate::store) mod wording;
