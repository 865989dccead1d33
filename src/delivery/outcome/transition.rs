//! What an outcome means: for the letter's row, for the run, and for the session. One table, and
//! pure.
//!
//! | Outcome | The row | The run |
//! |---|---|---|
//! | 250 to the final dot (RFC 5321 §4.2.5) | sent | |
//! | 4xx anywhere, 421 too (§4.2.1, §3.8) | deferred, failed once too old | |
//! | 421 without a code of another subject, 4.7.x, 450 4.2.1, 452 at or after RCPT | deferred for longer | its domain is slowed |
//! | 4.x that speaks of a greylist (RFC 6647) | deferred, never for long | |
//! | 5.1.1 5.1.2 5.1.3 5.1.6 5.1.10 5.2.1, other 5.1.x, 5.2.x and 5.4.x (RFC 3463 §3.2, §3.3, §3.5; RFC 7505) | failed | |
//! | 5.2.2, 552 without an enhanced code (RFC 3463 §3.3; RFC 5321 §4.5.3.1.10) | deferred, for hours | |
//! | 5.1.7 5.1.8: our own address (RFC 3463 §3.2) | returned | paused |
//! | 5.7.x, 554 without an enhanced code, 550 to the letter itself (RFC 3463 §3.8) | deferred | paused if it repeats |
//! | 530 534 535 538 (RFC 4954 §6), any other 5xx to MAIL | returned | paused |
//! | 5.3.4, 5.6.x: the letter (RFC 3463 §3.4, §3.7) | deferred | paused if it repeats |
//! | 5.6.7: a reader beyond ASCII (RFC 6531 §3.5) | failed | |
//! | 500 502–504 555, 5.5.x: we don't understand each other (RFC 5321 §4.2.4) | deferred | paused if it repeats |
//! | 501 550 551 553 556, other 5xx to RCPT (RFC 5321 §4.2.3) | failed | |
//! | the line broke before the final dot was out | deferred | paused if it goes on |
//! | the line broke after it | deferred, outcome unknown | paused if it goes on |
//! | no session: unreachable, 4xx (RFC 5321 §3.1) | returned | paused if it repeats |
//! | no session: certificate, no STARTTLS, AUTH, 5xx (RFC 3207, RFC 4954 §6) | returned | paused |
//! | the outbox can't be written | returned | paused |
//!
//! A refusal about us never makes a row *failed* unless the letter is too old for another try, and
//! never touches a reader.

use super::backoff::{About, Patience};
use crate::domain::UnixMillis;
use crate::domain::delivery::{Claimed, Reply, Transition};
use crate::mail::{ConnectError, OutboxError, Outcome, Stage};

/// What a single outcome says about us, before it is weighed with those around it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Signal {
    /// Nothing: it is about this reader, or about this moment.
    None,
    /// The recipient's domain wants fewer letters of us for a while; nothing against us otherwise.
    TooFast,
    /// The relay took a letter: whatever we suspected is over.
    Cleared,
    /// Perhaps one recipient's policy, perhaps all of us.
    Suspicion(String),
    /// The relay broke the line. It may be starting again, and then all that is in flight breaks at
    /// once.
    Dropped(String),
    /// Nobody will get anything until somebody does something.
    Certain(String),
}

/// What to do about one outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    pub transition: Transition,
    pub signal: Signal,
}

/// Refusals that look like they are about us, in a row and without a success between, before the
/// run is paused.
pub const SUSPICIONS: u32 = 5;

/// Weighs concerns over a run: says when they are enough to pause it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PauseRule {
    suspicions: u32,
    drops: u32,
    /// Twice what a relay that goes down takes with it, and a few.
    most_drops: u32,
}

impl PauseRule {
    /// For a run over so many connections.
    pub fn new(connections: usize) -> Self {
        let connections = u32::try_from(connections).unwrap_or(u32::MAX);
        Self { suspicions: 0, drops: 0, most_drops: connections.saturating_mul(2).saturating_add(SUSPICIONS) }
    }

