//! Joining, over real HTTP against the real binary: form, notice, button, letter; and what nobody can do with the form.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use verdicts::domain::UnixMillis;
use verdicts::domain::signup::is_work;
use verdicts::domain::token::Keyring;

use crate::support::house::{self, House, Running, header, outbox};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

struct Site {
    house: House,
    address: SocketAddr,
    serving: Running,
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
        let site = Self { house, address, serving };
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
        self.serving.0.kill().unwrap();
        self.serving.0.wait().unwrap();
        self.serving = self.house.start_logged(&["serve"], "serve.log");
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
    drop(site.serving);
    site.house.must(&["send"]);
    let letters = outbox(&site.house.path("outbox"));
    let letter = letters.iter().find(|l| {
        header(l, "To").unwrap().contains("Zoe+letters@example.org") && header(l, "List-Id").is_some()
    });
    assert!(letter.is_some(), "the next letter reaches them");
}

#[test]
fn the_answer_is_the_same_whoever_it_is() {
    let site = Site::open_with("per_network = \"1000/h\"", |house| {
        for (n, status) in ["active", "pending", "unsubscribed", "bounced", "complained"].iter().enumerate() {
            house.must(&["subscribers", "add", &format!("reader{n}@example.com"), "--status", status]);
        }
        house.must(&["subscribers", "add", "reader5@example.com"]);
        house.must(&["subscribers", "unsubscribe", "reader5@example.com"]);
        house.must(&["subscribers", "add", "reader6@example.com"]);
        house.must(&["subscribers", "erase", "reader6@example.com", "--yes"]);
    });
    let answers = |round: usize| -> Vec<String> {
        (0..=7)
            .map(|n| {
                let email = format!("reader{n}@example.com");
                let answer = site.subscribe_from(&email, &format!("192.0.{round}.{n}"));
                assert!(!answer.head.contains("set-cookie"));
                comparable(&answer, &email)
            })
            .collect()
    };
    let (first, second) = (answers(1), answers(2));
    assert!(first[0].starts_with("200 "), "{}", first[0]);
    for (n, answer) in first.iter().chain(&second).enumerate() {
        assert_eq!(answer, &first[0], "the answer number {n} differs");
    }
    let api = |n: usize| {
        let body = format!("{{\"email\": \"reader{n}@example.com\"}}");
        let answer = site.ask(
            "POST",
            "/api/subscribe",
            &[("Content-Type", JSON), ("X-Forwarded-For", &format!("198.51.100.{n}"))],
            &body,
        );
        format!("{} {}", answer.status, answer.body)
    };
    let first = api(0);
    assert!(first.starts_with("202 "), "{first}");
    assert!((1..=7).all(|n| api(n) == first));
    // New, waiting, left and erased are asked; a reader is told; who complained or bounced hears nothing.
    for (n, notices) in [(0, 1), (1, 1), (2, 1), (5, 1), (6, 1), (7, 1)] {
        site.wait_for_notices(&format!("reader{n}@example.com"), notices);
    }
    assert!(site.notices_to("reader3@").is_empty() && site.notices_to("reader4@").is_empty());
}

#[test]
fn what_is_no_address_is_said_at_the_field_and_kept() {
    let site = Site::open("");
    for (typed, says) in [
        ("", "type your email"),
        ("zoe at example.com", "missing"),
        ("zoe..x@example.com", "before the @"),
        ("zoe@exa mple", "behind the @"),
        ("zoe@example.com\r\nBcc: all@example.com", "before the @"),
        ("<script>@example.com", "before the @"),
        (&format!("zoe@{}.example.com", "x".repeat(300)), "behind the @"),
    ] {
        let answer = site.subscribe(typed);
        assert_eq!(answer.status, 422, "{typed}");
        assert!(answer.body.contains(says), "{typed}: {}", answer.body);
        assert!(
            answer.body.contains("aria-describedby=\"email-error") && answer.body.contains("aria-invalid")
        );
        assert!(!answer.body.contains("<script>"), "what was typed is escaped");
        if typed.starts_with("zoe at") {
            assert!(answer.body.contains("value=\"zoe at example.com\""), "and kept: {}", answer.body);
        }
    }
    assert!(site.people().contains("\"pending\":0"), "{}", site.people());
    assert_eq!(site.ask("POST", "/subscribe", &[("Content-Type", FORM)], "email=%FF%FE").status / 100, 4);
    assert_eq!(site.ask("POST", "/subscribe", &[("Content-Type", "text/plain")], "x").status, 415);
}

