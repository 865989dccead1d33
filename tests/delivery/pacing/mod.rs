//! The pace of a run: rates that hold over restarts and workers, domains with their own lane, failover, the warm-up of a new
//! sender, and a run that pauses and says why. The clock is the test's; nothing here sleeps to make time pass.

mod ahead;
mod domains;
mod rates;
mod relays;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use verdicts::delivery::{
    Clock, DomainPace, Letters, Loader, Mailer, MailerSettings, PaceLimits, Pass, Relays, Transport, pass,
};
use verdicts::domain::delivery::{Claimed, Tally};
use verdicts::domain::issue::IssueNumber;
use verdicts::domain::pace::Warmup;
use verdicts::domain::rate::Rate;
use verdicts::domain::relay::RelayUrl;
use verdicts::domain::subscriber::{NewSubscriber, SubscriberStatus};
use verdicts::domain::token::Keyring;
use verdicts::domain::{EmailAddress, UnixMillis};
use verdicts::mail::{Relay, SessionOptions};
use verdicts::store::{Enqueue, Pacing, Store, WorkerLease};

use crate::support::house::House;
use crate::support::peer::{Act, Ask, At, Peer, Script};
use crate::support::world::{NOW, World, sent};

const ONE: IssueNumber = IssueNumber(1);

const HOUR: i64 = 3_600_000;

fn keyring() -> Keyring {
    Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap()
}

struct Plain;

impl Letters for Plain {
    fn fill(&self, claimed: &Claimed, _now: UnixMillis, out: &mut Vec<u8>) {
        let id = keyring().message_id(claimed.issue, claimed.subscriber);
        out.extend_from_slice(format!("Message-ID: <{id}@example.org>\r\n\r\nThis one.\r\n").as_bytes());
    }
}

fn loader() -> Loader {
    Arc::new(|_| Box::pin(async { Ok(Arc::new(Plain) as Arc<dyn Letters>) }))
}

fn relay(url: &str) -> Relay {
    let RelayUrl::Smtp(url) = RelayUrl::parse(url).unwrap() else { panic!("{url}") };
    Relay::new(&url, SessionOptions::default()).unwrap()
}

fn smtp(url: &str) -> Transport {
    Transport::Smtp(Box::new(relay(url)))
}

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

fn scripted(rule: impl Fn(&Ask) -> Act + Send + Sync + 'static) -> Script {
    Script { rule: Box::new(rule), ..Script::default() }
}

/// A store with a running issue and a clock that only the test moves.
struct Run {
    world: World,
    me: WorkerLease,
    clock: Arc<AtomicI64>,
    settings: MailerSettings,
    limits: PaceLimits,
}

impl Run {
    async fn of(world: World) -> Self {
        let me = world.store.enlist(NOW).await.unwrap().unwrap();
        let settings = MailerSettings {
            reconnect: Duration::from_millis(1),
            linger: Duration::ZERO,
            ..MailerSettings::default()
        };
        Self { world, me, clock: Arc::new(AtomicI64::new(NOW.0)), settings, limits: PaceLimits::default() }
    }

    /// One pass of a process that has just started: it knows nothing but what the store knows.
    async fn pass(&self, transport: Transport) -> Pass {
        let clock = self.clock.clone();
        let clock: Clock = Arc::new(move || UnixMillis(clock.load(Ordering::SeqCst)));
        let from = EmailAddress::parse("bounces@example.org").unwrap();
        let mailer = Mailer::new(transport, self.settings, from, keyring(), loader())
            .with_limits(self.limits.clone())
            .with_clock(clock);
        let (_stop, never) = watch::channel(false);
        let mailer = Arc::new(mailer);
        let pass = pass(&self.world.store, &self.me, &mailer, &never, |_| {});
        // On a clock that stands still, what is tried again for ever would never end.
        tokio::time::timeout(Duration::from_secs(60), pass).await.expect("the pass ends").unwrap()
    }

    fn later(&self, millis: i64) {
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    async fn tally(&self) -> Tally {
        let tally = self.world.store.tally(ONE).await.unwrap();
        assert!(tally.balances(), "{tally:?}");
        tally
    }
}

/// Active readers at the domains, in this order.
async fn readers_at(store: &Store, domains: &[(&str, usize)]) {
    let mut number = 0;
    for (domain, count) in domains {
        let rows: Vec<_> = (0..*count)
            .map(|_| {
                number += 1;
                NewSubscriber {
                    email: EmailAddress::parse(&format!("r{number}@{domain}")).unwrap(),
                    ..crate::support::world::reader(number, SubscriberStatus::Active)
                }
            })
            .collect();
        let hashes: Vec<_> =
            (0..*count).map(|n| crate::support::world::hash(number * 1_000_000 + n)).collect();
        for (rows, hashes) in rows.chunks(5000).zip(hashes.chunks(5000)) {
            store.add_subscribers(rows, hashes).await.unwrap();
        }
    }
    store.enqueue(&Enqueue::new(ONE, crate::support::world::issue(&[])), NOW).await.unwrap();
}
