//! Votes: one per reader and tool, changeable, and counted for good without a name once the reader has left.

use Stance::{Ship, Skip};
use verdicts::domain::UnixMillis;
use verdicts::domain::comparison::{Stance, Votes};
use verdicts::domain::subscriber::{SubscriberId, SubscriberStatus};
use verdicts::store::{CastVote, Store, Voted};

use crate::support::world::*;

fn later(ms: i64) -> UnixMillis {
    UnixMillis(NOW.0 + ms)
}

fn ballot(reader: i64, tool: &str, stance: Stance) -> CastVote<'_> {
    CastVote { reader: SubscriberId(reader), tool, published: NOW, stance }
}

async fn total(store: &Store, tool: &str) -> Votes {
    store.vote_totals(&[tool, "nothing"]).await.unwrap().get(tool).copied().unwrap_or_default().votes
}

async fn cast(store: &Store, reader: i64, tool: &str, stance: Stance) -> Voted {
    store.vote(&ballot(reader, tool, stance), later(1)).await.unwrap()
}

async fn a_vote_is_counted_once_and_may_be_changed(w: World) {
    w.with_readers(3).await;
    assert_eq!(total(&w.store, "quarry").await, Votes::default());
    for (reader, stance) in [(1, Ship), (1, Ship), (2, Skip), (3, Ship), (2, Ship), (3, Skip), (3, Skip)] {
        assert_eq!(cast(&w.store, reader, "quarry", stance).await, Voted::Counted);
    }
    assert_eq!(total(&w.store, "quarry").await, Votes { ship: 2, skip: 1 });
    assert_eq!(total(&w.store, "atlas").await, Votes::default(), "another tool has its own count");
    let own = w.store.votes_by(SubscriberId(3)).await.unwrap();
    assert_eq!(own.get("quarry"), Some(&(Skip, later(1))));
    assert_eq!(own.len(), 1);
}

async fn only_readers_vote(w: World) {
    let rows = [
        reader(1, SubscriberStatus::Pending),
        reader(2, SubscriberStatus::Unsubscribed),
        reader(3, SubscriberStatus::Bounced),
        reader(4, SubscriberStatus::Active),
    ];
    w.store.add_subscribers(&rows, &[hash(1), hash(2), hash(3), hash(4)]).await.unwrap();
    assert_eq!(cast(&w.store, 1, "quarry", Ship).await, Voted::Pending);
    for gone in [2, 3, 99] {
        assert_eq!(cast(&w.store, gone, "quarry", Ship).await, Voted::Gone, "{gone}");
    }
    assert_eq!(total(&w.store, "quarry").await, Votes::default());
    assert_eq!(cast(&w.store, 4, "quarry", Ship).await, Voted::Counted);
}

async fn who_leaves_takes_the_name_along_and_leaves_the_vote(w: World) {
    w.with_readers(3).await;
    for (reader, stance) in [(1, Ship), (2, Skip), (3, Ship)] {
        cast(&w.store, reader, "quarry", stance).await;
        cast(&w.store, reader, "atlas", Skip).await;
    }
    w.store.unsubscribe(SubscriberId(1), &hash(1), later(5)).await.unwrap();
    w.store.erase(SubscriberId(2), &hash(2), later(5)).await.unwrap();
    for gone in [1, 2] {
        assert!(w.store.votes_by(SubscriberId(gone)).await.unwrap().is_empty(), "no row names reader {gone}");
        assert_eq!(cast(&w.store, gone, "quarry", Skip).await, Voted::Gone);
    }
    assert_eq!(total(&w.store, "quarry").await, Votes { ship: 2, skip: 1 });
    assert_eq!(total(&w.store, "atlas").await, Votes { ship: 0, skip: 3 });
    assert_eq!(w.store.votes_by(SubscriberId(3)).await.unwrap().len(), 2, "who stayed is still known");
    // A repeat of the leaving changes nothing.
    w.store.unsubscribe(SubscriberId(1), &hash(1), later(9)).await.unwrap();
    assert_eq!(total(&w.store, "quarry").await, Votes { ship: 2, skip: 1 });
}

async fn leaving_and_coming_back_is_no_second_vote(w: World) {
    w.with_readers(2).await;
    cast(&w.store, 1, "quarry", Ship).await;
    w.store.unsubscribe(SubscriberId(1), &hash(1), later(1000)).await.unwrap();
    w.store.unsubscribe(SubscriberId(2), &hash(2), later(1000)).await.unwrap();
    raw(&w.url, "UPDATE subscriber SET status = 'active', ended_at = NULL").await;
    assert_eq!(cast(&w.store, 1, "quarry", Ship).await, Voted::Sealed);
    assert_eq!(total(&w.store, "quarry").await, Votes { ship: 1, skip: 0 });
    assert_eq!(cast(&w.store, 2, "quarry", Skip).await, Voted::Counted, "who had no vote lost none");
    let newer = CastVote { published: later(1001), ..ballot(1, "atlas", Skip) };
    assert_eq!(w.store.vote(&newer, later(2000)).await.unwrap(), Voted::Counted);
}

async fn one_vote_per_reader_and_tool_whatever_races(w: World) {
    w.with_readers(8).await;
    let other = w.another().await;
    let mut tasks = tokio::task::JoinSet::new();
    for round in 0..6 {
        for reader in 1..=8_i64 {
            let store = if (round + reader) % 2 == 0 { w.store.clone() } else { other.clone() };
            let stance = if (round * 3 + reader) % 5 < 3 { Ship } else { Skip };
            let tool = if round % 3 == 0 { "atlas" } else { "quarry" };
            tasks.spawn(async move { cast(&store, reader, tool, stance).await });
        }
    }
    // Two leave in the middle of it.
    for reader in [1, 2_usize] {
        let store = w.store.clone();
        tasks.spawn(async move {
            store.unsubscribe(SubscriberId(reader as i64), &hash(reader), later(5)).await.unwrap();
            Voted::Gone
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    for tool in ["atlas", "quarry"] {
        let mut held = Votes::default();
        for reader in 1..=8 {
            match w.store.votes_by(SubscriberId(reader)).await.unwrap().get(tool) {
                Some((Ship, _)) => held.ship += 1,
                Some((Skip, _)) => held.skip += 1,
                None => assert!(reader <= 2, "reader {reader} has voted on {tool}"),
            }
        }
        let counted = total(&w.store, tool).await;
        let nameless = counted.total() - held.total();
        assert!(nameless <= 2, "{tool}: {counted:?} counted, {held:?} held");
        assert!(counted.ship >= held.ship && counted.skip >= held.skip, "{tool}: {counted:?} {held:?}");
    }
    for gone in [1, 2] {
        assert!(w.store.votes_by(SubscriberId(gone)).await.unwrap().is_empty(), "a vote slipped in behind");
    }
}

async fn raw(url: &str, text: &'static str) {
    use sqlx::Connection as _;
    let mut connection = sqlx::AnyConnection::connect(url).await.unwrap();
    sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

contract! {
    a_vote_is_counted_once_and_may_be_changed,
    only_readers_vote,
    who_leaves_takes_the_name_along_and_leaves_the_vote,
    leaving_and_coming_back_is_no_second_vote,
    one_vote_per_reader_and_tool_whatever_races,
}
