//! What holds for every route there is, walked from the table that the router is built of.

use verdicts::domain::subscriber::SubscriberId;
use verdicts::domain::token::{Keyring, Purpose};
use verdicts::domain::{EmailAddress, UnixMillis};
use verdicts::web::{Authority, routes};

use crate::support::house::House;
use crate::support::served::{Served, dump};
use crate::support::site;

/// A house with readers, and its pages.
fn served() -> (House, Served) {
    let house = House::new("outbox:outbox", "");
    house.furnish(3);
    house.must(&["send"]);
    let served = Served::start(&house, site::free_address());
    (house, served)
}

fn status(served: &Served, method: &str, path: &str) -> u16 {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\r\n"
    );
    let answer = served.say(request.as_bytes());
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// The first reader's token for a purpose; right in every respect but the one under test.
fn token(purpose: Purpose) -> String {
    let keyring = Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap();
    let (reader, email) = (SubscriberId(1), EmailAddress::parse("reader1@example.org").unwrap());
    match purpose {
        Purpose::Undo => keyring.undo_token(reader, UnixMillis::now()),
        Purpose::AddressChange => keyring.change_token(1, reader, &email),
        purpose => keyring.link_token(purpose, reader),
    }
}

#[test]
fn a_route_answers_to_its_methods_and_to_no_other() {
    let (_house, served) = served();
    for route in routes() {
        let path = route.path.replace("{token}", "x").replace("{number}", "1");
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let takes = route.methods.contains(&if method == "HEAD" { "GET" } else { method });
            let status = status(&served, method, &path);
            assert_eq!(status != 405, takes, "{method} {path}: {status}");
        }
        assert_eq!(route.methods.contains(&"POST"), route.authority.is_some(), "{path}");
    }
}

#[test]
fn only_a_sign_up_goes_without_a_token() {
    for route in routes() {
        match route.authority {
            Some(Authority::Anybody) => {
                assert!(["/subscribe", "/api/subscribe"].contains(&route.path), "{}", route.path);
            }
            Some(Authority::Token(_)) => assert!(route.path.contains("/{token}"), "{}", route.path),
            None => {}
        }
    }
}

#[test]
fn a_token_for_another_purpose_changes_nothing() {
    let (house, served) = served();
    let before = dump(&house);
    let purposes = [
        Purpose::Unsubscribe,
        Purpose::Preferences,
        Purpose::Confirm,
        Purpose::Vote,
        Purpose::Undo,
        Purpose::AddressChange,
    ];
    let mut tried = 0;
    for route in routes() {
        let Some(Authority::Token(own)) = route.authority else { continue };
        for other in purposes.into_iter().filter(|other| *other != own) {
            let path = route.path.replace("{token}", &token(other));
            assert_eq!(status(&served, "POST", &path), 404, "{} with {other:?}", route.path);
            tried += 1;
        }
    }
    assert!(tried >= 50, "{tried}");
    for (table, rows) in dump(&house) {
        assert_eq!(before[&table], rows, "{table}");
    }
}
