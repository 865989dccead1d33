//! Issues: what they carry, how they go into the queue, and what is left of them.

pub(in crate::store) mod comparisons;
pub(in crate::store) mod enqueued;
pub(in crate::store) mod issues;
pub(in crate::store) mod public;
pub(in crate::store) mod retention;
pub(in crate::store) mod schedule;
pub(in crate::store) mod subject_test;
pub(in crate::store) mod variants;
pub(in crate::store) mod wording;
