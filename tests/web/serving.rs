//! What holds for every answer of the real binary: headers, languages, sizes, limits, and an end to every wait.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use crate::support::house::{header, outbox};
use crate::support::site::Site;

/// The path of an unsubscribe link in a letter.
fn token_path(site: &Site) -> String {
    let letter = &outbox(&site.house.path("outbox"))[0];
    let links = header(letter, "List-Unsubscribe").unwrap();
    let url = links.split(['<', '>']).find(|part| part.starts_with("http")).unwrap().to_owned();
    url.split_once("/unsubscribe/").map(|(_, token)| format!("/unsubscribe/{token}")).unwrap()
}

#[test]
fn every_answer_is_guarded_and_has_a_name() {
    let site = Site::open(1, "");
    let token = token_path(&site);
    let mut ids = std::collections::BTreeSet::new();
    for path in ["/", "/issues", "/issues/1", token.as_str(), "/nowhere", "/healthz", "/readyz", "/assets/x"]
    {
        let answer = site.get(path);
        let policy = answer.must("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe-inline") || path == "/issues/1", "{path}: {policy}");
        assert!(!policy.contains("unsafe-eval") && !policy.contains('*'), "{path}: {policy}");
        assert_eq!(answer.must("x-content-type-options"), "nosniff");
        assert_eq!(answer.must("referrer-policy"), "no-referrer");
        assert_eq!(answer.must("cross-origin-opener-policy"), "same-origin");
        assert!(answer.must("permissions-policy").contains("camera=()"));
        assert!(answer.header("strict-transport-security").is_none(), "base_url is http");
        assert!(answer.header("set-cookie").is_none());
        assert!(ids.insert(answer.must("x-request-id").to_owned()), "an id is used once");
    }
    // Nobody may keep what is one person's.
    assert_eq!(site.get(&token).must("cache-control"), "no-store");

    let log = site.log();
    let line =
        log.lines().find(|line| line.contains("/unsubscribe/{token}")).expect("a line for the request");
    assert!(line.contains("GET") && line.contains("200") && line.contains("ms="), "{line}");
    assert!(
        ids.iter().any(|id| line.contains(id.as_str())),
        "the id of the answer stands in the line: {line}"
    );
    let secret = token.rsplit('.').next().unwrap();
    assert!(!log.contains(secret), "a token stands in the log");
    assert!(!log.contains("127.0.0.1:1"), "nor does who asked");
    assert!(!log.contains("/nowhere"), "nor a path");
}

#[test]
fn a_proxy_names_requests_and_nobody_else_does() {
    let trusting = Site::open(1, "trusted_proxies = [\"127.0.0.0/8\"]");
    let named = |site: &Site, id: &str| {
        site.ask("GET", "/healthz", &format!("X-Request-Id: {id}\r\n"), b"").must("x-request-id").to_owned()
    };
    assert_eq!(named(&trusting, "Ab-9_x"), "Ab-9_x");
    assert_ne!(named(&trusting, "a b"), "a b");
    assert_ne!(named(&trusting, &"x".repeat(65)), "x".repeat(65));
    assert_ne!(named(&Site::open(1, ""), "Ab-9_x"), "Ab-9_x");
}

#[test]
fn a_site_with_tls_says_so_for_two_years() {
    let site = Site::with(1, "", |house| house.set("VERDICTS__SITE__BASE_URL", "https://verdicts.example"));
    assert_eq!(site.get("/issues").must("strict-transport-security"), "max-age=63072000");
}

#[test]
fn refusals_are_pages_in_the_readers_language() {
    let site = Site::open(1, "");
    let token = token_path(&site);
    let german = |method: &str, path: &str, body: &[u8]| {
        site.ask(method, path, "Accept-Language: de-CH, fr;q=0.9\r\n", body)
    };
    let missing = german("GET", "/nowhere", b"");
    assert_eq!(missing.status, 404);
    assert_eq!(missing.must("content-language"), "de");
    assert!(missing.must("vary").contains("accept-language"));
    assert!(missing.text().contains("<html lang=\"de\">") && missing.text().contains("Unter dieser Adresse"));
    assert!(site.get("/nowhere").text().contains("<html lang=\"en\">"));

    let refused = german("DELETE", "/issues", b"");
    assert_eq!((refused.status, refused.must("allow")), (405, "GET,HEAD"));
    assert!(refused.text().contains("Das kann diese Seite nicht"), "{}", refused.text());

    let large = german("POST", &token, &vec![b'x'; 70_000]);
    assert_eq!(large.status, 413, "{}", large.head);
    assert!(large.text().contains("Das ist zu viel auf einmal"));
}

#[test]
fn a_head_has_the_headers_of_its_get_and_no_body() {
    let site = Site::open(1, "");
    let token = token_path(&site);
    let style = site.get("/issues").text();
    let style = style.split('"').find(|part| part.starts_with("/assets/style.")).unwrap().to_owned();
    for path in
        ["/", "/issues", "/issues/1", token.as_str(), style.as_str(), "/nowhere", "/healthz", "/readyz"]
    {
        let (get, head) = (site.get(path), site.ask("HEAD", path, "", b""));
        assert_eq!(get.status, head.status, "{path}");
        assert!(head.body.is_empty(), "{path} has a body for HEAD");
        for name in ["content-type", "content-length", "cache-control", "content-language", "location"] {
            assert_eq!(get.header(name), head.header(name), "{path}: {name}");
        }
        if get.status != 303 {
            assert_eq!(get.must("content-length"), get.body.len().to_string(), "{path}");
        }
    }
}

