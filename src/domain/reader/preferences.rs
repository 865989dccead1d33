//! What a reader may choose of the letter: its topics, its hour, and a pause. Pure.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate, NaiveTime, Timelike as _};
use chrono_tz::Tz;

use crate::domain::issue::comparison::Comparison;
use crate::domain::issue::schedule::instant;
use crate::domain::time::UnixMillis;

/// The longest pause: who wants to be away for longer had better leave, and come back.
pub const LONGEST_PAUSE_DAYS: u64 = 366;
/// The most topics that a choice may name. Sites have a dozen; this keeps a forged form from
/// filling the store.
pub const MOST_TOPICS: usize = 100;

/// What one reader has chosen; the default is the whole letter, with everybody's.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Preferences {
    pub topics: Option<Topics>,
    /// 0 to 23, on the reader's clock.
    pub at_hour: Option<u8>,
    pub pause: Option<Pause>,
}

/// The topics of a choice: never none, in an order of their own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Topics(BTreeSet<String>);

/// No letter before this day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pause {
    pub resume_on: NaiveDate,
    /// When that day begins where the reader is.
    pub until: UnixMillis,
}

/// Why a day is none to pause until.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadDay {
    /// It has begun already.
    Past,
    /// Beyond [`LONGEST_PAUSE_DAYS`].
    TooFar,
}

impl Topics {
    /// None if there are no names in it, or more than [`MOST_TOPICS`].
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let names = names.into_iter().map(str::trim).filter(|name| !name.is_empty());
        let names: BTreeSet<String> = names.map(str::to_owned).collect();
        (1..=MOST_TOPICS).contains(&names.len()).then_some(Self(names))
    }

    /// As the store keeps it: equal choices are equal texts.
    pub fn to_text(&self) -> String {
        serde_json::to_string(&self.0).expect("texts are always JSON")
    }

    /// Reads what [`Topics::to_text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let names: Vec<String> = serde_json::from_str(text).ok()?;
        Self::new(names.iter().map(String::as_str))
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether a topic is among them, in upper case or lower.
    pub fn has(&self, topic: &str) -> bool {
        let topic = topic.trim().to_lowercase();
        self.0.iter().any(|name| name.to_lowercase() == topic)
    }

    /// Whether a comparison belongs to the choice: one of its tools is enough.
    pub fn want(&self, comparison: &Comparison) -> bool {
        comparison.tools.iter().any(|tool| self.has(&tool.category))
    }
}

impl Pause {
    /// A pause until a day begins in the reader's zone.
    ///
    /// # Errors
    /// [`BadDay`] if that day has begun, or is too far away.
    pub fn until(resume_on: NaiveDate, zone: Tz, now: UnixMillis) -> Result<Self, BadDay> {
        let today = now.utc().with_timezone(&zone).date_naive();
        if today.checked_add_days(Days::new(LONGEST_PAUSE_DAYS)).is_none_or(|last| resume_on > last) {
            return Err(BadDay::TooFar);
        }
        let until = UnixMillis::from_utc(instant(zone, resume_on.and_time(NaiveTime::MIN)));
        if until <= now { Err(BadDay::Past) } else { Ok(Self { resume_on, until }) }
    }

    /// Whether it still lasts.
    pub fn lasts(&self, now: UnixMillis) -> bool {
        self.until > now
    }
}

