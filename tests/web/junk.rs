//! Whatever somebody sends, no route fails or panics: never 5xx, and a body that is too large is refused as such.

use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::sample::select;
use verdicts::domain::subscriber::SubscriberId;
use verdicts::domain::token::{Keyring, Purpose};
use verdicts::web::routes;

use crate::support::house::House;
use crate::support::served::{Served, dump};
use crate::support::site;

struct Target {
    house: House,
    served: Served,
}

impl Target {
    fn new() -> Self {
        let house = House::new("outbox:outbox", "[web]\ntimeout = \"1s\"\n");
        house.furnish(3);
        house.must(&["send"]);
        let served = Served::start(&house, site::free_address());
        Self { house, served }
    }
}

/// One server for all cases; the process's end ends it. Junk may hit a right token: its rows are anybody's.
fn target() -> &'static Target {
    static TARGET: OnceLock<Target> = OnceLock::new();
    TARGET.get_or_init(Target::new)
}

/// The status of the answer, 0 for a connection that ended without one.
fn status(answer: &[u8]) -> u16 {
    String::from_utf8_lossy(&answer[..answer.len().min(64)])
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .unwrap_or(0)
}

/// A segment of a path: junk of every kind, and things that are nearly right.
fn segment() -> impl Strategy<Value = String> {
    let keyring = Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap();
    let tokens: Vec<String> = [Purpose::Unsubscribe, Purpose::Preferences]
        .iter()
        .flat_map(|purpose| {
            (1..4).map(|id| keyring.link_token(*purpose, SubscriberId(id))).collect::<Vec<_>>()
        })
        .collect();
    let cut = (select(tokens.clone()), 0..40_usize).prop_map(|(token, at)| token.chars().take(at).collect());
    prop_oneof![
        select(tokens),
        cut,
        select(
            [
                "1",
                "0",
                "-1",
                "99999999999999999999",
                "lead",
                "LEAD",
                "%00",
                "%ff%fe",
                "%2e%2e%2f",
                "..",
                ".",
                "%",
                "%zz",
                "a%0d%0aX-Evil:%201",
                "k1.u1.",
                "k1.u1.AAAA.B",
                "k4294967296.u1.A",
                "k1.u9223372036854775808.AAAAAAAAAAAAAAAAAAAAAA",
                "%F0%9F%92%A9",
                "style.css",
                "style.0.css",
                "'--",
                "{{x}}",
                "%3Cscript%3E",
            ]
            .map(str::to_owned)
            .to_vec()
        ),
        "[!-~&&[^ ?#\\\\]]{0,40}",
        proptest::collection::vec(any::<u8>(), 0..12)
            .prop_map(|octets| octets.iter().map(|o| format!("%{o:02x}")).collect()),
        (1..9000_usize).prop_map(|n| "x".repeat(n)),
    ]
}

/// A path of ours with its placeholders filled, or none of ours.
fn path() -> impl Strategy<Value = String> {
    let ours = (select(routes()), segment(), segment()).prop_map(|(route, one, other)| {
        let mut fill = [one, other].into_iter().cycle();
        let filled: Vec<String> = route
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { fill.next().unwrap_or_default() } else { part.to_owned() })
            .collect();
        filled.join("/")
    });
    let any = proptest::collection::vec(segment(), 0..4).prop_map(|parts| format!("/{}", parts.join("/")));
    let query = prop_oneof![
        Just(String::new()),
        "[!-~&&[^ #]]{0,60}".prop_map(|query| format!("?{query}")),
        segment().prop_map(|value| format!("?compare=lead&tool={value}&say=ship&say=x&page={value}")),
    ];
    (prop_oneof![3 => ours, 1 => any], query).prop_map(|(path, query)| path + &query)
}

