//! Every setting, with its default and text: `verdicts.toml` and the environment over it, read once and typed.
//!
//! [`KEYS`] is the only list of settings; [`init_file`] prints it. What is not in it is refused by name. Secrets never
//! stand in an error or in `Debug`.

mod assemble;
mod error;
mod keys;
mod raw;
mod section;
mod span;
mod value;

pub use assemble::{FILE_NAME, Settings};
pub use error::{ConfigError, Place};
pub use keys::{Initial, KEYS, Key, SECTIONS, Shape, init_file};
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
