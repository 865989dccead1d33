//! The pages over real HTTP from the real binary, and in a real browser.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod crawler;
mod join;
mod junk;
mod pages;
mod preferences;
mod preview;
mod reading;
mod routes;
mod serving;
mod votes;

mod needs_chromium {
    mod browser;
    mod proof_of_work;
}
