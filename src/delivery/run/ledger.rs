//! The ledger: the one that talks to the store while letters go out.
//!
//! Connections come with what they finished and ask for more. The ledger takes all that wait,
//! writes them down and claims as many letters in one commit, and hands those out. Under load a
//! commit carries many results by itself.
//!
//! What it claims is for later: the row says so until the connection that holds it asks to send it.
//! That request comes with the outcome of the letter before, and one commit writes down both. A
//! kill therefore leaves one letter for each connection that may have gone out, and one that has
//! not and goes back untried.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::batching::{self, Batching};
use super::messages::{DeliveryKey, Job, Turn};
use super::pacer::Pacer;
use super::progress::{Pass, Progress};
use super::waiting::WaitingConnections;
use crate::delivery::mailer::{Letters, Mailer};
use crate::delivery::outcome::transition::{PauseRule, Signal};
use crate::delivery::relay::sessions::stopped;
use crate::domain::UnixMillis;
use crate::domain::delivery::{Claimed, Finished, Transition};
use crate::domain::issue::IssueNumber;
use crate::domain::pace::BURST;
use crate::fault::{self, Point};
use crate::store::{Claims, PacedClaims, Store, StoreError, WorkerLease};

/// Most turns in one commit.
const BATCH: usize = 256;
/// How often an idle connection looks for letters that have become due while others are in flight.
const LOOK: Duration = Duration::from_secs(1);
/// The same while nothing is in flight, and yet something is due.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Waits between tries to write down what is known, when the store refuses.
const AGAIN: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(250), Duration::from_millis(1000)];

pub(super) struct Ledger<'a, W> {
    store: &'a Store,
    me: &'a WorkerLease,
    mailer: &'a Mailer,
    stop: watch::Receiver<bool>,
    watch: W,
    pass: Pass,
    waiting: WaitingConnections,
    /// Not written down yet.
    finished: Vec<Finished>,
    /// Claimed, and not written down as finished.
    in_flight: usize,
    pause_rule: PauseRule,
    batching: Batching,
    pacer: Pacer,
    /// Pauses to write down.
    pauses: Vec<(IssueNumber, String)>,
    letters: HashMap<IssueNumber, Arc<dyn Letters>>,
}

impl<'a, W: Fn(Progress)> Ledger<'a, W> {
    pub(super) fn new(
        store: &'a Store,
        me: &'a WorkerLease,
        mailer: &'a Mailer,
        stop: watch::Receiver<bool>,
        watch: W,
    ) -> Self {
        Self {
            store,
            me,
            mailer,
            stop,
            watch,
            pass: Pass::default(),
            waiting: WaitingConnections::default(),
            finished: Vec::new(),
            in_flight: 0,
            pause_rule: PauseRule::new(mailer.settings.connections),
            batching: Batching::new(mailer.settings.connections),
            pacer: Pacer::new(mailer.settings.rate, mailer.limits.clone()),
            pauses: Vec::new(),
            letters: HashMap::new(),
        }
    }

    pub(super) async fn run(mut self, turns: &mut mpsc::Receiver<Turn>) -> Result<Pass, StoreError> {
        loop {
            self.collect(turns).await;
            // The results first: a store that fails in between must not cost what the relay has
            // already taken.
            let dry = self.commit(turns).await?;
            self.pause().await?;
            (self.watch)(self.pass.progress(self.in_flight));
            if self.in_flight == 0 && (dry || self.is_halted()) {
                self.pass.stopped = *self.stop.borrow();
                return Ok(self.pass);
            }
        }
    }

    /// Nothing more is claimed once somebody said stop or a run was paused.
    fn is_halted(&self) -> bool {
        *self.stop.borrow() || self.is_paused()
    }

    /// And what connections hold is called back once a run was paused.
    fn is_paused(&self) -> bool {
        !self.pauses.is_empty() || !self.pass.paused.is_empty()
    }

