//! One connection to the relay: a letter, its outcome, the next letter.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use super::engine::{Carrier, Letters, PostOffice};
use super::pool::{NoSession, Pool, Standing};
use super::relays::{Relays, Seat};
use super::transition::{Concern, Decision, decide, decide_outbox};
use crate::domain::delivery::{Claimed, Finished, Transition};
use crate::mail::{Outbox, Outcome, Relay};

/// How long a session may wait for its next letter. Relays close idle lines, and a letter sent into one has to be tried again.
const IDLE: Duration = Duration::from_secs(10);
/// How long a connection rests that the relay turned away while others stand.
const REST: Duration = Duration::from_secs(30);

/// How old a claim may be when its letter starts. What a letter may take after that (RFC 5321's 25 minutes) still fits into
/// the store's lease, so that no other worker takes a row whose letter is on its way.
const FRESH: Duration = Duration::from_secs(4 * 60);

/// What a connection tells the ledger: what became of its letter, and whether it wants another.
pub(super) struct Turn {
    pub finished: Option<(Finished, Concern)>,
    pub answer: Option<oneshot::Sender<Job>>,
}

/// A letter to send, claimed and committed as being sent.
pub(super) struct Job {
    pub claimed: Claimed,
    pub letters: Arc<dyn Letters>,
}

pub(super) struct Connection {
    post: Arc<PostOffice>,
    pool: Arc<Pool>,
    turns: mpsc::Sender<Turn>,
    stop: watch::Receiver<bool>,
    session: Option<Standing>,
    /// Which of several relays the session is on.
    seat: Option<Seat>,
    /// One letter at a time is filled in here; the space is used again.
    letter: Vec<u8>,
}

impl Connection {
    pub(super) fn new(
        post: Arc<PostOffice>,
        pool: Arc<Pool>,
        turns: mpsc::Sender<Turn>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self { post, pool, turns, stop, session: None, seat: None, letter: Vec::new() }
    }

    /// Goes on until the ledger has no more for it.
    pub(super) async fn run(mut self) {
        let mut finished = None;
        loop {
            let (answer, job) = oneshot::channel();
            if self.turns.send(Turn { finished: finished.take(), answer: Some(answer) }).await.is_err() {
                break;
            }
            let Some(job) = self.next(job).await else { break };
            let (decision, rest) = self.attempt(&job).await;
            let Claimed { issue, subscriber, .. } = job.claimed;
            finished =
                Some((Finished { issue, subscriber, transition: decision.transition }, decision.concern));
            if rest {
                // Tell it now: the letter is for the connections that stand.
                if self.turns.send(Turn { finished: finished.take(), answer: None }).await.is_err() {
                    break;
                }
                tokio::select! {
                    () = sleep(REST) => {}
                    () = self.turns.closed() => break,
                }
            }
        }
        self.hang_up().await;
    }

    /// The next letter; none when the pass is over. A session that waits too long for one is closed.
    async fn next(&mut self, mut job: oneshot::Receiver<Job>) -> Option<Job> {
        match timeout(IDLE, &mut job).await {
            Ok(job) => job.ok(),
            Err(_) => {
                self.hang_up().await;
                job.await.ok()
            }
        }
    }

    /// One attempt; also whether this connection had better rest.
    async fn attempt(&mut self, job: &Job) -> (Decision, bool) {
        let post = self.post.clone();
        let claimed = Instant::now();
        let untried = |note, concern| Decision {
            transition: Transition::Returned { due_at: post.now(), note },
            concern,
        };
        let opened = match &post.carrier {
            Carrier::Outbox(outbox) => return (self.put(outbox, job).await, false),
            Carrier::Smtp(relay) => self.stand(relay).await,
            Carrier::Several(relays) => self.stand_on(relays).await,
        };
        match opened {
            Ok(session) if claimed.elapsed() > FRESH => {
                self.session = Some(session);
                (untried("the relay took too long to let us in".to_owned(), Concern::None), false)
            }
            Ok(session) => {
                let decision = self.deliver(session, job).await;
                (self.over_another(&post.carrier, decision), false)
            }
            Err(NoSession { note, concern }) => {
                let rest = concern == Concern::None;
                (untried(note, concern), rest)
            }
        }
    }

    async fn put(&mut self, outbox: &Outbox, job: &Job) -> Decision {
        self.fill(job);
        let name = file_name(&self.post, &job.claimed);
        let put = outbox.put(&name, std::mem::take(&mut self.letter)).await;
        let now = self.post.now();
        match put {
            Ok(reply) => decide(Outcome::Accepted(reply), &job.claimed, &self.post.patience(), now),
            Err(error) => decide_outbox(&error, now),
        }
    }

    async fn deliver(&mut self, mut session: Standing, job: &Job) -> Decision {
        self.fill(job);
        let outcome = session.deliver(&self.post.envelope_from, &job.claimed.email, &self.letter).await;
        // A session that has had its letters is closed with the next one: first this result has to be written down.
        if session.has_line() {
            self.session = Some(session);
        }
        decide(outcome, &job.claimed, &self.post.patience(), self.post.now())
    }

    fn fill(&mut self, job: &Job) {
        self.letter.clear();
        job.letters.fill(&job.claimed, self.post.now(), &mut self.letter);
    }

    /// The session that stands, or a new one: only who has a letter opens one.
    async fn stand(&mut self, relay: &Relay) -> Result<Standing, NoSession> {
        if let Some(session) = self.session.take_if(|session| session.is_open()) {
            return Ok(session);
        }
        self.hang_up().await;
        self.pool.open(relay, self.post.settings.reconnect, &mut self.stop).await
    }

    /// The same on one of several relays; a session on one that is left out meanwhile is given up.
    async fn stand_on(&mut self, relays: &Relays) -> Result<Standing, NoSession> {
        let now = self.post.now();
        let out = self.seat.as_ref().is_some_and(|seat| relays.is_out(seat, now));
        if !out && let Some(session) = self.session.take_if(|session| session.is_open()) {
            return Ok(session);
        }
        self.hang_up().await;
        let reconnect = self.post.settings.reconnect;
        let (session, seat) = relays.open(&self.pool, reconnect, now, &mut self.stop).await?;
        self.seat = Some(seat);
        Ok(session)
    }

    /// What one of several relays refuses for good, another may take: no reason to stop while one is left.
    fn over_another(&self, carrier: &Carrier, decision: Decision) -> Decision {
        match (carrier, &self.seat, &decision.concern) {
            (Carrier::Several(relays), Some(seat), Concern::Certain(words)) => {
                tracing::warn!(%words, "a relay is left out for now");
                match relays.refused(seat, self.post.now()) {
                    true => Decision { concern: Concern::None, ..decision },
                    false => decision,
                }
            }
            _ => decision,
        }
    }

    async fn hang_up(&mut self) {
        if let Some(session) = self.session.take() {
            session.close().await;
        }
        self.seat = None;
    }
}

/// The same name for the same Message-ID, so that a second attempt replaces the file of the first.
fn file_name(post: &PostOffice, claimed: &Claimed) -> String {
    let id = post.keyring.message_id(claimed.issue, claimed.subscriber);
    format!("{:04}-{:08}-{id}.eml", claimed.issue.0, claimed.subscriber.0)
}