fn headers() -> impl Strategy<Value = Vec<u8>> {
    let name = select(
        [
            "Accept-Language",
            "Accept-Encoding",
            "Content-Type",
            "If-None-Match",
            "If-Modified-Since",
            "X-Forwarded-For",
            "Forwarded",
            "X-Request-Id",
            "Cookie",
            "Origin",
            "Referer",
            "Range",
            "Accept",
            "Content-Encoding",
            "Expect",
            "Upgrade",
        ]
        .to_vec(),
    );
    let value = prop_oneof![
        proptest::collection::vec(
            any::<u8>().prop_filter("no line of its own", |b| !b"\r\n\0".contains(b)),
            0..60
        ),
        select(
            [
                "de;q=0.5, *;q=0",
                "gzip;q=2, br",
                "multipart/form-data; boundary=b",
                "multipart/form-data",
                "application/json",
                "application/x-www-form-urlencoded; charset=utf-16",
                "W/\"x\", *",
                "Thu, 99 Foo 0000",
                "for=\"[::1\"",
                "bytes=9-1",
                "100-continue",
                "websocket",
            ]
            .map(|text| text.as_bytes().to_vec())
            .to_vec()
        ),
    ];
    proptest::collection::vec((name, value), 0..5).prop_map(|lines| {
        let mut octets = Vec::new();
        for (name, value) in lines {
            octets.extend_from_slice(name.as_bytes());
            octets.extend_from_slice(b": ");
            octets.extend_from_slice(&value);
            octets.extend_from_slice(b"\r\n");
        }
        octets
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let form = select(
        [
            "name=%ff&topics=%00",
            "email=a%40example.com&name=x",
            "List-Unsubscribe=One-Click",
            "email=a%0d%0aBcc:b%40example.com",
            "tool=x&say=ship",
            "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\x7f",
            "{\"email\":[]}",
            "{\"email\":\"a@example.com\"}",
            "&&&===",
            "a=1&a=2&a=3",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec(),
    );
    prop_oneof![Just(Vec::new()), form, proptest::collection::vec(any::<u8>(), 0..300)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_request_breaks_a_route(
        method in prop_oneof![4 => select(["GET", "POST", "HEAD"].to_vec()), 1 => select(["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "X"].to_vec())],
        path in path(),
        headers in headers(),
        form in any::<bool>(),
        body in body(),
    ) {
        let target = target();
        let mut octets = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n", body.len()).into_bytes();
        if form {
            octets.extend_from_slice(b"Content-Type: application/x-www-form-urlencoded\r\n");
        }
        octets.extend_from_slice(&headers);
        octets.extend_from_slice(b"\r\n");
        octets.extend_from_slice(&body);
        let answer = target.served.say(&octets);
        let status = status(&answer);
        // 0: hyper ends the connection of somebody who does not talk HTTP.
        prop_assert!(status < 500, "{}", String::from_utf8_lossy(&answer));
        prop_assert!(status != 0 || method == "CONNECT", "no answer");
        let head = String::from_utf8_lossy(&answer).split("\r\n\r\n").next().unwrap_or_default().to_lowercase();
        prop_assert!(!head.contains("\r\nx-evil:"), "a header was injected: {head}");
    }
}

#[test]
fn octets_that_are_no_http_are_refused() {
    let target = target();
    for octets in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHeader without colon\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let status = status(&target.served.say(octets));
        assert!(
            status == 0 || (400..500).contains(&status),
            "{status} for {:?}",
            String::from_utf8_lossy(octets)
        );
    }
    let many: String = (0..5000).map(|n| format!("X-{n}: y\r\n")).collect();
    let answer = target.served.say(format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes());
    assert_eq!(status(&answer), 431, "{}", String::from_utf8_lossy(&answer));
    assert_eq!(
        status(&target.served.say(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")),
        200
    );
}

#[test]
fn a_body_beyond_any_form_is_413_on_every_route_that_takes_one() {
    let target = Target::new();
    let before = dump(&target.house);
    let keyring = Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap();
    let mut posts = 0;
    for route in routes().into_iter().filter(|route| route.methods.contains(&"POST")).map(|route| route.path)
    {
        let purpose = if route.contains("unsubscribe") { Purpose::Unsubscribe } else { Purpose::Preferences };
        let path = route.replace("{token}", &keyring.link_token(purpose, SubscriberId(1)));
        for kind in
            ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "application/json"]
        {
            let body = "x".repeat(100_000);
            let known = format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let chunked = format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
                body.len()
            );
            for request in [known, chunked] {
                let answer = target.served.say(request.as_bytes());
                assert_eq!(status(&answer), 413, "{path}, {kind}: {}", String::from_utf8_lossy(&answer));
                posts += 1;
            }
        }
    }
    assert!(posts >= 6, "some route takes forms");
    assert_eq!(before["subscriber"], dump(&target.house)["subscriber"], "what was refused did nothing");
}
