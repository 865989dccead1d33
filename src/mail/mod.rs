//! MIME, headers, signatures, and SMTP through lettre; the outbox.

pub mod dkim;
mod message;
pub mod outbox;
mod smtp;

pub use dkim::{DkimError, Signer};
pub use message::encode;
pub use message::single::Single;
pub use message::slot::{Marks, Piece, StencilSlot};
pub use message::stencil::{Letter, Recipient, Stencil, StencilError};
pub use outbox::{Outbox, OutboxError};
pub use smtp::envelope::Envelope;
pub use smtp::outcome::Outcome;
pub use smtp::relay::{ConnectError, Relay, SessionOptions};
pub use smtp::session::Session;
pub use smtp::stage::Stage;
pub use smtp::timeouts::Timeouts;
pub use smtp::wire::Wire;
