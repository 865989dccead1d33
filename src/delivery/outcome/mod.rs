//! What an answer means, and when the next try is due. Pure.

pub mod backoff;
pub mod transition;
