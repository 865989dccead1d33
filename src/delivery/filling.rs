//! Threads that fill letters while connections wait for the relay: a signature takes longer than all else about a letter.
//!
//! As many threads as there are cores, and no more: those that wait for a core only take it from each other. A connection orders the letter that it holds next before it ends the one before, so that the threads always have
//! something to do. Nothing here knows what a letter is, or remembers one.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread;

use tokio::sync::oneshot;

use super::engine::Letters;
use crate::domain::UnixMillis;
use crate::domain::delivery::Claimed;

/// A letter, or the panic that came of it.
type Filled = thread::Result<Vec<u8>>;

/// A letter to fill: for whom, when, into which space.
struct Order {
    letters: Arc<dyn Letters>,
    claimed: Claimed,
    now: UnixMillis,
    space: Vec<u8>,
    done: oneshot::Sender<Filled>,
}

/// Takes orders. Its threads begin with the first one and end when the last of its owners does.
#[derive(Default)]
pub(super) struct Fillers(OnceLock<mpsc::Sender<Order>>);

/// A letter that is being filled.
pub(super) struct Filling(oneshot::Receiver<Filled>);

impl Fillers {
    pub(super) fn order(
        &self,
        letters: Arc<dyn Letters>,
        claimed: Claimed,
        now: UnixMillis,
        space: Vec<u8>,
    ) -> Filling {
        let (done, filling) = oneshot::channel();
        let order = Order { letters, claimed, now, space, done };
        // Without a thread the order would wait for ever: then it is carried out here.
        if let Err(mpsc::SendError(order)) = self.0.get_or_init(start).send(order) {
            order.carry_out();
        }
        Filling(filling)
    }
}

impl Filling {
    /// The letter.
    ///
    /// # Panics
    /// As filling it did.
    pub(super) async fn letter(self) -> Vec<u8> {
        match self.0.await {
            Ok(Ok(letter)) => letter,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // A thread answers every order that it takes, and takes all before it ends.
            Err(_) => unreachable!("an order without an answer"),
        }
    }
}

impl Order {
    fn carry_out(mut self) {
        let fill = AssertUnwindSafe(|| {
            self.space.clear();
            self.letters.fill(&self.claimed, self.now, &mut self.space);
        });
        let filled = catch_unwind(fill).map(|()| self.space);
        // Nobody waits for it any more when the run was broken off.
        let _ = self.done.send(filled);
    }
}

fn start() -> mpsc::Sender<Order> {
    let (orders, inbox) = mpsc::channel::<Order>();
    let inbox = Arc::new(Mutex::new(inbox));
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    for _ in 0..cores {
        let inbox = inbox.clone();
        let work = move || {
            while let Ok(order) = next(&inbox) {
                order.carry_out();
            }
        };
        if let Err(error) = thread::Builder::new().name("filler".to_owned()).spawn(work) {
            tracing::warn!(%error, "a thread that signs letters can't be started; the others do its work");
            break;
        }
    }
    orders
}

/// Who waits holds the lock, and the others wait for that: one is woken for an order, whichever.
fn next(inbox: &Mutex<mpsc::Receiver<Order>>) -> Result<Order, mpsc::RecvError> {
    inbox.lock().unwrap_or_else(PoisonError::into_inner).recv()
}
