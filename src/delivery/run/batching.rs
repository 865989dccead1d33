//! How many connections the ledger waits for before it commits.
//!
//! A commit costs nearly the same for one letter and for five, and on a fast wire it is the most of
//! what a letter costs. So the ledger waits until half of the connections have reported: the other
//! half keeps the relay busy meanwhile. On a slow wire none comes, and a wait in vain would hold
//! letters up; each one makes the ledger look less often.

use std::time::Duration;

/// The longest wait: at a thousand letters a second four have come by then, and signed ones take
/// longer.
pub(super) const WAIT: Duration = Duration::from_millis(4);
/// More than so many turns together gain little.
const ENOUGH: usize = 6;
/// The most turns that are committed as they come before the next wait.
const MOST_SKIPPED: u32 = 128;

/// Whether to wait, learnt from the waits before.
pub(super) struct Batching {
    enough: usize,
    /// How many turns to let pass after the next wait in vain.
    skip: u32,
    left: u32,
}

impl Batching {
    pub(super) fn new(connections: usize) -> Self {
        Self { enough: (connections / 2).min(ENOUGH), skip: 1, left: 0 }
    }

    /// Turns that are worth waiting for, now that `here` have come; none when to commit at once.
    pub(super) fn wait_for(&mut self, here: usize) -> Option<usize> {
        if here >= self.enough {
            return None;
        }
        if self.left > 0 {
            self.left -= 1;
            return None;
        }
        Some(self.enough)
    }

    /// After a wait: how many have come.
    pub(super) fn came(&mut self, here: usize) {
        if here >= self.enough {
            self.skip = 1;
        } else {
            self.left = self.skip;
            self.skip = (self.skip * 2).min(MOST_SKIPPED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_connections_are_waited_for_and_never_many() {
        for (connections, enough) in
            [(1, None), (2, Some(1)), (4, Some(2)), (10, Some(5)), (50, Some(ENOUGH))]
        {
            assert_eq!(Batching::new(connections).wait_for(0), enough, "{connections}");
        }
        assert_eq!(Batching::new(10).wait_for(5), None, "enough have come by themselves");
    }

    #[test]
    fn waits_in_vain_become_rare_and_one_that_is_not_brings_them_back() {
        let mut batching = Batching::new(10);
        let mut waits = 0;
        for _ in 0..10_000 {
            if batching.wait_for(1).is_some() {
                waits += 1;
                batching.came(2);
            }
        }
        assert!((80..100).contains(&waits), "{waits}");
        while batching.wait_for(1).is_none() {}
        batching.came(5);
        assert!(batching.wait_for(1).is_some());
    }
}
