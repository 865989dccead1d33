//! The pace of a pass, as the ledger sees it: what is limited, which domains asked for less, and how much room is left.
//!
//! The state is the store's (see [`crate::store::Pacing`]); here is what a turn has to be told, and what it told us. With no
//! rate, no limit, no warm-up and no domain that was slowed down there is nothing to tell, and a turn is a plain one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::delivery::outcome::transition::Signal;
use crate::delivery::settings::PaceLimits;
use crate::domain::UnixMillis;
use crate::domain::delivery::{Claimed, Finished, Transition};
use crate::domain::issue::IssueNumber;
use crate::domain::pace::UNLIMITED;
use crate::domain::rate::Rate;
use crate::domain::subscriber::SubscriberId;
use crate::store::{Paced, Pacing, Store, StoreError, Turned};

/// How often the store is asked which domains other workers have slowed down.
const REFRESH: Duration = Duration::from_secs(30);
pub(super) struct Pacer {
    rate: Option<Rate>,
    limits: Arc<PaceLimits>,
    /// Domains that are limited or slowed down, with their full rate.
    domains: HashMap<String, Rate>,
    refreshed: Option<UnixMillis>,
    /// Said "slower" since the last turn that was written down.
    slower: HashSet<String>,
    /// The domains of letters in flight.
    in_flight: HashMap<(IssueNumber, SubscriberId), String>,
    /// How many of them each domain with a limit of connections has.
    standing: HashMap<String, usize>,
    returned: usize,
    held_until: Option<UnixMillis>,
    /// Whether this pass made letters wait for their domain.
    pub parked: bool,
}

impl Pacer {
    pub(super) fn new(rate: Option<Rate>, limits: Arc<PaceLimits>) -> Self {
        let domains =
            limits.domains.iter().map(|(domain, limit)| (domain.clone(), limit.full(rate))).collect();
        Self {
            rate,
            limits,
            domains,
            refreshed: None,
            slower: HashSet::new(),
            in_flight: HashMap::new(),
            standing: HashMap::new(),
            returned: 0,
            held_until: None,
            parked: false,
        }
    }

    /// Learns which domains are slowed down, once at the start and then now and again. A store that does not answer is the
    /// next turn's business: that one knows how to keep what has to be written down.
    pub(super) async fn refresh(&mut self, store: &Store, now: UnixMillis) {
        if self.refreshed.is_some_and(|at| now.since(at) < REFRESH) {
            return;
        }
        let Ok(slowed) = store.slowed_domains(now).await else { return };
        self.refreshed = Some(now);
        let limits = &self.limits.domains;
        self.domains.retain(|domain, _| limits.contains_key(domain));
        for (domain, _) in slowed {
            self.domains.entry(domain).or_insert(self.rate.unwrap_or(UNLIMITED));
        }
    }

    /// How many letters to ask for of `wanted`: none before the rate allows one.
    pub(super) fn want(&self, wanted: usize, now: UnixMillis) -> usize {
        if self.held_until.is_some_and(|until| now < until) { 0 } else { wanted }
    }

    /// How long until there is any use in asking.
    pub(super) fn wait(&self, now: UnixMillis) -> Option<Duration> {
        Some(self.held_until?.since(now)).filter(|wait| !wait.is_zero())
    }

    /// Until when nothing may go at all, if that is longer than `linger` from now.
    pub(super) fn held_beyond(&self, linger: Duration, now: UnixMillis) -> Option<UnixMillis> {
        self.held_until.filter(|until| until.since(now) > linger)
    }

    /// Asks for nothing before `until`.
    pub(super) fn hold(&mut self, until: UnixMillis) {
        self.held_until = Some(until);
    }

    fn room(&self) -> HashMap<String, usize> {
        let limited =
            self.limits.domains.iter().filter_map(|(domain, limit)| Some((domain, limit.connections?)));
        limited
            .map(|(domain, most)| {
                (domain.clone(), most.saturating_sub(self.standing.get(domain).copied().unwrap_or(0)))
            })
            .collect()
    }

    /// Whether there is a rate of all letters to hold.
    pub(super) fn has_rate(&self) -> bool {
        self.rate.is_some()
    }

    /// A turn of the store, paced if it claims anything that has to be kept to something.
    ///
    /// # Errors
    /// As [`Store::record_and_claim_ahead`].
    pub(super) async fn turn(
        &mut self,
        store: &Store,
        me: &crate::store::WorkerLease,
        finished: &[Finished],
        begin: &[(IssueNumber, SubscriberId)],
        want: usize,
        now: UnixMillis,
    ) -> Result<Turned, StoreError> {
        let free = self.rate.is_none() && self.limits.warmup.0.is_empty() && self.domains.is_empty();
        if (free || want == 0) && self.slower.is_empty() && self.returned == 0 {
            return store.record_and_claim_ahead(me, finished, begin, want, now).await;
        }
        let room = self.room();
        let pacing = Pacing {
            rate: self.rate,
            warmup: &self.limits.warmup,
            domains: &self.domains,
            room: &room,
            slower: &self.slower,
            returned: self.returned,
        };
        let Paced { claimed, begun, parked, held_until } =
            store.record_and_claim_paced(me, finished, begin, want, now, &pacing).await?;
        for domain in self.slower.drain() {
            tracing::info!(%domain, "this domain wants fewer letters for a while; it gets them more slowly");
            self.domains.entry(domain).or_insert(self.rate.unwrap_or(UNLIMITED));
        }
        self.returned = 0;
        self.parked |= parked > 0;
        if want > 0 {
            self.held_until = held_until;
        }
        Ok(Turned { claimed, begun })
    }

    pub(super) fn claimed(&mut self, claimed: &Claimed) {
        let domain = claimed.email.domain().to_ascii_lowercase();
        if self.limits.domains.get(&domain).is_some_and(|limit| limit.connections.is_some()) {
            *self.standing.entry(domain.clone()).or_default() += 1;
        }
        self.in_flight.insert((claimed.issue, claimed.subscriber), domain);
    }

    pub(super) fn finished(&mut self, finished: &Finished, signal: &Signal) {
        if matches!(finished.transition, Transition::Returned { .. }) && !self.limits.warmup.0.is_empty() {
            self.returned += 1;
        }
        let Some(domain) = self.in_flight.remove(&(finished.issue, finished.subscriber)) else { return };
        if let Some(standing) = self.standing.get_mut(&domain) {
            *standing = standing.saturating_sub(1);
        }
        if *signal == Signal::TooFast {
            self.slower.insert(domain);
        }
    }
}
