//! The letter on the operator's own screen, as it would arrive: `verdicts issue preview N --serve`.
//!
//! A server of its own beside that of the pages, for one person on this machine. What a letter says
//! is shown in a frame without scripts, under a policy of its own. A page of somebody else that has
//! itself resolved to 127.0.0.1 (DNS rebinding) is turned away by the name in `Host`.
//!
//! What is absent: any change, since there are only GETs; and a token that opens something: whoever
//! makes the letters ([`PreviewSource`], in a room above) fills them with made-up ones.

mod changes;
mod host;
mod page;
mod scheme;
mod server;
mod source;
mod state;
mod template;

pub use host::Guests;
pub use server::serve;
pub use source::{PreviewChoice, PreviewLetter, PreviewSource, Shown, Wanted};
