//! The store on both engines: every verb, and what rests on it. Stories in a module `postgres` need a Postgres server.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod choices;
mod contract;
mod join_rules;
mod leaving;
mod locks;
mod opening;
mod public;
mod query_plans;
mod retention;
mod schemas;
mod subject_test;
mod upgrade;
mod votes;