    /// Waits until there is something to do, then takes in all that is there.
    async fn collect(&mut self, turns: &mut mpsc::Receiver<Turn>) {
        if self.finished.is_empty() && self.waiting.none_asks() {
            let longest = self.longest_wait();
            let mut stop = self.stop.clone();
            let was_stopped = *stop.borrow();
            tokio::select! {
                turn = timeout(longest, turns.recv()) => if let Ok(Some(turn)) = turn { self.take(turn) },
                () = stopped(&mut stop), if !was_stopped => {}
            }
        }
        self.drain(turns);
        if let Some(enough) = self.batching.wait_for(self.waiting.len()) {
            let until = Instant::now() + batching::WAIT;
            while self.waiting.len() < enough
                && let Ok(Some(turn)) = timeout_at(until, turns.recv()).await
            {
                self.take(turn);
                self.drain(turns);
            }
            self.batching.came(self.waiting.len());
            return;
        }
        // Connections that are about to report get to do so.
        let mut taken = 0;
        while taken != self.finished.len() + self.waiting.len() {
            taken = self.finished.len() + self.waiting.len();
            yield_now().await;
            self.drain(turns);
        }
    }

    /// How long to wait for news. With no idle connection, or after a halt, only the connections
    /// can bring any.
    fn longest_wait(&self) -> Duration {
        if self.waiting.none_is_idle() || self.is_halted() {
            Duration::MAX
        } else if let Some(wait) = self.pacer.wait(self.mailer.now()) {
            wait.clamp(Duration::from_millis(1), LOOK)
        } else if self.in_flight == 0 {
            LOOK_AGAIN
        } else if self.pacer.parked {
            // Slots come by themselves, whatever is in flight; one that is missed by more than the
            // burst is lost.
            BURST / 2
        } else {
            LOOK
        }
    }

    fn drain(&mut self, turns: &mut mpsc::Receiver<Turn>) {
        while self.finished.len() < BATCH
            && let Ok(turn) = turns.try_recv()
        {
            self.take(turn);
        }
    }

    fn take(&mut self, turn: Turn) {
        for (finished, signal) in turn.finished {
            self.pacer.finished(&finished, &signal);
            if let Some(words) = self.pause_rule.weigh(signal) {
                self.pauses.push((finished.issue, words));
            }
            self.finished.push(finished);
        }
        self.waiting.add(turn.request);
    }

    /// Pauses the runs that have to be, before anything is claimed again.
    async fn pause(&mut self) -> Result<(), StoreError> {
        for (issue, words) in std::mem::take(&mut self.pauses) {
            if self.pass.paused.iter().any(|(paused, _)| *paused == issue) {
                continue;
            }
            self.store.pause(issue, &words).await?;
            self.pass.paused.push((issue, words));
        }
        Ok(())
    }

    /// Writes down what is finished and what begins, and claims what is wanted, in one commit. True
    /// if nothing more is due.
    async fn commit(&mut self, turns: &mut mpsc::Receiver<Turn>) -> Result<bool, StoreError> {
        let wanted = if self.is_halted() { 0 } else { self.wanted() };
        let now = self.mailer.now();
        self.refresh_pace(now).await;
        let want = self.pacer.may_claim(wanted, now);
        if self.finished.is_empty() && self.waiting.none_asks() && want == 0 {
            return if wanted > 0 && self.in_flight == 0 { self.is_dry().await } else { Ok(false) };
        }
        fault::point(Point::BeforeCommit);
        let begin = if self.is_paused() { Vec::new() } else { self.waiting.asked_for() };
        let turned = match self.record_and_claim(&begin, want, now).await {
            Ok(turned) => turned,
            Err(error) if self.finished.is_empty() => return Err(error),
            Err(error) => {
                // Who asks is asking still, and gets an answer with the next commit.
                self.insist(error, turns).await?;
                self.count();
                return Ok(false);
            }
        };
        fault::point(Point::AfterCommit);
        if !turned.claimed.is_empty() {
            fault::point(Point::Claim);
        }
        self.count();
        self.in_flight += turned.claimed.len();
        turned.claimed.iter().for_each(|claimed| self.pacer.claimed(claimed));
        if want > 0 && turned.claimed.is_empty() && self.in_flight == 0 {
            return self.is_dry().await;
        }
        let jobs = self.jobs(turned.claimed).await;
        for job in self.waiting.hand_out(jobs, &turned.begun) {
            self.give_back(&job.claimed, "no connection was left");
        }
        Ok(false)
    }

    /// Learns which domains other workers have slowed down. A store that does not answer is left to
    /// the commit, which knows how to keep what has to be written down.
    async fn refresh_pace(&mut self, now: UnixMillis) {
        if self.pacer.needs_refresh(now)
            && let Ok(slowed) = self.store.slowed_domains(now).await
        {
            self.pacer.refresh(slowed.into_iter().map(|(domain, _)| domain), now);
        }
    }