/// When a letter may go that is ready at `now` and waits for its reader's hour: at once within that
/// hour, else when the hour next begins. In the spring gap that is the first instant after it, in
/// the autumn overlap the earlier of the two.
pub fn next_hour(zone: Tz, hour: u8, now: UnixMillis) -> UnixMillis {
    let local = now.utc().with_timezone(&zone);
    if local.hour() == u32::from(hour) {
        return now;
    }
    let Some(time) = NaiveTime::from_hms_opt(u32::from(hour), 0, 0) else { return now };
    let days = (0..3).filter_map(|days| local.date_naive().checked_add_days(Days::new(days)));
    days.map(|day| UnixMillis::from_utc(instant(zone, day.and_time(time))))
        .find(|at| *at > now)
        .unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixMillis {
        UnixMillis::from_utc(text.parse().unwrap())
    }

    #[test]
    fn equal_choices_are_equal_texts_and_none_is_no_choice() {
        let one = Topics::new(["Video", " Agents", "Video", ""]).unwrap();
        let two = Topics::new(["Agents", "Video "]).unwrap();
        assert_eq!(one.to_text(), r#"["Agents","Video"]"#);
        assert_eq!(one, two);
        assert_eq!(Topics::parse(&one.to_text()), Some(one.clone()));
        assert!(one.has("video") && !one.has("vid"));
        assert_eq!(Topics::new([" ", ""]), None);
        assert_eq!(
            Topics::new(
                (0..=MOST_TOPICS).map(|n| n.to_string()).collect::<Vec<_>>().iter().map(String::as_str)
            ),
            None
        );
        assert_eq!(Topics::parse("{}"), None);
    }

    #[test]
    fn the_hour_is_the_readers_own() {
        let now = at("2026-11-17T14:00:30Z");
        for (zone, hour, due) in [
            ("America/New_York", 9, "2026-11-17T14:00:30Z"),
            ("America/New_York", 8, "2026-11-18T13:00:00Z"),
            ("Europe/Berlin", 18, "2026-11-17T17:00:00Z"),
            ("Asia/Kolkata", 7, "2026-11-18T01:30:00Z"),
            ("Pacific/Kiritimati", 5, "2026-11-17T15:00:00Z"),
            ("UTC", 13, "2026-11-18T13:00:00Z"),
        ] {
            assert_eq!(next_hour(zone.parse().unwrap(), hour, now), at(due), "{hour} in {zone}");
        }
    }

    #[test]
    fn the_hour_holds_when_clocks_change() {
        let berlin: Tz = "Europe/Berlin".parse().unwrap();
        // 2026-03-29: 02:00 becomes 03:00. The hour that does not exist is the first instant
        // after the gap.
        assert_eq!(next_hour(berlin, 2, at("2026-03-28T23:30:00Z")), at("2026-03-29T01:00:00Z"));
        assert_eq!(next_hour(berlin, 9, at("2026-03-28T23:30:00Z")), at("2026-03-29T07:00:00Z"));
        // 2026-10-25: 03:00 becomes 02:00 again. The earlier of the two, and within either of
        // them at once.
        assert_eq!(next_hour(berlin, 2, at("2026-10-24T22:30:00Z")), at("2026-10-25T00:00:00Z"));
        assert_eq!(next_hour(berlin, 2, at("2026-10-25T01:30:00Z")), at("2026-10-25T01:30:00Z"));
        assert_eq!(next_hour(berlin, 1, at("2026-10-25T00:30:00Z")), at("2026-10-26T00:00:00Z"));
    }

    proptest::proptest! {
        #[test]
        fn no_letter_waits_for_more_than_a_day_and_a_clock_change(
            seconds in 0i64..4_000_000_000, hour in 0u8..24, zone in 0usize..chrono_tz::TZ_VARIANTS.len()
        ) {
            let (now, zone) = (UnixMillis(seconds * 1000), chrono_tz::TZ_VARIANTS[zone]);
            let due = next_hour(zone, hour, now);
            proptest::prop_assert!(due >= now);
            // Places that skipped a day of the calendar (Samoa, 2011) had one without the hour.
            proptest::prop_assert!(due.since(now).as_secs() <= 49 * 3600);
        }
    }

    #[test]
    fn a_pause_ends_where_the_readers_day_begins() {
        let now = at("2026-11-17T14:00:00Z");
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let tokyo: Tz = "Asia/Tokyo".parse().unwrap();
        let pause = Pause::until(day("2026-12-01"), tokyo, now).unwrap();
        assert_eq!(pause.until, at("2026-11-30T15:00:00Z"));
        assert!(pause.lasts(now) && !pause.lasts(pause.until));
        assert_eq!(Pause::until(day("2026-11-17"), tokyo, now), Err(BadDay::Past));
        assert!(Pause::until(day("2026-11-18"), tokyo, now).is_ok());
        assert_eq!(Pause::until(day("2028-01-01"), tokyo, now), Err(BadDay::TooFar));
    }
}
