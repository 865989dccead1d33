//! Pages behind a link that one reader has.

pub mod address_change;
pub mod form;
pub mod pause;
pub mod personal_data;
pub mod preferences;
pub mod preferences_page;
pub mod unsubscribe;
pub mod vote;
