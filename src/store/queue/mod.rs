//! The queue: letters and notices that are owed, who delivers them, and at what pace.
//!
//! Owns the tables `delivery` (written by `issue` when an issue is enqueued, called off or
//! condensed, and by `reader` when somebody leaves), `notice`, `worker`, `pace`, `warmup_day` and
//! `speed`.
//!
//! Locks, on Postgres: whoever records and claims shares the running issue, then locks the
//! subscribers of what goes back into the queue, then deliveries, and last `Lock::Paces` if there
//! is a pace to keep to. A notice takes `Lock::Paces` and then its own row. A lease is a lock of
//! `WORKER_CLASS` on a connection of its own.

pub(in crate::store) mod deliveries;
pub(in crate::store) mod notices;
pub(in crate::store) mod paced_claim;
pub(in crate::store) mod rate_state;
pub(in crate::store) mod reclaim;
pub(in crate::store) mod record;
pub(in crate::store) mod run;
pub(in crate::store) mod speed;
pub(in crate::store) mod worker_lease;
