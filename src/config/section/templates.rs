//! `[templates]`: the operator's own in place of the embedded ones.

use std::path::{Path, PathBuf};

use crate::config::error::ConfigError;
use crate::config::raw::Raw;
use crate::config::value::path;

pub(in crate::config) fn templates(raw: &Raw, folder: &Path) -> Result<Option<PathBuf>, ConfigError> {
    raw.take_if_set("templates.dir", |text| path(text, folder))
}
