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
        Purpose::Confirm => keyring.confirm_token(reader, 1, &email),
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

#[test]
fn a_token_in_another_spelling_opens_nothing() {
    let (house, served) = served();
    let before = dump(&house);
    for route in routes() {
        let Some(Authority::Token(own)) = route.authority else { continue };
        let token = token(own);
        for (from, to) in [("k1.", "k01."), ("k1.", "k+1."), ("k1.", "K1."), ("1", "01"), ("1", "%2B1")] {
            let at = token.find('.').unwrap() + 1;
            let spelling = match from {
                "1" => format!("{}{}", &token[..at], token[at..].replacen(from, to, 1)),
                _ => token.replacen(from, to, 1),
            };
            let path = route.path.replace("{token}", &spelling);
            for method in &route.methods {
                assert_eq!(status(&served, method, &path), 404, "{method} {path}");
            }
        }
    }
    for (table, rows) in dump(&house) {
        assert_eq!(before[&table], rows, "{table}");
    }
}

#[test]
fn no_form_takes_an_address_that_leads_elsewhere() {
    let (house, served) = served();
    let before = dump(&house);
    let own = token(Purpose::Preferences);
    for address in [
        "victim%example.com@localhost",
        "victim%example.com@example.org",
        "example.com!victim@example.org",
        "@example.org,@example.net:victim@example.com",
        "root@localhost",
        "root@localhost.localdomain",
        "root@mail",
        "root@db.internal",
        "root@[127.0.0.1]",
        "root@127.0.0.1",
    ] {
        let form = format!("email={}", address.replace('%', "%25").replace('@', "%40"));
        let json = serde_json::json!({ "email": address }).to_string();
        for (path, kind, body) in [
            ("/subscribe".to_owned(), "application/x-www-form-urlencoded", &form),
            ("/api/subscribe".to_owned(), "application/json", &json),
            (format!("/preferences/{own}/address"), "application/x-www-form-urlencoded", &form),
        ] {
            let request = format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let answer = String::from_utf8_lossy(&served.say(request.as_bytes())).into_owned();
            assert!(answer.starts_with("HTTP/1.1 422"), "{path} {address}: {answer}");
        }
    }
    for (table, rows) in dump(&house) {
        assert_eq!(before[&table], rows, "{table}");
    }
}
