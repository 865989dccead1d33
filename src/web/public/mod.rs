//! Pages that are the same for everybody, made once and answered from memory.
//!
//! Each page names what it depends on (`page_cache::PageVersion`), and is made anew when that has
//! changed; a browser that has it already gets a 304 (`conditional`).
//!
//! What is absent: a token, and with it anything of one reader's, since these pages are cached
//! here, in proxies and in browsers; and a way to change anything.

pub mod archive;
pub mod cached;
pub mod compare;
pub mod conditional;
pub mod feeds;
pub mod page_cache;
pub mod sitemap;
