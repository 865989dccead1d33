//! The form of any other site, by its script: `POST /api/subscribe`.

use super::{JSON, Joining};
use crate::support::site::Answer;

const ELSEWHERE: (&str, &str) = ("Origin", "https://blog.example");

impl Joining {
    /// As a script of another site asks.
    fn ask_from_elsewhere(&self, body: &str) -> Answer {
        let headers = [("Content-Type", JSON), ELSEWHERE, ("Referer", "https://blog.example/a?email=zoe")];
        self.request("POST", "/api/subscribe", &headers, body)
    }
}

#[test]
fn a_browser_lets_scripts_of_any_site_ask() {
    let site = Joining::open("");
    let headers = [
        ELSEWHERE,
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "content-type"),
    ];
    let preflight = site.request("OPTIONS", "/api/subscribe", &headers, "");
    assert_eq!(preflight.status, 204);
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, POST, OPTIONS"),
        ("access-control-allow-headers", "content-type, accept-language"),
    ] {
        assert!(preflight.must(name).eq_ignore_ascii_case(value), "{}", preflight.head);
    }
    let page = site.get("/embed");
    assert!(page.status == 200 && page.text().contains("http://127.0.0.1:8080/subscribe"), "{}", page.text());
}

#[test]
fn scripts_of_any_site_may_ask() {
    let site = Joining::open("");
    for (body, status, says) in [
        ("{\"email\": \"zoe@example.org\"}", 202, "heard"),
        ("{\"email\": \"zoe\"}", 422, "invalid"),
        ("{\"email\": \"zoe@example.org\", \"stamp\": \"junk\"}", 409, "again"),
        ("{\"mail\": 1}", 400, "malformed"),
        ("[[[[", 400, "malformed"),
    ] {
        let answer = site.ask_from_elsewhere(body);
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        let json: serde_json::Value = serde_json::from_str(&answer.text()).unwrap();
        assert_eq!(json["status"], says);
        assert!(json["message"].as_str().is_some_and(|m| !m.is_empty()));
        assert_eq!(answer.must("access-control-allow-origin"), "*", "errors can be read, too");
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert!(answer.must("content-type").contains("application/json"));
    }
    site.wait_for_notices("zoe@example.org", 1);
    let proof = &site.shown("zoe@example.org")["consents"][0];
    assert_eq!(proof["form"], "https://blog.example/a", "without the query");
    assert_eq!(proof["text_id"], "join.notice.confirm.lead", "what stood elsewhere is not known");
    let german = [("Content-Type", JSON), ("Accept-Language", "de")];
    let german = site.request("POST", "/api/subscribe", &german, "{}");
    assert!(german.text().contains("Schicken Sie"), "{}", german.text());
    let email = |n: usize| format!("{{\"email\": \"r{n}@example.org\"}}");
    let answers: Vec<_> = (0..9).map(|n| site.ask_from_elsewhere(&email(n))).collect();
    let limited = answers.last().expect("nine");
    assert_eq!(limited.status, 429);
    assert!(limited.text().contains("retry_after") && limited.header("retry-after").is_some());
}
