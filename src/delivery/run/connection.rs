//! One connection to the relay: a letter, its outcome, the next letter.
//!
//! While a letter is on its way the connection holds the next one, and asks the relay for it in the write that ends the first.
//! The next one's own end waits for leave: for the commit that has written down the first one's outcome and that the next
//! one's attempt is under way. So of the two at most one can be a letter that the relay has and the ledger does not know of.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::fillers::{Fillers, Filling};
use super::messages::{Job, Turn, Wish};
use crate::delivery::mailer::{Mailer, Ready, Transport};
use crate::delivery::outcome::transition::{Concern, Decision, decide, decide_outbox};
use crate::delivery::relay::relays::Seat;
use crate::delivery::relay::sessions::{NoSession, Pool, Standing};
use crate::domain::delivery::{Claimed, Finished, Transition};
use crate::fault::{self, Point};
use crate::mail::{Envelope, Outcome};

/// How long a session may wait for its next letter. Relays close idle lines, and a letter sent into one has to be tried again.
const IDLE: Duration = Duration::from_secs(10);
/// How long a connection rests that the relay turned away while others stand.
const REST: Duration = Duration::from_secs(30);

/// The letter that a connection sends next.
struct Held {
    job: Job,
    /// On its way already, if filling it is work; else it is filled when it is sent.
    filling: Option<Filling<Ready>>,
}

/// What became of a letter, and what that says about us.
type Known = (Finished, Concern);

pub(super) struct Connection {
    post: Arc<Mailer>,
    pool: Arc<Pool>,
    fillers: Arc<Fillers<Ready>>,
    turns: mpsc::Sender<Turn>,
    stop: watch::Receiver<bool>,
    session: Option<Standing>,
    /// Which of several relays the session is on.
    seat: Option<Seat>,
    /// The letter on its way, if it goes into a file; otherwise the session has it.
    letter: Vec<u8>,
    /// Room for the next one; the space of letters is used again.
    spare: Vec<u8>,
}

