//! Changes of address, the dossier and erasure, as the store keeps them. On both engines.

use std::time::Duration;

use verdicts::domain::UnixMillis;
use verdicts::domain::preferences::Topics;
use verdicts::domain::subscriber::{SubscriberId, SubscriberStatus};
use verdicts::store::{AskedChange, CHANGE_FOR, Changed, Store, TAKE_BACK_FOR};

use crate::support::world::*;

const ANN: SubscriberId = SubscriberId(1);

fn later(span: Duration) -> UnixMillis {
    NOW.plus(span)
}

async fn ask(store: &Store, to: usize, now: UnixMillis) -> AskedChange {
    store.ask_address_change(ANN, &email(to), &hash(to), now).await.unwrap()
}

/// The newest notice, as its kind and where it goes, and how many there are.
async fn notices(w: &World) -> (i64, Option<(String, String)>) {
    use sqlx::{Connection as _, Row as _};
    let mut connection = sqlx::AnyConnection::connect(&w.url).await.unwrap();
    let rows =
        sqlx::query("SELECT kind, email FROM notice ORDER BY id DESC").fetch_all(&mut connection).await;
    let rows = rows.unwrap();
    (i64::try_from(rows.len()).unwrap(), rows.first().map(|row| (row.get("kind"), row.get("email"))))
}

fn to(kind: &str, n: usize) -> Option<(String, String)> {
    Some((kind.to_owned(), email(n).expose().to_owned()))
}

async fn a_change_is_confirmed_once_told_and_taken_back(w: World) {
    w.with_readers(2).await;
    assert_eq!(ask(&w.store, 51, NOW).await, AskedChange::Asked);
    assert_eq!(notices(&w).await, (1, to("address_change", 51)));
    let change = w.store.address_change(1, NOW).await.unwrap().unwrap();
    assert_eq!((change.subscriber, change.email.clone()), (ANN, email(51)));
    assert_eq!(w.store.address_change(1, later(CHANGE_FOR)).await.unwrap(), None, "two days, and no longer");
    assert_eq!(w.store.subscriber_by_id(ANN).await.unwrap().unwrap().email, email(1), "nothing yet");

    assert_eq!(w.store.change_address(1, &change, &hash(51), NOW).await.unwrap(), Changed::Done);
    assert_eq!(w.store.change_address(1, &change, &hash(51), NOW).await.unwrap(), Changed::Gone);
    assert_eq!(w.store.subscriber_by_id(ANN).await.unwrap().unwrap().email, email(51));
    assert_eq!(notices(&w).await, (2, to("address_changed", 1)));
    let back =
        w.store.address_change(2, later(CHANGE_FOR)).await.unwrap().expect("longer than a confirmation");
    assert_eq!(back.email, email(1));
    assert_eq!(w.store.change_address(2, &back, &hash(1), NOW).await.unwrap(), Changed::Done);
    assert_eq!(w.store.subscriber_by_id(ANN).await.unwrap().unwrap().email, email(1));
    assert_eq!(w.store.forget_address_changes(NOW).await.unwrap(), 0);
    assert_eq!(w.store.forget_address_changes(later(TAKE_BACK_FOR)).await.unwrap(), 1);
}

