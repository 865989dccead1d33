//! Commands that prepare a site and look after its files: settings, keys, the database.

pub(super) mod check;
pub(super) mod db;
pub(super) mod dkim;
pub(super) mod init;
pub(super) mod key;
