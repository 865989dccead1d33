//! Is a slot of the schedule due?

use crate::domain::UnixMillis;
use crate::domain::schedule::{Due, Schedule, decide};
use crate::publish::{self, PublishError, Publisher, Started};

/// Answers the slots of the schedule.
pub struct Scheduler {
    pub publisher: Publisher,
    pub schedule: Schedule,
}

/// What came of looking at the schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scheduled {
    NothingDue,
    /// The slot was answered with a letter, or could not be yet.
    Ran(Started),
    /// The slot was too late or too quiet: written down, never sent.
    Skipped(String),
}

impl Scheduler {
    /// Answers the newest slot that is due, if no process has yet (promises P1 and P8).
    ///
    /// # Errors
    /// When the store does not answer or the week's letter can't be made.
    pub async fn tick(&self, now: UnixMillis) -> Result<Scheduled, PublishError> {
        let store = &self.publisher.store;
        let since = store.schedule_since(&self.schedule.text(), now).await?;
        let Some(slot) = self.schedule.latest_at_or_before(now, since) else {
            return Ok(Scheduled::NothingDue);
        };
        if store.slot_taken(&slot.key).await? {
            return Ok(Scheduled::NothingDue);
        }
        let settings = &self.publisher.settings.schedule;
        let reason = match decide(&slot, now, settings.catch_up) {
            Due::TooLate => format!("slot {} was missed by more than schedule.catch_up", slot.key),
            Due::Run => match publish::run(&self.publisher, Some(&slot.key), now).await? {
                Started::Quiet(words) => format!("slot {}: {words}", slot.key),
                // Nobody will want it more a minute from now, and what it would carry rolls over.
                started @ Started::NobodyWants => format!("slot {}: {started}", slot.key),
                // Somebody may yet join, or the unfinished issue end, before catch_up is over.
                Started::Nobody | Started::Taken { .. } => return Ok(Scheduled::NothingDue),
                started @ Started::Running { .. } => return Ok(Scheduled::Ran(started)),
            },
        };
        match store.skip_slot(&slot.key, &reason, now).await? {
            true => Ok(Scheduled::Skipped(reason)),
            false => Ok(Scheduled::NothingDue),
        }
    }
}
