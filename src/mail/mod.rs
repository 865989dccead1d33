//! A letter as octets, its signatures, and the way to a relay. Nobody else speaks SMTP or MIME.
//!
//! - `message` writes: headers, MIME, and the places that differ from reader to reader.
//! - [`dkim`] signs what is written, and makes keys.
//! - `smtp` hands it over, through lettre: one session, one letter after another.
//! - [`outbox`] takes it instead, as a file.
//!
//! What a relay answers is data ([`Outcome`]); what it means for a delivery is decided above.

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
