//! Several relays: connections are shared out by weight, and a relay that does not take our mail is left out for a while.
//!
//! Out means: it can't be reached, or it refuses *us* (TLS, login, a permanent no to the greeting or to MAIL). After a wait that
//! doubles, the next connection that opens tries it again. While one relay is left the run goes on with it; only when none is,
//! the pool's rules decide, as they do for a single relay. What is known of a relay's health lives in this process: another
//! finds it out with its first connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::sessions::{NoSession, Pool, Standing};
use crate::delivery::outcome::transition::Concern;
use crate::domain::UnixMillis;
use crate::mail::{OpenError, Relay};

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
struct State {
    weight: u32,
    sessions: u32,
    health: Health,
}

/// The relays in the order of the settings.
pub struct Relays {
    relays: Vec<Relay>,
    states: Arc<Mutex<Vec<State>>>,
}

/// A session's place on one of the relays, for as long as it lives.
pub(in crate::delivery) struct Seat {
    index: usize,
    states: Arc<Mutex<Vec<State>>>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let state = &mut lock(&self.states)[self.index];
        state.sessions = state.sessions.saturating_sub(1);
    }
}

fn lock(states: &Mutex<Vec<State>>) -> MutexGuard<'_, Vec<State>> {
    states.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The relay for the next session: of those that are in and not yet tried, the one furthest below its share.
fn choose(states: &[State], tried: &[bool], now: UnixMillis) -> Option<usize> {
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
            .map(|(_, weight)| State { weight: *weight, sessions: 0, health: Health::default() })
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
        pool: &Arc<Pool>,
        reconnect: Duration,
        now: UnixMillis,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(Standing, Seat), NoSession> {
        let mut tried = vec![false; self.relays.len()];
        let mut full = None;
        while let Some(seat) = self.sit(&tried, now) {
            tried[seat.index] = true;
            match pool.attempt(&self.relays[seat.index]).await {
                Ok(standing) => {
                    lock(&self.states)[seat.index].health = Health::default();
                    return Ok((standing, seat));
                }
                Err(error) if self.wants_fewer(&seat, &error) => full = Some(error.to_string()),
                Err(error) => {
                    tracing::warn!(%error, "a relay is left out for now");
                    lock(&self.states)[seat.index].health.failed(now);
                }
            }
        }
        if let Some(note) = full {
            return Err(NoSession { note, concern: Concern::None });
        }
        let seat = self.sit_on_the_nearest();
        let opened = pool.open(&self.relays[seat.index], reconnect, stop).await;
        match opened {
            Ok(standing) => {
                lock(&self.states)[seat.index].health = Health::default();
                Ok((standing, seat))
            }
            Err(NoSession { note, concern: Concern::Certain(words) }) => {
                let count = self.relays.len();
                let words =
                    format!("none of the {count} relays takes our mail; of the last one tried: {words}");
                Err(NoSession { note, concern: Concern::Certain(words) })
            }
            Err(none) => Err(none),
        }
    }

    /// The relay of `seat` refuses us in the middle of a session. True if another one is left.
    pub(in crate::delivery) fn refused(&self, seat: &Seat, now: UnixMillis) -> bool {
        let mut states = lock(&self.states);
        states[seat.index].health.failed(now);
        states.iter().any(|state| !state.health.is_out(now))
    }

    pub(in crate::delivery) fn is_out(&self, seat: &Seat, now: UnixMillis) -> bool {
        lock(&self.states)[seat.index].health.is_out(now)
    }

    fn sit(&self, tried: &[bool], now: UnixMillis) -> Option<Seat> {
        let mut states = lock(&self.states);
        let index = choose(&states, tried, now)?;
        states[index].sessions += 1;
        Some(Seat { index, states: self.states.clone() })
    }

    /// When all are out: the one whose time comes first.
    fn sit_on_the_nearest(&self) -> Seat {
        let mut states = lock(&self.states);
        let index = (0..states.len()).min_by_key(|index| states[*index].health.until).unwrap_or(0);
        states[index].sessions += 1;
        Seat { index, states: self.states.clone() }
    }

    /// A 4xx from a relay on which others of our sessions stand: it takes our mail, over fewer lines.
    fn wants_fewer(&self, seat: &Seat, error: &OpenError) -> bool {
        let others = lock(&self.states)[seat.index].sessions > 1;
        others && matches!(error, OpenError::Refused { reply, .. } if reply.code < 500)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000);

    fn states(weights: &[u32]) -> Vec<State> {
        weights.iter().map(|&weight| State { weight, sessions: 0, health: Health::default() }).collect()
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