#[test]
fn addresses_of_the_whole_world_are_taken() {
    let site = Site::open("");
    assert_eq!(site.subscribe("jürgen@bücher.example").status, 200);
    let notices = site.wait_for_notices("xn--bcher-kva.example", 1);
    assert!(header(&notices[0], "To").unwrap().contains("jürgen@"));
    assert_eq!(site.status_of("jürgen@bücher.example"), "pending");
}

#[test]
fn a_slip_in_the_domain_gets_a_hint_and_is_put_right_with_one_press() {
    let site = Site::open("");
    let slip = ["zoe", "gmial.com"].join("@");
    let meant = ["zoe", "gmail.com"].join("@");
    let answer = site.subscribe(&slip);
    assert_eq!(answer.status, 200, "a hint does not block");
    assert_eq!(site.status_of(&slip), "pending");
    assert!(answer.body.contains(&format!("value=\"{meant}\"")), "{}", answer.body);
    let stamp = answer.body.split("name=\"stamp\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let body = format!("email={}&stamp={stamp}", encoded(&meant));
    let right = site.ask("POST", "/subscribe", &[("Content-Type", FORM)], &body);
    assert!(right.status == 200 && !right.body.contains("Did you mean"), "{}", right.body);
    assert_eq!(site.status_of(&meant), "pending");
    let body = format!("{{\"email\": \"{slip}\"}}");
    let api = site.ask("POST", "/api/subscribe", &[("Content-Type", JSON)], &body);
    assert!(api.body.contains(&format!("\"did_you_mean\":\"{meant}\"")), "{}", api.body);
}

#[test]
fn robots_get_nowhere() {
    let site = Site::open("");
    let send = |body: &str| site.ask("POST", "/subscribe", &[("Content-Type", FORM)], body);
    // The field that nobody sees: the answer is as to a person.
    let trapped = send(&format!("email=robot%40example.com&website=spam&stamp={}", site.stamp()));
    let person = site.subscribe("person@example.com");
    assert_eq!(comparable(&trapped, "robot@example.com"), comparable(&person, "person@example.com"));
    assert_eq!(site.status_of("robot@example.com"), "unknown", "and nothing is stored");
    // Too fast, too old, or not ours: the button has to be pressed once more.
    let fresh = site.get("/").body;
    let fresh = fresh.split("name=\"stamp\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let forged = site.stamp().replace("k1.", "k2.");
    for (stamp, says) in [
        (fresh.as_str(), "faster"),
        (&old_stamp(90_000), "open for a long"),
        (&forged, "open for a long"),
        ("", "open for a long"),
    ] {
        let answer = send(&format!("email=hasty%40example.com&stamp={stamp}"));
        assert_eq!(answer.status, 200);
        assert!(
            answer.body.contains(says) && answer.body.contains("value=\"hasty@example.com\""),
            "{}",
            answer.body
        );
    }
    assert_eq!(site.status_of("hasty@example.com"), "unknown");
}

#[test]
fn limits_of_network_and_total_are_said_and_hold_over_a_restart() {
    let mut site = Site::open("per_network = \"2/h\"\ntotal = \"5/h\"");
    for n in 0..2 {
        assert_eq!(site.subscribe_from(&format!("a{n}@example.com"), "192.0.2.1").status, 200);
    }
    let limited = site.subscribe_from("a2@example.com", "192.0.2.1");
    assert_eq!(limited.status, 429);
    let wait =
        limited.head.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap().trim().to_owned();
    assert!((3000..=3600).contains(&wait.parse::<u32>().unwrap()), "{wait}");
    site.restart();
    assert_eq!(site.subscribe_from("a2@example.com", "192.0.2.1").status, 429, "nothing is forgiven");
    assert_eq!(site.status_of("a2@example.com"), "unknown");
    for (n, ip) in ["2001:db8::1", "2001:db8::2"].iter().enumerate() {
        assert_eq!(site.subscribe_from(&format!("b{n}@example.com"), ip).status, 200);
    }
    assert_eq!(site.subscribe_from("b2@example.com", "2001:db8::3").status, 429, "one /64 is one asker");
    // A form elsewhere: a quarter, but one at least.
    let elsewhere = |ip: &str| {
        site.ask(
            "POST",
            "/subscribe",
            &[("Content-Type", FORM), ("X-Forwarded-For", ip), ("Origin", "https://blog.example")],
            "email=c%40example.com",
        )
        .status
    };
    assert_eq!([elsewhere("192.0.2.7"), elsewhere("192.0.2.7")], [200, 429]);
    assert_eq!(site.shown("c@example.com")["consents"][0]["form"], "https://blog.example/");
    assert_eq!(site.subscribe_from("d@example.com", "192.0.2.9").status, 429, "everybody together");
}

#[test]
fn a_proof_of_work_is_asked_for_when_it_is_switched_on() {
    let site = Site::open("proof_of_work = true");
    let home = site.get("/");
    assert!(home.head.contains("script-src 'self'") && home.body.contains("<noscript>"), "{}", home.head);
    let script = home.body.split("<script src=\"").nth(1).unwrap().split('"').next().unwrap();
    let asset = site.get(script);
    assert!(
        asset.status == 200 && asset.head.contains("text/javascript") && asset.head.contains("immutable")
    );
    assert!(!site.get("/embed").head.contains("script-src"), "only where the form is");
    let stamp = site.stamp();
    let send = |email: &str, stamp: &str, work: &str| {
        let body = format!("email={}&stamp={stamp}&work={work}", encoded(email));
        site.ask("POST", "/subscribe", &[("Content-Type", FORM)], &body)
    };
    assert!(send("zoe@example.org", &stamp, "").body.contains("no robot"));
    assert!(send("zoe@example.org", &stamp, "12").body.contains("press the button again"));
    assert_eq!(site.status_of("zoe@example.org"), "unknown");
    let work = (0_u64..).map(|n| n.to_string()).find(|n| is_work(&stamp, n)).unwrap();
    assert!(send("zoe@example.org", &stamp, &work).body.contains("mailbox"));
    assert_eq!(site.status_of("zoe@example.org"), "pending");
    assert!(send("bob@example.org", &stamp, &work).body.contains("press the button again"), "good for once");
    assert_eq!(site.status_of("bob@example.org"), "unknown");
    let api =
        site.ask("POST", "/api/subscribe", &[("Content-Type", JSON)], "{\"email\": \"bob@example.org\"}");
    assert_eq!(api.status, 409);
    assert!(site.get("/api/subscribe").body.contains("\"work_bits\":14"));
}

#[test]
fn scripts_of_any_site_may_ask() {
    let site = Site::open("");
    let preflight = site.ask(
        "OPTIONS",
        "/api/subscribe",
        &[
            ("Origin", "https://blog.example"),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "content-type"),
        ],
        "",
    );
    assert_eq!(preflight.status, 204);
    for line in [
        "access-control-allow-origin: *",
        "access-control-allow-methods: get, post, options",
        "access-control-allow-headers: content-type",
    ] {
        assert!(preflight.head.contains(line), "{}", preflight.head);
    }
    let ask = |body: &str| {
        site.ask(
            "POST",
            "/api/subscribe",
            &[
                ("Content-Type", JSON),
                ("Origin", "https://blog.example"),
                ("Referer", "https://blog.example/a?email=zoe"),
            ],
            body,
        )
    };
    for (body, status, says) in [
        ("{\"email\": \"zoe@example.org\"}", 202, "heard"),
        ("{\"email\": \"zoe\"}", 422, "invalid"),
        ("{\"email\": \"zoe@example.org\", \"stamp\": \"junk\"}", 409, "again"),
        ("{\"mail\": 1}", 400, "malformed"),
        ("[[[[", 400, "malformed"),
    ] {
        let answer = ask(body);
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(json["status"], says);
        assert!(json["message"].as_str().is_some_and(|m| !m.is_empty()));
        assert!(answer.head.contains("access-control-allow-origin: *"), "errors can be read, too");
        assert!(
            !answer.head.contains("access-control-allow-credentials")
                && answer.head.contains("application/json")
        );
    }
    site.wait_for_notices("zoe@example.org", 1);
    let proof = &site.shown("zoe@example.org")["consents"][0];
    assert_eq!(proof["form"], "https://blog.example/a", "without the query");
    assert_eq!(proof["text_id"], "join.notice.confirm.lead", "what stood elsewhere is not known");
    let german =
        site.ask("POST", "/api/subscribe", &[("Content-Type", JSON), ("Accept-Language", "de")], "{}");
    assert!(german.body.contains("Schicken Sie"), "{}", german.body);
    let page = site.get("/embed");
    assert!(page.status == 200 && page.body.contains("http://127.0.0.1:8080/subscribe"), "{}", page.body);
    let answers: Vec<_> = (0..9).map(|n| ask(&format!("{{\"email\": \"r{n}@example.org\"}}"))).collect();
    let limited = answers.last().expect("nine");
    assert_eq!(limited.status, 429);
    assert!(limited.body.contains("retry_after") && limited.head.contains("retry-after: "));
}

#[test]
fn links_that_are_not_ours_confirm_nothing() {
    let site = Site::open("");
    site.subscribe("zoe@example.org");
    let path = site.confirm_path("zoe@example.org");
    let forged = [
        path.replace(".c1.", ".c2."),
        format!("{path}x"),
        path.replace(".c1.", ".u1."),
        "/confirm/junk".to_owned(),
    ];
    for forged in forged {
        for (method, path) in
            [("GET", forged.clone()), ("POST", forged.clone()), ("POST", format!("{forged}/again"))]
        {
            assert_eq!(site.ask(method, &path, &[], "").status, 404, "{method} {path}");
        }
    }
    let preferences = path.replace("/confirm/", "/preferences/");
    assert_eq!(site.get(&preferences).status, 404, "a link to confirm opens nothing else");
    assert_eq!(site.get(&format!("{path}/again")).status, 405, "a GET sends no mail");
    assert_eq!(site.status_of("zoe@example.org"), "pending");
    assert_eq!(site.notices_to("zoe@example.org").len(), 1);
    site.house.must(&["subscribers", "erase", "zoe@example.org", "--yes"]);
    assert_eq!(site.get(&path).status, 410);
    assert_eq!(site.ask("POST", &path, &[], "").status, 410);
    let log = site.log();
    let token = path.rsplit('.').next().unwrap();
    assert!(!log.contains(token) && !log.contains("zoe@"), "the log has neither token nor address");
}

#[test]
fn a_page_in_german_for_who_asks_for_it() {
    let site = Site::open("");
    let home = site.ask("GET", "/", &[("Accept-Language", "de-AT,de;q=0.9")], "");
    assert!(home.body.contains("<html lang=\"de\"") && home.body.contains("Abonnieren"), "{}", home.body);
    let body = format!("email=zoe%40example.org&website=&stamp={}", site.stamp());
    site.ask("POST", "/subscribe", &[("Content-Type", FORM), ("Accept-Language", "de")], &body);
    let proof = &site.shown("zoe@example.org")["consents"][0];
    assert_eq!(proof["language"], "de");
    assert!(proof["text"].as_str().unwrap().contains("Mit dem Knopf"), "the words that they read: {proof}");
}
