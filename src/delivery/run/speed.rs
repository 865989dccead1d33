//! How fast a pass is. Pure.

use std::collections::VecDeque;
use std::time::Duration;

/// The span over which a speed is taken: long enough to be steady, short enough to follow a relay
/// that slows down.
const WINDOW: Duration = Duration::from_secs(15);

/// Letters a second over the last seconds.
#[derive(Clone, Debug, Default)]
pub struct Speed {
    /// (moment, letters done by then), oldest first.
    samples: VecDeque<(Duration, u64)>,
}

impl Speed {
    /// Takes in that `done` letters are done at `now`, a span since any fixed moment.
    pub fn sample(&mut self, now: Duration, done: u64) {
        self.samples.push_back((now, done));
        // The oldest sample inside the window stays, so that the window is always spanned.
        while self.samples.len() > 2 && self.samples[1].0 + WINDOW <= now {
            self.samples.pop_front();
        }
    }

    /// Letters a second; None before there is anything to divide.
    pub fn per_second(&self) -> Option<f64> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let span = last.0.checked_sub(first.0)?.as_secs_f64();
        (span > 0.0).then(|| last.1.saturating_sub(first.1) as f64 / span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn speed_follows_the_last_seconds() {
        let mut speed = Speed::default();
        assert_eq!(speed.per_second(), None);
        for second in 0..=30 {
            speed.sample(seconds(second), second * 100);
        }
        assert_eq!(speed.per_second(), Some(100.0));
        for second in 31..=60 {
            speed.sample(seconds(second), 3_000);
        }
        assert_eq!(speed.per_second(), Some(0.0));
    }
}
