//! Every setting, with its default and text: `verdicts.toml` and the environment over it, read once and typed.
//!
//! [`KEYS`] is the only list of settings; [`init_file`] prints it. What is not in it is refused by name. Secrets never
//! stand in an error or in `Debug`.

mod database;
mod dkim;
mod error;
mod keys;
mod look;
mod pace;
mod raw;
mod read;
mod serving;
mod signup;
mod span;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use ipnet::IpNet;

use crate::domain::EmailAddress;
use crate::domain::rate::Rate;
use crate::domain::relay::{RelayUrl, SmtpUrl};
use crate::domain::schedule::Schedule;
use crate::domain::signup::{IpProof, Limits};
use crate::domain::site::Site;
use crate::domain::subject::Share;
use crate::domain::theme::Theme;

pub use database::DatabaseUrl;
pub use dkim::aligned;
pub use error::{ConfigError, Place};
pub use keys::{Initial, KEYS, Key, SECTIONS, Shape, init_file};
pub use span::parse_span;

/// The name of the settings file where no other is given.
pub const FILE_NAME: &str = "verdicts.toml";

/// The settings, each checked and typed. Paths are resolved already.
#[derive(Clone, Debug)]
pub struct Settings {
    pub site: Site,
    pub database: DatabaseSettings,
    pub schedule: ScheduleSettings,
    pub relay: RelaySettings,
    pub delivery: DeliverySettings,
    /// The keys that sign each letter; none when the relay does.
    pub dkim: Vec<DkimKey>,
    /// Where bounces go, each with a tag of its own; none for the From address.
    pub bounce_address: Option<EmailAddress>,
    pub web: WebSettings,
    pub signup: SignupSettings,
    pub subject_test: SubjectTestSettings,
    pub secret: SecretSettings,
    /// How letters and notices look.
    pub theme: Theme,
    /// The folder with templates in place of the embedded ones.
    pub templates: Option<PathBuf>,
    /// The folder that relative paths are resolved against: the settings file's own.
    pub folder: PathBuf,
}

#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    pub url: DatabaseUrl,
}

#[derive(Clone, Debug)]
pub struct ScheduleSettings {
    /// The rule itself: `cron` on the clock of `timezone`.
    pub rule: Schedule,
    /// The text of `schedule.cron` as it was written.
    pub cron: String,
    pub timezone: Tz,
    /// A slot later than this is skipped.
    pub catch_up: Duration,
    /// How far back the first letter looks.
    pub lookback: Duration,
    pub min_comparisons: usize,
    /// At least `min_comparisons`.
    pub max_comparisons: usize,
}

#[derive(Clone, Debug)]
pub struct RelaySettings {
    pub url: RelayUrl,
    /// 1 to 500.
    pub connections: usize,
    /// Letters over one session: 1 to 1,000,000.
    pub session_letters: u32,
    /// None: as fast as the relay takes it.
    pub rate: Option<Rate>,
    /// By recipient domain, in lower case.
    pub domains: BTreeMap<String, DomainLimit>,
    /// The ceiling of each day of a warm-up; empty: none.
    pub warmup: Vec<u32>,
    /// The share of `url` among the relays: 1 to 100.
    pub weight: u32,
    pub more: Vec<MoreRelay>,
    /// PEM, in addition to the machine's own authorities.
    pub ca_file: Option<PathBuf>,
    pub helo: Option<String>,
}

/// What a single recipient domain may get; at least one of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DomainLimit {
    pub rate: Option<Rate>,
    /// 1 to 500.
    pub connections: Option<usize>,
}

/// Another relay, beside `relay.url`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MoreRelay {
    pub url: SmtpUrl,
    /// 1 to 100.
    pub weight: u32,
}

#[derive(Clone, Debug)]
pub struct DeliverySettings {
    /// At least a second.
    pub first_retry: Duration,
    /// At least `first_retry`.
    pub max_age: Duration,
    /// How long the deliveries of an issue that is over stay one by one; at least `max_age`.
    pub keep: Duration,
    /// How long a pass waits for the next letter that the pace allows; at least a second.
    pub linger: Duration,
    /// Whether letters wait for the hour that their reader chose.
    pub reader_hours: bool,
}

/// One key that signs letters. The file is read later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DkimKey {
    /// ASCII, lower case.
    pub domain: String,
    pub selector: String,
    pub key_file: PathBuf,
    /// Which setting names it, for errors about the file.
    pub setting: &'static str,
}

#[derive(Clone, Debug)]
pub struct WebSettings {
    pub listen: SocketAddr,
    /// Whose word on a client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// At least a second.
    pub timeout: Duration,
    /// 8 to 100000.
    pub connections: usize,
}

/// How people join, and what is kept of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignupSettings {
    pub limits: Limits,
    /// A form that comes back sooner is asked for again.
    pub minimum_fill: Duration,
    pub proof_of_work: bool,
    /// What a consent keeps of the IP address.
    pub ip: IpProof,
}

/// Tests of two subjects that nobody has to ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SubjectTestSettings {
    /// None: only an operator's own tests.
    pub share: Option<Share>,
    /// At least a second.
    pub wait: Duration,
}

#[derive(Clone, Debug)]
pub struct SecretSettings {
    pub key_file: PathBuf,
}

impl Settings {
    /// Reads the file at `path`, else `./verdicts.toml`, and the variables of `env` that start with `VERDICTS__`. Without
    /// a path the file may be absent if the environment speaks for it.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place, key, value (unless secret) and remedy.
    pub fn load(
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let env: Vec<_> = env.filter(|(name, _)| name.starts_with(raw::PREFIX)).collect();
        let file = path.unwrap_or(Path::new(FILE_NAME));
        let text = match std::fs::read_to_string(file) {
            Ok(text) => Some(text),
            Err(error) if path.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                if env.is_empty() {
                    return Err(ConfigError::NoFile);
                }
                None
            }
            Err(error) => {
                return Err(ConfigError::Unreadable { path: file.to_owned(), reason: error.to_string() });
            }
        };
        let raw = raw::Raw::gather(file, text.as_deref(), env.into_iter())?;
        read::settings(&raw, file.parent().unwrap_or(Path::new("")))
    }
}

#[cfg(test)]
mod tests;
