//! Pages behind a link that one reader has: preferences, a pause, another address, the data kept on
//! them, unsubscribing, and votes.
//!
//! The token in the path is the whole authority, made for one reader and one purpose. Every GET
//! shows what a button would do, and every POST is committed before it is answered.
//!
//! What is absent: a session, a cookie, a login, a redirect after a POST, and a page that may be
//! cached.

pub mod address_change;
pub mod form;
pub mod pause;
pub mod personal_data;
pub mod preferences;
pub mod preferences_page;
pub mod unsubscribe;
pub mod vote;
