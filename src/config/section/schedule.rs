//! `[schedule]`: when a letter is due, and what goes in.

use std::time::Duration;

use chrono_tz::Tz;

use crate::config::error::ConfigError;
use crate::config::raw::Raw;
use crate::config::span::parse_span;
use crate::config::value::{at_least, number};
use crate::domain::schedule::Schedule;

#[derive(Clone, Debug)]
pub struct ScheduleSettings {
    /// The rule itself: `cron` on the clock of `timezone`.
    pub rule: Schedule,
    /// The text of `schedule.cron` as it was written.
    pub cron: String,
    pub timezone: Tz,
    /// A slot later than this is skipped.
    pub catch_up: Duration,
    /// How far back the first letter looks.
    pub lookback: Duration,
    pub min_comparisons: usize,
    /// At least `min_comparisons`.
    pub max_comparisons: usize,
}

pub(in crate::config) fn schedule(raw: &Raw) -> Result<ScheduleSettings, ConfigError> {
    let timezone: Tz = raw.take("schedule.timezone", |text| {
        text.parse().map_err(|_| {
            "it is not a time zone of the IANA list; write it as Europe/Berlin or UTC".to_owned()
        })
    })?;
    let min_comparisons = raw.take("schedule.min_comparisons", |text| number(text, 1, 50))?;
    let max_comparisons = raw.take("schedule.max_comparisons", |text| match number(text, 1, 50)? {
        most if most < min_comparisons => Err(format!(
            "it is below schedule.min_comparisons, which is {min_comparisons}; raise it or lower that"
        )),
        most => Ok(most),
    })?;
    Ok(ScheduleSettings {
        rule: raw.take("schedule.cron", |text| Schedule::parse(text, timezone))?,
        cron: raw.take("schedule.cron", |text| Ok(text.to_owned()))?,
        timezone,
        catch_up: raw.take("schedule.catch_up", parse_span)?,
        lookback: raw
            .take("schedule.lookback", |text| at_least(text, Duration::from_secs(60), "a minute"))?,
        min_comparisons,
        max_comparisons,
    })
}
