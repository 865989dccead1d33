//! Changes of address, the dossier and erasure, as the store keeps them. On both engines.

use std::time::Duration;

use verdicts::domain::preferences::Topics;
use verdicts::domain::signup::{Confirmation, NewAddress, SignupLimits};
use verdicts::domain::subscriber::{LinkEpoch, SubscriberId, SubscriberStatus};
use verdicts::domain::token::{ConfirmLink, Keyring};
use verdicts::domain::{EmailAddress, UnixMillis};
use verdicts::store::{AskedChange, CHANGE_FOR, Changed, Store, TAKE_BACK_FOR};

use crate::support::world::*;

const ANN: SubscriberId = SubscriberId(1);

fn later(span: Duration) -> UnixMillis {
    NOW.plus(span)
}

fn keyring() -> Keyring {
    Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap()
}

/// What a reader wishes whom no limit of a network holds back.
fn wish(of: SubscriberId, to: &str) -> NewAddress {
    NewAddress::new(&keyring(), Vec::new(), of, &EmailAddress::parse(to).unwrap())
}

async fn ask(store: &Store, to: usize, now: UnixMillis) -> AskedChange {
    let wish = NewAddress { hash: hash(to), ..wish(ANN, email(to).expose()) };
    store.ask_address_change(&wish, now).await.unwrap()
}

/// How many notices there are to an address with `part` in it.
async fn count_to(w: &World, part: &str) -> i64 {
    use sqlx::{Connection as _, Row as _};
    let mut connection = sqlx::AnyConnection::connect(&w.url).await.unwrap();
    let row = sqlx::query("SELECT COUNT(*) AS n FROM notice WHERE email LIKE $1").bind(format!("%{part}%"));
    row.fetch_one(&mut connection).await.unwrap().get("n")
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

    assert_eq!(
        w.store.change_address(1, &change, &hash(51), NOW).await.unwrap(),
        Changed::Done { epoch: LinkEpoch(1) }
    );
    assert_eq!(w.store.change_address(1, &change, &hash(51), NOW).await.unwrap(), Changed::Gone);
    assert_eq!(w.store.subscriber_by_id(ANN).await.unwrap().unwrap().email, email(51));
    assert_eq!(notices(&w).await, (2, to("address_changed", 1)));
    let back =
        w.store.address_change(2, later(CHANGE_FOR)).await.unwrap().expect("longer than a confirmation");
    assert_eq!(back.email, email(1));
    assert_eq!(
        w.store.change_address(2, &back, &hash(1), NOW).await.unwrap(),
        Changed::Done { epoch: LinkEpoch(2) }
    );
    assert_eq!(w.store.subscriber_by_id(ANN).await.unwrap().unwrap().email, email(1));
    assert_eq!(w.store.forget_address_changes(NOW).await.unwrap(), 0);
    assert_eq!(w.store.forget_address_changes(later(TAKE_BACK_FOR)).await.unwrap(), 1);
}

