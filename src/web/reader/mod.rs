//! Pages behind a link that one reader has.

pub mod address_change;
pub mod form;
pub mod preferences;
pub mod unsubscribe;
pub mod vote;
