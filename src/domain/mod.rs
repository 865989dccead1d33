//! Plain types and pure rules: what a tool, a comparison, a subscriber, an issue and
//! a delivery are.
//!
//! Nothing here does I/O, knows SQL or HTTP, or asks what time it is: `now` is always an argument.
//! The folders are those of the store; everything in them is named without the folder.

pub mod delivery;
pub mod issue;
pub mod reader;
pub mod time;
pub mod token;

pub use delivery::{class, notice, pace, rate, relay};
pub use issue::{colour, comparison, schedule, site, subject, theme};
pub use reader::address::EmailAddress;
pub use reader::{address, mailbox, preferences, signup, subscriber, typo};
pub use time::UnixMillis;
