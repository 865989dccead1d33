//! Joining, over real HTTP against the real binary: form, notice, button, letter; and what nobody can do with the form.

#![allow(dead_code, unused_imports)]

#[path = "support/house.rs"]
mod house;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use house::{House, Running, header, outbox};
use verdicts::domain::UnixMillis;
use verdicts::domain::signup::is_work;
use verdicts::domain::token::Keyring;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

struct Site {
    house: House,
    address: SocketAddr,
    _serving: Running,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Site {
    /// A site with nobody on its list and no letter sent; `signup` goes into the section of that name.
    fn open(signup: &str) -> Self {
        Self::open_with(signup, |_| {})
    }

    fn open_with(more: &str, before: impl FnOnce(&House)) -> Self {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let trusted = "trusted_proxies = [\"127.0.0.1\"]";
        let house = House::new(
            "outbox:outbox",
            &format!("[web]\nlisten = \"{address}\"\n{trusted}\n[signup]\n{more}\n"),
        );
        before(&house);
        let serving = house.start_logged(&["serve"], "serve.log");
        let site = Self { house, address, _serving: serving };
        site.wait_until_it_listens();
        site
    }

    fn wait_until_it_listens(&self) {
        let start = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "serve does not listen: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn restart(&mut self) {
        self._serving = self.house.start_logged(&["healthz"], "ignored.log");
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpListener::bind(self.address).is_err() {
            assert!(Instant::now() < deadline, "the old process keeps the port");
            std::thread::sleep(Duration::from_millis(20));
        }
        self._serving = self.house.start_logged(&["serve"], "serve.log");
        self.wait_until_it_listens();
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.house.path("serve.log")).unwrap_or_default()
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        let text = String::from_utf8_lossy(&text).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "")
    }

    /// A stamp of a form that has been open for a minute, made as the site makes it.
    fn stamp(&self) -> String {
        old_stamp(60)
    }

    /// Sends the form off as a person does, from an address of the test's own choosing.
    fn subscribe_from(&self, email: &str, ip: &str) -> Answer {
        let body = format!("email={}&website=&stamp={}", encoded(email), self.stamp());
        self.ask("POST", "/subscribe", &[("Content-Type", FORM), ("X-Forwarded-For", ip)], &body)
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
    let body = answer.body.replace(email, "EMAIL");
    let mut out = String::new();
    let mut rest = body.as_str();
    while let Some((before, after)) = rest.split_once("name=\"stamp\" value=\"") {
        out.push_str(before);
        rest = after.split_once('"').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    format!("{} {out}", answer.status)
}

#[test]
fn from_the_form_to_the_letter() {
    let site = Site::open_with("", |house| {
        house.furnish(1);
        house.must(&["send"]);
    });
    let home = site.get("/");
    assert_eq!(home.status, 200);
    assert!(home.body.contains("/issues/1"), "the latest issue is there to look at: {}", home.body);
    assert!(home.body.contains("name=\"email\"") && home.body.contains("<label for=\"email\""));
    assert!(home.head.contains("cache-control: no-store"), "a form's stamp is nobody else's");

    let answer = site.subscribe("Zoe+letters@example.org");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("Zoe+letters@example.org"), "a slip of the keys can be seen");
    assert_eq!(site.status_of("Zoe+letters@example.org"), "pending");
    let path = site.confirm_path("Zoe+letters@example.org");

    for method in ["GET", "HEAD", "GET"] {
        assert_eq!(site.ask(method, &path, &[], "").status, 200);
    }
    let page = site.get(&path);
    assert!(page.body.contains("<button") && !page.body.contains("Zoe+letters@"), "{}", page.body);
    assert_eq!(site.status_of("Zoe+letters@example.org"), "pending", "a look changes nothing");

    let done = site.ask("POST", &path, &[("Content-Type", FORM)], "");
    assert_eq!(done.status, 200);
    assert_eq!(site.status_of("Zoe+letters@example.org"), "active");
    assert_eq!(
        site.ask("POST", &path, &[("Content-Type", FORM)], "").status,
        200,
        "twice is as kind as once"
    );
    assert!(site.get(&path).body.contains("on the list"));

    let notices = site.wait_for_notices("Zoe+letters@example.org", 2);
    let welcome = notices.iter().find(|n| header(n, "Subject").unwrap().contains("Welcome")).unwrap();
    assert!(text_of(welcome).contains("/issues/1"), "with the latest issue");
    let preferences = path_in(welcome, "/preferences/");
    assert_eq!(site.get(&preferences).status, 200);
    let confirm = notices.iter().find(|n| header(n, "Subject").unwrap().contains("confirm")).unwrap();
    assert_eq!(header(confirm, "List-Unsubscribe"), None, "nobody leaves what they have not joined");

    let proof = &site.shown("Zoe+letters@example.org")["consents"][0];
    assert_eq!(proof["text_id"], "join.consent");
    assert_eq!(proof["form"], "http://127.0.0.1:8080/");
    assert_eq!(proof["ip"], "192.0.2.0/24");
    assert_eq!(proof["language"], "en");
    assert!(proof["text"].as_str().unwrap().contains("Weekly Verdicts"), "the words themselves: {proof}");
    assert!(proof["confirmed_at"].is_string() && proof["asked_at"].is_string());

    let next = house::comparison("second", chrono::Utc::now());
    let file = site.house.write("second.json", &next);
    site.house.must(&["comparisons", "import", file.to_str().unwrap()]);
    drop(site._serving);
    site.house.must(&["send"]);
    let letters = outbox(&site.house.path("outbox"));
    let letter = letters.iter().find(|l| {
        header(l, "To").unwrap().contains("Zoe+letters@example.org") && header(l, "List-Id").is_some()
    });
    assert!(letter.is_some(), "the next letter reaches them");
}
