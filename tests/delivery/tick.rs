//! The tick that a worker and `send` share: who delivers, and what the one who watches hears.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use verdicts::delivery::{Letters, Loader, Mailer, MailerSettings, Progress, Transport};
use verdicts::domain::EmailAddress;
use verdicts::domain::UnixMillis;
use verdicts::domain::delivery::{Claimed, Tally};
use verdicts::domain::issue::{IssueNumber, IssueState};
use verdicts::domain::token::Keyring;
use verdicts::mail::Outbox;
use verdicts::worker::{Deliverer, Observer, Ticked, Until, deliver_issue};

use crate::support::world::{NOW, World, issue};

const ONE: IssueNumber = IssueNumber(1);

struct Short;

impl Letters for Short {
    fn fill(&self, _claimed: &Claimed, _now: UnixMillis, out: &mut Vec<u8>) {
        out.extend_from_slice(b"Subject: Which one ships?\r\n\r\nThis one.\r\n");
    }
}

/// Delivers the world's letters into its folder.
fn deliverer(world: &World, outbox: Outbox, stop: &watch::Receiver<bool>) -> Deliverer {
    let keyring = Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap();
    let from = EmailAddress::parse("bounces@example.org").unwrap();
    let letters: Loader = Arc::new(|_| Box::pin(async { Ok(Arc::new(Short) as Arc<dyn Letters>) }));
    let settings = MailerSettings::default();
    let mailer = Mailer::new(Transport::Outbox(outbox), settings, from, keyring, letters);
    let mailer = mailer.with_clock(Arc::new(|| NOW));
    Deliverer::new(world.store.clone(), Arc::new(mailer), stop.clone())
}

