//! Pages that are the same for everybody.

pub mod archive;
pub mod cached;
pub mod compare;
pub mod conditional;
pub mod feeds;
pub mod page_cache;
pub mod sitemap;
