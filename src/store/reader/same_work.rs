//! Whatever the address is that somebody types, the same statements are run in the same order: the
//! time of an answer tells no more than its words. Statements are counted, since milliseconds
//! depend on the machine.

use std::path::Path;
use std::time::Duration;

use crate::domain::signup::{Evidence, NewAddress, SignUp, of_already, of_mailbox};
use crate::domain::subscriber::{NewSubscriber, SubscriberId, SubscriberStatus};
use crate::domain::token::Keyring;
use crate::domain::{EmailAddress, UnixMillis};
use crate::store::Store;
use crate::store::db::statement::ASKED;

const NOW: UnixMillis = UnixMillis(1_794_924_000_000);

fn keyring() -> Keyring {
    Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap()
}

fn sign_up(email: &EmailAddress) -> SignUp {
    let ring = keyring();
    SignUp {
        hash: ring.suppression_hash(email),
        evidence: Evidence {
            form: "https://verdicts.example/".to_owned(),
            text_id: "join.consent".to_owned(),
            language: "en".to_owned(),
            text: "One letter a week.".to_owned(),
            ip: None,
        },
        of_asker: Vec::new(),
        of_mailbox: of_mailbox(&ring, email),
        of_already: of_already(&ring, email),
        email: email.clone(),
    }
}

/// A store with somebody of every status, `STATUS@example.com`, one who was erased, and forty
/// readers who ask.
async fn peopled(folder: &Path) -> Store {
    let store = Store::open(&format!("sqlite:{}", folder.join("verdicts.db").display())).await.unwrap();
    let ring = keyring();
    let asking = (0..40).map(|n| (format!("asker{n}"), SubscriberStatus::Active));
    let all = asking.chain(SubscriberStatus::ALL.map(|status| (status.to_string(), status)));
    let rows: Vec<_> = all
        .chain([("erased".to_owned(), SubscriberStatus::Active)])
        .map(|(name, status)| NewSubscriber {
            email: EmailAddress::parse(&format!("{name}@example.com")).unwrap(),
            name: None,
            status,
            timezone: None,
            created_at: NOW,
            source: "operator".to_owned(),
        })
        .collect();
    let hashes: Vec<_> = rows.iter().map(|row| ring.suppression_hash(&row.email)).collect();
    store.add_subscribers(&rows, &hashes).await.unwrap();
    let erased = rows.last().unwrap();
    let id = store.subscriber(&erased.email).await.unwrap().unwrap().id;
    store.erase(id, hashes.last().unwrap(), NOW).await.unwrap();
    store
}

/// New, of every status, erased, in other letters; and each once more, when its mailbox has had
/// enough.
fn addresses() -> Vec<EmailAddress> {
    let names = ["new", "erased", "ACTIVE", "Complained"].into_iter().map(str::to_owned);
    let names: Vec<_> = names.chain(SubscriberStatus::ALL.map(|status| status.to_string())).collect();
    let all = names.iter().map(|name| EmailAddress::parse(&format!("{name}@example.com")).unwrap());
    let all: Vec<_> = all.collect();
    [all.clone(), all].concat()
}

fn asked() -> Vec<&'static str> {
    ASKED.with_borrow_mut(std::mem::take)
}

#[tokio::test]
async fn every_sign_up_is_the_same_work() {
    let folder = tempfile::tempdir().unwrap();
    let store = peopled(folder.path()).await;
    let mut works = Vec::new();
    for email in addresses() {
        asked();
        store.sign_up(&sign_up(&email), NOW).await.unwrap();
        works.push((email, asked()));
    }
    let (_, first) = &works[0];
    assert!(first.len() > 8, "{first:?}");
    for (email, work) in &works {
        assert_eq!(work, first, "{}", email.expose());
    }
    store.close().await;
}

#[tokio::test]
async fn every_change_of_address_is_the_same_work() {
    let folder = tempfile::tempdir().unwrap();
    let store = peopled(folder.path()).await;
    let mut works = Vec::new();
    for (asker, email) in (1..).map(SubscriberId).zip(addresses()) {
        let wish = NewAddress::new(&keyring(), Vec::new(), asker, &email);
        asked();
        store.ask_address_change(&wish, NOW.plus(Duration::from_secs(1))).await.unwrap();
        works.push((email, asked()));
    }
    let (_, first) = &works[0];
    assert!(first.len() > 8, "{first:?}");
    for (email, work) in &works {
        assert_eq!(work, first, "{}", email.expose());
    }
    store.close().await;
}
