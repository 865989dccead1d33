//! From the queue to the relay and back: claims, pacing, sessions, what an answer means, and the
//! report.
//!
//! - [`Mailer`] is what a pass needs besides the store: transport, settings, letters.
//! - `run/` owns a pass: one ledger that talks to the store, and connections that each hold two
//!   letters at most.
//! - `relay/` owns the sessions with relays: how many are open, which relay is next, and single
//!   letters outside of a pass.
//! - `outcome/` owns what an answer means and when the next try is due. Pure, and decided nowhere
//!   else.

mod mailer;
pub mod outcome;
mod relay;
mod run;
mod settings;

pub use mailer::{Clock, Letters, Loader, Mailer, Transport};
pub use relay::relays::Relays;
pub use relay::single::SingleSession;
pub use run::pass::pass;
pub use run::progress::{Pass, Progress};
pub use settings::{DomainPace, MailerSettings, PaceLimits};
