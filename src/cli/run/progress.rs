//! A progress bar with rate and ETA on a terminal, a plain line now and then when piped.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::delivery::Progress;
use crate::domain::delivery::Tally;

/// How often a pipe gets a line.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// Progress of a run, on stderr.
pub struct Bar {
    bar: Option<ProgressBar>,
    audience: i64,
    /// What was final when this process began.
    first: i64,
    /// What was final before this pass: each pass counts from nothing.
    before: AtomicI64,
    plain: Mutex<Plain>,
}

struct Plain {
    started: Instant,
    said: Instant,
}

impl Bar {
    /// A bar over the letters of a run, starting from what is final already.
    pub fn letters(tally: Tally) -> Self {
        let before = tally.audience - tally.open();
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(tally.audience.unsigned_abs());
            let style = "{bar:32} {pos}/{len} letters, {per_sec}, {eta} to go {msg}";
            bar.set_style(
                ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_position(before.unsigned_abs());
            bar.reset_eta();
            bar
        });
        let now = Instant::now();
        Self {
            bar,
            audience: tally.audience,
            first: before,
            before: AtomicI64::new(before),
            plain: Mutex::new(Plain { started: now, said: now }),
        }
    }

    /// Shows what a pass reports while it runs.
    pub fn show(&self, progress: &Progress) {
        let here = i64::try_from(progress.sent + progress.failed).unwrap_or(i64::MAX);
        let finished = self.before.load(Ordering::Relaxed).saturating_add(here);
        let deferred = progress.deferred;
        if let Some(bar) = &self.bar {
            bar.set_position(finished.unsigned_abs());
            if deferred + progress.failed > 0 {
                bar.set_message(format!("({})", refusals(progress)));
            }
            return;
        }
        self.plainly(finished, || refusals(progress));
    }

    /// Shows the ledger's own count: between two passes, or what another process does.
    pub fn set(&self, tally: &Tally) {
        let finished = tally.audience - tally.open();
        self.before.store(finished, Ordering::Relaxed);
        match &self.bar {
            Some(bar) => bar.set_position(finished.unsigned_abs()),
            None => {
                self.plainly(finished, || format!("{} deferred, {} failed", tally.deferred, tally.failed));
            }
        }
    }

    /// A line now and then for a pipe.
    fn plainly(&self, finished: i64, refusals: impl FnOnce() -> String) {
        let Ok(mut plain) = self.plain.lock() else { return };
        if plain.said.elapsed() >= PLAIN_EVERY {
            plain.said = Instant::now();
            let line = plain_line(finished, self.audience, finished - self.first, plain.started.elapsed());
            eprintln!("{line}, {}", refusals());
        }
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `3 deferred, 1 failed: 3 policy, 1 mailbox`.
fn refusals(progress: &Progress) -> String {
    let colon = if progress.classes.counts().is_empty() { "" } else { ": " };
    format!("{} deferred, {} failed{colon}{}", progress.deferred, progress.failed, progress.classes)
}

/// `412 of 1000 letters, 41/s, 14 s to go`.
fn plain_line(finished: i64, audience: i64, here: i64, elapsed: Duration) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people's eyes")]
    let rate = here as f64 / elapsed.as_secs_f64().max(0.001);
    #[expect(clippy::cast_precision_loss, reason = "a rate for people's eyes")]
    let left = (audience - finished).max(0) as f64;
    let eta = if rate > 0.0 { format!("{:.0} s to go", left / rate) } else { "no rate yet".to_owned() };
    format!("{finished} of {audience} letters, {rate:.0}/s, {eta}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_pass_goes_on_where_the_first_one_ended() {
        let bar = Bar::letters(Tally { audience: 10, queued: 10, ..Tally::default() });
        bar.show(&Progress { sent: 6, ..Progress::default() });
        bar.set(&Tally { audience: 10, deferred: 4, sent: 6, ..Tally::default() });
        assert_eq!(bar.before.load(Ordering::Relaxed), 6);
        assert_eq!(bar.first, 0, "the rate is that of this process");
    }

    #[test]
    fn a_plain_line_says_where_how_fast_and_how_long() {
        assert_eq!(
            plain_line(412, 1000, 410, Duration::from_secs(10)),
            "412 of 1000 letters, 41/s, 14 s to go"
        );
        assert_eq!(plain_line(0, 10, 0, Duration::ZERO), "0 of 10 letters, 0/s, no rate yet");
    }
}
