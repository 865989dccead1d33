//! Threads that fill letters while connections wait for the relay: a signature takes longer than
//! all else about a letter.
//!
//! As many threads as there are cores, and no more: those that wait for a core only take it from
//! each other. A connection orders the letter that it holds next before it ends the one before, so
//! that the threads always have something to do.
//!
//! They have a lower priority than every other thread, and hand letters over a few at a time. Each
//! hand-over wakes the connections, which take the core from a thread in the middle of its work; a
//! tenth of a signed letter's time went into that. A thread with nothing more to fill hands over at
//! once. Nothing here knows what a letter is, or remembers one.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, TryLockError, mpsc};
use std::thread;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// The most letters that are handed over together: more of them gain nothing.
const TOGETHER: usize = 8;

/// The nice value of these threads: high enough that others go first at once, and not so high that
/// another program on the machine would leave them nothing.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// A letter to fill, and who waits for it.
struct Order<T> {
    fill: Box<dyn FnOnce() -> T + Send>,
    done: oneshot::Sender<thread::Result<T>>,
}

/// A letter that is filled, or the panic that came of it.
struct Filled<T> {
    letter: thread::Result<T>,
    done: oneshot::Sender<thread::Result<T>>,
}

/// Takes orders. Its threads start with the first order and end when the last owner is dropped.
pub(super) struct Fillers<T> {
    orders: OnceLock<mpsc::Sender<Order<T>>>,
    connections: usize,
}

/// A letter that is being filled.
pub(super) struct Filling<T>(oneshot::Receiver<thread::Result<T>>);

impl<T: Send + 'static> Fillers<T> {
    /// For so many connections, each of which has one order at a time.
    pub(super) fn new(connections: usize) -> Self {
        Self { orders: OnceLock::new(), connections }
    }

    /// Has a letter filled. The first order belongs on the runtime of the connections.
    pub(super) fn order(&self, fill: impl FnOnce() -> T + Send + 'static) -> Filling<T> {
        let (done, filling) = oneshot::channel();
        let order = Order { fill: Box::new(fill), done };
        let orders = self.orders.get_or_init(|| start(self.connections));
        // Without a thread the order would wait for ever: then it is carried out here.
        if let Err(mpsc::SendError(order)) = orders.send(order) {
            order.carry_out().hand_over();
        }
        Filling(filling)
    }
}

impl<T> Filling<T> {
    /// The letter.
    ///
    /// # Panics
    /// As filling it did.
    pub(super) async fn letter(self) -> T {
        match self.0.await {
            Ok(Ok(letter)) => letter,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // Every order is answered, unless the runtime ends: then this ends with it.
            Err(_) => std::future::pending().await,
        }
    }
}

impl<T> Order<T> {
    fn carry_out(self) -> Filled<T> {
        Filled { letter: catch_unwind(AssertUnwindSafe(self.fill)), done: self.done }
    }
}

impl<T> Filled<T> {
    fn hand_over(self) {
        // Nobody waits for it any more when the run was broken off.
        let _ = self.done.send(self.letter);
    }
}

fn start<T: Send + 'static>(connections: usize) -> mpsc::Sender<Order<T>> {
    let (orders, inbox) = mpsc::channel();
    let inbox = Arc::new(Mutex::new(inbox));
    let (done, mut batches) = unbounded_channel::<Vec<Filled<T>>>();
    // One wake-up for a batch: a connection that is woken for the first letter would be gone again
    // before the second.
    tokio::spawn(async move {
        while let Some(batch) = batches.recv().await {
            batch.into_iter().for_each(Filled::hand_over);
        }
    });
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let together = together(connections, cores);
    for _ in 0..cores {
        let (inbox, done) = (inbox.clone(), done.clone());
        let work = move || {
            lower_priority();
            fill(&inbox, &done, together);
        };
        if let Err(error) = thread::Builder::new().name("filler".to_owned()).spawn(work) {
            tracing::warn!(%error, "a thread that signs letters can't be started; the others do its work");
            break;
        }
    }
    orders
}

