//! Passes over the queue: a real store, a scripted relay, and what both know afterwards.

mod course;
mod outages;
mod refusals;
mod unknown;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use tokio::sync::watch;
use verdicts::delivery::{Clock, Letters, Loader, Mailer, MailerSettings, Pass, Progress, Transport, pass};
use verdicts::domain::delivery::{Claimed, DeliveryState, Tally};
use verdicts::domain::issue::{IssueNumber, IssueState};
use verdicts::domain::relay::RelayUrl;
use verdicts::domain::subscriber::SubscriberId;
use verdicts::domain::token::Keyring;
use verdicts::domain::{EmailAddress, UnixMillis};
use verdicts::mail::{Outbox, Relay, SessionOptions, Timeouts};
use verdicts::store::{StoreError, WorkerLease};

use crate::support::peer::{Act, Ask, At, Peer, Script};
use crate::support::world::{NOW, World};

const ONE: IssueNumber = IssueNumber(1);

fn keyring() -> Keyring {
    Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap()
}

/// A short letter with the Message-ID that the real ones have, and a hook for what a test wants to happen in between.
struct Plain {
    keyring: Keyring,
    hook: Box<dyn Fn(&Claimed) + Send + Sync>,
}

impl Letters for Plain {
    fn fill(&self, claimed: &Claimed, _now: UnixMillis, out: &mut Vec<u8>) {
        (self.hook)(claimed);
        let id = self.keyring.message_id(claimed.issue, claimed.subscriber);
        out.extend_from_slice(
            format!("Message-ID: <{id}@example.org>\r\nSubject: Which one ships?\r\n\r\nThis one.\r\n")
                .as_bytes(),
        );
    }
}

fn loader(hook: impl Fn(&Claimed) + Send + Sync + 'static) -> Loader {
    let letters: Arc<dyn Letters> = Arc::new(Plain { keyring: keyring(), hook: Box::new(hook) });
    Arc::new(move |_| {
        let letters = letters.clone();
        Box::pin(async move { Ok(letters) })
    })
}

fn smtp(url: &str) -> Transport {
    smtp_with(url, SessionOptions::default())
}

fn smtp_with(url: &str, options: SessionOptions) -> Transport {
    let RelayUrl::Smtp(url) = RelayUrl::parse(url).unwrap() else { panic!("{url}") };
    Transport::Smtp(Box::new(Relay::new(&url, options).unwrap()))
}

/// A store with a running issue, and the means to make passes over it.
struct Run {
    world: World,
    me: WorkerLease,
    clock: Arc<AtomicI64>,
    settings: MailerSettings,
    letters: Loader,
}

impl Run {
    async fn of(readers: usize) -> Self {
        let world = World::running(readers, World::sqlite().await).await;
        let me = world.store.enlist(NOW).await.unwrap().unwrap();
        let settings = MailerSettings { reconnect: Duration::from_millis(1), ..MailerSettings::default() };
        Self { world, me, clock: Arc::new(AtomicI64::new(NOW.0)), settings, letters: loader(|_| {}) }
    }

    fn mailer(&self, transport: Transport) -> Arc<Mailer> {
        let clock = self.clock.clone();
        let clock: Clock = Arc::new(move || UnixMillis(clock.load(Ordering::SeqCst)));
        let from = EmailAddress::parse("bounces@example.org").unwrap();
        let mailer = Mailer::new(transport, self.settings, from, keyring(), self.letters.clone());
        Arc::new(mailer.with_clock(clock))
    }

    async fn pass(&self, transport: Transport) -> Pass {
        self.try_pass(transport).await.unwrap()
    }

    async fn try_pass(&self, transport: Transport) -> Result<Pass, StoreError> {
        let (_stop, never) = watch::channel(false);
        let mailer = self.mailer(transport);
        // A worker spawns its passes.
        sendable(pass(&self.world.store, &self.me, &mailer, &never, |_| {})).await
    }

    /// Moves the clock to when the next letter is due.
    async fn until_due(&self) {
        let due = self.world.store.next_due().await.unwrap().expect("something waits");
        self.clock.fetch_max(due.0, Ordering::SeqCst);
    }

    async fn tally(&self) -> Tally {
        let tally = self.world.store.tally(ONE).await.unwrap();
        assert!(tally.balances(), "{tally:?}");
        tally
    }

    async fn state(&self) -> IssueState {
        self.world.store.issue(ONE).await.unwrap().unwrap().state
    }
}

fn sendable<F: Future + Send>(future: F) -> F {
    future
}

fn scripted(rule: impl Fn(&Ask) -> Act + Send + Sync + 'static) -> Script {
    Script { rule: Box::new(rule), ..Script::default() }
}
