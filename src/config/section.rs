//! One file for each section of `verdicts.toml`: its settings as a type, and how each key of
//! it is read.
//!
//! A section knows the values' forms ([`super::value`]) and what was given ([`super::raw`]), and no
//! other section; what one of them has to know of another (the theme the site's name, the
//! signatures its sender) it is handed or takes by its key.

pub(super) mod database;
pub(super) mod delivery;
pub(super) mod dkim;
pub(super) mod relay;
pub(super) mod schedule;
pub(super) mod secret;
pub(super) mod signup;
pub(super) mod site;
pub(super) mod subject_test;
pub(super) mod templates;
pub(super) mod theme;
pub(super) mod web;
