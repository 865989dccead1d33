//! Connections that have reported and wait for the ledger's next commit.

use tokio::sync::oneshot;

use super::messages::{DeliveryKey, Grant, Job, Request};

#[derive(Default)]
pub(super) struct WaitingConnections {
    /// Those that have no letter and want one.
    idle: Vec<oneshot::Sender<Job>>,
    /// Those that ask to end the letter they hold, and would like to have the next.
    asking: Vec<(DeliveryKey, oneshot::Sender<Grant>)>,
}

impl WaitingConnections {
    pub(super) fn add(&mut self, request: Request) {
        match request {
            Request::Nothing => {}
            Request::Job(answer) => self.idle.push(answer),
            Request::Grant(key, answer) => self.asking.push((key, answer)),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.asking.len() + self.idle.len()
    }

    pub(super) fn idle(&self) -> usize {
        self.idle.len()
    }

    pub(super) fn none_is_idle(&self) -> bool {
        self.idle.is_empty()
    }

    pub(super) fn none_asks(&self) -> bool {
        self.asking.is_empty()
    }

    /// The letters that connections ask to end.
    pub(super) fn asked_for(&self) -> Vec<DeliveryKey> {
        self.asking.iter().map(|(key, _)| *key).collect()
    }

    /// Gives letters to idle connections, then answers all that ask, those in `begun` with yes.
    /// Returns the letters that nobody took.
    pub(super) fn hand_out(&mut self, jobs: Vec<Job>, begun: &[DeliveryKey]) -> Vec<Job> {
        let mut jobs = jobs.into_iter();
        let mut left = Vec::new();
        while !self.idle.is_empty()
            && let Some(job) = jobs.next()
        {
            if let Some(idle) = self.idle.pop()
                && let Err(job) = idle.send(job)
            {
                left.push(job);
            }
        }
        for (key, answer) in self.asking.drain(..) {
            let grant = Grant { granted: begun.contains(&key), next: jobs.next() };
            left.extend(answer.send(grant).err().and_then(|grant| grant.next));
        }
        left.extend(jobs);
        left
    }
}
