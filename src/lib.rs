//! Weekly verdicts.
pub mod cli;
pub mod delivery;
pub mod domain;
pub mod mail;
pub mod store;
