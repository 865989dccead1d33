//! From comparison files to one letter: sources → pick → compose → render.
//!
//! [`pick`], [`verdict`] and [`compose`] are pure; [`sources`] reads files; [`render`] alone knows
//! tera and MJML. What comes out is a [`crate::mail::Letter`], rendered once per issue; nothing
//! here knows a reader. What is said stands in [`crate::texts`], how it looks in
//! [`crate::templates`].

pub mod compose;
mod english;
pub mod lint;
pub mod notice;
pub mod pick;
pub mod render;
pub mod samples;
pub mod sources;
pub mod verdict;

pub use notice::{Latest, NoticeError, NoticeWriter};
pub use samples::samples;
