//! The address and everything that is known of a reader.

use super::*;

#[test]
fn an_address_changes_when_its_owner_says_so_and_can_be_taken_back() {
    let site = Site::open(3, "");
    let ann = reader(0);
    let preferences = link_of(&site, &ann, "/preferences/");
    let unsubscribe = link_of(&site, &ann, "/unsubscribe/");
    let ask = |email: &str| {
        site.post(&format!("{preferences}/address"), &format!("email={}", email.replace('@', "%40")))
    };
    let asked = ask("new@example.net");
    assert_eq!(asked.status, 200);
    assert!(status_of(&site, &ann).contains("active"), "nothing has changed yet");
    let mail = wait_for(&site, "new@example.net", "confirm your new address");
    let link = path(&site, &mail.link("/address/"));
    let look = site.get(&link);
    assert!(look.status == 200 && look.text().contains("<button"), "{}", look.text());
    assert!(!look.text().contains("new@example.net"), "the page masks the address");
    assert!(status_of(&site, &ann).contains("active"), "a look changes nothing");
    // Bound to this reader, this address and this change.
    let (front, mac) = link.rsplit_once('.').unwrap();
    assert_eq!(site.post(&format!("{front}x.{mac}"), "").status, 404);
    let other = if mac.starts_with('A') { "B" } else { "A" };
    assert_eq!(site.post(&format!("{front}.{other}{}", &mac[1..]), "").status, 404);

    let done = site.post(&link, "");
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(status_of(&site, "new@example.net").contains("\"status\":\"active\""));
    assert!(status_of(&site, &ann).contains("null"), "the old address is nobody's");
    assert_eq!(site.post(&link, "").status, 404, "it works once");

    // What the old mailbox has opens nothing of the reader's any more; the way out is good for ever.
    for end in ["", "/data", "/erase"] {
        assert_eq!(site.get(&format!("{preferences}{end}")).status, 404, "{end}");
    }
    for end in ["", "/pause", "/address", "/erase"] {
        assert_eq!(site.post(&format!("{preferences}{end}"), "email=x%40example.com").status, 404, "{end}");
    }
    let leave = site.get(&unsubscribe);
    assert!(leave.status == 200 && !leave.text().contains("/preferences/"), "{}", leave.text());
    assert!(!look.text().contains("/preferences/"), "nor what a stranger's mailbox got");
    let preferences = own_link(&done.text());
    assert!(preferences.contains(".p1-1.") && site.get(&preferences).status == 200, "{preferences}");

    // The old mailbox is told, and may take it back.
    let told = wait_for(&site, &ann, "another address");
    assert!(
        !told.text.contains("new@example.net"),
        "whoever reads the old mailbox learns no address: {}",
        told.text
    );
    let back = path(&site, &told.link("/address/"));
    assert!(!format!("{}{}", told.text, told.html).contains("/preferences/"));
    let taken = site.post(&back, "");
    assert_eq!(taken.status, 200);
    assert_eq!(site.get(&preferences).status, 404, "now that of the other mailbox is good for nothing");
    assert_eq!(site.get(&own_link(&taken.text())).status, 200);
    assert!(status_of(&site, &ann).contains("\"status\":\"active\""));
}

/// The link to a reader's own page on a page that they have just proved to be theirs.
fn own_link(page: &str) -> String {
    let link = page.split("href=\"").find(|link| link.starts_with("/preferences/")).expect("a link");
    link.split('"').next().unwrap().to_owned()
}

#[test]
fn a_change_to_somebody_elses_address_is_answered_as_any_other() {
    let site = Site::open(3, "");
    let (ann, bob) = (reader(0), reader(1));
    let preferences = link_of(&site, &ann, "/preferences/");
    let ask = |email: &str| {
        site.post(&format!("{preferences}/address"), &format!("email={}", email.replace('@', "%40")))
    };
    let asked = ask("new@example.net");
    // An address that somebody has already: the same answer, and the notice tells its owner.
    let other = ask(&bob);
    let note = |text: String| {
        text.split("id=\"note\"").nth(1).and_then(|rest| rest.split("</p>").next().map(str::to_owned))
    };
    assert_eq!((other.status, note(other.text())), (asked.status, note(asked.text())));
    wait_for(&site, &bob, "already");
    // A suppressed one: the same answer, and no mail at all.
    site.house.must(&["subscribers", "erase", &reader(2), "--yes"]);
    let before = mails(&site).iter().filter(|mail| mail.to.contains(&reader(2))).count();
    let third =
        site.post(&format!("{preferences}/address"), &format!("email={}", reader(2).replace('@', "%40")));
    assert!(third.status == 200 || third.text().contains("often"), "{}", third.text());
    assert_eq!(mails(&site).iter().filter(|mail| mail.to.contains(&reader(2))).count(), before);
    // And nobody's mailbox is filled by asking on and on.
    let answers: Vec<u16> = (0..4).map(|n| ask(&format!("other{n}@example.net")).status).collect();
    assert_eq!(answers[3], 422, "{answers:?}");
    assert!(status_of(&site, &ann).contains("\"status\":\"active\""));
}

