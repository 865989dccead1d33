//! How somebody becomes a reader: ask, confirm.

pub mod application;
pub mod confirm;
pub mod embed;
pub mod page;
