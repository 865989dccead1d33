//! Builds everything from the settings.

use std::fs;
use std::sync::Arc;

use tokio::sync::watch;

use crate::config::Settings;
use crate::delivery::engine::PostOffice;
use crate::domain::schedule::Schedule;
use crate::domain::token::Keyring;
use crate::store::{Store, StoreError};
use crate::web::{Pages, Web};
use crate::week::Desk;
use crate::worker::Worker;

/// Everything a command needs, built once.
pub struct App {
    pub settings: Arc<Settings>,
    pub store: Store,
    pub keyring: Keyring,
}

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("secret.key_file = {path:?}: {reason}")]
    Key { path: std::path::PathBuf, reason: String },
    #[error("{0}")]
    Post(String),
    #[error("a page template of this binary is broken: {0}")]
    Pages(String),
}

impl App {
    /// Opens the store and reads the key.
    ///
    /// # Errors
    /// [`AppError`] names the setting, its value and the remedy.
    pub async fn open(settings: Settings) -> Result<Self, AppError> {
        let keyring = read_keyring(&settings)?;
        let store = Store::open(&settings.database.url).await?;
        Ok(Self { settings: Arc::new(settings), store, keyring })
    }

    pub fn desk(&self) -> Desk {
        Desk { settings: self.settings.clone(), store: self.store.clone(), keyring: self.keyring.clone() }
    }
}

/// Reads `secret.key_file`.
///
/// # Errors
/// [`AppError::Key`] when it can't be read or is no key file.
pub fn read_keyring(settings: &Settings) -> Result<Keyring, AppError> {
    let path = &settings.secret.key_file;
    let refuse = |reason: String| AppError::Key { path: path.clone(), reason };
    let text = fs::read_to_string(path)
        .map_err(|error| refuse(format!("{error}; run \"verdicts init\", or restore the file from a backup")))?;
    Keyring::parse(&text).map_err(|error| refuse(error.to_string()))
}
