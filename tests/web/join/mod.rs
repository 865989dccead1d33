//! Joining, over real HTTP against the real binary: form, notice, button, letter; and what nobody can do with the form.

mod form;
mod robots;
mod scripts;

use std::ops::Deref;
use std::time::{Duration, Instant};

use verdicts::domain::UnixMillis;
use verdicts::domain::token::Keyring;

use crate::support::house::{House, header, outbox};
use crate::support::site::{Answer, Site, free_address};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// A site with nobody on its list and no letter sent.
struct Joining {
    site: Site,
}

impl Deref for Joining {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Joining {
    /// `signup` goes into the section of that name.
    fn open(signup: &str) -> Self {
        Self::open_with(signup, |_| {})
    }

    fn open_with(signup: &str, before: impl FnOnce(&House)) -> Self {
        let address = free_address();
        let trusted = "trusted_proxies = [\"127.0.0.1\"]";
        let more = format!("[web]\nlisten = \"{address}\"\n{trusted}\n[signup]\n{signup}\n");
        let house = House::new("outbox:outbox", &more);
        before(&house);
        Self { site: Site::serve(house, address) }
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        self.ask(method, path, &headers, body.as_bytes())
    }

    /// A stamp of a form that has been open for a minute, made as the site makes it.
    fn stamp(&self) -> String {
        old_stamp(60)
    }

    /// Sends the form off as a person does, from an address of the test's own choosing.
    fn subscribe_from(&self, email: &str, ip: &str) -> Answer {
        let body = format!("email={}&website=&stamp={}", encoded(email), self.stamp());
        self.request("POST", "/subscribe", &[("Content-Type", FORM), ("X-Forwarded-For", ip)], &body)
    }

    fn subscribe(&self, email: &str) -> Answer {
        self.subscribe_from(email, "192.0.2.1")
    }

    /// The notices in the outbox to an address, the oldest first.
    fn notices_to(&self, email: &str) -> Vec<Vec<u8>> {
        let mut notices: Vec<_> = outbox(&self.house.path("outbox"))
            .into_iter()
            .filter(|letter| header(letter, "Auto-Submitted").is_some())
            .filter(|letter| header(letter, "To").is_some_and(|to| to.contains(email)))
            .collect();
        notices.sort_by_key(|letter| header(letter, "Message-ID"));
        notices
    }

    /// Waits for the newest of `count` notices to an address.
    fn wait_for_notices(&self, email: &str, count: usize) -> Vec<Vec<u8>> {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let notices = self.notices_to(email);
            if notices.len() >= count {
                assert_eq!(notices.len(), count, "to {email}");
                return notices;
            }
            assert!(
                Instant::now() < until,
                "{} of {count} notices to {email}: {}",
                notices.len(),
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The path of the confirm link in the only confirm notice to an address.
    fn confirm_path(&self, email: &str) -> String {
        let notices = self.wait_for_notices(email, 1);
        path_in(&notices[0], "/confirm/")
    }

    /// As JSON.
    fn shown(&self, email: &str) -> serde_json::Value {
        let ran = self.house.run(&["subscribers", "show", email, "--json"]);
        serde_json::from_str(&ran.out).unwrap_or(serde_json::Value::Null)
    }

    fn status_of(&self, email: &str) -> String {
        let shown = self.shown(email);
        shown["status"].as_str().unwrap_or("unknown").to_owned()
    }

    /// Every sign-up that the store has heard of.
    fn people(&self) -> String {
        self.house.must(&["subscribers", "stats", "--json"]).out
    }
}

/// As `Keyring::form_stamp` makes it with the key of every test's house.
fn old_stamp(seconds: u64) -> String {
    let keyring = Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap();
    keyring.form_stamp(UnixMillis::now().minus(Duration::from_secs(seconds)), 4711)
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn text_of(letter: &[u8]) -> String {
    mail_parser::MessageParser::default().parse(letter).unwrap().body_text(0).unwrap().into_owned()
}

fn path_in(letter: &[u8], starts: &str) -> String {
    let text = text_of(letter);
    let at = text.find(starts).unwrap_or_else(|| panic!("no {starts} in {text}"));
    text[at..].split_whitespace().next().unwrap().to_owned()
}

/// The answer without what changes from one form to the next.
fn comparable(answer: &Answer, email: &str) -> String {
    let body = answer.text().replace(email, "EMAIL");
    let mut out = String::new();
    let mut rest = body.as_str();
    while let Some((before, after)) = rest.split_once("name=\"stamp\" value=\"") {
        out.push_str(before);
        rest = after.split_once('"').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    format!("{} {out}", answer.status)
}
