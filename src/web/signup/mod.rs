//! How somebody becomes a reader: a form of ours or of another site, a notice, a confirmation.
//!
//! The same work, the same answer and the same limits for every address, whether it is new, known,
//! waiting or suppressed, so that no form tells who is on the list (promise P15).
//!
//! What is absent: the sending of the notice, which is the worker's; a reader made without a
//! confirmation; and a state change by GET.

pub mod application;
pub mod confirm;
pub mod embed;
pub mod page;