async fn a_wish_of_the_address_before_goes_with_it(w: World) {
    w.with_readers(1).await;
    // Left and asked again, then took the leaving back: a reader with a wish that still waits.
    w.raw("INSERT INTO pending (subscriber, asked_at, expires_at, request) VALUES (1, 1, 9999999999999, 7)")
        .await
        .unwrap();
    assert_eq!(ask(&w.store, 51, NOW).await, AskedChange::Asked);
    let change = w.store.address_change(1, NOW).await.unwrap().unwrap();
    w.store.change_address(1, &change, &hash(51), NOW).await.unwrap();
    w.store.unsubscribe(ANN, &hash(51), NOW).await.unwrap();
    let link = ConfirmLink { subscriber: ANN, wish: Some((7, String::new())) };
    assert_eq!(w.store.confirm(&link, &hash(51), NOW).await.unwrap(), Confirmation::Gone);
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
    let nobodys = wish(SubscriberId(99), email(51).expose());
    assert_eq!(w.store.ask_address_change(&nobodys, NOW).await.unwrap(), AskedChange::Gone);
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
    assert_eq!(all["notices"], serde_json::json!([]), "what was written to another mailbox is not about her");
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

async fn no_stranger_is_flooded_by_changes_of_address(w: World) {
    w.with_readers(40).await;
    // One reader, asking on and on and changing between two mailboxes of their own meanwhile.
    for n in 0..30 {
        let now = later(Duration::from_secs(n));
        w.store.ask_address_change(&wish(ANN, &format!("victim+{n}@example.org")), now).await.unwrap();
        for own in [51, 1] {
            let asked = ask(&w.store, own, now).await;
            let newest = newest_change(&w).await;
            if let Some(change) = w.store.address_change(newest, now).await.unwrap()
                && asked == AskedChange::Asked
            {
                w.store.change_address(newest, &change, &hash(own), now).await.unwrap();
            }
        }
    }
    assert_eq!(count_to(&w, "victim").await, 1, "one in ten minutes");
    // Many readers, each from a network of their own, in every spelling.
    for n in 2..=40 {
        let now = later(Duration::from_secs(3600 + 660 * n));
        let at = if n % 2 == 0 { "gmail.com" } else { "googlemail.com" };
        let to = [&format!("v.ict.im+{n}"), at].join("@");
        let asked = w.store.ask_address_change(&wish(SubscriberId(n as i64), &to), now).await.unwrap();
        assert_eq!(asked, AskedChange::Asked, "nobody is told that others have asked for it");
    }
    assert_eq!(count_to(&w, "v.ict.im").await, 3, "three a day, of everybody together");
}

async fn newest_change(w: &World) -> i64 {
    use sqlx::{Connection as _, Row as _};
    let mut connection = sqlx::AnyConnection::connect(&w.url).await.unwrap();
    let row = sqlx::query("SELECT COALESCE(MAX(id), 0) AS n FROM address_change");
    row.fetch_one(&mut connection).await.unwrap().get("n")
}

async fn a_network_has_one_limit_for_both_forms(w: World) {
    w.with_readers(9).await;
    let limits = SignupLimits { per_network: "2/h".parse().unwrap(), total: "100/h".parse().unwrap() };
    let asker = || limits.of_asker(&keyring(), "192.0.2.1".parse().unwrap(), true);
    let wish =
        |n: i64| NewAddress { of_asker: asker(), ..wish(SubscriberId(n), &format!("new{n}@example.org")) };
    for n in [1, 2] {
        assert_eq!(w.store.ask_address_change(&wish(n), NOW).await.unwrap(), AskedChange::Asked);
    }
    let until = later(Duration::from_secs(3600));
    assert_eq!(w.store.ask_address_change(&wish(3), NOW).await.unwrap(), AskedChange::Limited { until });
    assert_eq!(w.store.used_up(&asker(), NOW).await.unwrap(), Some(until), "and signs nobody up either");
}

async fn a_data_export_tells_nothing_of_another_mailbox(w: World) {
    w.with_readers(5).await;
    w.store.erase(SubscriberId(5), &hash(5), NOW).await.unwrap();
    let mut told = Vec::new();
    // A stranger's, a reader's, a suppressed one.
    for (reader, to) in [(1, 51), (2, 4), (3, 5)] {
        let wish = NewAddress { hash: hash(to), ..wish(SubscriberId(reader), email(to).expose()) };
        assert_eq!(w.store.ask_address_change(&wish, NOW).await.unwrap(), AskedChange::Asked);
        let own = usize::try_from(reader).unwrap();
        let mut all = w.store.personal_data(SubscriberId(reader), &hash(own)).await.unwrap().unwrap();
        all["subscriber"] = serde_json::Value::Null;
        let said = all.to_string().replace(email(to).expose(), "ADDRESS");
        told.push(said);
    }
    assert!(told[0].contains("ADDRESS"), "what the reader typed is theirs: {}", told[0]);
    assert_eq!((&told[1], &told[2]), (&told[0], &told[0]));
}

async fn words_of_somebody_erased_are_not_kept(w: World) {
    w.with_readers(2).await;
    w.store.unsubscribe(ANN, &hash(1), NOW).await.unwrap();
    w.store.erase(ANN, &hash(1), NOW).await.unwrap();
    w.store.give_unsubscribe_reason(ANN, "other", Some("I am reader1")).await.unwrap();
    w.store.give_unsubscribe_reason(SubscriberId(2), "other", Some("I am here")).await.unwrap();
    let reasons = w.store.unsubscribe_reasons(9).await.unwrap();
    assert!(reasons.words.is_empty() && !reasons.counts.contains_key("other"), "{reasons:?}");
}

contract! {
    a_wish_of_the_address_before_goes_with_it,
    no_stranger_is_flooded_by_changes_of_address,
    a_network_has_one_limit_for_both_forms,
    a_data_export_tells_nothing_of_another_mailbox,
    words_of_somebody_erased_are_not_kept,
    a_change_is_confirmed_once_told_and_taken_back,
    what_is_somebodys_or_suppressed_is_refused_in_silence,
    who_has_left_changes_nothing,
    a_dossier_has_everything_and_an_erasure_leaves_nothing,
}