    /// Takes one signal in; the words for the operator if the run has to pause.
    pub fn weigh(&mut self, signal: Signal) -> Option<String> {
        match signal {
            Signal::None | Signal::TooFast => None,
            Signal::Cleared => {
                (self.suspicions, self.drops) = (0, 0);
                None
            }
            Signal::Suspicion(words) => {
                self.suspicions += 1;
                (self.suspicions >= SUSPICIONS).then(|| repeated(&words, self.suspicions))
            }
            Signal::Dropped(words) => {
                self.drops += 1;
                (self.drops >= self.most_drops).then(|| repeated(&words, self.drops))
            }
            Signal::Certain(words) => Some(words),
        }
    }
}

fn repeated(words: &str, times: u32) -> String {
    format!("{words} ({times} times in a row, and no letter taken between; resume when it is cleared up)")
}

/// What the outcome of an attempt at `claimed` means at `now`.
pub fn decide(outcome: Outcome, claimed: &Claimed, patience: &Patience, now: UnixMillis) -> Decision {
    match outcome {
        Outcome::Accepted(reply) => {
            Decision { transition: Transition::Sent { reply }, signal: Signal::Cleared }
        }
        Outcome::LineDropped { after_dot, why } => {
            let note = if after_dot { format!("the relay may have taken it: {why}") } else { why };
            let signal = Signal::Dropped(format!("the relay broke off: {note}"));
            Decision {
                transition: later(claimed, patience, now, About::Moment, None, note, after_dot),
                signal,
            }
        }
        Outcome::Refused { stage, reply } => refused(stage, reply, claimed, patience, now),
    }
}

/// What it means that there is no session to send over. The bool: whether another attempt at
/// connecting may help.
pub fn decide_open(error: &ConnectError) -> (Signal, bool) {
    let certain = match error {
        ConnectError::Unreachable { .. } => false,
        ConnectError::Refused { reply, .. } => reply.code >= 500,
        _ => true,
    };
    let words = error.to_string();
    if certain { (Signal::Certain(words), false) } else { (Signal::Suspicion(words), true) }
}

/// What it means that the outbox did not take the letter.
pub fn decide_outbox(error: &OutboxError, now: UnixMillis) -> Decision {
    let note = error.to_string();
    Decision {
        transition: Transition::Returned { due_at: now, note: note.clone() },
        signal: Signal::Certain(note),
    }
}

/// The refusals that the table tells apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Refusal {
    /// For now.
    Soft(About),
    /// This reader, for good.
    Hard,
    /// Us, surely.
    Ours,
    /// Us, perhaps: a policy.
    Policy,
    /// The letter itself.
    Content,
    /// The conversation.
    Protocol,
}

fn refused(stage: Stage, reply: Reply, claimed: &Claimed, patience: &Patience, now: UnixMillis) -> Decision {
    let refusal = refusal(stage, &reply);
    let note = format!("refused at {stage}");
    let words = |what: &str| format!("{what}: {reply} (at {stage})");
    let signal = match refusal {
        Refusal::Soft(About::Rate) => Signal::TooFast,
        Refusal::Soft(_) | Refusal::Hard => Signal::None,
        Refusal::Ours => Signal::Certain(words("the relay refuses us")),
        Refusal::Policy => Signal::Suspicion(words("the relay refuses us by policy")),
        Refusal::Content => Signal::Suspicion(words("the relay refuses the letter itself")),
        Refusal::Protocol => Signal::Suspicion(words("the relay does not understand us")),
    };
    let transition = match refusal {
        Refusal::Hard => Transition::Failed { reply: Some(reply), note },
        Refusal::Ours => Transition::Returned { due_at: now, note: format!("{note}: {reply}") },
        Refusal::Soft(about) => later(claimed, patience, now, about, Some(reply), note, false),
        _ => later(claimed, patience, now, About::Moment, Some(reply), note, false),
    };
    Decision { transition, signal }
}

