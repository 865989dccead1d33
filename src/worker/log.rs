//! What a worker's log says of its ticks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::observer::Observer;
use crate::delivery::Progress;
use crate::domain::delivery::Tally;
use crate::domain::issue::IssueNumber;
use crate::publish;
use crate::store::SubjectTest;

/// How often a run that goes on is logged, in seconds.
const LOG_EVERY: u64 = 30;

pub(super) struct LogObserver {
    started: Instant,
    /// When the pass began, in seconds since the start.
    begun: AtomicU64,
    /// When the last line of the pass was written, or the pass began; in seconds since the start.
    logged: AtomicU64,
}

impl LogObserver {
    pub(super) fn new() -> Self {
        Self { started: Instant::now(), begun: AtomicU64::new(0), logged: AtomicU64::new(0) }
    }

    fn seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }
}

impl Observer for LogObserver {
    fn reclaimed(&self, letters: u64) {
        tracing::warn!(letters, "a worker is gone; what it had in flight is tried again");
    }

    fn decided(&self, test: &SubjectTest) {
        tracing::info!(issue = %test.issue, "{}", publish::decision_words(test));
    }

    fn pass_begins(&self) {
        let now = self.seconds();
        self.begun.store(now, Ordering::Relaxed);
        self.logged.store(now, Ordering::Relaxed);
    }

    fn progress(&self, progress: &Progress) {
        let now = self.seconds();
        if now < self.logged.load(Ordering::Relaxed) + LOG_EVERY {
            return;
        }
        self.logged.store(now, Ordering::Relaxed);
        let rate = progress.sent / now.saturating_sub(self.begun.load(Ordering::Relaxed)).max(1);
        let Progress { sent, failed, deferred, unknown, classes, .. } = *progress;
        tracing::info!(
            sent, failed, deferred, unknown, refusals = %classes,
            "{rate} letters a second, the run goes on"
        );
    }

    fn paused(&self, issue: IssueNumber, reason: &str) {
        tracing::error!(
            %issue, %reason,
            "the run is paused; mend it, then \"verdicts issue resume {issue}\""
        );
    }

    fn finished(&self, issue: IssueNumber, tally: &Tally) {
        let Tally { sent, failed, unknown, .. } = *tally;
        tracing::info!(%issue, sent, failed, unknown, "the run is done");
    }
}
