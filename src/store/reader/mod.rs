//! Readers: how they come, what they choose and say, and how they leave.
//!
//! Owns the tables `subscriber`, `suppression`, `pending`, `consent`, `allowance`, `preference`,
//! `address_change`, `leaving`, `vote`, `vote_total` and `vote_fence`. Cancels and revives
//! deliveries, and puts notices into the queue.
//!
//! Locks, on Postgres: imports, sign-ups and wishes for another address take `Lock::Intake` first.
//! Who leaves, votes, chooses or changes an address locks the subscriber's row before anything that
//! hangs on it; several at once in the order of their ids. Taking back an unsubscription shares the
//! issue before that.

pub(in crate::store) mod address_change;
pub(in crate::store) mod erasure;
pub(in crate::store) mod import;
pub(in crate::store) mod personal_data;
pub(in crate::store) mod preferences;
pub(in crate::store) mod rate_limits;
#[cfg(test)]
mod same_work;
pub(in crate::store) mod signup;
pub(in crate::store) mod subscribers;
pub(in crate::store) mod unsubscribe;
pub(in crate::store) mod votes;
