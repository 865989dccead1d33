//! The database itself: opened, migrated, copied, and written to by one transaction at a time.

pub(in crate::store) mod backup;
pub(in crate::store) mod dialect;
pub(in crate::store) mod error;
pub(in crate::store) mod group_commit;
pub(in crate::store) mod open;
pub(in crate::store) mod restore_guard;
pub(in crate::store) mod schema;
pub(in crate::store) mod store;
pub(in crate::store) mod tx;
pub(in crate::store) mod values;
