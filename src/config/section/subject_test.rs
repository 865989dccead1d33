//! `[subject_test]`: tests of two subjects that run by themselves.

use std::str::FromStr as _;
use std::time::Duration;

use crate::config::error::ConfigError;
use crate::config::raw::Raw;
use crate::config::value::at_least;
use crate::domain::subject::Share;

/// Tests of two subjects that nobody has to ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SubjectTestSettings {
    /// None: only an operator's own tests.
    pub share: Option<Share>,
    /// At least a second.
    pub wait: Duration,
}

pub(in crate::config) fn subject_test(raw: &Raw) -> Result<SubjectTestSettings, ConfigError> {
    Ok(SubjectTestSettings {
        share: raw.take_if_set("subject_test.share", Share::from_str)?,
        wait: raw.take("subject_test.wait", |text| at_least(text, Duration::from_secs(1), "a second"))?,
    })
}
