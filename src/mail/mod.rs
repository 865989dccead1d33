//! MIME, headers, and SMTP through lettre; the outbox.

pub mod encode;
pub mod slot;
pub mod stencil;

pub use slot::{Marks, Slot};
pub use stencil::{Letter, Reader, Stencil, StencilError};
