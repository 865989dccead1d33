//! One SMTP session, and one letter after another over it.
//!
//! A session belongs to one task. Whatever is not an answer to what was asked (a timeout, a broken
//! line, words that are no reply) ends it: an answer that comes late would otherwise pass for the
//! answer to the next letter. A refusal that is a proper reply leaves it usable, after RSET.
//!
//! On a relay with PIPELINING the end of one letter and MAIL, RCPT, DATA of the next may travel in
//! one write (RFC 2920 §3.1): [`Session::begin`] a letter, then [`Session::end`] it and ask for the
//! next with the same call. What was asked ahead and is not wanted any more can't be taken back:
//! such a line is dropped, and the relay has no letter of it.

use std::time::Duration;

use tokio::time::timeout;

use super::capabilities::Announced;
use super::envelope::{Commands, Envelope, utf8};
use super::line::{Line, LineError};
use super::outcome::{Outcome, discreet};
use super::stage::Stage;
use super::stream::Written;
use super::timeouts::Timeouts;
use super::wire::Wire;
use crate::domain::address::EmailAddress;
use crate::domain::delivery::Reply;
use crate::fault::{self, Point};

/// An open session on a relay.
pub struct Session {
    /// None once the line is unusable.
    connection: Option<Line>,
    written: Written,
    announced: Announced,
    timeouts: Timeouts,
    letters_left: u32,
    talk: Talk,
    /// The letter that the relay waits for, or the last one; what one write takes along
    /// stands in it.
    wire: Wire,
}

/// Where in the conversation a session stands between two calls.
enum Talk {
    /// MAIL may follow.
    Idle,
    /// MAIL, RCPT and DATA for this address are on their way, and the answers unread.
    Asked(EmailAddress),
    /// The relay waits for the letter to this address; it stands in `wire`.
    Open(EmailAddress),
}

/// The answers to one MAIL, RCPT, DATA.
enum EnvelopeAnswer {
    /// DATA was answered with 354: the relay waits for the letter.
    Open,
    Refused {
        stage: Stage,
        reply: Reply,
    },
}

type Broken = String;

impl Session {
    pub(super) fn new(
        connection: Line,
        written: Written,
        announced: Announced,
        timeouts: Timeouts,
        letters_left: u32,
    ) -> Self {
        let (connection, talk, wire) = (Some(connection), Talk::Idle, Wire::default());
        Self { connection, written, announced, timeouts, letters_left, talk, wire }
    }

    /// Whether another letter may go over this session, one that was asked for ahead included.
    pub fn is_open(&self) -> bool {
        self.connection.is_some() && (self.letters_left > 0 || !matches!(self.talk, Talk::Idle))
    }

    /// Whether the line stands, if only to say QUIT.
    pub fn has_line(&self) -> bool {
        self.connection.is_some()
    }

    /// Whether the relay takes MAIL, RCPT and DATA in one group (RFC 2920).
    pub fn is_pipelining(&self) -> bool {
        self.announced.pipelining
    }

    /// Hands one letter over. `letter` has CRLF line ends only, and octets beyond ASCII only if
    /// an address has.
    ///
    /// Dropping the future before it is ready ends the session, and leaves the outcome unknown.
    pub async fn deliver(&mut self, from: &EmailAddress, to: &EmailAddress, letter: &[u8]) -> Outcome {
        match self.begin(from, to, &mut Wire::new(letter.to_vec())).await {
            Some(outcome) => outcome,
            None => self.end(None).await,
        }
    }

    /// Asks the relay to take `letter`, if [`Session::end`] has not done so ahead. None when it
    /// waits for the letter: then the session has taken it, and `letter` is a spent one whose
    /// space may be used again. An outcome when it came to nothing, and then the relay has no
    /// octet of it.
    ///
    /// Dropping the future before it is ready ends the session.
    pub async fn begin(
        &mut self,
        from: &EmailAddress,
        to: &EmailAddress,
        letter: &mut Wire,
    ) -> Option<Outcome> {
        let asked = std::mem::replace(&mut self.talk, Talk::Idle);
        // Taken out for the length of the talk: if this future is dropped in the middle, the line
        // goes with it.
        let connection = self.connection.take();
        if let Some(reply) = self.unfit(utf8(from, to), letter) {
            // Nobody can take back what was asked ahead.
            self.connection = connection.filter(|_| matches!(asked, Talk::Idle));
            return Some(Outcome::Refused { stage: Stage::Local, reply });
        }
        let is_asked = match asked {
            Talk::Idle => Some(false),
            Talk::Asked(before) if before == *to => Some(true),
            // A line on which the relay waits for somebody else's letter.
            Talk::Asked(_) | Talk::Open(_) => None,
        };
        let (Some(mut connection), Some(is_asked)) = (connection, is_asked) else {
            return Some(Outcome::LineDropped { after_dot: false, why: "the session is closed".to_owned() });
        };
        let outcome = match self.envelope(&mut connection, from, to, is_asked).await {
            Ok((EnvelopeAnswer::Open, _)) => {
                std::mem::swap(&mut self.wire, letter);
                letter.spend();
                self.connection = Some(connection);
                self.talk = Talk::Open(to.clone());
                return None;
            }
            Err(why) => Outcome::LineDropped { after_dot: false, why },
            Ok((EnvelopeAnswer::Refused { stage, reply }, usable)) => {
                let outcome = Outcome::Refused { stage, reply };
                if usable && self.settle(&mut connection, &outcome).await {
                    self.connection = Some(connection);
                }
                outcome
            }
        };
        Some(discreet(outcome, to))
    }

