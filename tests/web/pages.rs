//! The links of a letter, followed over HTTP: a GET shows, a POST acts, once and for good.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::support::house::{House, Running, header, outbox};

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
    /// A house whose letters are out, with its pages served.
    fn open(readers: usize) -> Self {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let house = House::new("outbox:outbox", &format!("[web]\nlisten = \"{address}\"\n"));
        house.furnish(readers);
        house.must(&["send"]);
        let serving = house.start(&["serve"]);
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "serve does not listen on {address}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { house, address, _serving: serving }
    }

    fn ask(&self, method: &str, path: &str, kind: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut text = Vec::new();
        // A body over the limit may be answered, and the line cut, before all of it is read.
        let _ = stream.read_to_end(&mut text);
        let text = String::from_utf8_lossy(&text).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "text/plain", "")
    }

    /// The path of the unsubscribe link in the header of the letter to `reader`.
    fn unsubscribe_path(&self, reader: &str) -> String {
        let letters = outbox(&self.house.path("outbox"));
        let letter = letters
            .iter()
            .find(|l| header(l, "To").unwrap().contains(reader))
            .expect("a letter to the reader");
        let links = header(letter, "List-Unsubscribe").unwrap();
        let url = links.split(['<', '>']).find(|part| part.starts_with("http")).unwrap().to_owned();
        url.strip_prefix("http://127.0.0.1:8080").expect("base_url").to_owned()
    }

    fn status_of(&self, reader: &str) -> String {
        let shown = self.house.must(&["subscribers", "show", reader]);
        shown.out.to_lowercase()
    }
}

/// P5: with the answer of the page the reader has left.
#[test]
fn one_click_leaves_and_a_look_does_not() {
    let site = Site::open(3);
    let (ann, bob) = ("reader0@example.com", "reader1@example.org");
    let path = site.unsubscribe_path(ann);

    let page = site.get(&path);
    assert_eq!(page.status, 200);
    assert!(page.body.contains("<button"), "a GET shows a button: {}", page.body);
    assert!(!page.body.contains(ann), "the page masks the address");
    assert!(page.head.contains("content-security-policy: default-src 'none'"), "{}", page.head);
    assert!(site.status_of(ann).contains("active"), "a GET changes nothing");
    assert_eq!(site.ask("HEAD", &path, "text/plain", "").status, 200);
    assert!(site.status_of(ann).contains("active"), "nor does a HEAD");

    let one_click = "List-Unsubscribe=One-Click";
    let urlencoded = site.ask("POST", &path, "application/x-www-form-urlencoded", one_click);
    assert_eq!(urlencoded.status, 200, "no redirect, no login: {}", urlencoded.head);
    assert!(!urlencoded.head.contains("set-cookie"));
    assert!(site.status_of(ann).contains("unsubscribed"));
    assert_eq!(
        site.ask("POST", &path, "application/x-www-form-urlencoded", one_click).status,
        200,
        "repeats succeed"
    );
    assert!(site.get(&path).body.contains("off the list"));

    let path = site.unsubscribe_path(bob);
    let multipart =
        "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    assert_eq!(site.ask("POST", &path, "multipart/form-data; boundary=b", multipart).status, 200);
    assert!(site.status_of(bob).contains("unsubscribed"));
    assert!(site.status_of("reader2@example.com").contains("active"), "nobody else left");

    // An import of the old list does not bring them back, and the next letter does not reach them.
    let again = site.house.must(&["subscribers", "import", "readers.csv"]);
    assert!(again.out.contains('3'), "{}", again.out);
    assert!(site.status_of(ann).contains("unsubscribed"));
}

#[test]
fn links_that_are_not_ours_tell_nothing() {
    let site = Site::open(2);
    let path = site.unsubscribe_path("reader0@example.com");
    for forged in [
        path.replace(".u1.", ".u2."),
        format!("{path}x"),
        "/unsubscribe/".to_owned(),
        "/unsubscribe/junk".to_owned(),
        path.replace("/unsubscribe/", "/preferences/"),
        "/issues/999".to_owned(),
        "/issues/one".to_owned(),
        "/nowhere".to_owned(),
    ] {
        for method in ["GET", "POST"] {
            let answer = site.ask(method, &forged, "application/x-www-form-urlencoded", "");
            assert!((400..500).contains(&answer.status), "{method} {forged} was answered {}", answer.status);
        }
    }
    let huge = "x".repeat(200_000);
    assert_eq!(site.ask("POST", &path, "application/x-www-form-urlencoded", &huge).status, 413);
    assert!(site.status_of("reader0@example.com").contains("active"));
    assert!(site.status_of("reader1@example.org").contains("active"));
}

#[test]
fn the_archive_shows_the_letter_without_anybodys_token() {
    let site = Site::open(1);
    assert_eq!(site.get("/healthz").status, 200);
    assert_eq!(site.get("/readyz").status, 200);
    assert!(site.get("/issues").body.contains("/issues/1"));
    let letter = site.get("/issues/1");
    assert_eq!(letter.status, 200);
    assert!(letter.body.contains("Stackforge"));
    assert!(!letter.body.contains("/unsubscribe/k1."), "no token of a reader");
    assert!(!letter.body.contains("reader0"));
}

#[test]
fn a_reader_says_how_to_be_greeted() {
    let site = Site::open(1);
    let letter = &outbox(&site.house.path("outbox"))[0];
    let parsed = mail_parser::MessageParser::default().parse(letter).unwrap();
    let text = parsed.body_text(0).unwrap();
    let at = text.find("/preferences/").expect("a preferences link in the text");
    let path = text[at..].split_whitespace().next().unwrap().trim_end_matches(['>', ')', '.']).to_owned();
    assert_eq!(site.get(&path).status, 200);
    let saved = site.ask("POST", &path, "application/x-www-form-urlencoded", "name=%3Cb%3EAnn%0D%0ABcc%3A+x");
    assert_eq!(saved.status, 200);
    assert!(saved.body.contains("&lt;b&gt;Ann"), "what a person typed is escaped: {}", saved.body);
    let shown = site.house.must(&["subscribers", "show", "reader0@example.com"]).out;
    assert!(shown.contains("<b>Ann  Bcc: x"), "one line, as typed: {shown}");
}
