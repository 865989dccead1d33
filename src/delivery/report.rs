//! What happened, in plain lines for the operator. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use super::engine::Pass;
use crate::domain::delivery::Tally;
use crate::domain::issue::IssueNumber;

/// The lines that tell an operator what a pass did and where the issue stands.
pub fn lines(number: IssueNumber, pass: &Pass, tally: &Tally) -> Vec<String> {
    let mut lines = vec![format!(
        "Issue {number}: {} sent, {} failed, {} cancelled, {} open, of {}",
        tally.sent,
        tally.failed,
        tally.cancelled,
        tally.open(),
        letters(tally.audience),
    )];
    if tally.deferred > 0 {
        lines.push(format!("{} refused for now, to be tried again", were(tally.deferred)));
    }
    if tally.unknown > 0 {
        lines.push(format!(
            "{} in flight when the line or the process broke; the outcome is unknown, and a second copy has the same Message-ID",
            were(tally.unknown)
        ));
    }
    for (number, reason) in &pass.paused {
        lines.push(format!("Issue {number} is paused: {reason}"));
        lines.push(format!("Then: verdicts issue resume {number}"));
    }
    if pass.stopped && pass.paused.is_empty() && tally.open() > 0 {
        lines.push("Stopped as asked; the next send or serve goes on from here".to_owned());
    }
    if !tally.balances() {
        lines.push(format!(
            "The counts of issue {number} do not add up to {}; run \"verdicts check\"",
            tally.audience
        ));
    }
    lines
}

fn letters(n: i64) -> String {
    if n == 1 { "1 letter".to_owned() } else { format!("{n} letters") }
}

fn were(n: i64) -> String {
    format!("{} {}", letters(n), if n == 1 { "was" } else { "were" })
}

/// The span over which a speed is taken: long enough to be steady, short enough to follow a relay that slows down.
const WINDOW: Duration = Duration::from_secs(15);

/// Letters a second over the last seconds, and how long the rest will take.
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

    /// How long `remaining` letters will take at this speed; None if nothing moves.
    pub fn eta(&self, remaining: u64) -> Option<Duration> {
        let speed = self.per_second().filter(|speed| *speed > 0.0)?;
        Duration::try_from_secs_f64((remaining as f64 / speed).ceil()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn the_lines_say_what_happened_and_what_to_do() {
        let tally = Tally {
            audience: 10,
            sent: 6,
            failed: 1,
            deferred: 2,
            cancelled: 1,
            unknown: 1,
            ..Tally::default()
        };
        let pass = Pass {
            paused: vec![(IssueNumber(3), "the relay refuses us: 535".to_owned())],
            ..Pass::default()
        };
        assert_eq!(
            lines(IssueNumber(3), &pass, &tally),
            [
                "Issue 3: 6 sent, 1 failed, 1 cancelled, 2 open, of 10 letters",
                "2 letters were refused for now, to be tried again",
                "1 letter was in flight when the line or the process broke; the outcome is unknown, and a second copy has the same Message-ID",
                "Issue 3 is paused: the relay refuses us: 535",
                "Then: verdicts issue resume 3",
            ]
        );
        let broken = Tally { audience: 2, sent: 1, ..Tally::default() };
        assert!(lines(IssueNumber(3), &Pass::default(), &broken).last().unwrap().contains("do not add up"));
    }

    #[test]
    fn speed_follows_the_last_seconds() {
        let mut speed = Speed::default();
        assert_eq!((speed.per_second(), speed.eta(5)), (None, None));
        for second in 0..=30 {
            speed.sample(seconds(second), second * 100);
        }
        assert_eq!(speed.per_second(), Some(100.0));
        assert_eq!(speed.eta(1_001), Some(seconds(11)));
        for second in 31..=60 {
            speed.sample(seconds(second), 3_000);
        }
        assert_eq!((speed.per_second(), speed.eta(5)), (Some(0.0), None));
    }
}
