//! Other people's programs, each started by the test that needs it, on loopback and in a folder of its own.

pub mod browser;
pub mod driver;
pub mod nameserver;
pub mod postfix;
pub mod postgres;
pub mod rspamd;
pub mod verifiers;
