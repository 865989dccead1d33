//! How fast letters may go: the generic cell rate algorithm, a lane for each recipient domain, and
//! the ramp of a new sender.
//!
//! All of it is arithmetic over moments that the caller keeps (the store does, so that a restart
//! and a second worker go on where the others are; a limiter that lives in memory, as the crate
//! governor has it, could not hold either promise).

use std::time::Duration;

use crate::domain::delivery::rate::Rate;
use crate::domain::time::UnixMillis;

/// The most letters' worth of time that a rest may save up: a rate of 100/s lets ten go at once
/// after a rest, and no more.
pub const BURST: Duration = Duration::from_millis(100);
/// The whole of a rate, in millionths.
pub const FULL: i64 = 1_000_000;
/// The least share of its rate that a domain is slowed down to: a thousandth.
const FLOOR: i64 = FULL / 1000;
/// How long a domain that said "slower" gets nothing at all. Refusals that arrive within it are the
/// answer to letters that were on their way already, and count as one.
pub const REST: Duration = Duration::from_secs(5);
/// How long a domain takes from nothing back to its full rate if it says no more.
pub const RECOVERY: Duration = Duration::from_secs(20 * 60);
/// The rate that a domain without a limit is slowed down from.
pub const UNLIMITED: Rate = Rate { letters: 100, per: Duration::from_secs(1) };
/// How far ahead slots are given out. What finds none within it looks again then: a limit that was
/// raised shows by that time.
const HORIZON: Duration = Duration::from_secs(60 * 60);
/// The same while a domain recovers, since its slots come nearer by the minute.
const HORIZON_SLOWED: Duration = Duration::from_secs(15 * 60);

const NANOS: i64 = 1_000_000;

fn nanos(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}

/// Nanoseconds since 1970; good until 2262.
fn moment(now: UnixMillis) -> i64 {
    now.0.saturating_mul(NANOS)
}

/// The first whole millisecond at which `at` has come.
fn millis(at: i64) -> UnixMillis {
    UnixMillis(at.saturating_add(NANOS - 1).div_euclid(NANOS))
}

/// A rate, asked against the one number that it needs to remember: `tat`, when the next letter
/// would go if all went evenly, in nanoseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gcra {
    interval: i64,
}

impl Gcra {
    pub fn new(rate: Rate) -> Self {
        Self { interval: nanos(rate.interval()).max(1) }
    }

    /// The same at `factor` millionths of its speed.
    fn at(self, factor: i64) -> Self {
        let interval = i128::from(self.interval) * i128::from(FULL) / i128::from(factor.clamp(1, FULL));
        Self { interval: i64::try_from(interval).unwrap_or(i64::MAX) }
    }

    /// How many letters may go at `now`.
    pub fn available(&self, tat: i64, now: UnixMillis) -> usize {
        let saved = moment(now).saturating_sub(self.earliest(tat, now));
        if saved < 0 {
            return 0;
        }
        usize::try_from(saved / self.interval).unwrap_or(usize::MAX).saturating_add(1)
    }

    /// The `tat` after `letters` of those that were available have gone.
    pub fn take(&self, tat: i64, letters: usize, now: UnixMillis) -> i64 {
        let letters = i64::try_from(letters).unwrap_or(i64::MAX);
        self.earliest(tat, now).saturating_add(self.interval.saturating_mul(letters))
    }

    /// When the next letter may go.
    pub fn next(&self, tat: i64, now: UnixMillis) -> UnixMillis {
        millis(self.earliest(tat, now)).max(now)
    }

    /// When a letter that goes ahead of all others may go; none: now. It may take the next one's
    /// place, so that who is waited for does not wait behind a run, and all together still keep
    /// to the rate.
    pub fn wait_ahead(&self, tat: i64, now: UnixMillis) -> Option<UnixMillis> {
        // What lies further ahead was booked at a slower rate, or by a clock that was set back.
        let first = tat.min(moment(now).saturating_add(self.interval.saturating_mul(2))) - self.interval;
        (first > moment(now)).then(|| millis(first))
    }

