//! The sessions of a pass as a whole: how many are open, and what it means that another one can't
//! be opened.
//!
//! While one session is open the relay is not down: it may just want fewer of us. Only when none is
//! do failed attempts count, one connection tries at a time, and after [`TRIES`] in a row it is
//! certain.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use crate::delivery::outcome::transition::{Signal, decide_open};
use crate::fault::{self, Point};
use crate::mail::{ConnectError, Relay, Session};

/// Failed attempts in a row, with none of our sessions open, that make a relay count as down.
pub const TRIES: u32 = 3;

#[derive(Default)]
pub(in crate::delivery) struct Sessions {
    count: AtomicUsize,
    /// Held by the one connection that tries again; why it gave up, once it has.
    given_up: Mutex<Option<String>>,
}

/// A session that counts as open for as long as it exists.
pub(in crate::delivery) struct CountedSession {
    session: Option<Session>,
    sessions: Arc<Sessions>,
}

/// There is no session for this connection now.
pub(in crate::delivery) struct NoSession {
    pub note: String,
    /// What it says about the relay; [`Signal::None`] if others get through.
    pub signal: Signal,
}

impl Sessions {
    pub(in crate::delivery) async fn open(
        self: &Arc<Self>,
        relay: &Relay,
        reconnect: Duration,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<CountedSession, NoSession> {
        let mut error = match self.attempt(relay).await {
            Ok(session) => return Ok(session),
            Err(error) => error,
        };
        let mut given_up = self.given_up.lock().await;
        for tried in 1.. {
            let (signal, may_pass) = decide_open(&error);
            let note = error.to_string();
            if !may_pass {
                return Err(NoSession { note, signal });
            }
            if let Some(words) = &*given_up {
                return Err(NoSession { note, signal: Signal::Certain(words.clone()) });
            }
            if self.count.load(Ordering::SeqCst) > 0 {
                return Err(NoSession { note, signal: Signal::None });
            }
            if tried == TRIES {
                let words = format!("{note} ({TRIES} attempts in a row)");
                *given_up = Some(words.clone());
                return Err(NoSession { note, signal: Signal::Certain(words) });
            }
            tokio::select! {
                () = tokio::time::sleep(reconnect * 5u32.pow(tried - 1)) => {}
                () = stopped(stop) => return Err(NoSession { note, signal: Signal::None }),
            }
            error = match self.attempt(relay).await {
                Ok(session) => return Ok(session),
                Err(error) => error,
            };
        }
        unreachable!("the loop ends with its last try")
    }

    /// One try; what a failure means is the caller's to decide.
    pub(in crate::delivery) async fn attempt(
        self: &Arc<Self>,
        relay: &Relay,
    ) -> Result<CountedSession, ConnectError> {
        let session = relay.open().await?;
        fault::point(Point::Connect);
        self.count.fetch_add(1, Ordering::SeqCst);
        Ok(CountedSession { session: Some(session), sessions: self.clone() })
    }
}

/// Resolves when `stop` becomes true; never if nobody can set it any more.
pub(in crate::delivery) async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl CountedSession {
    pub(in crate::delivery) async fn close(mut self) {
        if let Some(session) = self.session.take() {
            session.close().await;
        }
    }
}

impl Deref for CountedSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session.as_ref().expect("only close() takes it, and consumes self")
    }
}

impl DerefMut for CountedSession {
    fn deref_mut(&mut self) -> &mut Session {
        self.session.as_mut().expect("only close() takes it, and consumes self")
    }
}

impl Drop for CountedSession {
    fn drop(&mut self) {
        self.sessions.count.fetch_sub(1, Ordering::SeqCst);
    }
}