/// How many letters one of the threads may keep, so that together they keep those of four
/// connections in five at most (and one each): with all of them no connection would be left to keep
/// relay and ledger busy.
fn together(connections: usize, threads: usize) -> usize {
    (connections * 4 / (threads * 5)).clamp(1, TOGETHER)
}

/// Fills letters as long as there are orders.
fn fill<T>(inbox: &Mutex<mpsc::Receiver<Order<T>>>, done: &UnboundedSender<Vec<Filled<T>>>, together: usize) {
    while let Ok(order) = next(inbox) {
        let mut batch = Vec::with_capacity(together);
        batch.push(order.carry_out());
        while batch.len() < together
            && let Some(order) = another(inbox)
        {
            batch.push(order.carry_out());
        }
        match <[_; 1]>::try_from(batch) {
            Ok([alone]) => alone.hand_over(),
            // Who hands them over is gone with the runtime only, and with it all who wait.
            Err(batch) => drop(done.send(batch)),
        }
    }
}

/// The thread that waits holds the lock, and the others wait for that: one is woken for an order,
/// whichever.
fn next<T>(inbox: &Mutex<mpsc::Receiver<Order<T>>>) -> Result<Order<T>, mpsc::RecvError> {
    inbox.lock().unwrap_or_else(PoisonError::into_inner).recv()
}

/// An order that is there already. Where another thread waits for one there is none.
fn another<T>(inbox: &Mutex<mpsc::Receiver<Order<T>>>) -> Option<Order<T>> {
    match inbox.try_lock() {
        Ok(inbox) => inbox.try_recv().ok(),
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().try_recv().ok(),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Lets every other thread go first. Connections, ledger and relay then run at once, so that there
/// is always something to fill, and filling takes what the cores have left, which is most of it.
#[cfg(target_os = "linux")]
fn lower_priority() {
    // On Linux the nice value is the thread's own. A sandbox may forbid the call: then all are
    // alike.
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "the threads that fill letters can't step back");
    }
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_few_letters_and_never_all() {
        for (connections, threads, most) in
            [(1, 1, 1), (1, 2, 1), (2, 2, 1), (10, 2, 4), (10, 8, 1), (50, 2, 8)]
        {
            assert_eq!(together(connections, threads), most, "{connections} connections, {threads} threads");
        }
    }

    #[tokio::test]
    async fn an_order_with_none_behind_it_is_handed_over_at_once() {
        let fillers = Fillers::new(10);
        for number in 0..3 {
            assert_eq!(fillers.order(move || number).letter().await, number);
        }
    }

    #[tokio::test]
    async fn many_orders_are_each_answered_and_in_batches() {
        let fillers = Fillers::new(50);
        let fillings: Vec<_> = (0..1_000).map(|number| fillers.order(move || number * 2)).collect();
        for (number, filling) in fillings.into_iter().enumerate() {
            assert_eq!(filling.letter().await, number * 2);
        }
    }

    #[test]
    fn a_batch_ends_where_it_is_full_or_nothing_is_left() {
        let (orders, inbox) = mpsc::channel();
        for number in 0..7 {
            orders.send(Order { fill: Box::new(move || number), done: oneshot::channel().0 }).ok().unwrap();
        }
        drop(orders);
        let (done, mut batches) = unbounded_channel();
        fill(&Mutex::new(inbox), &done, 4);
        drop(done);
        let sizes: Vec<_> = std::iter::from_fn(|| batches.blocking_recv()).map(|batch| batch.len()).collect();
        assert_eq!(sizes, [4, 3]);
    }

    #[tokio::test]
    #[should_panic(expected = "no letter for it")]
    async fn a_panic_reaches_who_waits() {
        let fillers: Fillers<()> = Fillers::new(10);
        fillers.order(|| panic!("no letter for it")).letter().await;
    }
}
