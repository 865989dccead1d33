//! One connection to the relay: a letter, its outcome, the next letter.
//!
//! While a letter is on its way the connection holds the next one, and offers it to the relay in
//! the write that ends the first. The next one's own end waits for a grant: for the commit that has
//! written down the first one's outcome and that the next one's attempt is under way. So of the two
//! at most one can be a letter that the relay has and the ledger does not know of.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::fillers::{Fillers, Filling};
use super::messages::{Job, Request, Turn};
use crate::delivery::mailer::{Mailer, Ready, Transport};
use crate::delivery::outcome::transition::{Decision, Signal, decide, decide_outbox};
use crate::delivery::relay::relays::RelaySlot;
use crate::delivery::relay::sessions::{CountedSession, NoSession, Sessions};
use crate::domain::delivery::{Claimed, Finished, Transition};
use crate::fault::{self, Point};
use crate::mail::{Envelope, Outcome};

/// How long a session may wait for its next letter. Relays close idle sessions, and a letter sent
/// into one has to be tried again.
const IDLE: Duration = Duration::from_secs(10);
/// How long a connection rests that the relay turned away while it keeps others open.
const REST: Duration = Duration::from_secs(30);

/// The letter that a connection sends next.
struct Held {
    job: Job,
    /// On its way already, if filling it is work; else it is filled when it is sent.
    filling: Option<Filling<Ready>>,
}

/// What became of a letter, and what that says about us.
type Ended = (Finished, Signal);

pub(super) struct Connection {
    mailer: Arc<Mailer>,
    sessions: Arc<Sessions>,
    fillers: Arc<Fillers<Ready>>,
    turns: mpsc::Sender<Turn>,
    stop: watch::Receiver<bool>,
    session: Option<CountedSession>,
    /// Which of several relays the session is on.
    slot: Option<RelaySlot>,
    /// The letter on its way, if it goes into a file; otherwise the session has it.
    letter: Vec<u8>,
    /// Room for the next one; the space of letters is used again.
    spare: Vec<u8>,
}

