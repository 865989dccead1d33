//! `[secret]`: the site's own key.

use std::path::{Path, PathBuf};

use crate::config::error::ConfigError;
use crate::config::raw::Raw;
use crate::config::value::path;

#[derive(Clone, Debug)]
pub struct SecretSettings {
    pub key_file: PathBuf,
}

pub(in crate::config) fn secret(raw: &Raw, folder: &Path) -> Result<SecretSettings, ConfigError> {
    Ok(SecretSettings { key_file: raw.take("secret.key_file", |text| path(text, folder))? })
}
