//! Weekly verdicts.
pub mod cli;
pub mod domain;
pub mod letter;
pub mod mail;
pub mod store;
