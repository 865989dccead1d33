//! What is wrong with the settings, in one line: where, which key, which value, what to do.

use std::fmt;
use std::path::PathBuf;

/// The settings can't be used. Every text names the place, the key, the value (never a secret)
/// and the remedy.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("there is no verdicts.toml here; run \"verdicts init\", or name the file with --config")]
    NoFile,
    #[error("settings file {}: {reason}; check the path given to --config", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("{place}: this is not TOML: {reason}; texts stand in quotes, sections in [brackets]")]
    Syntax { place: Place, reason: String },
    #[error("{place}: {key} is not a setting{remedy}")]
    Unknown { place: Place, key: String, remedy: String },
    #[error("{place}{}: {problem}", shown(key, value.as_deref()))]
    Value { place: Place, key: &'static str, value: Option<String>, problem: String },
    #[error("{key} is not set, and has no default; add it to {file} or set {variable}")]
    Missing { key: &'static str, file: String, variable: String },
}

fn shown(key: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!(": {key} = {value:?}"),
        None => format!(": {key}"),
    }
}

/// Where a value was set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    File { path: PathBuf, line: usize },
    Environment(String),
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Default => f.write_str("the default"),
        }
    }
}
