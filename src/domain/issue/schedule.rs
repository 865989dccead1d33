//! When a letter is due: a cron text, read on the clock of one place.
//!
//! The cron crate only parses. Its evaluation in a zone skips a run in the spring gap and fires
//! twice in the autumn overlap, so the fields are matched here on floating local time and the zone
//! is resolved afterwards: a local time inside a gap is due at the first instant after it, a local
//! time that comes twice is due the first time. The local time is the slot's key, and two slots
//! never have the same instant.

use std::str::FromStr;
use std::time::Duration;

use chrono::{
    DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone,
};
use chrono::{Timelike, Utc};
use chrono_tz::Tz;
use cron::TimeUnitSpec;

use crate::domain::time::UnixMillis;

/// A cron text and the zone whose clock it means.
#[derive(Clone, Debug)]
pub struct Schedule {
    text: String,
    zone: Tz,
    fields: cron::Schedule,
}

/// One moment of the schedule. At most one issue is ever made for a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slot {
    /// The local time and zone as the schedule means them: `2026-11-17T09:00:00 America/New_York`.
    pub key: String,
    pub at: UnixMillis,
}

/// What to do about a slot that has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    Run,
    /// Later than `catch_up`: skipped and said so, never sent stale.
    TooLate,
}

/// Whether a slot that has come may still run at `now`.
pub fn decide(slot: &Slot, now: UnixMillis, catch_up: Duration) -> Due {
    if now.since(slot.at) > catch_up { Due::TooLate } else { Due::Run }
}

/// Calendar years that a cron text can name.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2100;

impl Schedule {
    /// Parses a cron text of five fields (minute hour day month weekday), six (with leading
    /// seconds) or seven (with a year at the end). Where both day and weekday are restricted, both
    /// must match: `0 9 1-7 * Tue` is the first Tuesday of a month.
    ///
    /// # Errors
    /// One line with the field that is wrong and the remedy. Weekdays as numbers are refused: 1 is
    /// Monday to some and Sunday to others, and a letter on the wrong day is worse than a name
    /// more to type.
    pub fn parse(cron: &str, zone: Tz) -> Result<Self, String> {
        let mut parts: Vec<&str> = cron.split_whitespace().collect();
        match parts.len() {
            5 => parts.insert(0, "0"),
            6 | 7 => {}
            n => {
                return Err(format!(
                    "a cron text has five fields (minute hour day month weekday), or six with seconds first, and this has \
                     {n}; \"0 9 * * Tue\" is Tuesdays at nine"
                ));
            }
        }
        if parts[5].contains(|c: char| c.is_ascii_digit()) {
            return Err(format!(
                "weekday {:?} is a number, which is Monday to some and Sunday to others; use names: Mon, Tue-Thu, Sat,Sun",
                parts[5]
            ));
        }
        if let Some(step) = parts.iter().filter_map(|p| p.split_once('/')).find(|(_, s)| s.parse() == Ok(0)) {
            return Err(format!("the step in \"{}/{}\" is zero; use 1 or more", step.0, step.1));
        }
        let text = parts.join(" ");
        let fields = cron::Schedule::from_str(&text)
            .map_err(|_| format!("field {} is not understood; {}", blame(&parts), FIELDS))?;
        let schedule = Self { text, zone, fields };
        let start = NaiveDate::from_ymd_opt(*YEARS.start(), 1, 1).expect("1970 has a first of January");
        match schedule.local_from(start.and_time(NaiveTime::MIN)) {
            Some(_) => Ok(schedule),
            None => Err("no date ever matches it; check day, month, weekday and year".to_owned()),
        }
    }

    /// The normalised text and the zone: what identifies this schedule in the store.
    pub fn text(&self) -> String {
        format!("{} {}", self.text, self.zone)
    }

    /// The first slot strictly after `after`. None if the schedule has come to its end.
    pub fn next_after(&self, after: UnixMillis) -> Option<Slot> {
        let after = clamp(after);
        let mut local = self.local_after(self.wall(after))?;
        // Only in the second pass of an overlap do slots lie behind us whose wall time
        // is still ahead.
        while self.instant(local) <= after {
            local = self.local_after(local)?;
        }
        let at = self.instant(local);
        // Several local times of one gap share an instant; the last of them names the slot, here
        // and in `latest`.
        self.local_at_or_before(self.wall(at)).map(|local| self.slot(local))
    }

    /// The last slot at or before `now` and strictly after `since`.
    pub fn latest_at_or_before(&self, now: UnixMillis, since: UnixMillis) -> Option<Slot> {
        let now = clamp(now);
        let mut local = self.local_at_or_before(self.wall(now))?;
        // In the second pass of an overlap, slots of the first pass have a wall time that
        // is still ahead.
        while let Some(next) = self.local_after(local).filter(|&next| self.instant(next) <= now) {
            local = next;
        }
        Some(self.slot(local)).filter(|slot| slot.at > since)
    }

    fn slot(&self, local: NaiveDateTime) -> Slot {
        let key = format!("{} {}", local.format("%Y-%m-%dT%H:%M:%S"), self.zone);
        Slot { key, at: UnixMillis::from_utc(self.instant(local)) }
    }