    /// Sends the letter that [`Session::begin`] got leave for, with its final dot, and asks
    /// in the same write for the letter to `next`, if the relay takes that and the session
    /// has letters left.
    ///
    /// Dropping the future before it is ready ends the session, and leaves the outcome unknown.
    pub async fn end(&mut self, next: Option<Envelope<'_>>) -> Outcome {
        let (Some(mut connection), Talk::Open(to)) =
            (self.connection.take(), std::mem::replace(&mut self.talk, Talk::Idle))
        else {
            return Outcome::LineDropped { after_dot: false, why: "no letter was begun".to_owned() };
        };
        self.wire.text.push_str(".\r\n");
        let dot = self.written.get() + self.wire.text.len();
        let next = next.filter(|next| {
            self.announced.pipelining
                && self.letters_left > 0
                && (self.announced.smtputf8 || !utf8(next.from, next.to))
        });
        if let Some(next) = next {
            self.letters_left -= 1;
            let ask = Commands::new(next.from, next.to, utf8(next.from, next.to));
            self.wire.text.push_str(&ask.group());
        }
        let (outcome, usable) = self.letter(&mut connection, dot).await;
        let settled = match next {
            // What was asked ahead is answered next; a RSET could only come after it.
            Some(_) => usable && !matches!(&outcome, Outcome::Refused { reply, .. } if reply.code == 421),
            None => usable && self.settle(&mut connection, &outcome).await,
        };
        if settled {
            self.connection = Some(connection);
            self.talk = next.map_or(Talk::Idle, |next| Talk::Asked(next.to.clone()));
        }
        discreet(outcome, &to)
    }

    /// Says QUIT and waits a moment for the answer (RFC 5321 §4.1.1.10); nothing depends on it.
    /// Where the relay waits for a letter there is nothing to say.
    pub async fn close(mut self) {
        if let (Some(mut connection), Talk::Idle) = (self.connection.take(), &self.talk) {
            let _ = timeout(Duration::from_secs(2), connection.ask("QUIT\r\n")).await;
        }
    }

    /// Why this letter can't go over this relay, seen without asking.
    fn unfit(&self, utf8: bool, letter: &Wire) -> Option<Reply> {
        let refuse = |enhanced: &str, text: String| {
            Some(Reply { code: 550, enhanced: Some(enhanced.to_owned()), text })
        };
        if utf8 && !self.announced.smtputf8 {
            return refuse(
                "5.6.7",
                "the address has characters beyond ASCII, and the relay has no SMTPUTF8".to_owned(),
            );
        }
        let octets = letter.octets();
        if let Some(limit) = self.announced.size.filter(|limit| octets > *limit) {
            return refuse("5.3.4", format!("the letter has {octets} octets, the relay takes {limit}"));
        }
        if !letter.is_fit(utf8) {
            return refuse("5.6.0", "the letter has a bare CR or LF or an octet beyond ASCII".to_owned());
        }
        None
    }

    /// MAIL, RCPT and DATA, in one write if the relay takes that. Also says whether the session
    /// is usable afterwards.
    async fn envelope(
        &mut self,
        connection: &mut Line,
        from: &EmailAddress,
        to: &EmailAddress,
        is_asked: bool,
    ) -> Result<(EnvelopeAnswer, bool), Broken> {
        if is_asked {
            return self.pipelined(connection, None).await;
        }
        self.letters_left = self.letters_left.saturating_sub(1);
        let commands = Commands::new(from, to, utf8(from, to));
        if self.announced.pipelining {
            return self.pipelined(connection, Some(commands.group())).await;
        }
        let steps = [
            (Stage::Mail, &commands.mail, self.timeouts.envelope),
            (Stage::Rcpt, &commands.rcpt, self.timeouts.envelope),
            (Stage::Data, &commands.data, self.timeouts.data),
        ];
        for (stage, command, limit) in steps {
            passing(stage);
            let reply = heard(stage, limit, connection.ask(command)).await?;
            if !is_yes(stage, &reply) {
                return refused(stage, reply, false);
            }
        }
        Ok((EnvelopeAnswer::Open, true))
    }

