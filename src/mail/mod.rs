//! MIME, headers, and SMTP through lettre; the outbox.

pub mod connect;
pub mod dkim;
pub mod encode;
mod line;
pub mod outbox;
pub mod reply;
pub mod session;
pub mod single;
pub mod slot;
pub mod stencil;
mod wire;

pub use connect::{OpenError, Relay, SessionOptions, Timeouts};
pub use dkim::{DkimError, Signer};
pub use outbox::{Outbox, OutboxError};
pub use session::{Envelope, Outcome, Session, Stage};
pub use single::Single;
pub use slot::{Marks, Slot};
pub use stencil::{Letter, Reader, Stencil, StencilError};
pub use wire::Wire;
