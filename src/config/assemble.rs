//! From the file and the environment to [`Settings`]: every section read in turn.

use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::key::PREFIX;
use super::raw::Raw;
use super::section::database::{self, DatabaseSettings};
use super::section::delivery::{self, DeliverySettings};
use super::section::dkim::{self, DkimKey};
use super::section::relay::{self, RelaySettings};
use super::section::schedule::{self, ScheduleSettings};
use super::section::secret::{self, SecretSettings};
use super::section::signup::{self, SignupSettings};
use super::section::subject_test::{self, SubjectTestSettings};
use super::section::web::{self, WebSettings};
use super::section::{site, templates, theme};
use crate::domain::address::EmailAddress;
use crate::domain::site::Site;
use crate::domain::theme::Theme;

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

impl Settings {
    /// Reads the file at `path`, else `./verdicts.toml`, and the variables of `env` that start with
    /// `VERDICTS__`. Without a path the file may be absent if the environment speaks for it.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place, key, value (unless secret) and remedy.
    pub fn load(
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let env: Vec<_> = env.filter(|(name, _)| name.starts_with(PREFIX)).collect();
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
        let raw = Raw::gather(file, text.as_deref(), env.into_iter())?;
        settings(&raw, file.parent().unwrap_or(Path::new("")))
    }
}

fn settings(raw: &Raw, folder: &Path) -> Result<Settings, ConfigError> {
    let site = site::site(raw)?;
    Ok(Settings {
        dkim: dkim::keys(raw, &site, folder)?,
        bounce_address: site::bounce(raw)?,
        site,
        database: database::database(raw, folder)?,
        schedule: schedule::schedule(raw)?,
        relay: relay::relay(raw, folder)?,
        delivery: delivery::delivery(raw)?,
        web: web::web(raw)?,
        signup: signup::signup(raw)?,
        subject_test: subject_test::subject_test(raw)?,
        secret: secret::secret(raw, folder)?,
        theme: theme::theme(raw)?,
        templates: templates::templates(raw, folder)?,
        folder: folder.to_owned(),
    })
}
