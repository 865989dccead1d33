//! SMTP: from a relay's URL to a session on it, and one letter after another over it.
//!
//! [`relay`] connects and hands over a [`session`]; the rest is what the two of them speak with.
//! Nothing here knows the queue.

pub(super) mod capabilities;
pub(super) mod envelope;
pub(super) mod line;
pub(super) mod outcome;
pub(super) mod relay;
pub(super) mod reply;
pub(super) mod session;
pub(super) mod stage;
pub(super) mod stream;
pub(super) mod timeouts;
pub(super) mod wire;