async fn what_is_somebodys_or_suppressed_is_refused_in_silence(w: World) {
    w.with_readers(3).await;
    w.store.erase(SubscriberId(3), &hash(3), NOW).await.unwrap();
    assert_eq!(ask(&w.store, 3, NOW).await, AskedChange::Asked);
    assert_eq!(notices(&w).await, (0, None), "no mail to a suppressed address");
    assert_eq!(ask(&w.store, 2, NOW).await, AskedChange::Asked);
    assert_eq!(notices(&w).await, (1, to("already_subscribed", 2)), "its owner is told");
    assert_eq!(ask(&w.store, 2, NOW).await, AskedChange::Asked);
    assert_eq!(notices(&w).await.0, 1, "once a day");
    assert_eq!(ask(&w.store, 52, NOW).await, AskedChange::TooOften, "three a day");
    assert_eq!(ask(&w.store, 52, later(Duration::from_secs(86_401))).await, AskedChange::Asked);
    for change in 1..=3 {
        let Some(wanted) = w.store.address_change(change, NOW).await.unwrap() else { continue };
        let hash = if wanted.email == email(3) { hash(3) } else { hash(2) };
        assert_eq!(w.store.change_address(change, &wanted, &hash, NOW).await.unwrap(), Changed::Gone);
    }
    assert!(w.store.is_suppressed(&hash(3)).await.unwrap(), "no suppression is lifted");
    assert_eq!(w.store.subscriber_by_id(ANN).await.unwrap().unwrap().email, email(1));
}

async fn who_has_left_changes_nothing(w: World) {
    w.with_readers(1).await;
    assert_eq!(ask(&w.store, 51, NOW).await, AskedChange::Asked);
    let change = w.store.address_change(1, NOW).await.unwrap().unwrap();
    w.store.unsubscribe(ANN, &hash(1), NOW).await.unwrap();
    assert_eq!(w.store.change_address(1, &change, &hash(51), NOW).await.unwrap(), Changed::Gone);
    assert_eq!(ask(&w.store, 51, NOW).await, AskedChange::Gone);
    assert_eq!(
        w.store.ask_address_change(SubscriberId(99), &email(51), &hash(51), NOW).await.unwrap(),
        AskedChange::Gone
    );
    let person = w.store.subscriber_by_id(ANN).await.unwrap().unwrap();
    assert_eq!((person.email, person.status), (email(1), SubscriberStatus::Unsubscribed));
}

async fn a_dossier_has_everything_and_an_erasure_leaves_nothing(w: World) {
    let w = World::running(2, w).await;
    let topics = Topics::new(["Agents"]).unwrap();
    w.store.set_letter(ANN, Some("Ann"), Some("Asia/Tokyo"), Some(&topics), Some(7)).await.unwrap();
    ask(&w.store, 51, NOW).await;
    w.store.unsubscribe(ANN, &hash(1), NOW).await.unwrap();
    w.store.give_unsubscribe_reason(ANN, "other", Some("it is reader1@example.com")).await.unwrap();
    let all = w.store.personal_data(ANN, &hash(1)).await.unwrap().unwrap();
    assert_eq!(all["subscriber"][0]["name"], "Ann");
    assert_eq!(all["preferences"][0]["topics"][0], "Agents");
    assert_eq!(all["letters"][0]["note"], "the subscriber unsubscribed");
    assert_eq!(all["notices"][0]["kind"], "address_change");
    assert_eq!(all["changes_of_address"][0]["email"], email(51).expose());
    assert_eq!(all["leavings"][0]["words"], "it is reader1@example.com");
    assert_eq!(all["suppression"][0]["reason"], "unsubscribed");
    assert_eq!(w.store.personal_data(SubscriberId(99), "").await.unwrap(), None);

    assert!(w.store.erase(ANN, &hash(1), NOW).await.unwrap());
    assert_eq!(w.store.personal_data(ANN, &hash(1)).await.unwrap(), None);
    assert_eq!(w.store.address_change(1, NOW).await.unwrap(), None);
    assert_eq!(notices(&w).await, (0, None));
    assert!(w.store.unsubscribe_reasons(9).await.unwrap().words.is_empty());
    assert!(w.store.is_suppressed(&hash(1)).await.unwrap());
    let tally = w.store.tally(verdicts::domain::issue::IssueNumber(1)).await.unwrap();
    assert!(tally.balances() && tally.audience == 2);
}

contract! {
    a_change_is_confirmed_once_told_and_taken_back,
    what_is_somebodys_or_suppressed_is_refused_in_silence,
    who_has_left_changes_nothing,
    a_dossier_has_everything_and_an_erasure_leaves_nothing,
}