    /// RFC 2920 §3.1: one write (unless it went ahead with the letter before), three answers. DATA
    /// answers even if MAIL or RCPT was refused, and if it then says 354 the relay waits for a
    /// letter without recipients, which a lone dot ends.
    async fn pipelined(
        &self,
        connection: &mut Line,
        group: Option<String>,
    ) -> Result<(EnvelopeAnswer, bool), Broken> {
        let limit = self.timeouts.envelope;
        passing(Stage::Mail);
        let mail = match group {
            Some(group) => heard(Stage::Mail, limit, connection.ask(&group)).await?,
            None => heard(Stage::Mail, limit, connection.reply()).await?,
        };
        let mut no = (!is_yes(Stage::Mail, &mail)).then_some((Stage::Mail, mail));
        let mut no_recipient = false;
        for (stage, limit) in [(Stage::Rcpt, self.timeouts.envelope), (Stage::Data, self.timeouts.data)] {
            passing(stage);
            let heard = heard(stage, limit, connection.reply()).await;
            match (heard, no.take()) {
                // The refusal that came first is the one that counts, whatever happens to the
                // line behind it.
                (Err(_), Some((stage, reply))) => {
                    return Ok((EnvelopeAnswer::Refused { stage, reply }, false));
                }
                (Err(broken), None) => return Err(broken),
                (Ok(later), Some((first, reply))) if stage == Stage::Data && later.code == 354 => {
                    // With a recipient that it took in spite of its no to MAIL, a lone dot would be
                    // an empty letter.
                    let ended = no_recipient && heard_dot(connection, self.timeouts.final_dot).await;
                    return refused(first, reply, !ended);
                }
                (Ok(later), Some(first)) => {
                    no_recipient |= stage == Stage::Rcpt && !is_yes(stage, &later);
                    no = Some(first);
                }
                (Ok(reply), None) if !is_yes(stage, &reply) => {
                    no_recipient = stage == Stage::Rcpt;
                    no = Some((stage, reply));
                }
                (Ok(_), None) => {}
            }
        }
        match no {
            Some((stage, reply)) => refused(stage, reply, false),
            None => Ok((EnvelopeAnswer::Open, true)),
        }
    }

    /// Writes out what stands in `wire`, whose final dot is the octet number `dot` of this line.
    async fn letter(&self, connection: &mut Line, dot: usize) -> (Outcome, bool) {
        let limit = self.timeouts.block + self.timeouts.final_dot;
        if connection.has_unread() {
            // It would pass for the answer to this letter.
            let why = "the relay spoke before the end of the letter".to_owned();
            return (Outcome::LineDropped { after_dot: false, why }, false);
        }
        passing(Stage::Dot);
        match heard(Stage::Dot, limit, connection.ask(&self.wire.text)).await {
            Ok(reply) if is_yes(Stage::Dot, &reply) => (Outcome::Accepted(reply), true),
            Ok(reply) if reply.code >= 400 => (Outcome::Refused { stage: Stage::Dot, reply }, true),
            Ok(reply) => {
                (Outcome::LineDropped { after_dot: true, why: format!("no answer to a dot: {reply}") }, false)
            }
            Err(why) => (Outcome::LineDropped { after_dot: self.written.get() >= dot, why }, false),
        }
    }

    /// Brings the session back to where MAIL may follow; false if it is of no more use.
    async fn settle(&self, connection: &mut Line, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Accepted(_) => true,
            // 421: the relay closes the line (RFC 5321 §3.8).
            Outcome::Refused { reply, .. } if reply.code == 421 => false,
            Outcome::Refused { .. } => {
                let reset = heard(Stage::Mail, self.timeouts.envelope, connection.ask("RSET\r\n")).await;
                reset.is_ok_and(|reply| reply.code == 250)
            }
            Outcome::LineDropped { .. } => false,
        }
    }
}

/// The relay's answer in time, or the words for why there is none.
async fn heard(
    stage: Stage,
    limit: Duration,
    asked: impl Future<Output = Result<Reply, LineError>>,
) -> Result<Reply, Broken> {
    match timeout(limit, asked).await {
        Ok(result) => result.map_err(|error| format!("the line broke at {stage}: {error}")),
        Err(_) => Err(format!("no answer to {stage} within {} s", limit.as_secs_f32())),
    }
}

/// The fault points of the commands.
fn passing(stage: Stage) {
    match stage {
        Stage::Mail => fault::point(Point::Mail),
        Stage::Rcpt => fault::point(Point::Rcpt),
        Stage::Data => fault::point(Point::Data),
        Stage::Dot => fault::point(Point::BeforeDot),
        _ => {}
    }
}

/// Ends a letter without recipients; whether the relay answered as it has to, with a refusal.
async fn heard_dot(connection: &mut Line, limit: Duration) -> bool {
    heard(Stage::Dot, limit, connection.ask(".\r\n")).await.is_ok()
}

fn refused(stage: Stage, reply: Reply, broken: bool) -> Result<(EnvelopeAnswer, bool), Broken> {
    if reply.code < 400 {
        // A yes of the wrong kind: the answers are not in step with the commands.
        return Err(format!("{reply} is no answer to {stage}"));
    }
    Ok((EnvelopeAnswer::Refused { stage, reply }, !broken))
}

fn is_yes(stage: Stage, reply: &Reply) -> bool {
    match stage {
        Stage::Data => reply.code == 354,
        _ => (200..300).contains(&reply.code),
    }
}
