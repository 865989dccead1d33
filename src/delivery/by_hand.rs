//! One letter, or none, outside the ledger: for an operator who looks before the run starts.

use super::engine::{Carrier, PostOffice};
use crate::domain::EmailAddress;
use crate::domain::delivery::Reply;
use crate::mail::{OutboxError, Outcome};

impl PostOffice {
    /// Whether the relay would take letters: greeting, TLS and login, or a writable outbox. Sends nothing.
    ///
    /// # Errors
    /// Words for the operator that name what is wrong and the remedy.
    pub async fn probe(&self) -> Result<String, String> {
        match &self.carrier {
            Carrier::Smtp(relay) => {
                let session = relay.open().await.map_err(|error| error.to_string())?;
                let pipelining = session.is_pipelining();
                session.close().await;
                Ok(if pipelining { "answers, with PIPELINING" } else { "answers, without PIPELINING" }
                    .to_owned())
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
            Carrier::Smtp(relay) => {
                let mut session = relay.open().await.map_err(|error| error.to_string())?;
                let outcome = session.deliver(&self.envelope_from, to, letter).await;
                let answer = in_words(outcome);
                session.close().await;
                answer
            }
        }
    }
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
