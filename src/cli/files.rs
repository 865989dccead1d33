//! Files and folders that commands make.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::exit::CommandError;

/// For what may be looked at by others: settings, templates, comparisons.
pub(super) fn make_folder(path: &Path) -> Result<(), CommandError> {
    fs::create_dir_all(path).map_err(|error| unwritable(path, &error))
}

/// Writes a file that is not there yet and holds no secret.
pub(super) fn write_new(path: &Path, text: &str, mode: u32) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?.write_all(text.as_bytes())
}

/// That there is one already is as good as having written it.
pub(super) fn keep_existing(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

pub(super) fn unwritable(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::Failed(format!("{} can't be written: {error}", path.display()))
}
