//! Keeps to a rate: the arithmetic of a token bucket, with the time as an argument.
//!
//! Spans are counted from a monotonic origin that the caller chooses. The bucket starts empty, so that a process that is started
//! again and again sends no faster than one that runs on (promise P7), and it holds at most a tenth of a second's letters.

use std::time::Duration;

use crate::domain::rate::Rate;

/// The most letters' worth of time that a pause may save up.
const BURST: Duration = Duration::from_millis(100);

/// A token bucket in the form of the generic cell rate algorithm: it knows only when the next letter may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    interval: Duration,
    /// When the next letter would go if all went evenly.
    next: Duration,
}

impl Pace {
    /// A bucket that is empty at `now`.
    pub fn new(rate: Rate, now: Duration) -> Self {
        let interval = rate.interval().max(Duration::from_nanos(1));
        Self { interval, next: now + interval }
    }

    /// How many letters may go at `now`.
    pub fn available(&self, now: Duration) -> usize {
        match now.checked_sub(self.earliest(now)) {
            None => 0,
            Some(saved) => usize::try_from(saved.as_nanos() / self.interval.as_nanos())
                .unwrap_or(usize::MAX)
                .saturating_add(1),
        }
    }

    /// How long until the next letter may go.
    pub fn wait(&self, now: Duration) -> Duration {
        self.next.saturating_sub(now)
    }

    /// Takes `letters` out, of those that were available.
    pub fn take(&mut self, letters: usize, now: Duration) {
        let letters = u32::try_from(letters).unwrap_or(u32::MAX);
        self.next = self.earliest(now) + self.interval.saturating_mul(letters);
    }

    /// `next`, with no more saved up than the burst.
    fn earliest(&self, now: Duration) -> Duration {
        self.next.max(now.saturating_sub(BURST.saturating_sub(self.interval)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(text: &str, now: Duration) -> Pace {
        Pace::new(text.parse().unwrap(), now)
    }

    /// Letters that go in `span` if one asks every `step` and takes all there is.
    fn sent(pace: &mut Pace, from: Duration, span: Duration, step: Duration) -> usize {
        let mut sent = 0;
        let mut now = from;
        while now < from + span {
            let available = pace.available(now);
            pace.take(available, now);
            sent += available;
            now += step;
        }
        sent
    }

    #[test]
    fn a_second_has_its_letters_and_not_one_more() {
        let start = Duration::from_secs(1_000);
        for step in [1, 7, 50] {
            let mut pace = pace("100/s", start);
            let sent = sent(&mut pace, start, Duration::from_secs(10), Duration::from_millis(step));
            assert!((985..=1_000).contains(&sent), "{sent} in steps of {step} ms");
        }
    }

    #[test]
    fn a_long_rest_saves_up_a_tenth_of_a_second_only() {
        let mut pace = pace("100/s", Duration::ZERO);
        let later = Duration::from_secs(3_600);
        assert_eq!(pace.available(later), 10);
        pace.take(10, later);
        assert_eq!(pace.available(later), 0);
        assert_eq!(pace.wait(later), Duration::from_millis(10));
    }

    #[test]
    fn a_slow_rate_goes_one_by_one_and_starts_empty() {
        let start = Duration::from_secs(5);
        let mut pace = pace("10/h", start);
        assert_eq!((pace.available(start), pace.wait(start)), (0, Duration::from_secs(360)));
        let due = start + Duration::from_secs(360);
        assert_eq!(pace.available(due), 1);
        pace.take(1, due);
        assert_eq!(pace.available(due + Duration::from_secs(359)), 0);
    }

    #[test]
    fn starting_again_and_again_does_not_send_faster() {
        let mut total = 0;
        for start in 0..20u64 {
            let from = Duration::from_millis(start * 50);
            let mut fresh = pace("100/s", from);
            total += sent(&mut fresh, from, Duration::from_millis(50), Duration::from_millis(1));
        }
        assert!(total <= 100, "{total} letters in one second");
    }
}
