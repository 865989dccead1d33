//! Which value each key has, and where it was set: the file, the environment over it, the
//! defaults under both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};
use super::key::{Initial, Key, PREFIX, Shape, variable};
use super::keys::{KEYS, SECTIONS};

/// A value as its text, and where it was set.
#[derive(Clone, Debug)]
pub(super) struct GivenValue {
    pub text: String,
    pub place: Place,
}

/// Every key that has a value.
pub(super) struct Raw {
    given: BTreeMap<&'static str, GivenValue>,
    file: PathBuf,
}

impl Raw {
    /// # Errors
    /// Bad TOML, unknown keys and variables, and values of the wrong shape.
    pub fn gather(
        file: &Path,
        text: Option<&str>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut given = BTreeMap::new();
        for key in KEYS {
            if let Initial::Default(toml) = key.initial {
                given.insert(
                    key.name,
                    GivenValue { text: toml.trim_matches('"').to_owned(), place: Place::Default },
                );
            }
        }
        if let Some(text) = text {
            read_file(&mut given, file, text)?;
        }
        // Ordered, so that of two wrong variables the same one is named each time.
        let ours: BTreeMap<_, _> = env.filter(|(name, _)| name.starts_with(PREFIX)).collect();
        for (name, value) in ours {
            let dotted = name[PREFIX.len()..].to_ascii_lowercase().replace("__", ".");
            let place = Place::Environment(name.clone());
            let Some(key) = known(&dotted) else {
                let remedy = suggest(&dotted, variable);
                return Err(ConfigError::Unknown { place, key: dotted, remedy });
            };
            let fits = match key.shape {
                Shape::Number { .. } => value.trim().parse::<u64>().is_ok(),
                Shape::Flag => value.trim().parse::<bool>().is_ok(),
                _ => true,
            };
            if !fits {
                return Err(wrong_shape(key, place, Some(value)));
            }
            given.insert(key.name, GivenValue { text: value.trim().to_owned(), place });
        }
        Ok(Self { given, file: file.to_owned() })
    }

    pub fn find(&self, key: &'static str) -> Option<&GivenValue> {
        debug_assert!(known(key).is_some(), "{key} is not in the table");
        self.given.get(key)
    }

    /// Reads a key that must have a value.
    pub fn take<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        self.take_if_set(key, read)?.ok_or_else(|| ConfigError::Missing {
            key,
            file: self.file.display().to_string(),
            variable: variable(key),
        })
    }

    /// Reads a key that may be absent.
    pub fn take_if_set<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(given) = self.find(key) else { return Ok(None) };
        read(&given.text).map(Some).map_err(|problem| self.wrong(key, problem))
    }

    /// The error that `key` has `problem`.
    pub fn wrong(&self, key: &'static str, problem: String) -> ConfigError {
        let given = self.find(key);
        let secret = known(key).is_none_or(|key| matches!(key.shape, Shape::Secret | Shape::Table));
        ConfigError::Value {
            place: given.map_or(Place::Default, |given| given.place.clone()),
            key,
            value: given.filter(|_| !secret).map(|given| given.text.clone()),
            problem,
        }
    }
}

fn known(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The end of the sentence about an unknown key: the nearest key that there is, in the form
/// `show` gives it.
fn suggest(name: &str, show: impl Fn(&str) -> String) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    let nearest = KEYS
        .iter()
        .map(|key| {
            // The right key in the wrong section is the likeliest slip.
            let elsewhere =
                if key.own_name() == last && !name.starts_with(key.section()) { 1.0 } else { 0.0 };
            (strsim::jaro_winkler(name, key.name).max(elsewhere), key.name)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((score, key)) if score > 0.75 => format!("; did you mean {}?", show(key)),
        _ => "; \"verdicts init\" writes a file with every setting there is".to_owned(),
    }
}

fn read_file(
    given: &mut BTreeMap<&'static str, GivenValue>,
    path: &Path,
    text: &str,
) -> Result<(), ConfigError> {
    let place = |span: std::ops::Range<usize>| Place::File {
        path: path.to_owned(),
        line: 1 + text.as_bytes().iter().take(span.start).filter(|&&b| b == b'\n').count(),
    };
    let document = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        place: place(error.span().unwrap_or(0..0)),
        reason: error.message().replace('\n', " "),
    })?;
    for (section, table) in document.get_ref() {
        let name = section.get_ref().as_ref();
        let section_is_known = SECTIONS.iter().any(|(known, _)| *known == name);
        let Some(table) = table.get_ref().as_table().filter(|_| section_is_known) else {
            let remedy = suggest(name, str::to_owned);
            return Err(ConfigError::Unknown { place: place(section.span()), key: name.to_owned(), remedy });
        };
        for (own, value) in table {
            let dotted = format!("{name}.{}", own.get_ref());
            let place = place(own.span());
            let Some(key) = known(&dotted) else {
                let remedy = suggest(&dotted, str::to_owned);
                return Err(ConfigError::Unknown { place, key: dotted, remedy });
            };
            let text = shaped(key, value).map_err(|shown| wrong_shape(key, place.clone(), shown))?;
            given.insert(key.name, GivenValue { text, place });
        }
    }
    Ok(())
}

/// The value's text if it has the key's shape; else what to show of it.
fn shaped(key: &Key, value: &Spanned<DeValue<'_>>) -> Result<String, Option<String>> {
    match (key.shape, value.get_ref()) {
        (Shape::Text | Shape::Secret, DeValue::String(text)) => Ok(text.clone().into_owned()),
        (Shape::Number { .. }, DeValue::Integer(number)) => {
            u64::from_str_radix(number.as_str(), number.radix())
                .map(|number| number.to_string())
                .map_err(|_| Some(number.as_str().to_owned()))
        }
        (Shape::Flag, DeValue::Boolean(value)) => Ok(value.to_string()),
        (Shape::Table, table @ (DeValue::Array(_) | DeValue::Table(_))) => Ok(inline(table)),
        (_, other) => Err(match other {
            DeValue::String(text) => Some(text.clone().into_owned()),
            DeValue::Integer(number) => Some(number.as_str().to_owned()),
            DeValue::Float(number) => Some(number.as_str().to_owned()),
            DeValue::Boolean(value) => Some(value.to_string()),
            _ => None,
        }),
    }
}

/// A value as TOML on one line, whichever way the file has it.
fn inline(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => toml::Value::String(text.clone().into_owned()).to_string(),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| number.as_str().to_owned(), |number| number.to_string()),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(at) => at.to_string(),
        DeValue::Array(values) => {
            let values: Vec<_> = values.iter().map(|value| inline(value.get_ref())).collect();
            format!("[{}]", values.join(", "))
        }
        DeValue::Table(table) => {
            let pair = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
                let key = toml::Value::String(key.get_ref().clone().into_owned());
                format!("{key} = {}", inline(value.get_ref()))
            };
            format!("{{ {} }}", table.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
    }
}

fn wrong_shape(key: &Key, place: Place, value: Option<String>) -> ConfigError {
    let problem = match key.shape {
        Shape::Number { .. } => "it is not a whole number; write digits alone, without quotes in the file",
        Shape::Flag => "it is neither true nor false; write one of them, without quotes in the file",
        Shape::Table => "it is not a table or list; \"verdicts init\" writes a file that shows its form",
        Shape::Text | Shape::Secret => "it is not a text; put it in \"quotes\"",
    };
    let value = value.filter(|_| !matches!(key.shape, Shape::Secret | Shape::Table));
    ConfigError::Value { place, key: key.name, value, problem: problem.to_owned() }
}