/// Another try if the letter is young enough, else the end.
fn later(
    claimed: &Claimed,
    patience: &Patience,
    now: UnixMillis,
    about: About,
    reply: Option<Reply>,
    note: String,
    unknown: bool,
) -> Transition {
    match patience.next_try(claimed, about, now) {
        Some(due_at) => Transition::Deferred { due_at, reply, note, unknown },
        None => Transition::Failed { reply, note: format!("{note}; too old for another try") },
    }
}

fn refusal(stage: Stage, reply: &Reply) -> Refusal {
    if reply.code < 500 {
        return Refusal::Soft(about(stage, reply));
    }
    by_enhanced(reply).unwrap_or_else(|| by_code(stage, reply.code)).at(stage)
}

/// What a 4xx is about. Before a recipient is named it can't be about a domain; and greylisting,
/// which says 4.7.1 as well, is told by its words alone.
fn about(stage: Stage, reply: &Reply) -> About {
    let words = reply.text.to_ascii_lowercase();
    if ["greylist", "graylist", "grey-list", "gray-list"].iter().any(|word| words.contains(word)) {
        return About::Greylist;
    }
    let of_a_domain = matches!(stage, Stage::Rcpt | Stage::Data | Stage::Dot);
    match (reply.code, reply.enhanced.as_deref()) {
        (_, Some("4.2.2")) => About::Mailbox,
        _ if !of_a_domain => About::Moment,
        (421 | 452, None) | (450, Some("4.2.1")) | (452, Some("4.5.3")) => About::Rate,
        (_, Some(enhanced)) if enhanced.starts_with("4.7.") => About::Rate,
        _ => About::Moment,
    }
}

impl Refusal {
    /// A permanent no to MAIL has nothing to do with the reader, who has not been named yet.
    fn at(self, stage: Stage) -> Self {
        match (stage, self) {
            (Stage::Mail, Self::Hard | Self::Policy) => Self::Ours,
            (_, refusal) => refusal,
        }
    }
}

/// RFC 3463, and the codes that RFC 7372, 7504 and 7505 added. None: the enhanced code says too
/// little.
fn by_enhanced(reply: &Reply) -> Option<Refusal> {
    let mut parts = reply.enhanced.as_deref()?.split('.').skip(1).map(|part| part.parse::<u16>().ok());
    let (subject, detail) = (parts.next()??, parts.next()??);
    // RFC 4954 §6 gives these their own meaning, and 5.7.x as enhanced code.
    if matches!(reply.code, 530 | 534 | 535 | 538) {
        return Some(Refusal::Ours);
    }
    Some(match (subject, detail) {
        (1, 7 | 8) => Refusal::Ours,
        (1 | 2, 0) => return None,
        (2, 2) => Refusal::Soft(About::Mailbox),
        (1 | 2 | 4, _) => Refusal::Hard,
        (3, 4) => Refusal::Content,
        (6, 7) => Refusal::Hard,
        (6, _) => Refusal::Content,
        (7, _) => Refusal::Policy,
        // Some large providers write 550 5.5.0 for a mailbox that is not there.
        (5, 0) => return None,
        (5, _) => Refusal::Protocol,
        _ => return None,
    })
}

/// RFC 5321 §4.2.3, for relays without enhanced codes.
fn by_code(stage: Stage, code: u16) -> Refusal {
    match (stage, code) {
        (_, 530 | 534 | 535 | 538) => Refusal::Ours,
        (_, 500 | 502 | 503 | 504 | 555) => Refusal::Protocol,
        (_, 552) => Refusal::Soft(About::Mailbox),
        (Stage::Mail, _) => Refusal::Ours,
        (_, 554 | 571) => Refusal::Policy,
        (Stage::Rcpt, _) => Refusal::Hard,
        _ => Refusal::Policy,
    }
}

#[cfg(test)]
#[path = "transition_tests.rs"]
mod tests;
