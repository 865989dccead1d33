//! What readers chose, as the queue hears it: topics, an hour, a pause. On both engines.

use std::num::NonZeroU32;

use chrono_tz::Tz;
use verdicts::domain::UnixMillis;
use verdicts::domain::delivery::{DeliveryState, Variant};
use verdicts::domain::issue::IssueNumber;
use verdicts::domain::preferences::{Pause, Preferences, Topics, next_hour};
use verdicts::domain::subject::Arm;
use verdicts::domain::subscriber::SubscriberId;
use verdicts::store::{Choices, ChosenHour, Enqueue, Enqueued, NewVariant, Served, Store};

use crate::support::world::*;

const ONE: IssueNumber = IssueNumber(1);
const TWO: IssueNumber = IssueNumber(2);

fn topics(names: &[&str]) -> Topics {
    Topics::new(names.iter().copied()).unwrap()
}

async fn by_choice(store: &Store, number: IssueNumber, choices: &Choices) -> Enqueued {
    let new = Enqueue { choices: choices.clone(), ..Enqueue::new(number, issue(&[])) };
    store.enqueue(&new, NOW).await.unwrap()
}

async fn choose(store: &Store, reader: i64, zone: &str, chosen: Preferences) {
    let id = SubscriberId(reader);
    store.set_letter(id, None, Some(zone), chosen.topics.as_ref(), chosen.at_hour).await.unwrap();
    store.set_pause(id, chosen.pause, NOW).await.unwrap();
}

async fn choose_topics(store: &Store, reader: i64, names: &[&str]) {
    let chosen = Preferences { topics: Some(topics(names)), ..Preferences::default() };
    choose(store, reader, "Europe/Berlin", chosen).await;
}

fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

fn letter(n: u32) -> Served {
    Served::Letter(number(n))
}

fn of_letter(n: u32) -> Variant {
    Variant { arm: Arm::A, letter: Some(number(n)) }
}

fn variant(number: u32) -> NewVariant {
    NewVariant {
        variant: of_letter(number),
        subject: format!("Variant {number}"),
        slugs: vec!["a-vs-b".to_owned()],
        stencil: format!("stencil {number}"),
    }
}

fn served(pairs: &[(&[&str], Served)]) -> Choices {
    Choices {
        variants: vec![variant(1), variant(2)],
        topics: pairs.iter().map(|(names, served)| (topics(names).to_text(), *served)).collect(),
        hours: Some(Vec::new()),
    }
}

