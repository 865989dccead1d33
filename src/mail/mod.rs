//! MIME, headers, and SMTP through lettre; the outbox.

pub mod connect;
mod line;
pub mod outbox;
pub mod reply;
pub mod session;

pub use connect::{OpenError, Relay, SessionOptions, Timeouts};
pub use outbox::{Outbox, OutboxError};
pub use session::{Outcome, Session, Stage};
