//! The links themselves: taking back, and a new key.

use super::*;

#[test]
fn a_slip_is_taken_back_from_the_page_that_says_it_is_done() {
    let site = Site::open(2, "");
    let ann = reader(0);
    let unsubscribe = link_of(&site, &ann, "/unsubscribe/");
    let done = site.post(&unsubscribe, "List-Unsubscribe=One-Click");
    assert_eq!(done.status, 200);
    assert!(status_of(&site, &ann).contains("unsubscribed"), "at once, before anything else is asked");
    let undo = letters::html_links(&done.text())
        .into_iter()
        .find(|link| link.starts_with("/undo/"))
        .expect("a way back");
    assert!(!site.get(&unsubscribe).text().contains("/undo/"), "only on the page that says it is done");
    assert_eq!(site.get(&undo).status, 405, "a look does nothing");
    assert_eq!(site.post(&undo.replace(".z1-", ".z2-"), "").status, 404);
    assert_eq!(site.post(&format!("{undo}A"), "").status, 404);
    assert!(status_of(&site, &ann).contains("unsubscribed"));

    let thanks = site.post(&format!("{unsubscribe}/reason"), "reason=too_many&words=A%0D%0Ab+%3Cb%3E%1B");
    assert!(thanks.status == 200 && thanks.text().contains("/undo/"), "a word does not cost the way back");
    for junk in ["", "reason=made_up", "words=", "reason=&words=%20"] {
        assert_eq!(site.post(&format!("{unsubscribe}/reason"), junk).status, 200, "{junk:?}");
    }
    let stats = site.house.must(&["subscribers", "stats", "--json"]).out;
    let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
    assert_eq!(stats["reasons"]["too_many"], 1, "{stats}");
    assert_eq!(stats["words"][0]["words"], "A  b <b>", "one line, without control characters");
    assert!(site.house.must(&["subscribers", "stats"]).out.contains("too_many"));

    assert_eq!(site.post(&undo, "").status, 200);
    assert!(status_of(&site, &ann).contains("\"status\":\"active\""));
    assert!(status_of(&site, &ann).contains("\"suppressed\":false"));
    assert_eq!(site.post(&undo, "").status, 200, "a repeat is kind");
    let stats = site.house.must(&["subscribers", "stats", "--json"]).out;
    assert!(stats.contains("\"reasons\":{}"), "what was taken back does not count: {stats}");
    site.post(&unsubscribe, "");
    assert_eq!(site.post(&undo, "").status, 404, "the old way back leads nowhere");
    assert!(!site.log().contains("k1."), "no token stands in the log");
}

#[test]
fn old_links_work_after_the_key_is_renewed_and_new_letters_use_the_new_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = Site::open(2, "");
    let old = [link_of(&site, &reader(0), "/unsubscribe/"), link_of(&site, &reader(0), "/preferences/")];
    site.house.must(&["subscribers", "erase", &reader(1), "--yes"]);
    let key = site.house.path("verdicts.key");
    let before = std::fs::read_to_string(&key).unwrap();
    let said = site.house.must(&["key", "rotate"]);
    assert!(said.out.contains("key 2"), "{}", said.out);
    let after = std::fs::read_to_string(&key).unwrap();
    let old_line = before.lines().find(|line| line.starts_with("1 ")).unwrap();
    assert!(
        after.contains(old_line) && after.lines().any(|line| line.starts_with("2 ")),
        "the old key stays"
    );
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!said.out.contains(old_line.split(' ').nth(1).unwrap()), "no key is printed");

    drop(site.serving);
    let house = site.house;
    publish(&house, "agent", ["Agents", "Agents"]);
    house.must(&["send"]);
    let served = served::Served::start(&house, site.address);
    let ask = |method: &str, path: &str| {
        let text = format!(
            "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        String::from_utf8_lossy(&served.say(text.as_bytes())).into_owned()
    };
    for link in &old {
        assert!(link.contains("k1.") && ask("GET", link).starts_with("HTTP/1.1 200"), "{link}");
    }
    let new =
        letters(&house.path("outbox")).into_iter().find(|mail| mail.text.contains("agent one")).unwrap();
    let new = new.link("/unsubscribe/");
    assert!(new.contains("/k2."), "{new}");
    let new = new.split_once("/unsubscribe/").map(|(_, token)| format!("/unsubscribe/{token}")).unwrap();
    assert!(ask("GET", &new).starts_with("HTTP/1.1 200"));
    assert!(ask("POST", &old[0]).starts_with("HTTP/1.1 200"));
    assert!(house.must(&["subscribers", "show", &reader(0)]).out.contains("unsubscribed"));
    // What was suppressed under the old key stays so.
    let again = house.must(&["subscribers", "import", "readers.csv"]);
    assert!(again.out.contains("suppressed"), "{}", again.out);
}
