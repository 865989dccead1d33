//! The queue: letters and notices that are owed, who delivers them, and at what pace.

pub(in crate::store) mod deliveries;
pub(in crate::store) mod notices;
pub(in crate::store) mod paced_claim;
pub(in crate::store) mod rate_state;
pub(in crate::store) mod speed;
pub(in crate::store) mod worker_lease;