    fn wall(&self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.zone).naive_local()
    }

    fn instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        instant(self.zone, local)
    }

    fn local_after(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        // A slot has no fraction of a second, so the next whole second is the first that
        // can be one.
        let floor = local.with_nanosecond(0)?;
        self.local_from(floor.checked_add_signed(TimeDelta::seconds(1))?)
    }

    fn local_from(&self, from: NaiveDateTime) -> Option<NaiveDateTime> {
        if let Some(time) = self.first_time(from.time()).filter(|_| self.has_day(from.date())) {
            return Some(from.date().and_time(time));
        }
        let time = self.first_time(NaiveTime::MIN)?;
        let mut day = from.date().checked_add_days(Days::new(1))?;
        while day.year() <= *YEARS.end() {
            if self.has_day(day) {
                return Some(day.and_time(time));
            }
            day = day.checked_add_days(Days::new(1))?;
        }
        None
    }

    fn local_at_or_before(&self, until: NaiveDateTime) -> Option<NaiveDateTime> {
        if let Some(time) = self.last_time(until.time()).filter(|_| self.has_day(until.date())) {
            return Some(until.date().and_time(time));
        }
        let time = self.last_time(NaiveTime::from_hms_opt(23, 59, 59)?)?;
        let mut day = until.date().checked_sub_days(Days::new(1))?;
        while day.year() >= *YEARS.start() {
            if self.has_day(day) {
                return Some(day.and_time(time));
            }
            day = day.checked_sub_days(Days::new(1))?;
        }
        None
    }

    fn has_day(&self, day: NaiveDate) -> bool {
        self.fields.days_of_week().includes(day.weekday().number_from_sunday())
            && self.fields.days_of_month().includes(day.day())
            && self.fields.months().includes(day.month())
            && u32::try_from(day.year()).is_ok_and(|year| self.fields.years().includes(year))
    }

    /// The first time of day at or after `from`.
    fn first_time(&self, from: NaiveTime) -> Option<NaiveTime> {
        let (hours, minutes, seconds) = (self.fields.hours(), self.fields.minutes(), self.fields.seconds());
        hours.iter().filter(|&h| h >= from.hour()).find_map(|h| {
            let least = if h == from.hour() { from.minute() } else { 0 };
            minutes.iter().filter(|&m| m >= least).find_map(|m| {
                let least = if (h, m) == (from.hour(), from.minute()) { from.second() } else { 0 };
                let s = seconds.iter().find(|&s| s >= least)?;
                NaiveTime::from_hms_opt(h, m, s)
            })
        })
    }

    /// The last time of day at or before `until`.
    fn last_time(&self, until: NaiveTime) -> Option<NaiveTime> {
        let (hours, minutes, seconds) = (self.fields.hours(), self.fields.minutes(), self.fields.seconds());
        hours.iter().rev().filter(|&h| h <= until.hour()).find_map(|h| {
            let most = if h == until.hour() { until.minute() } else { 59 };
            minutes.iter().rev().filter(|&m| m <= most).find_map(|m| {
                let most = if (h, m) == (until.hour(), until.minute()) { until.second() } else { 59 };
                let s = seconds.iter().rev().find(|&s| s <= most)?;
                NaiveTime::from_hms_opt(h, m, s)
            })
        })
    }
}

/// The instant that a local time means in a zone: inside a gap the first after it, and of two the
/// earlier. Later local times never mean earlier instants.
pub fn instant(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.to_utc(),
        LocalResult::None => end_of_gap(zone, local),
    }
}

/// The first instant whose wall time is past `local`, which no instant has. No zone was ever more
/// than 16 hours off UTC.
fn end_of_gap(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    let middle = local.and_utc().timestamp();
    let (mut before, mut after) = (middle - 16 * 3_600, middle + 16 * 3_600);
    let at = |seconds| DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or_default();
    while after - before > 1 {
        let half = before + (after - before) / 2;
        if at(half).with_timezone(&zone).naive_local() > local { after = half } else { before = half }
    }
    at(after)
}

const FIELDS: &str = "fields are numbers, names (Jan, Tue), lists (1,15), ranges (9-17), steps (*/5) and *";

/// Which of the fields the parser does not take, quoted; its own message does not say.
fn blame(parts: &[&str]) -> String {
    let neutral = ["0", "0", "0", "*", "*", "*", "*"];
    let bad = (0..parts.len()).find(|&i| {
        let mut probe = neutral;
        probe[i] = parts[i];
        cron::Schedule::from_str(&probe.join(" ")).is_err()
    });
    format!("{:?}", bad.map_or_else(|| parts.join(" "), |i| parts[i].to_owned()))
}

/// Within the years that a schedule can name (and a day more), where no local time overflows.
fn clamp(at: UnixMillis) -> DateTime<Utc> {
    const FIRST: i64 = -86_400_000;
    const LAST: i64 = 4_133_980_800_000; // 2101-01-01
    UnixMillis(at.0.clamp(FIRST, LAST)).utc()
}

#[cfg(test)]
mod tests;
