//! From comparison files to one letter: sources → pick → compose → render.
//!
//! [`pick`], [`verdict`] and [`compose`] are pure; [`sources`] reads files; [`render`] alone knows tera and MJML. What
//! comes out is a [`crate::mail::Letter`], rendered once per issue; nothing here knows a reader. [`texts`] has the words of
//! pages and notices in every language.

pub mod compose;
pub mod lint;
mod look;
pub mod mjml;
pub mod notice;
pub mod pick;
mod plain;
pub mod render;
pub mod samples;
pub mod sources;
pub mod templates;
pub mod texts;
pub mod verdict;
mod words;

pub use notice::{Latest, NoticeError, NoticeWriter};
pub use samples::samples;
pub use texts::{Language, Texts};
