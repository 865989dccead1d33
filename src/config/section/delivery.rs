//! `[delivery]`: what happens to a letter that the relay puts off.

use std::time::Duration;

use crate::config::error::ConfigError;
use crate::config::raw::Raw;
use crate::config::span::parse_span;
use crate::config::value::{at_least, flag};

#[derive(Clone, Debug)]
pub struct DeliverySettings {
    /// At least a second.
    pub first_retry: Duration,
    /// At least `first_retry`.
    pub max_age: Duration,
    /// How long the deliveries of an issue that is over stay one by one; at least `max_age`.
    pub keep: Duration,
    /// How long a pass waits for the next letter that the pace allows; at least a second.
    pub linger: Duration,
    /// Whether letters wait for the hour that their reader chose.
    pub reader_hours: bool,
}

pub(in crate::config) fn delivery(raw: &Raw) -> Result<DeliverySettings, ConfigError> {
    let first_retry =
        raw.take("delivery.first_retry", |text| at_least(text, Duration::from_secs(1), "a second"))?;
    let max_age = raw.take("delivery.max_age", |text| match parse_span(text)? {
        age if age < first_retry => {
            Err("it is below delivery.first_retry, so nothing would be tried again; raise it, 2d is usual"
                .to_owned())
        }
        age => Ok(age),
    })?;
    let keep = raw.take("delivery.keep", |text| match parse_span(text)? {
        keep if keep < max_age => Err(
            "it is below delivery.max_age, so letters would be forgotten while they are tried; 90d is usual"
                .to_owned(),
        ),
        keep => Ok(keep),
    })?;
    let linger = raw.take("delivery.linger", |text| at_least(text, Duration::from_secs(1), "a second"))?;
    let reader_hours = raw.take("delivery.reader_hours", flag)?;
    Ok(DeliverySettings { first_retry, max_age, keep, linger, reader_hours })
}