/// What was heard, in order; of a pass's progress only that there was some.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Heard {
    fn add(&self, event: impl Into<String>) {
        let (mut events, event) = (self.0.lock().unwrap(), event.into());
        if events.last() != Some(&event) {
            events.push(event);
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Heard {
    fn elsewhere(&self) {
        self.add("elsewhere");
    }

    fn reclaimed(&self, letters: u64) {
        self.add(format!("reclaimed {letters}"));
    }

    fn pass_begins(&self) {
        self.add("a pass begins");
    }

    fn progress(&self, _progress: &Progress) {
        self.add("progress");
    }

    fn paused(&self, issue: IssueNumber, reason: &str) {
        self.add(format!("issue {issue} is paused: {}", reason.split(' ').next().unwrap()));
    }

    fn finished(&self, issue: IssueNumber, tally: &Tally) {
        self.add(format!("issue {issue} is finished, {} sent", tally.sent));
    }

    fn counted(&self, tally: &Tally) {
        self.add(format!("{} open", tally.open()));
    }
}

#[tokio::test]
async fn a_tick_says_in_order_what_it_found_and_did() {
    let world = World::running(3, World::sqlite().await).await;
    let before = world.store.enlist(NOW).await.unwrap().unwrap();
    world.store.record_and_claim(&before, &[], 1, NOW).await.unwrap();
    drop(before);
    let folder = tempfile::tempdir().unwrap();
    let (_stop, stop) = watch::channel(false);
    let (heard, outbox) = (Heard::default(), Outbox::new(folder.path()));

    let mut deliverer = deliverer(&world, outbox, &stop);
    let ticked = deliverer.tick(&heard, NOW).await.unwrap();
    assert!(matches!(ticked, Ticked::Passed(pass) if pass.sent == 3));
    assert_eq!(heard.take(), ["reclaimed 1", "a pass begins", "progress", "issue 1 is finished, 3 sent"]);
    assert_eq!(deliverer.tick(&heard, NOW).await.unwrap(), Ticked::Idle);
    assert!(heard.take().is_empty());
}

#[tokio::test]
async fn a_run_that_was_paused_is_told_and_not_finished() {
    let world = World::running(3, World::sqlite().await).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("taken");
    std::fs::write(&file, "a file where the folder should be").unwrap();
    let (_stop, stop) = watch::channel(false);
    let heard = Heard::default();

    let mut deliverer = deliverer(&world, Outbox::new(&file), &stop);
    let pass = deliver_issue(&mut deliverer, ONE, Until::NothingOpen, &heard).await.unwrap();
    assert_eq!(pass.map(|pass| pass.paused.len()), Some(1));
    let events = heard.take();
    assert!(events.last().is_some_and(|last| last.starts_with("issue 1 is paused")), "{events:?}");
    assert_eq!(world.store.issue(ONE).await.unwrap().unwrap().state, IssueState::Paused);
}

/// On SQLite one process delivers; another one watches, and takes over when that one is gone.
#[tokio::test]
async fn who_finds_another_delivering_watches_and_takes_over() {
    let world = World::running(3, World::sqlite().await).await;
    let folder = tempfile::tempdir().unwrap();
    let (_stop, stop) = watch::channel(false);
    let heard = Heard::default();

    let other = world.store.enlist(NOW).await.unwrap().unwrap();
    let mut deliverer = deliverer(&world, Outbox::new(folder.path()), &stop);
    assert_eq!(deliverer.tick(&heard, NOW).await.unwrap(), Ticked::Elsewhere);
    assert_eq!(heard.take(), ["elsewhere"]);

    let watching = deliver_issue(&mut deliverer, ONE, Until::NothingDue, &heard);
    let leaving = async {
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        drop(other);
    };
    let (pass, ()) = tokio::join!(watching, leaving);
    assert_eq!(pass.unwrap().map(|pass| pass.sent), Some(3));
    let events = heard.take();
    assert_eq!(events[..2], ["elsewhere", "3 open"]);
    let taken_over = ["a pass begins", "progress", "issue 1 is finished, 3 sent", "0 open"];
    assert!(events.ends_with(&taken_over.map(str::to_owned)), "{events:?}");
}

/// What a store error in the middle of a run leaves is taken up by the same process, with nobody
/// starting it again.
#[tokio::test]
async fn a_run_goes_on_by_itself_once_the_database_can_be_written_again() {
    let world = World::running(3, World::sqlite().await).await;
    let full = "CREATE TRIGGER full BEFORE UPDATE ON delivery WHEN NEW.state = 'sent'
        BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";
    world.raw(full).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (_stop, stop) = watch::channel(false);
    let heard = Heard::default();

    let mut deliverer = deliverer(&world, Outbox::new(folder.path()), &stop);
    deliverer.tick(&heard, NOW).await.unwrap_err();
    assert!(world.store.tally(ONE).await.unwrap().sending > 0, "something was under way");
    world.raw("DROP TRIGGER full").await.unwrap();

    let ticked = deliverer.tick(&heard, NOW).await.unwrap();
    assert!(matches!(ticked, Ticked::Passed(_)), "{ticked:?}");
    let tally = world.store.tally(ONE).await.unwrap();
    assert_eq!((tally.sent, tally.open()), (3, 0));
    let events = heard.take();
    assert!(events.iter().any(|event| event.starts_with("reclaimed")), "{events:?}");
}

mod needs_postgres {
    use super::*;

    /// A restart of the server cuts every connection, the one that holds the lease among them.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_worker_whose_connections_were_cut_while_it_was_idle_delivers_the_next_issue() {
        let world = World::postgres().await;
        world.with_readers(3).await;
        let folder = tempfile::tempdir().unwrap();
        let (_stop, stop) = watch::channel(false);
        let heard = Heard::default();
        let mut deliverer = deliverer(&world, Outbox::new(folder.path()), &stop);
        assert_eq!(deliverer.tick(&heard, NOW).await.unwrap(), Ticked::Idle);

        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        world.raw(cut).await.unwrap();
        world.enqueue(ONE, issue(&[])).await;
        for _ in 0..5 {
            if let Ok(Ticked::Passed(_)) = deliverer.tick(&heard, NOW).await {
                break;
            }
        }
        let tally = world.store.tally(ONE).await.unwrap();
        assert_eq!((tally.sent, tally.open()), (3, 0));
    }
}
