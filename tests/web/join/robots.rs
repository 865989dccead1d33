//! What keeps robots and crowds out: a field that nobody sees, the age of a form, limits, arithmetic.

use verdicts::domain::signup::is_work;

use super::{FORM, JSON, Joining, comparable, encoded, old_stamp};

#[test]
fn robots_get_nowhere() {
    let site = Joining::open("");
    let send = |body: &str| site.request("POST", "/subscribe", &[("Content-Type", FORM)], body);
    // The field that nobody sees: the answer is as to a person.
    let trapped = send(&format!("email=robot%40example.com&website=spam&stamp={}", site.stamp()));
    let person = site.subscribe("person@example.com");
    assert_eq!(comparable(&trapped, "robot@example.com"), comparable(&person, "person@example.com"));
    assert_eq!(site.status_of("robot@example.com"), "unknown", "and nothing is stored");
    // Too fast, too old, or not ours: the button has to be pressed once more.
    let fresh = site.get("/").text();
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
            answer.text().contains(says) && answer.text().contains("value=\"hasty@example.com\""),
            "{}",
            answer.text()
        );
    }
    assert_eq!(site.status_of("hasty@example.com"), "unknown");
}

#[test]
fn limits_of_network_and_total_are_said_and_hold_over_a_restart() {
    let mut site = Joining::open("per_network = \"2/h\"\ntotal = \"5/h\"");
    for n in 0..2 {
        assert_eq!(site.subscribe_from(&format!("a{n}@example.com"), "192.0.2.1").status, 200);
    }
    let limited = site.subscribe_from("a2@example.com", "192.0.2.1");
    assert_eq!(limited.status, 429);
    let wait = limited.must("retry-after");
    assert!((3000..=3600).contains(&wait.parse::<u32>().unwrap()), "{wait}");
    site.site.restart();
    assert_eq!(site.subscribe_from("a2@example.com", "192.0.2.1").status, 429, "nothing is forgiven");
    assert_eq!(site.status_of("a2@example.com"), "unknown");
    for (n, ip) in ["2001:db8::1", "2001:db8::2"].iter().enumerate() {
        assert_eq!(site.subscribe_from(&format!("b{n}@example.com"), ip).status, 200);
    }
    assert_eq!(site.subscribe_from("b2@example.com", "2001:db8::3").status, 429, "one /64 is one asker");
    // A form elsewhere: a quarter, but one at least.
    let elsewhere = |ip: &str| {
        site.request(
            "POST",
            "/subscribe",
            &[("Content-Type", FORM), ("X-Forwarded-For", ip), ("Origin", "https://blog.example")],
            "email=c%40example.com",
        )
        .status
    };
    assert_eq!(elsewhere("192.0.2.7"), 429, "there is less left than its /24 had");
    assert_eq!([elsewhere("198.51.100.7"), elsewhere("198.51.100.7")], [200, 429]);
    assert_eq!(site.shown("c@example.com")["consents"][0]["form"], "https://blog.example/");
    assert_eq!(site.subscribe_from("d@example.com", "192.0.2.9").status, 429, "everybody together");
}

#[test]
fn a_proof_of_work_is_asked_for_when_it_is_switched_on() {
    let site = Joining::open("proof_of_work = true");
    let home = site.get("/");
    let policy = home.must("content-security-policy");
    assert!(policy.contains("script-src 'self'") && home.text().contains("<noscript>"), "{policy}");
    let page = home.text();
    let script = page.split("<script src=\"").nth(1).unwrap().split('"').next().unwrap();
    let asset = site.get(script);
    assert!(asset.status == 200 && asset.must("content-type").contains("text/javascript"));
    assert!(asset.must("cache-control").contains("immutable"));
    let elsewhere = site.get("/embed");
    assert!(!elsewhere.must("content-security-policy").contains("script-src"), "only where the form is");
    let stamp = site.stamp();
    let send = |email: &str, stamp: &str, work: &str| {
        let body = format!("email={}&stamp={stamp}&work={work}", encoded(email));
        site.request("POST", "/subscribe", &[("Content-Type", FORM)], &body)
    };
    assert!(send("zoe@example.org", &stamp, "").text().contains("no robot"));
    assert!(send("zoe@example.org", &stamp, "12").text().contains("press the button again"));
    assert_eq!(site.status_of("zoe@example.org"), "unknown");
    let work = (0_u64..).map(|n| n.to_string()).find(|n| is_work(&stamp, n)).unwrap();
    assert!(send("zoe@example.org", &stamp, &work).text().contains("mailbox"));
    assert_eq!(site.status_of("zoe@example.org"), "pending");
    assert!(
        send("bob@example.org", &stamp, &work).text().contains("press the button again"),
        "good for once"
    );
    assert_eq!(site.status_of("bob@example.org"), "unknown");
    let api =
        site.request("POST", "/api/subscribe", &[("Content-Type", JSON)], "{\"email\": \"bob@example.org\"}");
    assert_eq!(api.status, 409);
    assert!(site.get("/api/subscribe").text().contains("\"work_bits\":14"));
}