#[test]
fn assets_are_kept_for_good_under_the_name_of_what_is_in_them() {
    let site = Site::open(1, "");
    let page = site.get("/issues").text();
    for (name, kind) in [("style", "text/css; charset=utf-8"), ("icon", "image/svg+xml")] {
        let path = page.split('"').find(|part| part.starts_with(&format!("/assets/{name}."))).unwrap();
        let answer = site.get(path);
        assert_eq!((answer.status, answer.must("content-type")), (200, kind));
        assert_eq!(answer.must("cache-control"), "public, max-age=31536000, immutable");
        let old = path.replace('.', ".0");
        assert_eq!(site.get(&old).status, 404, "{old} is the name of something else");
    }
    for path in
        ["/assets/style.css", "/assets/base.html", "/assets/..%2f..%2fCargo.toml", "/assets/", "/assets/%00"]
    {
        assert_eq!(site.get(path).status, 404, "{path}");
    }
}

#[test]
fn what_is_worth_it_is_compressed() {
    let site = Site::open(1, "");
    let plain = site.get("/issues/1");
    assert!(plain.header("content-encoding").is_none());
    for encoding in ["gzip", "br"] {
        let packed = site.ask("GET", "/issues/1", &format!("Accept-Encoding: {encoding}\r\n"), b"");
        assert_eq!(packed.must("content-encoding"), encoding);
        assert!(packed.must("vary").contains("accept-encoding"), "{}", packed.head);
        assert!(packed.body.len() * 3 < plain.body.len(), "{} of {}", packed.body.len(), plain.body.len());
    }
    let small = site.ask("GET", "/healthz", "Accept-Encoding: gzip, br\r\n", b"");
    assert!(small.header("content-encoding").is_none());
}

/// How long until the server ends the connection, with what it said.
fn until_dropped(stream: &mut std::net::TcpStream) -> (Duration, String) {
    let start = Instant::now();
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    (start.elapsed(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn slow_clients_are_dropped() {
    let site = Site::open(1, "timeout = \"1s\"");
    let token = token_path(&site);
    let patience = Duration::from_secs(15);

    let mut silent = site.connect();
    let mut half_a_head = site.connect();
    half_a_head.write_all(b"GET /issues HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
    let mut half_a_body = site.connect();
    let head = format!("POST {token} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nList-Unsub");
    half_a_body.write_all(head.as_bytes()).unwrap();
    let mut idle = site.connect();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();

    let (waited, said) = until_dropped(&mut silent);
    assert!(waited < patience && said.is_empty(), "{waited:?} {said}");
    let (waited, said) = until_dropped(&mut half_a_head);
    assert!(waited < patience && !said.contains("200 OK"), "{waited:?} {said}");
    let (waited, said) = until_dropped(&mut half_a_body);
    assert!(waited < patience && said.starts_with("HTTP/1.1 408"), "{waited:?} {said}");
    assert!(said.contains("That took too long"));
    let (waited, said) = until_dropped(&mut idle);
    assert!(waited < patience && said.ends_with("ok\n"), "{waited:?} {said}");
    let shown = site.house.must(&["subscribers", "show", "reader0@example.com"]).out.to_lowercase();
    assert!(!shown.contains("unsubscribed"), "half a request is none");
}

#[test]
fn a_client_that_does_not_take_its_answers_is_dropped() {
    let site = Site::open(1, "timeout = \"1s\"");
    let mut greedy = site.connect();
    let start = Instant::now();
    // Asks and asks, and reads nothing: sooner or later no octet of an answer fits anywhere.
    let request = b"GET /issues/1 HTTP/1.1\r\nHost: x\r\n\r\n".repeat(50);
    greedy.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    loop {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "the server goes on with somebody who reads nothing"
        );
        match greedy.write(&request) {
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => break,
            Ok(_) => {}
        }
    }
    assert_eq!(site.get("/healthz").status, 200, "the others are served");
}

#[test]
fn beyond_the_cap_a_connection_waits_and_is_served_later() {
    let site = Site::open(1, "connections = 8\ntimeout = \"2s\"");
    let crowd: Vec<_> = (0..8).map(|_| site.connect()).collect();
    // Whoever holds a connection in silence is dropped in the end, and the one that waits is served.
    let start = Instant::now();
    assert_eq!(site.get("/healthz").status, 200);
    assert!(start.elapsed() < Duration::from_secs(20));
    drop(crowd);
}

#[test]
fn a_stop_lets_open_requests_end_and_waits_for_nobody_else() {
    let mut site = Site::open(1, "timeout = \"5s\"");
    let token = token_path(&site);
    let mut idle = site.connect();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut begun = site.connect();
    let head =
        format!("POST {token} HTTP/1.1\r\nHost: x\r\nContent-Length: 26\r\nExpect: 100-continue\r\n\r\n");
    begun.write_all(head.as_bytes()).unwrap();
    // The server asks for the body, so the request is under way.
    let mut go_on = [0; 25];
    begun.read_exact(&mut go_on).unwrap();
    assert_eq!(go_on, *b"HTTP/1.1 100 Continue\r\n\r\n");
    site.serving.signal("TERM");
    let start = Instant::now();
    while std::net::TcpStream::connect(site.address).is_ok() {
        assert!(start.elapsed() < Duration::from_secs(5), "serve goes on accepting");
        std::thread::sleep(Duration::from_millis(20));
    }
    begun.write_all(b"List-Unsubscribe=One-Click").unwrap();
    let (_, said) = until_dropped(&mut begun);
    assert!(said.starts_with("HTTP/1.1 200"), "an open request is answered: {said}");
    let start = Instant::now();
    let ended = loop {
        if let Some(status) = site.serving.0.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "serve does not stop");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(ended.success());
    let shown = site.house.must(&["subscribers", "show", "reader0@example.com"]).out.to_lowercase();
    assert!(shown.contains("unsubscribed"));
}
