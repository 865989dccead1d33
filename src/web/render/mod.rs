//! From what a handler hands over to HTML in the reader's language.
//!
//! A handler names a template and its data; the middleware renders it, and puts a page in the place
//! of every bare refusal. Templates are parsed once and made of samples before the first request
//! (`sample_check`), so that a broken one stops the start and not a reader.
//!
//! What is absent: a query to the store, and the choice of what to show, which is the handler's.

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
