//! The pace of a pass: what is limited, which domains asked for less, and how much room is left.
//!
//! The pacer answers three questions of the ledger and calls nobody: how many letters may be asked
//! for, what the next commit has to keep to ([`Pacing`]), and how long to wait. The state itself is
//! the store's; the ledger tells what the store answered. With no rate, no limit, no warm-up and no
//! domain that was slowed down there is nothing to keep to, and the commit is a plain one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::messages::DeliveryKey;
use crate::delivery::outcome::transition::Signal;
use crate::delivery::settings::PaceLimits;
use crate::domain::UnixMillis;
use crate::domain::delivery::{Claimed, Finished, Transition};
use crate::domain::pace::UNLIMITED;
use crate::domain::rate::Rate;
use crate::store::Pacing;

/// How often the store is asked which domains other workers have slowed down.
const REFRESH: Duration = Duration::from_secs(30);

pub(super) struct Pacer {
    rate: Option<Rate>,
    limits: Arc<PaceLimits>,
    /// Domains that are limited or slowed down, with their full rate.
    domains: HashMap<String, Rate>,
    refreshed: Option<UnixMillis>,
    /// Said "slower" since the last commit.
    slower: HashSet<String>,
    /// The domains of letters in flight.
    in_flight: HashMap<DeliveryKey, String>,
    /// How many of them each domain with a limit of connections has.
    counts: HashMap<String, usize>,
    /// How many more letters each of these domains may have in flight, as of the last question.
    room: HashMap<String, usize>,
    /// Claimed by an earlier commit and given back untried, since the last commit.
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
            counts: HashMap::new(),
            room: HashMap::new(),
            returned: 0,
            held_until: None,
            parked: false,
        }
    }

    /// Whether to ask the store which domains are slowed down: at the start, then now and again.
    pub(super) fn needs_refresh(&self, now: UnixMillis) -> bool {
        self.refreshed.is_none_or(|at| now.since(at) >= REFRESH)
    }

    /// Takes in which domains are slowed down, by this worker or another.
    pub(super) fn refresh(&mut self, slowed: impl IntoIterator<Item = String>, now: UnixMillis) {
        self.refreshed = Some(now);
        let limits = &self.limits.domains;
        self.domains.retain(|domain, _| limits.contains_key(domain));
        for domain in slowed {
            self.domains.entry(domain).or_insert(self.rate.unwrap_or(UNLIMITED));
        }
    }

    /// How many letters to ask for of `wanted`: none before the rate allows one.
    pub(super) fn may_claim(&self, wanted: usize, now: UnixMillis) -> usize {
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

    /// Whether there is a rate of all letters to hold.
    pub(super) fn has_rate(&self) -> bool {
        self.rate.is_some()
    }

    /// What a commit that claims up to `want` letters has to keep to and to write down; none: a
    /// plain commit does.
    pub(super) fn pacing(&mut self, want: usize) -> Option<Pacing<'_>> {
        let is_free = self.rate.is_none() && self.limits.warmup.0.is_empty() && self.domains.is_empty();
        if (is_free || want == 0) && self.slower.is_empty() && self.returned == 0 {
            return None;
        }
        for (domain, limit) in &self.limits.domains {
            let Some(most) = limit.connections else { continue };
            let room = most.saturating_sub(self.counts.get(domain).copied().unwrap_or(0));
            self.room.insert(domain.clone(), room);
        }
        Some(Pacing {
            rate: self.rate,
            warmup: &self.limits.warmup,
            domains: &self.domains,
            room: &self.room,
            slower: &self.slower,
            returned: self.returned,
        })
    }

    /// The commit that [`Self::pacing`] was for has been made: what it wrote down is the store's
    /// from now on, and this is what it said of the pace.
    pub(super) fn committed(&mut self, want: usize, put_off: usize, held_until: Option<UnixMillis>) {
        for domain in self.slower.drain() {
            tracing::info!(%domain, "this domain wants fewer letters for a while; it gets them more slowly");
            self.domains.entry(domain).or_insert(self.rate.unwrap_or(UNLIMITED));
        }
        self.returned = 0;
        self.parked |= put_off > 0;
        if want > 0 {
            self.held_until = held_until;
        }
    }

    pub(super) fn claimed(&mut self, claimed: &Claimed) {
        let domain = claimed.email.domain().to_ascii_lowercase();
        if self.limits.domains.get(&domain).is_some_and(|limit| limit.connections.is_some()) {
            *self.counts.entry(domain.clone()).or_default() += 1;
        }
        self.in_flight.insert((claimed.issue, claimed.subscriber), domain);
    }

    pub(super) fn finished(&mut self, finished: &Finished, signal: &Signal) {
        if matches!(finished.transition, Transition::Returned { .. }) && !self.limits.warmup.0.is_empty() {
            self.returned += 1;
        }
        let Some(domain) = self.in_flight.remove(&(finished.issue, finished.subscriber)) else { return };
        if let Some(count) = self.counts.get_mut(&domain) {
            *count = count.saturating_sub(1);
        }
        if *signal == Signal::TooFast {
            self.slower.insert(domain);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::settings::DomainPace;
    use crate::domain::EmailAddress;
    use crate::domain::delivery::Variant;
    use crate::domain::issue::IssueNumber;
    use crate::domain::pace::Warmup;
    use crate::domain::subscriber::{LinkEpoch, SubscriberId};

    const NOW: UnixMillis = UnixMillis(1_000_000);

    fn claimed(subscriber: i64, domain: &str) -> Claimed {
        Claimed {
            issue: IssueNumber(1),
            subscriber: SubscriberId(subscriber),
            email: EmailAddress::parse(&format!("ann{subscriber}@{domain}")).unwrap(),
            epoch: LinkEpoch::default(),
            name: None,
            attempt: 1,
            enqueued_at: NOW,
            variant: Variant::default(),
            choice: None,
        }
    }

    fn returned(claimed: &Claimed) -> Finished {
        let transition = Transition::Returned { due_at: NOW, note: String::new() };
        Finished { issue: claimed.issue, subscriber: claimed.subscriber, transition }
    }

    #[test]
    fn without_limits_a_commit_is_a_plain_one() {
        let mut pacer = Pacer::new(None, Arc::default());
        assert!(pacer.pacing(10).is_none());
        let letter = claimed(1, "example.com");
        pacer.claimed(&letter);
        pacer.finished(&returned(&letter), &Signal::None);
        assert!(pacer.pacing(10).is_none());
    }

    #[test]
    fn a_domain_that_asked_for_less_is_told_until_a_commit_has_written_it_down() {
        let mut pacer = Pacer::new(None, Arc::default());
        let letter = claimed(1, "Example.com");
        pacer.claimed(&letter);
        pacer.finished(&returned(&letter), &Signal::TooFast);
        for _ in 0..2 {
            let pacing = pacer.pacing(0).expect("a commit that claims nothing writes it down as well");
            assert!(pacing.slower.contains("example.com"));
        }
        pacer.committed(0, 0, None);
        assert!(pacer.pacing(0).is_none());
        let pacing = pacer.pacing(1).unwrap();
        assert!(pacing.slower.is_empty() && pacing.domains.contains_key("example.com"));
    }

    #[test]
    fn who_was_given_back_does_not_count_against_the_day() {
        let limits = PaceLimits { warmup: Warmup(vec![50]), ..PaceLimits::default() };
        let mut pacer = Pacer::new(None, Arc::new(limits));
        let letter = claimed(1, "example.com");
        pacer.claimed(&letter);
        pacer.finished(&returned(&letter), &Signal::None);
        assert_eq!(pacer.pacing(0).map(|pacing| pacing.returned), Some(1));
        pacer.committed(0, 0, None);
        assert_eq!(pacer.pacing(1).map(|pacing| pacing.returned), Some(0));
    }

    #[test]
    fn a_domains_room_is_what_its_letters_in_flight_leave() {
        let limit = DomainPace { rate: None, connections: Some(2) };
        let domains = HashMap::from([("example.com".to_owned(), limit)]);
        let mut pacer = Pacer::new(None, Arc::new(PaceLimits { domains, ..PaceLimits::default() }));
        let room = |pacer: &mut Pacer| pacer.pacing(1).unwrap().room["example.com"];
        let letters = [claimed(1, "example.com"), claimed(2, "example.com"), claimed(3, "example.org")];
        letters.iter().for_each(|letter| pacer.claimed(letter));
        assert_eq!(room(&mut pacer), 0);
        pacer.finished(&returned(&letters[0]), &Signal::None);
        assert_eq!(room(&mut pacer), 1);
    }

    #[test]
    fn nothing_is_asked_for_while_the_rate_holds_all_back() {
        let rate = Rate { letters: 1, per: Duration::from_secs(60) };
        let mut pacer = Pacer::new(Some(rate), Arc::default());
        assert_eq!(pacer.may_claim(5, NOW), 5);
        let until = NOW.plus(Duration::from_secs(60));
        pacer.committed(5, 0, Some(until));
        assert_eq!((pacer.may_claim(5, NOW), pacer.may_claim(5, until)), (0, 5));
        assert_eq!((pacer.wait(NOW), pacer.wait(until)), (Some(Duration::from_secs(60)), None));
        assert_eq!(pacer.held_beyond(Duration::from_secs(59), NOW), Some(until));
        assert_eq!(pacer.held_beyond(Duration::from_secs(60), NOW), None);
    }
}
