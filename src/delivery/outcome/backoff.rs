//! When a letter that was refused for now gets its next try.
//!
//! The wait doubles with each attempt, up to a cap, both by what the refusal was about, and a fifth
//! of it is jitter: a thousand letters refused in one second do not come back in one second. The
//! jitter is a function of reader and attempt, so that the rule stays pure.

use std::time::Duration;

use crate::domain::UnixMillis;
use crate::domain::delivery::Claimed;

/// The longest wait between two tries. RFC 5321 §4.5.4.1 speaks of two or three hours once the
/// first tries failed.
pub const CAP: Duration = Duration::from_secs(3 * 60 * 60);

/// What a refusal for now was about: it says how soon another try makes sense.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    /// Nothing that we know.
    Moment,
    /// Greylisting: it lets in who comes back after some minutes (RFC 6647 §4.5).
    Greylist,
    /// We were too fast for the domain (4.7.x, 421).
    Rate,
    /// The mailbox is full (x.2.2): somebody has to read and delete first.
    Mailbox,
}

impl About {
    /// How many times `delivery.first_retry` the first wait is, and the longest wait.
    fn waits(self) -> (u32, Duration) {
        match self {
            Self::Moment => (1, CAP),
            Self::Greylist => (1, Duration::from_secs(15 * 60)),
            Self::Rate => (5, CAP),
            Self::Mailbox => (60, CAP * 2),
        }
    }
}

/// How long and how often a letter is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// The wait after the first attempt.
    pub first_retry: Duration,
    /// From this age on, counted from enqueueing, a refusal for now is final.
    pub max_age: Duration,
}

impl Patience {
    /// When the next try is due after the attempt in `claimed` failed at `now`; None if the letter
    /// is too old for another. A try that would come after `max_age` comes at `max_age` instead,
    /// and is the last.
    pub fn next_try(&self, claimed: &Claimed, about: About, now: UnixMillis) -> Option<UnixMillis> {
        if now.since(claimed.enqueued_at) >= self.max_age {
            return None;
        }
        let due = now.plus(self.wait(claimed.subscriber.0, claimed.attempt, about));
        Some(due.min(claimed.enqueued_at.plus(self.max_age)))
    }

    /// The wait after attempt number `attempt` (1 for the first): the doubled span and up to a
    /// fifth more.
    fn wait(&self, seed: i64, attempt: u32, about: About) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let (times, cap) = about.waits();
        let first = self.first_retry.saturating_mul(times).min(cap.max(self.first_retry));
        let wait = first.saturating_mul(1 << doublings).min(cap.max(first));
        wait + wait.mul_f64(0.2 * fraction(seed, attempt))
    }
}

/// A number in [0, 1) that looks random and is not (SplitMix64's finalizer).
fn fraction(seed: i64, attempt: u32) -> f64 {
    let mut x = seed.cast_unsigned().wrapping_add(u64::from(attempt).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    f64::from((x >> 32) as u32) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::EmailAddress;
    use crate::domain::delivery::Variant;
    use crate::domain::issue::IssueNumber;
    use crate::domain::subscriber::{LinkEpoch, SubscriberId};

    const MINUTE: Duration = Duration::from_secs(60);
    const PATIENCE: Patience = Patience { first_retry: MINUTE, max_age: Duration::from_secs(48 * 3600) };

    fn claimed(subscriber: i64, attempt: u32) -> Claimed {
        Claimed {
            issue: IssueNumber(1),
            subscriber: SubscriberId(subscriber),
            email: EmailAddress::parse("ann@example.com").unwrap(),
            epoch: LinkEpoch::default(),
            name: None,
            attempt,
            enqueued_at: UnixMillis(0),
            variant: Variant::default(),
            choice: None,
        }
    }

    #[test]
    fn the_wait_doubles_up_to_the_cap() {
        for (attempt, minutes) in [(1, 1), (2, 2), (3, 4), (8, 128), (9, 180), (60, 180), (u32::MAX, 180)] {
            let wait = PATIENCE.wait(7, attempt, About::Moment);
            assert!(
                wait >= MINUTE * minutes && wait < MINUTE * minutes * 12 / 10 + MINUTE / 60,
                "{attempt}: {wait:?}"
            );
        }
    }

    #[test]
    fn a_full_mailbox_waits_for_hours_a_crowded_domain_longer_and_a_greylist_never_long() {
        let minutes = |about, attempt| PATIENCE.wait(7, attempt, about).as_secs() / 60;
        for (about, least) in [
            (About::Greylist, [1, 2, 4, 15]),
            (About::Rate, [5, 10, 20, 180]),
            (About::Mailbox, [60, 120, 240, 360]),
        ] {
            let bound = least.map(|least| least * 12 / 10);
            let fits = [1, 2, 3, 9].map(|attempt| minutes(about, attempt));
            assert!(
                fits.iter().zip(least).all(|(found, least)| *found >= least)
                    && fits.iter().zip(bound).all(|(found, bound)| *found <= bound),
                "{about:?}: {fits:?}"
            );
        }
    }

    #[test]
    fn the_jitter_spreads_and_repeats_itself() {
        let waits: std::collections::BTreeSet<_> =
            (0..1000).map(|id| PATIENCE.wait(id, 1, About::Moment)).collect();
        assert!(waits.len() > 900, "{}", waits.len());
        assert_eq!(PATIENCE.wait(5, 3, About::Rate), PATIENCE.wait(5, 3, About::Rate));
    }

    #[test]
    fn the_last_try_comes_at_the_age_limit_and_none_after_it() {
        let limit = UnixMillis(0).plus(PATIENCE.max_age);
        assert_eq!(PATIENCE.next_try(&claimed(1, 12), About::Moment, limit.minus(MINUTE)), Some(limit));
        assert_eq!(PATIENCE.next_try(&claimed(1, 13), About::Moment, limit), None);
        assert_eq!(PATIENCE.next_try(&claimed(1, 1), About::Moment, limit), None);
    }

    #[test]
    fn a_clock_that_was_set_back_only_waits() {
        let mut claimed = claimed(1, 1);
        claimed.enqueued_at = UnixMillis(1_000_000);
        assert!(PATIENCE.next_try(&claimed, About::Moment, UnixMillis(0)).unwrap() >= UnixMillis(60_000));
    }
}
