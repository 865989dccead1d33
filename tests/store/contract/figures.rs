//! What is counted: speed, refusals, and promise P4 at every step.

use super::*;

/// P4 after every step of a long random walk, and nobody is ever claimed after leaving.
async fn a_speed_is_said_while_it_is_news(w: World) {
    assert_eq!(w.store.speed(NOW).await.unwrap(), None);
    let me = enlist(&w.store).await;
    w.store.note_speed(&me, 41.25, NOW).await.unwrap();
    w.store.note_speed(&me, 1234.5678, later(2_000)).await.unwrap();
    assert_eq!(w.store.speed(later(4_000)).await.unwrap(), Some(1234.568), "the newer note alone");
    assert_eq!(w.store.speed(later(17_001)).await.unwrap(), None, "whoever noted it is gone");
    assert_eq!(w.store.speed(later(-60_000)).await.unwrap(), None, "a clock that was set back");
    drop(me);
    let other = enlist(&w.store).await;
    w.store.note_speed(&other, 10.0, later(30_000)).await.unwrap();
    assert_eq!(w.store.speed(later(30_000)).await.unwrap(), Some(10.0));
    assert_eq!(w.store.speed(later(4_000)).await.unwrap(), None, "old notes are forgotten");
}

async fn refusals_are_counted_by_class(w: World) {
    let w = World::running(4, w).await;
    let me = enlist(&w.store).await;
    let claimed = claim(&w.store, &me, 4, NOW).await;
    let who = |n: usize| claimed[n].subscriber;
    let finished = [failed(who(0)), deferred(who(1), later(5), false), sent(who(2))];
    w.store.record_and_claim(&me, &finished, 0, NOW).await.unwrap();
    let refused = w.store.refused(ONE).await.unwrap();
    assert_eq!(refused.failed.counts().iter().map(|(_, n)| n).sum::<u64>(), 1, "{refused:?}");
    assert_eq!(refused.deferred.counts().iter().map(|(_, n)| n).sum::<u64>(), 1, "{refused:?}");
    assert_eq!(w.store.refused(IssueNumber(9)).await.unwrap(), Refused::default());
}

async fn the_books_balance_at_every_step(w: World) {
    let w = World::running(40, w).await;
    let store = &w.store;
    let me = enlist(store).await;
    let mut dice = Dice(20_261_117);
    let (mut now, mut flying, mut gone) = (NOW, Vec::<Claimed>::new(), std::collections::HashSet::new());
    let mut sent_once = std::collections::HashSet::new();
    for _ in 0..150 {
        now = UnixMillis(now.0 + dice.below(3) as i64);
        match dice.below(12) {
            0 => {
                let id = dice.below(40) as i64 + 1;
                store.unsubscribe(SubscriberId(id), &hash(id as usize), now).await.unwrap();
                gone.insert(id);
            }
            1 => assert!(store.pause(ONE, "a look").await.unwrap() && store.resume(ONE).await.unwrap()),
            2 => {
                let id = dice.below(40) as i64 + 1;
                store.erase(SubscriberId(id), &hash(id as usize), now).await.unwrap();
                gone.insert(id);
            }
            _ => {
                let take = dice.below(flying.len() + 1);
                let done: Vec<_> =
                    flying.drain(..take).map(|one| outcome(&mut dice, one.subscriber, now)).collect();
                for one in &done {
                    if matches!(one.transition, Transition::Sent { .. }) {
                        assert!(sent_once.insert(one.subscriber), "{:?} was sent before", one.subscriber);
                    }
                }
                let claimed = store.record_and_claim(&me, &done, dice.below(6), now).await.unwrap();
                for one in &claimed {
                    assert!(!gone.contains(&one.subscriber.0), "P5: {:?} has left", one.subscriber);
                }
                flying.extend(claimed);
            }
        }
        let t = tally(store).await;
        assert_eq!((t.audience, t.sending), (40, flying.len() as i64));
        assert_eq!(t.sent, sent_once.len() as i64);
    }
}

fn outcome(dice: &mut Dice, who: SubscriberId, now: UnixMillis) -> verdicts::domain::delivery::Finished {
    let due = UnixMillis(now.0 + dice.below(4) as i64);
    match dice.below(8) {
        0 => failed(who),
        1 => returned(who, due),
        2 => deferred(who, due, true),
        3 | 4 => deferred(who, due, false),
        _ => sent(who),
    }
}

/// A seeded die (SplitMix64): the same walk every time.
struct Dice(u64);

impl Dice {
    /// 0 to `n` - 1.
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

contract! {
    a_speed_is_said_while_it_is_news,
    refusals_are_counted_by_class,
    the_books_balance_at_every_step,
}
