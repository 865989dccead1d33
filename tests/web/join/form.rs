//! The form as people use it: from the first look to the letter, with slips of the keys, in any language.

use super::{FORM, JSON, Joining, comparable, encoded, path_in, text_of};
use crate::support::house::{self, header, outbox};
use crate::support::site::Site;

#[test]
fn from_the_form_to_the_letter() {
    let site = Joining::open_with("", |house| {
        house.furnish(1);
        house.must(&["send"]);
    });
    let home = site.get("/");
    assert_eq!(home.status, 200);
    assert!(home.text().contains("/issues/1"), "the latest issue is there to look at: {}", home.text());
    assert!(home.text().contains("name=\"email\"") && home.text().contains("<label for=\"email\""));
    assert_eq!(home.must("cache-control"), "no-store", "a form's stamp is nobody else's");

    let answer = site.subscribe("Zoe+letters@example.org");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().contains("Zoe+letters@example.org"), "a slip of the keys can be seen");
    assert_eq!(site.status_of("Zoe+letters@example.org"), "pending");
    let path = site.confirm_path("Zoe+letters@example.org");

    for method in ["GET", "HEAD", "GET"] {
        assert_eq!(site.request(method, &path, &[], "").status, 200);
    }
    let page = site.get(&path);
    assert!(page.text().contains("<button") && !page.text().contains("Zoe+letters@"), "{}", page.text());
    assert_eq!(site.status_of("Zoe+letters@example.org"), "pending", "a look changes nothing");

    let done = site.request("POST", &path, &[("Content-Type", FORM)], "");
    assert_eq!(done.status, 200);
    assert_eq!(site.status_of("Zoe+letters@example.org"), "active");
    assert_eq!(
        site.request("POST", &path, &[("Content-Type", FORM)], "").status,
        200,
        "twice is as kind as once"
    );
    assert!(site.get(&path).text().contains("on the list"));

    let notices = site.wait_for_notices("Zoe+letters@example.org", 2);
    let welcome = notices.iter().find(|n| header(n, "Subject").unwrap().contains("Welcome")).unwrap();
    assert!(text_of(welcome).contains("/issues/1"), "with the latest issue");
    let preferences = path_in(welcome, "/preferences/");
    assert_eq!(site.get(&preferences).status, 200);
    let confirm = notices.iter().find(|n| header(n, "Subject").unwrap().contains("confirm")).unwrap();
    assert_eq!(header(confirm, "List-Unsubscribe"), None, "nobody leaves what they have not joined");

    assert_consent_is_proved(&site.shown("Zoe+letters@example.org")["consents"][0]);

    let next = house::comparison("second", chrono::Utc::now());
    let file = site.house.write("second.json", &next);
    site.house.must(&["comparisons", "import", file.to_str().unwrap()]);
    let Site { house, serving, .. } = site.site;
    drop(serving);
    house.must(&["send"]);
    let letters = outbox(&house.path("outbox"));
    let letter = letters.iter().find(|l| {
        header(l, "To").unwrap().contains("Zoe+letters@example.org") && header(l, "List-Id").is_some()
    });
    assert!(letter.is_some(), "the next letter reaches them");
}

/// Which words they agreed to, where, and when they said so again.
fn assert_consent_is_proved(proof: &serde_json::Value) {
    assert_eq!(proof["text_id"], "join.consent");
    assert_eq!(proof["form"], "http://127.0.0.1:8080/");
    assert_eq!(proof["ip"], "192.0.2.0/24");
    assert_eq!(proof["language"], "en");
    assert!(proof["text"].as_str().unwrap().contains("Weekly Verdicts"), "the words themselves: {proof}");
    assert!(proof["confirmed_at"].is_string() && proof["asked_at"].is_string());
}

