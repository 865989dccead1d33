//! Plain types and pure rules: what a tool, a comparison, a subscriber, an issue and a delivery are.
//!
//! Nothing here does I/O, knows SQL or HTTP, or asks what time it is: `now` is always an argument.

pub mod address;
pub mod class;
pub mod colour;
pub mod comparison;
pub mod delivery;
pub mod issue;
pub mod notice;
pub mod pace;
pub mod preferences;
pub mod rate;
pub mod relay;
pub mod schedule;
pub mod signup;
pub mod site;
pub mod subject;
pub mod subscriber;
pub mod theme;
pub mod time;
pub mod token;
pub mod typo;

pub use address::EmailAddress;
pub use time::UnixMillis;
