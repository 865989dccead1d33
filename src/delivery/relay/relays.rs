//! Several relays: connections are shared out by weight, and a relay that does not take our mail is
//! left out for a while.
//!
//! Out means: it can't be reached, or it refuses *us* (TLS, login, a permanent no to the greeting
//! or to MAIL). After a wait that doubles, the next connection that opens tries it again. While one
//! relay is left the run goes on with it; only when none is, the rules of [`super::sessions`]
//! decide, as they do for a single relay. What is known of a relay's health lives in this process:
//! another finds it out with its first connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::sessions::{CountedSession, NoSession, Sessions};
use crate::delivery::outcome::transition::Signal;
use crate::domain::UnixMillis;
use crate::mail::{ConnectError, Relay};

/// How long a relay is left out at first, and at most.
const OUT: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(15 * 60));

/// What is known of a relay's health.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Health {
    /// Failures with no success between.
    failures: u32,
    until: Option<UnixMillis>,
}

impl Health {
    pub fn is_out(&self, now: UnixMillis) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// It does not take our mail. What many connections find out at once counts as one.
    pub fn failed(&mut self, now: UnixMillis) {
        if !self.is_out(now) {
            let wait = OUT.0.saturating_mul(1 << self.failures.min(16)).min(OUT.1);
            self.until = Some(now.plus(wait));
            self.failures = self.failures.saturating_add(1);
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct RelayState {
    weight: u32,
    sessions: u32,
    health: Health,
}

/// The relays in the order of the settings.
pub struct Relays {
    relays: Vec<Relay>,
    states: Arc<Mutex<Vec<RelayState>>>,
}

/// A session's place on one of the relays, for as long as it lives.
pub(in crate::delivery) struct RelaySlot {
    index: usize,
    states: Arc<Mutex<Vec<RelayState>>>,
}

impl Drop for RelaySlot {
    fn drop(&mut self) {
        let state = &mut lock(&self.states)[self.index];
        state.sessions = state.sessions.saturating_sub(1);
    }
}

fn lock(states: &Mutex<Vec<RelayState>>) -> MutexGuard<'_, Vec<RelayState>> {
    states.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The relay for the next session: of those that are in and not yet tried, the one furthest below
/// its share.
fn choose(states: &[RelayState], tried: &[bool], now: UnixMillis) -> Option<usize> {
    let fit = (0..states.len()).filter(|index| !tried[*index] && !states[*index].health.is_out(now));
    fit.min_by(|a, b| {
        let load = |of: usize, other: usize| {
            u64::from(states[of].sessions + 1) * u64::from(states[other].weight.max(1))
        };
        load(*a, *b).cmp(&load(*b, *a))
    })
}

impl Relays {
    /// At least one relay, each with its weight.
    pub fn new(relays: Vec<(Relay, u32)>) -> Self {
        let states = relays
            .iter()
            .map(|(_, weight)| RelayState { weight: *weight, sessions: 0, health: Health::default() })
            .collect();
        let relays = relays.into_iter().map(|(relay, _)| relay).collect();
        Self { relays, states: Arc::new(Mutex::new(states)) }
    }

    pub(in crate::delivery) fn all(&self) -> &[Relay] {
        &self.relays
    }

    /// A session on one of the relays.
    pub(in crate::delivery) async fn open(
        &self,
        sessions: &Arc<Sessions>,
        reconnect: Duration,
        now: UnixMillis,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(CountedSession, RelaySlot), NoSession> {
        let mut tried = vec![false; self.relays.len()];
        let mut full = None;
        while let Some(slot) = self.take_slot(&tried, now) {
            tried[slot.index] = true;
            match sessions.attempt(&self.relays[slot.index]).await {
                Ok(session) => {
                    lock(&self.states)[slot.index].health = Health::default();
                    return Ok((session, slot));
                }
                Err(error) if self.wants_fewer(&slot, &error) => full = Some(error.to_string()),
                Err(error) => {
                    tracing::warn!(%error, "a relay is left out for now");
                    lock(&self.states)[slot.index].health.failed(now);
                }
            }
        }
        if let Some(note) = full {
            return Err(NoSession { note, signal: Signal::None });
        }
        let slot = self.take_nearest();
        let opened = sessions.open(&self.relays[slot.index], reconnect, stop).await;
        match opened {
            Ok(session) => {
                lock(&self.states)[slot.index].health = Health::default();
                Ok((session, slot))
            }
            Err(NoSession { note, signal: Signal::Certain(words) }) => {
                let count = self.relays.len();
                let words =
                    format!("none of the {count} relays takes our mail; of the last one tried: {words}");
                Err(NoSession { note, signal: Signal::Certain(words) })
            }
            Err(none) => Err(none),
        }
    }

    /// The relay of `slot` refuses us in the middle of a session. True if another one is left.
    pub(in crate::delivery) fn refused(&self, slot: &RelaySlot, now: UnixMillis) -> bool {
        let mut states = lock(&self.states);
        states[slot.index].health.failed(now);
        states.iter().any(|state| !state.health.is_out(now))
    }

    pub(in crate::delivery) fn is_out(&self, slot: &RelaySlot, now: UnixMillis) -> bool {
        lock(&self.states)[slot.index].health.is_out(now)
    }

    fn take_slot(&self, tried: &[bool], now: UnixMillis) -> Option<RelaySlot> {
        let mut states = lock(&self.states);
        let index = choose(&states, tried, now)?;
        states[index].sessions += 1;
        Some(RelaySlot { index, states: self.states.clone() })
    }

    /// When all are out: the one whose time comes first.
    fn take_nearest(&self) -> RelaySlot {
        let mut states = lock(&self.states);
        let index = (0..states.len()).min_by_key(|index| states[*index].health.until).unwrap_or(0);
        states[index].sessions += 1;
        RelaySlot { index, states: self.states.clone() }
    }

    /// A 4xx from a relay on which others of our sessions are open: it takes our mail, over fewer
    /// lines.
    fn wants_fewer(&self, slot: &RelaySlot, error: &ConnectError) -> bool {
        let others = lock(&self.states)[slot.index].sessions > 1;
        others && matches!(error, ConnectError::Refused { reply, .. } if reply.code < 500)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000);

    fn states(weights: &[u32]) -> Vec<RelayState> {
        weights.iter().map(|&weight| RelayState { weight, sessions: 0, health: Health::default() }).collect()
    }

    #[test]
    fn sessions_are_shared_out_by_weight() {
        let mut states = states(&[3, 1, 1]);
        for _ in 0..10 {
            let index = choose(&states, &[false; 3], NOW).unwrap();
            states[index].sessions += 1;
        }
        assert_eq!(states.iter().map(|state| state.sessions).collect::<Vec<_>>(), [6, 2, 2]);
    }

    #[test]
    fn who_fails_is_left_out_longer_each_time_and_tried_again() {
        let mut states = states(&[9, 1]);
        let mut now = NOW;
        for seconds in [30, 60, 120, 240, 480, 900, 900] {
            states[0].health.failed(now);
            states[0].health.failed(now);
            assert_eq!(choose(&states, &[false; 2], now), Some(1));
            now = now.plus(Duration::from_secs(seconds));
            assert!(states[0].health.is_out(UnixMillis(now.0 - 1)) && !states[0].health.is_out(now));
            assert_eq!(choose(&states, &[false; 2], now), Some(0));
        }
        assert_eq!(choose(&states, &[true, true], now), None);
    }
}