    /// `tat` with no more saved up than [`BURST`], and no further ahead than one letter: a
    /// clock that was set back, or a rate that was raised, must not hold letters for what
    /// was true before.
    fn earliest(&self, tat: i64, now: UnixMillis) -> i64 {
        let now = moment(now);
        // Who asks a moment late must not lose that moment for good, even where it is worth less
        // than a letter.
        let saved = (nanos(BURST) - self.interval).max(nanos(BURST).min(self.interval - 1));
        tat.clamp(now.saturating_sub(saved), now.saturating_add(self.interval))
    }
}

/// A recipient domain's own pace. Slots are given out to letters that have to wait, so that each
/// comes back when it is its turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lane {
    /// As in [`Gcra`].
    pub tat: i64,
    /// The first slot that no waiting letter has been given; nanoseconds since 1970.
    pub booked: i64,
    /// The share of the full rate in millionths, as of `slowed_at`.
    pub factor: i64,
    pub slowed_at: UnixMillis,
}

impl Lane {
    pub fn new(now: UnixMillis) -> Self {
        Self { tat: moment(now), booked: moment(now), factor: FULL, slowed_at: now }
    }

    /// The share of the full rate at `now`: what it was slowed down to, and a bit more with
    /// every second since.
    pub fn factor_at(&self, now: UnixMillis) -> i64 {
        let regained =
            now.since(self.slowed_at).as_millis() * u128::from(FULL.unsigned_abs()) / RECOVERY.as_millis();
        self.factor.saturating_add(i64::try_from(regained).unwrap_or(FULL)).clamp(FLOOR, FULL)
    }

    pub fn is_slowed(&self, now: UnixMillis) -> bool {
        self.factor_at(now) < FULL
    }

    /// The domain said "slower": half the speed from here, after a rest.
    pub fn slow(&mut self, now: UnixMillis) {
        let again = self.factor < FULL && now.since(self.slowed_at) < REST && now >= self.slowed_at;
        if !again {
            self.factor = (self.factor_at(now) / 2).max(FLOOR);
            self.slowed_at = now;
        }
        self.tat = self.tat.max(moment(self.slowed_at.plus(REST)));
    }

    /// Whether a letter may go at `now`: None, and it is counted as gone. Else when to ask again.
    /// `room` is whether the domain's connections are not all taken.
    pub fn ask(&mut self, rate: Rate, room: bool, now: UnixMillis) -> Option<UnixMillis> {
        let factor = self.factor_at(now);
        let pace = Gcra::new(rate).at(factor);
        let rests = factor < FULL && now < self.slowed_at.plus(REST) && now >= self.slowed_at;
        if room && !rests && pace.available(self.tat, now) > 0 {
            self.tat = pace.take(self.tat, 1, now);
            return None;
        }
        let horizon = moment(now.plus(if factor < FULL { HORIZON_SLOWED } else { HORIZON }));
        let first = if rests { moment(self.slowed_at.plus(REST)) } else { moment(pace.next(self.tat, now)) };
        let slot = self.booked.max(first).max(moment(now).saturating_add(NANOS)).min(horizon);
        self.booked = slot.saturating_add(pace.interval);
        Some(millis(slot))
    }
}

/// The most letters that a new sender hands over on its first day, its second, and so on; after the
/// last there is no ceiling. Days are days of UTC on which something was sent: a sender that rests
/// a week has not become better known by it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Warmup(pub Vec<u32>);

impl Warmup {
    /// How many more may go today, after `days` earlier days of sending and `today` letters; None:
    /// as many as one likes.
    pub fn left(&self, days: usize, today: i64) -> Option<usize> {
        let ceiling = i64::from(*self.0.get(days)?);
        Some(usize::try_from(ceiling - today).unwrap_or(0))
    }
}

/// The day of UTC that `now` is in, counted from 1970.
pub fn day(now: UnixMillis) -> i64 {
    now.0.div_euclid(24 * 3600 * 1000)
}

/// When the day of UTC after `now` begins.
pub fn tomorrow(now: UnixMillis) -> UnixMillis {
    UnixMillis((day(now) + 1) * 24 * 3600 * 1000)
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
