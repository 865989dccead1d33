//! Readers: their addresses, what they asked for, what they chose, and when they left.

pub mod address;
pub mod mailbox;
pub mod preferences;
pub mod signup;
pub mod subscriber;
pub mod typo;
