//! What several settings are written in: numbers, spans, paths, names; and secrets that may stand
//! in a file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{ConfigError, Place};
use super::raw::Raw;
use super::span::parse_span;

/// A value, or in one line what is wrong with its text and the remedy.
pub(super) type Read<T> = Result<T, String>;

pub(super) fn path(text: &str, folder: &Path) -> Read<PathBuf> {
    if text.is_empty() { Err("it is empty; name a file".to_owned()) } else { Ok(folder.join(text)) }
}

pub(super) fn number(text: &str, least: usize, most: usize) -> Read<usize> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("it is out of range; use {least} to {most}"))
}

pub(super) fn at_least(text: &str, least: Duration, named: &str) -> Read<Duration> {
    match parse_span(text)? {
        span if span < least => Err(format!("it is too short; use {named} or more")),
        span => Ok(span),
    }
}

/// One line with something in it: a line break here would be a header of its own in the letter.
pub(super) fn line(text: &str) -> Read<String> {
    match text.trim() {
        "" => Err("it is empty; every letter needs it".to_owned()),
        text if text.chars().any(char::is_control) => {
            Err("it has a line break or control character; write it in one line".to_owned())
        }
        text => Ok(text.to_owned()),
    }
}

pub(super) fn flag(text: &str) -> Read<bool> {
    text.parse().map_err(|_| "it is neither true nor false".to_owned())
}

pub(super) fn is_dotted(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    text.len() <= 255 && text.split('.').all(part)
}

/// Reads a secret from its key, or from the file that the other key names. The environment has the
/// last word over the file; both in one place are refused, since nobody could say which is meant.
pub(super) fn from_either<T>(
    raw: &Raw,
    key: &'static str,
    file_key: &'static str,
    folder: &Path,
    read: impl Fn(&str) -> Read<T>,
) -> Result<T, ConfigError> {
    let rank = |key| {
        raw.find(key).map(|given| match given.place {
            Place::Default => 0,
            Place::File { .. } => 1,
            Place::Environment(_) => 2,
        })
    };
    let Some(file_rank) = rank(file_key) else { return raw.take(key, read) };
    match rank(key) {
        Some(own) if own > file_rank => return raw.take(key, read),
        Some(own) if own == file_rank => {
            return Err(raw.wrong(file_key, format!("{key} is set as well; keep one of the two")));
        }
        _ => {}
    }
    raw.take(file_key, |text| {
        let file = path(text, folder)?;
        let secret = std::fs::read_to_string(&file).map_err(|error| {
            format!("the file can't be read ({error}); write the URL into it, or set {key}")
        })?;
        read(secret.trim()).map_err(|problem| format!("the URL in the file: {problem}"))
    })
}

/// Reads one value of TOML. Its own words name fields and types; a value that may be a secret is
/// not among them.
pub(super) fn table<T: DeserializeOwned>(text: &str) -> Read<T> {
    #[derive(Deserialize)]
    struct Of<T> {
        value: T,
    }
    toml::from_str::<Of<T>>(&format!("value = {text}")).map(|of| of.value).map_err(|error| {
        let words = error.message().lines().next().unwrap_or_default();
        format!("it has the wrong form: {words}; \"verdicts init\" writes a file that shows it")
    })
}
