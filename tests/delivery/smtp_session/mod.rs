//! One SMTP session against a scripted peer: every kind of answer, and every place where the line may break.

mod breaks;
mod letters;
mod opening;
mod replies;

use std::time::Duration;

use verdicts::domain::EmailAddress;
use verdicts::domain::relay::{RelayUrl, SmtpUrl};
use verdicts::mail::{
    ConnectError, Envelope, Outcome, Relay, Session, SessionOptions, Stage, Timeouts, Wire,
};

use crate::support::peer::{self, Act, At, Peer, Script, Tls};

fn smtp(url: &str) -> SmtpUrl {
    match RelayUrl::parse(url).unwrap() {
        RelayUrl::Smtp(url) => url,
        RelayUrl::Outbox(_) => panic!("{url} is no SMTP URL"),
    }
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

const LETTER: &[u8] =
    b"From: news@example.org\r\nMessage-ID: <1@example.org>\r\n\r\n.\r\n..\r\n.hidden\r\n\r\nlast\r\n";

async fn session_on(url: &SmtpUrl, options: &SessionOptions) -> Result<Session, ConnectError> {
    Relay::new(url, options.clone())?.open().await
}

async fn open(peer: &Peer) -> Session {
    session_on(&smtp(&peer.url()), &SessionOptions::default()).await.unwrap()
}

async fn deliver(session: &mut Session, to: &str) -> Outcome {
    session.deliver(&address("news@example.org"), &address(to), LETTER).await
}

async fn deliver_to(session: &mut Session, to: &[&str]) -> Vec<String> {
    let mut gists = Vec::new();
    for to in to {
        gists.push(match deliver(session, to).await {
            Outcome::Accepted(reply) => reply.code.to_string(),
            Outcome::Refused { stage, reply } => format!("{} at {stage}", reply.code),
            Outcome::LineDropped { after_dot, .. } => format!("dropped, after the dot: {after_dot}"),
        });
    }
    gists
}
