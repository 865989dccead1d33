//! From comparison files to one letter: sources → pick → compose → render.
//!
//! [`pick`], [`verdict`] and [`compose`] are pure; [`sources`] reads files; [`render`] alone knows tera and MJML. What
//! comes out is a [`crate::mail::Letter`], rendered once per issue; nothing here knows a reader.

pub mod compose;
pub mod pick;
pub mod render;
pub mod samples;
pub mod sources;
pub mod verdict;
mod words;

pub use samples::samples;