impl Connection {
    pub(super) fn new(
        post: &Arc<Mailer>,
        pool: &Arc<Pool>,
        fillers: &Arc<Fillers<Ready>>,
        turns: &mpsc::Sender<Turn>,
        stop: &watch::Receiver<bool>,
    ) -> Self {
        Self {
            post: post.clone(),
            pool: pool.clone(),
            fillers: fillers.clone(),
            turns: turns.clone(),
            stop: stop.clone(),
            session: None,
            seat: None,
            letter: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Goes on until the ledger has no more for it.
    pub(super) async fn run(mut self) {
        let mut known = Vec::new();
        let mut held = None;
        loop {
            let Some(Held { job, filling }) = held.take() else {
                let Some(job) = self.park(&mut known).await else { break };
                held = Some(self.hold(job));
                continue;
            };
            if !self.is_ready() {
                // Opening takes its time, and what is known is not to wait for it.
                if !known.is_empty() && !self.tell(&mut known, Wish::Nothing).await {
                    break;
                }
                if let Err(NoSession { note, concern }) = self.stand().await {
                    let rest = concern == Concern::None;
                    known.push(self.untried(&job, note, concern));
                    if rest && !self.rest(&mut known).await {
                        break;
                    }
                    continue;
                }
            }
            let (answer, leave) = oneshot::channel();
            if !self.tell(&mut known, Wish::Leave(job.key(), answer)).await {
                break;
            }
            // The relay is asked while the ledger writes; only the letter's end waits for both.
            let refused = self.begin(&job, filling).await;
            let Ok(leave) = leave.await else { break };
            held = leave.next.map(|job| self.hold(job));
            known.push(match refused {
                Some(outcome) => self.decided(&job, outcome),
                None if leave.granted => self.end(&job, held.as_ref().map(|held| &held.job)).await,
                None => {
                    // The relay waits for a letter that is not to be sent: nothing but the line's end tells it so.
                    self.session = None;
                    self.untried(&job, "called back before it was sent".to_owned(), Concern::None)
                }
            });
        }
        self.hang_up().await;
    }

    /// False when the ledger is gone.
    async fn tell(&self, known: &mut Vec<Known>, wish: Wish) -> bool {
        self.turns.send(Turn { finished: std::mem::take(known), wish }).await.is_ok()
    }

    /// The next letter; none when the pass is over. A session that waits too long for one is closed.
    async fn park(&mut self, known: &mut Vec<Known>) -> Option<Job> {
        let (answer, mut job) = oneshot::channel();
        if !self.tell(known, Wish::Job(answer)).await {
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
            let (post, letters, claimed) = (self.post.clone(), job.letters.clone(), job.claimed.clone());
            let space = std::mem::take(&mut self.spare);
            self.fillers.order(move || post.letter(&*letters, &claimed, space))
        });
        Held { job, filling }
    }

    /// The letter is for the connections that stand: tells so at once, then waits. False when the pass is over.
    async fn rest(&self, known: &mut Vec<Known>) -> bool {
        if !self.tell(known, Wish::Nothing).await {
            return false;
        }
        tokio::select! {
            () = sleep(REST) => true,
            () = self.turns.closed() => false,
        }
    }

    /// Asks the relay to take the letter; the outcome if it does not.
    async fn begin(&mut self, job: &Job, filling: Option<Filling<Ready>>) -> Option<Outcome> {
        let ready = match filling {
            Some(filling) => filling.letter().await,
            None => self.post.letter(&*job.letters, &job.claimed, std::mem::take(&mut self.spare)),
        };
        match ready {
            Ready::File(letter) => {
                self.spare = std::mem::replace(&mut self.letter, letter);
                None
            }
            Ready::Wire(mut letter) => {
                let session = self.session.as_mut()?;
                let from = self.post.sender(&job.claimed);
                let refused = session.begin(&from, &job.claimed.email, &mut letter).await;
                self.spare = letter.into_space();
                refused
            }
        }
    }

    /// Sends the letter, and asks for `next` in the same breath.
    async fn end(&mut self, job: &Job, next: Option<&Job>) -> Known {
        let post = self.post.clone();
        let outcome = match (&post.carrier, &mut self.session) {
            (Transport::Outbox(outbox), _) => {
                let name = file_name(&post, &job.claimed);
                match outbox.put(&name, std::mem::take(&mut self.letter)).await {
                    Ok(reply) => Outcome::Accepted(reply),
                    Err(error) => return known(job, decide_outbox(&error, post.now())),
                }
            }
            (Transport::Smtp(_) | Transport::Several(_), Some(session)) => {
                let sender = next.map(|next| post.sender(&next.claimed));
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

    fn decided(&mut self, job: &Job, outcome: Outcome) -> Known {
        fault::point(Point::Answer);
        // A session that has had its letters is closed with the next one: first this result has to be written down.
        self.session.take_if(|session| !session.has_line());
        let decision = decide(outcome, &job.claimed, &self.post.patience(), self.post.now());
        known(job, self.over_another(decision))
    }

    fn untried(&self, job: &Job, note: String, concern: Concern) -> Known {
        let transition = Transition::Returned { due_at: self.post.now(), note };
        known(job, Decision { transition, concern })
    }

    /// Whether a letter can begin at once.
    fn is_ready(&self) -> bool {
        match &self.post.carrier {
            Transport::Outbox(_) => true,
            Transport::Smtp(_) => self.has_session(),
            Transport::Several(relays) => {
                let now = self.post.now();
                self.has_session() && !self.seat.as_ref().is_some_and(|seat| relays.is_out(seat, now))
            }
        }
    }

    fn has_session(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.is_open())
    }

    /// Opens a session: only who has a letter does. One on a relay that is left out meanwhile is given up.
    async fn stand(&mut self) -> Result<(), NoSession> {
        self.hang_up().await;
        let post = self.post.clone();
        let reconnect = post.settings.reconnect;
        match &post.carrier {
            Transport::Outbox(_) => {}
            Transport::Smtp(relay) => {
                self.session = Some(self.pool.open(relay, reconnect, &mut self.stop).await?);
            }
            Transport::Several(relays) => {
                let opened = relays.open(&self.pool, reconnect, post.now(), &mut self.stop).await?;
                (self.session, self.seat) = (Some(opened.0), Some(opened.1));
            }
        }
        Ok(())
    }

    /// What one of several relays refuses for good, another may take: no reason to stop while one is left.
    fn over_another(&self, decision: Decision) -> Decision {
        match (&self.post.carrier, &self.seat, &decision.concern) {
            (Transport::Several(relays), Some(seat), Concern::Certain(words)) => {
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

fn known(job: &Job, decision: Decision) -> Known {
    let (issue, subscriber) = job.key();
    (Finished { issue, subscriber, transition: decision.transition }, decision.concern)
}

/// The same name for the same Message-ID, so that a second attempt replaces the file of the first.
fn file_name(post: &Mailer, claimed: &Claimed) -> String {
    let id = post.keyring.message_id(claimed.issue, claimed.subscriber);
    format!("{:04}-{:08}-{id}.eml", claimed.issue.0, claimed.subscriber.0)
}