#[test]
fn the_answer_is_the_same_whoever_it_is() {
    let site = Joining::open_with("per_network = \"1000/h\"", |house| {
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
                assert_eq!(answer.header("set-cookie"), None);
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
        let answer = site.request(
            "POST",
            "/api/subscribe",
            &[("Content-Type", JSON), ("X-Forwarded-For", &format!("198.51.100.{n}"))],
            &body,
        );
        format!("{} {}", answer.status, answer.text())
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
    let site = Joining::open("");
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
        assert!(answer.text().contains(says), "{typed}: {}", answer.text());
        assert!(
            answer.text().contains("aria-describedby=\"email-error")
                && answer.text().contains("aria-invalid")
        );
        assert!(!answer.text().contains("<script>"), "what was typed is escaped");
        if typed.starts_with("zoe at") {
            assert!(answer.text().contains("value=\"zoe at example.com\""), "and kept: {}", answer.text());
        }
    }
    assert!(site.people().contains("\"pending\":0"), "{}", site.people());
    assert_eq!(site.request("POST", "/subscribe", &[("Content-Type", FORM)], "email=%FF%FE").status / 100, 4);
    assert_eq!(site.request("POST", "/subscribe", &[("Content-Type", "text/plain")], "x").status, 415);
}

#[test]
fn addresses_of_the_whole_world_are_taken() {
    let site = Joining::open("");
    assert_eq!(site.subscribe("jürgen@bücher.example").status, 200);
    let notices = site.wait_for_notices("xn--bcher-kva.example", 1);
    assert!(header(&notices[0], "To").unwrap().contains("jürgen@"));
    assert_eq!(site.status_of("jürgen@bücher.example"), "pending");
}

#[test]
fn a_slip_in_the_domain_gets_a_hint_and_is_put_right_with_one_press() {
    let site = Joining::open("");
    let slip = ["zoe", "gmial.com"].join("@");
    let meant = ["zoe", "gmail.com"].join("@");
    let answer = site.subscribe(&slip);
    assert_eq!(answer.status, 200, "a hint does not block");
    assert_eq!(site.status_of(&slip), "pending");
    assert!(answer.text().contains(&format!("value=\"{meant}\"")), "{}", answer.text());
    let page = answer.text();
    let stamp = page.split("name=\"stamp\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let body = format!("email={}&stamp={stamp}", encoded(&meant));
    let right = site.request("POST", "/subscribe", &[("Content-Type", FORM)], &body);
    assert!(right.status == 200 && !right.text().contains("Did you mean"), "{}", right.text());
    assert_eq!(site.status_of(&meant), "pending");
    let body = format!("{{\"email\": \"{slip}\"}}");
    let api = site.request("POST", "/api/subscribe", &[("Content-Type", JSON)], &body);
    assert!(api.text().contains(&format!("\"did_you_mean\":\"{meant}\"")), "{}", api.text());
}

#[test]
fn links_that_are_not_ours_confirm_nothing() {
    let site = Joining::open("");
    site.subscribe("zoe@example.org");
    let path = site.confirm_path("zoe@example.org");
    let forged = [
        path.replace(".c1-", ".c2-"),
        format!("{path}x"),
        path.replace(".c1-", ".u1-"),
        path.replace(".c1-1-", ".c1-2-"),
        "/confirm/junk".to_owned(),
    ];
    for forged in forged {
        for (method, path) in
            [("GET", forged.clone()), ("POST", forged.clone()), ("POST", format!("{forged}/again"))]
        {
            assert_eq!(site.request(method, &path, &[], "").status, 404, "{method} {path}");
        }
    }
    let preferences = path.replace("/confirm/", "/preferences/");
    assert_eq!(site.get(&preferences).status, 404, "a link to confirm opens nothing else");
    assert_eq!(site.get(&format!("{path}/again")).status, 405, "a GET sends no mail");
    assert_eq!(site.status_of("zoe@example.org"), "pending");
    assert_eq!(site.notices_to("zoe@example.org").len(), 1);
    site.house.must(&["subscribers", "erase", "zoe@example.org", "--yes"]);
    assert_eq!(site.get(&path).status, 410);
    assert_eq!(site.request("POST", &path, &[], "").status, 410);
    let log = site.log();
    let token = path.rsplit('.').next().unwrap();
    assert!(!log.contains(token) && !log.contains("zoe@"), "the log has neither token nor address");
}

#[test]
fn a_page_in_german_for_who_asks_for_it() {
    let site = Joining::open("");
    let home = site.request("GET", "/", &[("Accept-Language", "de-AT,de;q=0.9")], "");
    assert!(
        home.text().contains("<html lang=\"de\"") && home.text().contains("Abonnieren"),
        "{}",
        home.text()
    );
    let body = format!("email=zoe%40example.org&website=&stamp={}", site.stamp());
    site.request("POST", "/subscribe", &[("Content-Type", FORM), ("Accept-Language", "de")], &body);
    let proof = &site.shown("zoe@example.org")["consents"][0];
    assert_eq!(proof["language"], "de");
    assert!(proof["text"].as_str().unwrap().contains("Mit dem Knopf"), "the words that they read: {proof}");
}
