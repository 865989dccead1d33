//! One letter, or none, outside the ledger: for an operator who looks before the run starts.

use super::engine::{Carrier, PostOffice};
use crate::domain::EmailAddress;
use crate::domain::delivery::Reply;
use crate::mail::{OutboxError, Outcome, Relay};

impl PostOffice {
    /// Whether the relay would take letters: greeting, TLS and login, or a writable outbox. Sends nothing.
    ///
    /// # Errors
    /// Words for the operator that name what is wrong and the remedy.
    pub async fn probe(&self) -> Result<String, String> {
        match &self.carrier {
            Carrier::Smtp(relay) => greet(relay).await.map(str::to_owned),
            Carrier::Several(relays) => {
                let mut words = Vec::new();
                for relay in relays.all() {
                    words.push(greet(relay).await?);
                }
                Ok(format!("{} relays answer: {}", words.len(), words.join("; ")))
            }
            Carrier::Outbox(outbox) => {
                let probe = outbox.folder().join(".probe");
                tokio::fs::create_dir_all(outbox.folder())
                    .await
                    .map_err(|error| unwritable(outbox.folder(), error))?;
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
        match &self.carrier {
            Carrier::Outbox(outbox) => {
                outbox.put(&format!("{name}.eml"), letter.to_vec()).await.map_err(|error| error.to_string())
            }
            Carrier::Smtp(relay) => self.hand_over(std::slice::from_ref(relay.as_ref()), to, letter).await,
            Carrier::Several(relays) => self.hand_over(relays.all(), to, letter).await,
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