#[test]
fn everything_is_handed_out_and_everything_is_erased() {
    let site = Site::open(2, "");
    let ann = reader(0);
    let preferences = link_of(&site, &ann, "/preferences/");
    let unsubscribe = link_of(&site, &ann, "/unsubscribe/");
    let vote = mails(&site)
        .into_iter()
        .find(|mail| mail.to.contains(&ann))
        .and_then(|mail| mail.links.iter().find(|link| link.contains("/vote/")).cloned());
    if let Some(vote) = vote {
        site.post(&path(&site, &vote), "stance=ship");
    }
    site.post(&preferences, "name=Ann+Xylophone&topics=some&topic=Developer+Tools&hour=7&zone=Asia%2FTokyo");
    site.post(&format!("{preferences}/address"), "email=ann.other%40example.net");
    wait_for(&site, "ann.other@example.net", "confirm");
    site.post(&unsubscribe, "");
    site.post(
        &format!("{unsubscribe}/reason"),
        &format!("reason=other&words=I+am+{}", ann.replace('@', "%40")),
    );

    let file = site.get(&format!("{preferences}/data"));
    assert_eq!(file.status, 200);
    assert!(file.must("Content-Disposition").starts_with("attachment"));
    assert!(file.must("Cache-Control").contains("no-store"));
    let data: serde_json::Value = serde_json::from_str(&file.text()).unwrap();
    assert_eq!(data["subscriber"][0]["email"], *ann);
    assert_eq!(data["subscriber"][0]["name"], "Ann Xylophone");
    assert_eq!(data["subscriber"][0]["timezone"], "Asia/Tokyo");
    assert_eq!(data["preferences"][0]["topics"][0], "Developer Tools");
    assert_eq!(data["letters"][0]["state"], "sent");
    assert_eq!(data["leavings"][0]["reason"], "other");
    assert_eq!(data["changes_of_address"][0]["email"], "ann.other@example.net");
    assert_eq!(data["notices"], serde_json::json!([]), "what went to another mailbox is not hers");
    assert_eq!(data["suppression"][0]["reason"], "unsubscribed");
    let same: serde_json::Value =
        serde_json::from_str(&site.house.must(&["subscribers", "data", &ann]).out).unwrap();
    assert_eq!(same, data, "the operator can hand out the same");
    // Every table that names a subscriber is in the file.
    let tables = tables_with_a_subscriber(&site.house);
    let told = data.as_object().unwrap().len();
    assert_eq!(tables.len() + 1, told, "the tables {tables:?} and the suppression, against {data}");

    let ask = site.get(&format!("{preferences}/erase"));
    assert!(ask.text().contains("<button") && status_of(&site, &ann).contains("unsubscribed"));
    assert_eq!(site.post(&format!("{preferences}/erase"), "").status, 200);
    for (table, rows) in served::dump(&site.house) {
        for row in rows {
            for secret in [&*ann, "ann.other", "Xylophone"] {
                assert!(!row.contains(secret), "{table} still has {secret}: {row}");
            }
        }
    }
    assert_eq!(site.get(&preferences).status, 404);
    assert_eq!(site.post(&format!("{preferences}/erase"), "").status, 404);
    assert!(site.get(&unsubscribe).text().contains("off the list"), "old links stay kind");
    assert_eq!(site.post(&unsubscribe, "").status, 200);
    let again = site.house.must(&["subscribers", "import", "readers.csv"]);
    assert!(again.out.contains("suppressed"), "{}", again.out);
}