    /// The one commit: all that is finished and that the pacer has to tell goes with it.
    async fn record_and_claim(
        &mut self,
        begin: &[DeliveryKey],
        want: usize,
        now: UnixMillis,
    ) -> Result<Claims, StoreError> {
        let (store, me) = (self.store, self.me);
        let Some(pacing) = self.pacer.pacing(want) else {
            return store.record_and_claim_ahead(me, &self.finished, begin, want, now).await;
        };
        let PacedClaims { claimed, begun, put_off, held_until } =
            store.record_and_claim_paced(me, &self.finished, begin, want, now, &pacing).await?;
        self.pacer.committed(want, put_off, held_until);
        Ok(Claims { claimed, begun })
    }

    /// A letter for each connection that has none, and the next one for those that have. Under a
    /// rate no connection holds a second one: a letter goes when the rate allows it, not when the
    /// one before it is done.
    fn wanted(&self) -> usize {
        if self.pacer.has_rate() { self.waiting.idle() } else { self.waiting.len() }
    }

    /// Whether nothing is due. That no letter was claimed does not say so: the rate may allow none
    /// at this moment, rows of readers who have left are cancelled in a claim, and another worker
    /// may hold those it is looking at. Letters that wait for their domain's slot are waited for,
    /// unless that takes too long.
    async fn is_dry(&mut self) -> Result<bool, StoreError> {
        let (now, linger) = (self.mailer.now(), self.mailer.settings.linger);
        let due = self.store.next_due().await?;
        if due.is_some_and(|due| due <= now) {
            self.pass.held_until = self.pacer.held_beyond(linger, now);
            return Ok(self.pass.held_until.is_some());
        }
        if due.is_some() && self.pacer.parked {
            let slot = self.store.next_queued().await?;
            if slot.is_some_and(|slot| slot.since(now) > linger) {
                self.pass.held_until = slot;
            } else if let Some(slot) = slot {
                self.pacer.hold(slot.min(now.plus(LOOK)));
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The store refused to write down what is finished. It may be busy for a moment, and each
    /// result that is lost is a letter that goes out twice: try again, claiming nothing, and take
    /// in what else comes to an end meanwhile.
    async fn insist(
        &mut self,
        mut error: StoreError,
        turns: &mut mpsc::Receiver<Turn>,
    ) -> Result<(), StoreError> {
        for wait in AGAIN {
            sleep(wait).await;
            self.drain(turns);
            match self.record_and_claim(&[], 0, self.mailer.now()).await {
                Ok(_) => return Ok(()),
                Err(again) => error = again,
            }
        }
        Err(error)
    }

    /// What is finished is written down.
    fn count(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(self.finished.len());
        for finished in self.finished.drain(..) {
            self.pass.count(&finished.transition);
        }
    }

    /// Claims with the letters of their issue. Without those they go back.
    async fn jobs(&mut self, claimed: Vec<Claimed>) -> Vec<Job> {
        let mut jobs = Vec::with_capacity(claimed.len());
        for claimed in claimed {
            let issue = claimed.issue;
            match self.letters(issue).await {
                Ok(letters) => jobs.push(Job { claimed, letters }),
                Err(why) => {
                    let words = format!("issue {issue} can't be read from the store: {why}");
                    self.give_back(&claimed, &words);
                    if let Some(words) = self.pause_rule.weigh(Signal::Certain(words)) {
                        self.pauses.push((issue, words));
                    }
                }
            }
        }
        jobs
    }

    fn give_back(&mut self, claimed: &Claimed, note: &str) {
        let finished = Finished {
            issue: claimed.issue,
            subscriber: claimed.subscriber,
            transition: Transition::Returned { due_at: self.mailer.now(), note: note.to_owned() },
        };
        self.pacer.finished(&finished, &Signal::None);
        self.finished.push(finished);
    }

    async fn letters(&mut self, issue: IssueNumber) -> Result<Arc<dyn Letters>, String> {
        if let Some(letters) = self.letters.get(&issue) {
            return Ok(letters.clone());
        }
        let letters = (self.mailer.letters)(issue).await?;
        self.letters.insert(issue, letters.clone());
        Ok(letters)
    }
}