async fn everybody_gets_the_letter_of_their_choice(w: World) {
    w.with_readers(6).await;
    choose_topics(&w.store, 1, &["Agents"]).await;
    choose_topics(&w.store, 2, &["Video", "Agents"]).await;
    choose_topics(&w.store, 3, &["Gardening"]).await;
    choose_topics(&w.store, 4, &["Agents"]).await;
    choose_topics(&w.store, 5, &["Editors"]).await;
    let chosen = w.store.chosen_topics().await.unwrap();
    assert_eq!((chosen.len(), chosen[0].readers), (4, 2), "each choice once, the commonest first");
    assert_eq!(chosen[0].topics, r#"["Agents"]"#);

    let choices = served(&[
        (&["Agents"], letter(1)),
        (&["Video", "Agents"], letter(2)),
        (&["Gardening"], Served::Nothing),
        (&["Editors"], Served::Whole),
    ]);
    let started = by_choice(&w.store, ONE, &choices).await;
    assert_eq!(started, Enqueued::Started { number: ONE, audience: 6 }, "everybody has a row");
    let variants = w.store.variants(ONE).await.unwrap();
    assert_eq!(variants, [(of_letter(1), "stencil 1".to_owned()), (of_letter(2), "stencil 2".to_owned())]);

    let tally = w.store.tally(ONE).await.unwrap();
    assert!(tally.balances());
    assert_eq!((tally.audience, tally.queued, tally.cancelled), (6, 5, 1));
    let cancelled = w.store.deliveries(ONE, DeliveryState::Cancelled, SubscriberId(0), 9).await.unwrap();
    assert_eq!(cancelled[0].subscriber, SubscriberId(3));
    assert_eq!(cancelled[0].note.as_deref(), Some("nothing in it of the topics that the reader chose"));

    // What was chosen stands on the row: it is the same at a second attempt, and after a worker that is gone.
    choose_topics(&w.store, 1, &["Editors"]).await;
    let me = w.store.enlist(NOW).await.unwrap().unwrap();
    let letters = |claimed: Vec<verdicts::domain::delivery::Claimed>| {
        claimed.iter().map(|one| (one.subscriber.0, one.variant)).collect::<Vec<_>>()
    };
    let claimed = w.store.record_and_claim(&me, &[], 10, NOW).await.unwrap();
    let whole = Variant::default();
    let expected = [(1, of_letter(1)), (2, of_letter(2)), (4, of_letter(1)), (5, whole), (6, whole)];
    let chosen: Vec<_> = claimed.iter().map(|one| one.choice.map(NonZeroU32::get)).collect();
    assert_eq!(chosen, [Some(1), Some(2), Some(1), Some(4), None]);
    let words = w.store.choices_of(ONE).await.unwrap();
    assert_eq!(words[&number(2)], topics(&["Video", "Agents"]).to_text());
    assert_eq!(letters(claimed.clone()), expected);
    let again = UnixMillis(NOW.0 + 60_000);
    let back: Vec<_> = claimed.iter().map(|one| deferred(one.subscriber, again, false)).collect();
    w.store.record_and_claim(&me, &back, 0, NOW).await.unwrap();
    assert_eq!(letters(w.store.record_and_claim(&me, &[], 10, again).await.unwrap()), expected);
}

async fn letters_that_no_row_asks_for_are_forgotten(w: World) {
    w.with_readers(3).await;
    choose_topics(&w.store, 1, &["Agents"]).await;
    choose_topics(&w.store, 2, &["Video"]).await;
    let choices = served(&[(&["Agents"], letter(1)), (&["Video"], letter(2))]);
    by_choice(&w.store, ONE, &choices).await;
    let me = w.store.enlist(NOW).await.unwrap().unwrap();
    w.store.record_and_claim(&me, &[], 3, NOW).await.unwrap();
    let done = [sent(SubscriberId(1)), failed(SubscriberId(2)), sent(SubscriberId(3))];
    w.store.record_and_claim(&me, &done, 0, NOW).await.unwrap();
    w.store.finish_done(NOW).await.unwrap();
    let tally = w.store.tally(ONE).await.unwrap();
    assert_eq!(w.store.condense(NOW, 1).await.unwrap(), 1);
    assert_eq!(w.store.variants(ONE).await.unwrap().len(), 2, "not before the last batch");
    assert_eq!(w.store.condense(NOW, 1).await.unwrap(), 1);
    let left: Vec<_> = w.store.variants(ONE).await.unwrap().into_iter().map(|(variant, _)| variant).collect();
    assert_eq!(left, [of_letter(2)], "the failed letter may be tried again, and keeps its own");
    assert_eq!(w.store.tally(ONE).await.unwrap(), tally);
    w.store.requeue(ONE, &[SubscriberId(2)], NOW).await.unwrap();
    let again = w.store.record_and_claim(&me, &[], 3, NOW).await.unwrap();
    assert_eq!(again[0].variant, of_letter(2));
}

async fn what_was_chosen_too_late_is_asked_for_again(w: World) {
    w.with_readers(3).await;
    choose_topics(&w.store, 1, &["Agents"]).await;
    let choices = served(&[(&["Agents"], letter(1))]);
    choose_topics(&w.store, 2, &["Video"]).await;
    let refused = by_choice(&w.store, ONE, &choices).await;
    assert_eq!(refused, Enqueued::Outdated);
    assert_eq!(w.store.issue(ONE).await.unwrap(), None, "nothing was written");
    let hour = Preferences { at_hour: Some(7), ..Preferences::default() };
    choose(&w.store, 2, "Europe/Berlin", hour).await;
    assert_eq!(by_choice(&w.store, ONE, &choices).await, Enqueued::Outdated);
    let unheard = Choices { hours: None, ..choices };
    let started = by_choice(&w.store, ONE, &unheard).await;
    assert_eq!(
        started,
        Enqueued::Started { number: ONE, audience: 3 },
        "hours that are not heard hold nobody"
    );
    assert_eq!(w.store.tally(ONE).await.unwrap().queued, 3);
}

async fn a_letter_waits_for_its_readers_hour(w: World) {
    w.with_readers(4).await;
    let at = |hour| Preferences { at_hour: Some(hour), ..Preferences::default() };
    choose(&w.store, 1, "Europe/Berlin", at(18)).await;
    choose(&w.store, 2, "Asia/Tokyo", at(7)).await;
    choose(&w.store, 3, "America/New_York", at(9)).await;
    let mut hours = Vec::new();
    for chosen in w.store.chosen_hours().await.unwrap() {
        let zone: Tz = chosen.zone.parse().unwrap();
        let due = next_hour(zone, chosen.hour, NOW);
        hours.push((chosen, due));
    }
    assert!(hours.contains(&(
        ChosenHour { zone: "Asia/Tokyo".to_owned(), hour: 7 },
        UnixMillis(NOW.0 + 8 * 3_600_000)
    )));
    let choices = Choices { hours: Some(hours), ..Choices::default() };
    by_choice(&w.store, ONE, &choices).await;
    let me = w.store.enlist(NOW).await.unwrap().unwrap();
    let hour = |hours: i64| UnixMillis(NOW.0 + hours * 3_600_000);
    // 14:00 UTC: nine in New York at this very moment, 15:00 in Berlin, 23:00 in Tokyo.
    for (now, expected) in [(NOW, vec![3, 4]), (hour(2), vec![]), (hour(3), vec![1]), (hour(8), vec![2])] {
        let claimed = w.store.record_and_claim(&me, &[], 10, now).await.unwrap();
        assert_eq!(claimed.iter().map(|one| one.subscriber.0).collect::<Vec<_>>(), expected, "{now}");
        for one in &claimed {
            assert_eq!(one.enqueued_at, now, "its age and its date count from its hour");
        }
    }
}

async fn a_pause_holds_until_its_day_and_ends_by_itself(w: World) {
    w.with_readers(3).await;
    let until = |day: &str| {
        let pause = Pause::until(day.parse().unwrap(), "Europe/Berlin".parse().unwrap(), NOW).unwrap();
        Preferences { pause: Some(pause), ..Preferences::default() }
    };
    choose(&w.store, 1, "Europe/Berlin", until("2026-11-24")).await;
    choose(&w.store, 2, "Europe/Berlin", until("2026-12-24")).await;
    w.enqueue(ONE, issue(&[])).await;
    let cancelled = w.store.deliveries(ONE, DeliveryState::Cancelled, SubscriberId(0), 9).await.unwrap();
    let notes: Vec<_> = cancelled.iter().map(|row| row.note.clone().unwrap()).collect();
    assert_eq!(notes, ["the reader has paused until 2026-11-24", "the reader has paused until 2026-12-24"]);
    w.store.cancel(ONE, NOW).await.unwrap();

    let week_later = UnixMillis(NOW.0 + 7 * 86_400_000);
    w.store.enqueue(&Enqueue::new(TWO, issue(&[])), week_later).await.unwrap();
    let tally = w.store.tally(TWO).await.unwrap();
    assert_eq!((tally.queued, tally.cancelled), (2, 1), "the first pause is over");
    w.store.cancel(TWO, NOW).await.unwrap();

    choose(&w.store, 1, "Europe/Berlin", Preferences::default()).await;
    assert_eq!(w.store.preferences(SubscriberId(1)).await.unwrap(), Preferences::default());
    assert_eq!(w.store.preferences(SubscriberId(2)).await.unwrap(), until("2026-12-24"));
}

async fn an_issue_that_nobody_wants_is_not_started(w: World) {
    w.with_readers(2).await;
    choose_topics(&w.store, 1, &["Gardening"]).await;
    choose_topics(&w.store, 2, &["Gardening"]).await;
    let choices = served(&[(&["Gardening"], Served::Nothing)]);
    let refused = by_choice(&w.store, ONE, &choices).await;
    assert_eq!(refused, Enqueued::NobodyWants);
    assert_eq!(w.store.issue(ONE).await.unwrap(), None);
}

async fn topics_are_those_of_the_comparisons(w: World) {
    let mut one = comparison("a-vs-b", NOW);
    one.tools[0].category = "Video".to_owned();
    w.store.put_comparison(&one, NOW).await.unwrap();
    w.store.put_comparison(&comparison("c-vs-d", NOW), NOW).await.unwrap();
    let mut three = comparison("e-vs-f", NOW);
    three.tools[1].category = "agents ".to_owned();
    w.store.put_comparison(&three, NOW).await.unwrap();
    assert_eq!(w.store.topics().await.unwrap(), ["agents", "Editors", "Video"]);
    three.tools[1].category = "EDITORS".to_owned();
    w.store.put_comparison(&three, NOW).await.unwrap();
    assert_eq!(
        w.store.topics().await.unwrap(),
        ["EDITORS", "Video"],
        "a changed comparison leaves no topic behind"
    );
}

/// `cargo test --test store choices:: -- --ignored --nocapture`: what choices add to the enqueueing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a test"]
async fn what_choices_cost() {
    use sqlx::Connection as _;
    for (engine, w) in [("sqlite", World::sqlite().await), ("postgres", World::postgres().await)] {
        w.with_readers(100_000).await;
        let begun = std::time::Instant::now();
        w.enqueue(ONE, issue(&[])).await;
        println!("{engine}: 100,000 without a choice in {:?}", begun.elapsed());
        w.store.cancel(ONE, NOW).await.unwrap();
        let mut connection = sqlx::AnyConnection::connect(&w.url).await.unwrap();
        // A thousand different choices of topics, and every hour of the day.
        let fill = "INSERT INTO preference (subscriber, topics, at_hour)
            SELECT id, '[\"T' || CAST(id % 1000 AS TEXT) || '\"]', id % 24 FROM subscriber";
        sqlx::query(fill).execute(&mut connection).await.unwrap();
        let topics = (0..1000).map(|n| (topics(&[&format!("T{n}")]).to_text(), letter(1 + n % 2)));
        let mut hours = Vec::new();
        for chosen in w.store.chosen_hours().await.unwrap() {
            let due = next_hour(chosen.zone.parse().unwrap(), chosen.hour, NOW);
            hours.push((chosen, due));
        }
        let choices =
            Choices { variants: vec![variant(1), variant(2)], topics: topics.collect(), hours: Some(hours) };
        let begun = std::time::Instant::now();
        by_choice(&w.store, TWO, &choices).await;
        println!("{engine}: 100,000 with one in {:?}", begun.elapsed());
    }
}

contract! {
    everybody_gets_the_letter_of_their_choice,
    letters_that_no_row_asks_for_are_forgotten,
    what_was_chosen_too_late_is_asked_for_again,
    a_letter_waits_for_its_readers_hour,
    a_pause_holds_until_its_day_and_ends_by_itself,
    an_issue_that_nobody_wants_is_not_started,
    topics_are_those_of_the_comparisons,
}
