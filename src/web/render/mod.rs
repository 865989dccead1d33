//! From what a handler says to HTML in the reader's language.

pub mod answers;
pub mod asset_route;
pub mod assets;
pub mod json_ld;
pub mod middleware;
pub mod pages;
pub mod phrases;
pub mod sample_check;
pub mod samples;
pub mod xml;
