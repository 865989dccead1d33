//! The database itself: opened, migrated, copied, and written to by one transaction at a time.
//!
//! Owns the tables `schema_version` and `ledger_mark`, and every connection but those that a
//! worker's lease holds. Knows no other room: a statement is declared beside the function that runs
//! it.
//!
//! Locks: `tx` has them all, by name. A migration and the acceptance of a restored copy take
//! `Lock::Ledger`.

pub(in crate::store) mod backup;
pub(in crate::store) mod dialect;
pub(in crate::store) mod error;
pub(in crate::store) mod group_commit;
pub(in crate::store) mod open;
pub(in crate::store) mod restore_guard;
pub(in crate::store) mod schema;
pub(in crate::store) mod statement;
pub(in crate::store) mod store;
pub(in crate::store) mod tx;
pub(in crate::store) mod values;