impl Connection {
    pub(super) fn new(
        mailer: &Arc<Mailer>,
        sessions: &Arc<Sessions>,
        fillers: &Arc<Fillers<Ready>>,
        turns: &mpsc::Sender<Turn>,
        stop: &watch::Receiver<bool>,
    ) -> Self {
        Self {
            mailer: mailer.clone(),
            sessions: sessions.clone(),
            fillers: fillers.clone(),
            turns: turns.clone(),
            stop: stop.clone(),
            session: None,
            slot: None,
            letter: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Goes on until the ledger has no more for it.
    pub(super) async fn run(mut self) {
        let mut ended = Vec::new();
        let mut held = None;
        loop {
            let Some(Held { job, filling }) = held.take() else {
                let Some(job) = self.next_job(&mut ended).await else { break };
                held = Some(self.hold(job));
                continue;
            };
            if !self.is_ready() {
                // Opening takes its time, and results are not to wait for it.
                if !ended.is_empty() && !self.tell(&mut ended, Request::Nothing).await {
                    break;
                }
                if let Err(NoSession { note, signal }) = self.open().await {
                    let rest = signal == Signal::None;
                    ended.push(self.untried(&job, note, signal));
                    if rest && !self.rest(&mut ended).await {
                        break;
                    }
                    continue;
                }
            }
            let (answer, grant) = oneshot::channel();
            if !self.tell(&mut ended, Request::Grant(job.key(), answer)).await {
                break;
            }
            // The letter is offered while the ledger writes; only its end waits for both.
            let refused = self.begin(&job, filling).await;
            let Ok(grant) = grant.await else { break };
            held = grant.next.map(|job| self.hold(job));
            ended.push(match refused {
                Some(outcome) => self.decided(&job, outcome),
                None if grant.granted => self.end(&job, held.as_ref().map(|held| &held.job)).await,
                None => {
                    // The relay waits for a letter that is not to be sent: only closing the session
                    // tells it so.
                    self.session = None;
                    self.untried(&job, "called back before it was sent".to_owned(), Signal::None)
                }
            });
        }
        self.hang_up().await;
    }

    /// False when the ledger is gone.
    async fn tell(&self, ended: &mut Vec<Ended>, request: Request) -> bool {
        self.turns.send(Turn { finished: std::mem::take(ended), request }).await.is_ok()
    }

    /// The next letter; none when the pass is over. A session that waits too long for one is
    /// closed.
    async fn next_job(&mut self, ended: &mut Vec<Ended>) -> Option<Job> {
        let (answer, mut job) = oneshot::channel();
        if !self.tell(ended, Request::Job(answer)).await {
            return None;
        }
        match timeout(IDLE, &mut job).await {
            Ok(job) => job.ok(),
            Err(_) => {
                self.hang_up().await;
                job.await.ok()
            }
        }
    }

    /// Has the letter filled beside the one before it, if that is work.
    fn hold(&mut self, job: Job) -> Held {
        let filling = job.letters.is_work().then(|| {
            let (mailer, letters, claimed) = (self.mailer.clone(), job.letters.clone(), job.claimed.clone());
            let space = std::mem::take(&mut self.spare);
            self.fillers.order(move || mailer.letter(&*letters, &claimed, space))
        });
        Held { job, filling }
    }

    /// The letter goes back for the connections that are open: tells so at once, then waits. False
    /// when the pass is over.
    async fn rest(&self, ended: &mut Vec<Ended>) -> bool {
        if !self.tell(ended, Request::Nothing).await {
            return false;
        }
        tokio::select! {
            () = sleep(REST) => true,
            () = self.turns.closed() => false,
        }
    }

    /// Offers the letter to the relay; the outcome if it is refused before its end.
    async fn begin(&mut self, job: &Job, filling: Option<Filling<Ready>>) -> Option<Outcome> {
        let ready = match filling {
            Some(filling) => filling.letter().await,
            None => self.mailer.letter(&*job.letters, &job.claimed, std::mem::take(&mut self.spare)),
        };
        match ready {
            Ready::File(letter) => {
                self.spare = std::mem::replace(&mut self.letter, letter);
                None
            }
            Ready::Wire(mut letter) => {
                let session = self.session.as_mut()?;
                let from = self.mailer.sender(&job.claimed);
                let refused = session.begin(&from, &job.claimed.email, &mut letter).await;
                self.spare = letter.into_space();
                refused
            }
        }
    }

    /// Sends the letter's end, and offers `next` in the same write.
    async fn end(&mut self, job: &Job, next: Option<&Job>) -> Ended {
        let mailer = self.mailer.clone();
        let outcome = match (&mailer.transport, &mut self.session) {
            (Transport::Outbox(outbox), _) => {
                let name = file_name(&mailer, &job.claimed);
                match outbox.put(&name, std::mem::take(&mut self.letter)).await {
                    Ok(reply) => Outcome::Accepted(reply),
                    Err(error) => return ended(job, decide_outbox(&error, mailer.now())),
                }
            }
            (Transport::Smtp(_) | Transport::Several(_), Some(session)) => {
                let sender = next.map(|next| mailer.sender(&next.claimed));
                let next = next
                    .zip(sender.as_deref())
                    .map(|(next, from)| Envelope { from, to: &next.claimed.email });
                session.end(next).await
            }
            (Transport::Smtp(_) | Transport::Several(_), None) => {
                Outcome::LineDropped { after_dot: false, why: "the session is closed".to_owned() }
            }
        };
        self.decided(job, outcome)
    }

    fn decided(&mut self, job: &Job, outcome: Outcome) -> Ended {
        fault::point(Point::Answer);
        // A session that has had its letters is closed with the next one: this result is written
        // down first.
        self.session.take_if(|session| !session.has_line());
        let decision = decide(outcome, &job.claimed, &self.mailer.patience(), self.mailer.now());
        ended(job, self.over_another(decision))
    }

    fn untried(&self, job: &Job, note: String, signal: Signal) -> Ended {
        let transition = Transition::Returned { due_at: self.mailer.now(), note };
        ended(job, Decision { transition, signal })
    }

    /// Whether a letter can begin at once.
    fn is_ready(&self) -> bool {
        match &self.mailer.transport {
            Transport::Outbox(_) => true,
            Transport::Smtp(_) => self.has_session(),
            Transport::Several(relays) => {
                let now = self.mailer.now();
                self.has_session() && !self.slot.as_ref().is_some_and(|slot| relays.is_out(slot, now))
            }
        }
    }

    fn has_session(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.is_open())
    }

    /// Opens a session, which only a connection with a letter does. One on a relay that is left out
    /// meanwhile is given up.
    async fn open(&mut self) -> Result<(), NoSession> {
        self.hang_up().await;
        let mailer = self.mailer.clone();
        let reconnect = mailer.settings.reconnect;
        match &mailer.transport {
            Transport::Outbox(_) => {}
            Transport::Smtp(relay) => {
                self.session = Some(self.sessions.open(relay, reconnect, &mut self.stop).await?);
            }
            Transport::Several(relays) => {
                let opened = relays.open(&self.sessions, reconnect, mailer.now(), &mut self.stop).await?;
                (self.session, self.slot) = (Some(opened.0), Some(opened.1));
            }
        }
        Ok(())
    }

    /// What one of several relays refuses for good, another may take: no reason to stop while one
    /// is left.
    fn over_another(&self, decision: Decision) -> Decision {
        match (&self.mailer.transport, &self.slot, &decision.signal) {
            (Transport::Several(relays), Some(slot), Signal::Certain(words)) => {
                tracing::warn!(%words, "a relay is left out for now");
                match relays.refused(slot, self.mailer.now()) {
                    true => Decision { signal: Signal::None, ..decision },
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
        self.slot = None;
    }
}

fn ended(job: &Job, decision: Decision) -> Ended {
    let (issue, subscriber) = job.key();
    (Finished { issue, subscriber, transition: decision.transition }, decision.signal)
}

/// The same name for the same Message-ID, so that a second attempt replaces the file of the first.
fn file_name(mailer: &Mailer, claimed: &Claimed) -> String {
    let id = mailer.keyring.message_id(claimed.issue, claimed.subscriber);
    format!("{:04}-{:08}-{id}.eml", claimed.issue.0, claimed.subscriber.0)
}
