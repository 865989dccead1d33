//! One letter, or none, outside the ledger: for an operator who looks before the run starts.

use crate::delivery::mailer::{Mailer, Transport};
use crate::delivery::outcome::transition::{Decision, Signal, decide, decide_open, decide_outbox};
use crate::domain::EmailAddress;
use crate::domain::delivery::{Claimed, Reply, Transition};
use crate::domain::rate::Rate;
use crate::fault::{self, Point};
use crate::mail::{ConnectError, OutboxError, Outcome, Relay, Session};
use crate::private;

/// The line that letters outside the ledger go over, one after another; it opens with the first.
#[derive(Default)]
pub struct SingleSession(Option<Session>);

impl SingleSession {
    /// Says QUIT where there is somebody to say it to.
    pub async fn close(&mut self) {
        if let Some(session) = self.0.take() {
            session.close().await;
        }
    }
}

impl Mailer {
    /// Hands over a letter whose attempt is written down, and says what its outcome means by the
    /// same table as for letters of an issue. `claimed` stands for the row; its issue is looked at
    /// by nobody. `name` is what the outbox calls it.
    pub async fn attempt(
        &self,
        line: &mut SingleSession,
        claimed: &Claimed,
        name: &str,
        letter: &[u8],
    ) -> Decision {
        let outcome = match &self.transport {
            Transport::Outbox(outbox) => match outbox.put(&format!("{name}.eml"), letter.to_vec()).await {
                Ok(reply) => Outcome::Accepted(reply),
                Err(error) => return self.not_tried(claimed, decide_outbox(&error, self.now())),
            },
            Transport::Smtp(_) | Transport::Several(_) => {
                let mut session = match self.session(line).await {
                    Ok(session) => session,
                    Err(decision) => return self.not_tried(claimed, decision),
                };
                let outcome = session.deliver(&self.envelope_from, &claimed.email, letter).await;
                line.0 = Some(session).filter(Session::is_open);
                outcome
            }
        };
        fault::point(Point::Answer);
        let decision = decide(outcome, claimed, &self.patience(), self.now());
        self.not_tried(claimed, decision)
    }

    /// The session that is open, or one on the first relay that lets us in.
    async fn session(&self, line: &mut SingleSession) -> Result<Session, Decision> {
        if let Some(session) = line.0.take_if(|session| session.is_open()) {
            return Ok(session);
        }
        line.close().await;
        let relays = match &self.transport {
            Transport::Smtp(relay) => std::slice::from_ref(relay.as_ref()),
            Transport::Several(relays) => relays.all(),
            Transport::Outbox(_) => &[],
        };
        let mut last: Option<ConnectError> = None;
        for relay in relays {
            match relay.open().await {
                Ok(session) => return Ok(session),
                Err(error) => last = Some(error),
            }
        }
        let (note, signal) = match last {
            Some(error) => (error.to_string(), decide_open(&error).0),
            None => ("there is no relay; set relay.url".to_owned(), Signal::None),
        };
        Err(Decision { transition: Transition::Returned { due_at: self.now(), note }, signal })
    }

    /// What was not tried comes back after a while, until it is too old.
    fn not_tried(&self, claimed: &Claimed, decision: Decision) -> Decision {
        let Transition::Returned { note, .. } = decision.transition else { return decision };
        let age = self.now().since(claimed.enqueued_at);
        let transition = if age >= self.settings.max_age {
            Transition::Failed { reply: None, note }
        } else {
            Transition::Returned { due_at: self.now().plus(self.settings.first_retry), note }
        };
        Decision { transition, signal: decision.signal }
    }

    /// The rate of all letters together.
    pub fn rate(&self) -> Option<Rate> {
        self.settings.rate
    }

    /// Whether the relay would take letters: greeting, TLS and login, or a writable outbox. Sends
    /// nothing.
    ///
    /// # Errors
    /// Words for the operator that name what is wrong and the remedy.
    pub async fn probe(&self) -> Result<String, String> {
        match &self.transport {
            Transport::Smtp(relay) => greet(relay).await.map(str::to_owned),
            Transport::Several(relays) => {
                let mut words = Vec::new();
                for relay in relays.all() {
                    words.push(greet(relay).await?);
                }
                Ok(format!("{} relays answer: {}", words.len(), words.join("; ")))
            }
            Transport::Outbox(outbox) => {
                let probe = outbox.folder().join(".probe");
                private::folder(outbox.folder()).map_err(|error| unwritable(outbox.folder(), error))?;
                tokio::fs::write(&probe, b"").await.map_err(|error| unwritable(outbox.folder(), error))?;
                tokio::fs::remove_file(&probe).await.map_err(|error| unwritable(outbox.folder(), error))?;
                Ok("can be written".to_owned())
            }
        }
    }

    /// Hands one letter over. `name` is what the outbox calls it.
    ///
    /// # Errors
    /// The relay's reply, or what happened to the line, in words for the operator.
    pub async fn send_one(&self, to: &EmailAddress, name: &str, letter: &[u8]) -> Result<Reply, String> {
        match &self.transport {
            Transport::Outbox(outbox) => {
                outbox.put(&format!("{name}.eml"), letter.to_vec()).await.map_err(|error| error.to_string())
            }
            Transport::Smtp(relay) => self.hand_over(std::slice::from_ref(relay.as_ref()), to, letter).await,
            Transport::Several(relays) => self.hand_over(relays.all(), to, letter).await,
        }
    }

    /// Over the first relay that lets us in.
    async fn hand_over(&self, relays: &[Relay], to: &EmailAddress, letter: &[u8]) -> Result<Reply, String> {
        let mut last = "there is no relay; set relay.url".to_owned();
        for relay in relays {
            match relay.open().await {
                Ok(mut session) => {
                    let outcome = session.deliver(&self.envelope_from, to, letter).await;
                    let answer = in_words(outcome);
                    session.close().await;
                    return answer;
                }
                Err(error) => last = error.to_string(),
            }
        }
        Err(last)
    }
}

/// Greeting, TLS and login.
async fn greet(relay: &Relay) -> Result<&'static str, String> {
    let session = relay.open().await.map_err(|error| error.to_string())?;
    let pipelining = session.is_pipelining();
    session.close().await;
    Ok(if pipelining { "answers, with PIPELINING" } else { "answers, without PIPELINING" })
}

fn unwritable(folder: &std::path::Path, error: std::io::Error) -> String {
    OutboxError::Unwritable { folder: folder.to_owned(), error }.to_string()
}

fn in_words(outcome: Outcome) -> Result<Reply, String> {
    match outcome {
        Outcome::Accepted(reply) => Ok(reply),
        Outcome::Refused { stage, reply } => Err(format!("refused at {stage}: {reply}")),
        Outcome::LineDropped { after_dot, why } => {
            let unknown = if after_dot { "; it may have been taken all the same" } else { "" };
            Err(format!("the line broke: {why}{unknown}"))
        }
    }
}
