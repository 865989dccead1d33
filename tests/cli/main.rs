//! The commands as an operator types them, run in a folder of their own.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod commands;
mod lint;
mod private;
mod reports;
mod restored;
mod schedule;
mod subjects;
mod subscribers;
mod templates;
mod week;
