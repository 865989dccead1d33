//! A letter as octets: headers, MIME, the places that differ from reader to reader.
//!
//! [`stencil`] is the letter of an issue, encoded once for everybody; [`single`] is a notice to one
//! person; both write with [`encode`]. Nothing here signs or sends.

pub mod encode;
pub(super) mod single;
pub(super) mod slot;
pub(super) mod stencil;
