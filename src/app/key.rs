//! The key file, and what lies beside it.

use std::fs;
use std::path::Path;

use super::error::AppError;
use crate::config::Settings;
use crate::domain::token::Keyring;
use crate::store::{RestoreGuard, Store};

/// What remembers how far the database has come; with Postgres it lies beside the key, which every
/// worker has.
pub fn restore_guard(settings: &Settings, store: &Store) -> RestoreGuard {
    RestoreGuard::of(store, settings.secret.key_file.parent().unwrap_or(Path::new("")))
}

/// Reads `secret.key_file`.
///
/// # Errors
/// [`AppError::Key`] when it can't be read or is no key file.
pub fn read_keyring(settings: &Settings) -> Result<Keyring, AppError> {
    let path = &settings.secret.key_file;
    let refuse = |reason: String| AppError::Key { path: path.clone(), reason };
    let text = fs::read_to_string(path).map_err(|error| {
        refuse(format!("{error}; run \"verdicts init\", or restore the file from a backup"))
    })?;
    Keyring::parse(&text).map_err(|error| refuse(error.to_string()))
}
