//! What became of a letter that was handed to a relay.

use super::stage::Stage;
use crate::domain::address::EmailAddress;
use crate::domain::delivery::Reply;

/// What became of one letter. A refusal is data, not an error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The relay answered the final dot with 250: the letter is its to deliver now.
    Accepted(Reply),
    /// The relay said no, for now (4xx) or for good (5xx). It does not have the letter.
    Refused { stage: Stage, reply: Reply },
    /// The conversation broke. `after_dot` when the whole letter had left us: then the relay may
    /// have taken it, and nobody can know. Otherwise it was not taken.
    LineDropped { after_dot: bool, why: String },
}

/// Relays like to repeat the address in their words, in a case of their own. The ledger keeps those
/// words longer than the address, and operators read them.
pub(super) fn discreet(outcome: Outcome, to: &EmailAddress) -> Outcome {
    match outcome {
        Outcome::Accepted(reply) => Outcome::Accepted(masked(reply, to)),
        Outcome::Refused { stage, reply } => Outcome::Refused { stage, reply: masked(reply, to) },
        dropped @ Outcome::LineDropped { .. } => dropped,
    }
}

fn masked(mut reply: Reply, to: &EmailAddress) -> Reply {
    let address = to.expose().to_ascii_lowercase();
    // Folding ASCII only keeps every octet in its place.
    while let Some(at) = reply.text.to_ascii_lowercase().find(&address) {
        reply.text.replace_range(at..at + address.len(), &to.to_string());
    }
    reply
}
