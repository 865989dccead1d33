//! Every setting, with its default and text: `verdicts.toml` and the environment over it, read
//! once and typed.
//!
//! [`KEYS`] is the only list of settings; [`init_file`] and [`reference`](reference()) print it.
//! What is not in it is refused by name. Secrets never stand in an error or in `Debug`.

mod assemble;
mod docs;
mod error;
mod key;
mod keys;
mod raw;
mod section;
mod span;
mod value;

pub use assemble::{FILE_NAME, Settings};
pub use docs::init_file::init_file;
pub use docs::reference::reference;
pub use error::{ConfigError, Place};
pub use key::{Initial, Key, Shape};
pub use keys::{KEYS, SECTIONS};
pub use section::database::{DatabaseSettings, DatabaseUrl};
pub use section::delivery::DeliverySettings;
pub use section::dkim::{DkimKey, aligned};
pub use section::relay::{DomainLimit, MoreRelay, RelaySettings};
pub use section::schedule::ScheduleSettings;
pub use section::secret::SecretSettings;
pub use section::signup::SignupSettings;
pub use section::subject_test::SubjectTestSettings;
pub use section::web::WebSettings;
pub use span::parse_span;

#[cfg(test)]
mod tests;
