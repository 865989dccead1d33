//! A reader's own page over HTTP, from the link in a letter: topics, hour, break, address, data, erasure; and the way out.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};

use crate::support::house::{self, House, outbox, reader};
use crate::support::mail::letters::{self, Mail, letters};
use crate::support::served;
use crate::support::site::{self, Site};

/// A comparison of two tools, each with a category of its own.
fn publish(house: &House, slug: &str, categories: [&str; 2]) {
    let text = house::comparison(slug, Utc::now());
    let mut comparison: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (tool, category) in categories.iter().enumerate() {
        comparison["tools"][tool]["category"] = (*category).into();
        comparison["tools"][tool]["name"] = format!("{slug} {}", ["one", "two"][tool]).into();
        comparison["tools"][tool]["slug"] = format!("{slug}-{tool}").into();
    }
    comparison["title"] = format!("{slug} one vs {slug} two").into();
    let file = house.write(&format!("{slug}.json"), &comparison.to_string());
    house.must(&["comparisons", "import", file.to_str().unwrap()]);
}

/// The path of a link, without the site in front.
fn path(site: &Site, link: &str) -> String {
    link.strip_prefix(&site.url("")).unwrap_or_else(|| panic!("{link} leads elsewhere")).to_owned()
}

fn mails(site: &Site) -> Vec<Mail> {
    letters(&site.house.path("outbox"))
}

/// The path of the link with `part` in it, of the first issue's letter to a reader.
fn link_of(site: &Site, to: &str, part: &str) -> String {
    let mail = mails(site).into_iter().find(|mail| mail.to.contains(to)).expect("a letter to the reader");
    path(site, &mail.link(part))
}

/// Waits for a mail to `to` with `subject` in its subject.
fn wait_for(site: &Site, to: &str, subject: &str) -> Mail {
    let start = Instant::now();
    loop {
        if let Some(mail) = mails(site).into_iter().find(|m| m.to.contains(to) && m.subject.contains(subject))
        {
            return mail;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "no mail {subject:?} to {to}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn status_of(site: &Site, reader: &str) -> String {
    site.house.run(&["subscribers", "show", reader, "--json"]).out
}

#[test]
fn the_letter_carries_what_was_chosen_and_nothing_else() {
    let site = Site::open(5, "");
    for (slug, categories) in
        [("agent", ["Agents", "Agents"]), ("video", ["Video", "Video"]), ("mixed", ["Agents", "Databases"])]
    {
        publish(&site.house, slug, categories);
    }
    let preferences: Vec<String> = (0..5).map(|n| link_of(&site, &reader(n), "/preferences/")).collect();
    let page = site.get(&preferences[0]).text();
    for topic in ["Agents", "Databases", "Developer Tools", "Video"] {
        assert!(page.contains(&format!("value=\"{topic}\"")), "{topic} is not offered: {page}");
    }
    let choose = |n: usize, form: &str| {
        let answer = site.post(&preferences[n], form);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.text().contains("note--good"));
    };
    choose(0, "name=&topics=some&topic=Agents");
    choose(1, "name=&topics=some&topic=Video&topic=Nothing+of+this+kind");
    choose(2, "name=&topics=some&topic=Gardening");
    choose(3, "name=&topics=some&topic=agents");
    let page = site.get(&preferences[0]).text();
    assert!(page.contains("value=\"Agents\" checked") && !page.contains("value=\"Video\" checked"));

    let before: BTreeSet<Vec<u8>> = outbox(&site.house.path("outbox")).into_iter().collect();
    site.house.must(&["send", "--wait"]);
    let status = site.house.status();
    assert_eq!(
        (status["audience"].as_i64(), status["sent"].as_i64(), status["cancelled"].as_i64()),
        (Some(5), Some(4), Some(1)),
        "everybody has a row: {status}"
    );
    let new =
        outbox(&site.house.path("outbox")).into_iter().filter(|letter| !before.contains(letter)).count();
    assert_eq!(new, 4);
    let issue = mails(&site);
    let letter =
        |n: usize| issue.iter().find(|mail| mail.to.contains(&reader(n)) && mail.text.contains("No. 2,"));
    for (n, carries, lacks) in [
        (0, vec!["agent one", "mixed one"], vec!["video"]),
        (1, vec!["video one"], vec!["agent one", "mixed"]),
        (3, vec!["agent one", "mixed one"], vec!["video"]),
        (4, vec!["agent one", "mixed one", "video one"], vec![]),
    ] {
        let mail = letter(n).unwrap_or_else(|| panic!("reader {n} has no letter"));
        for needle in carries {
            assert!(mail.text.contains(needle) && mail.html.contains(needle), "reader {n} lacks {needle}");
        }
        for needle in lacks {
            assert!(!mail.text.contains(needle), "reader {n} got {needle}");
            assert!(!mail.html.contains(needle), "reader {n} got {needle} in the HTML");
            assert!(!mail.subject.contains(needle), "{}", mail.subject);
        }
    }
    for (n, topics) in [(1, "Nothing of this kind, Video"), (3, "agents"), (4, "everything")] {
        let mail = letter(n).unwrap();
        let line = format!("You read:         {topics}");
        assert!(mail.text.lines().any(|one| one == line), "{}", mail.text);
        assert!(mail.html.contains(&format!("You read: {topics}.")), "reader {n}: {topics}");
    }
    assert!(letter(2).is_none(), "nothing was left for reader 2");
    assert!(letter(1).unwrap().text.contains("One comparison"), "the letter counts what it carries");
    // Rendered once for each distinct rest, not for each choice: "Agents" and "agents" are one.
    let tables = served::dump(&site.house);
    assert_eq!(tables["issue_variant"].len(), 2, "two letters besides the whole one");
    assert_eq!(tables["issue_topics"].len(), 4, "for four different choices");
    // The operator and the archive see the whole letter.
    assert!(site.get("/issues/2").text().contains("video one"));
}

#[test]
fn a_choice_that_can_not_be_taken_is_said_and_changes_nothing() {
    let site = Site::open(1, "");
    let preferences = link_of(&site, &reader(0), "/preferences/");
    let before = of_readers(&site.house);
    for (form, field) in [
        ("topics=some", "topics"),
        ("topics=some&topic=++", "topics"),
        ("hour=24&zone=Europe%2FBerlin", "hour"),
        ("hour=x&zone=Europe%2FBerlin", "hour"),
        ("hour=7&zone=Mars%2FOlympus", "zone"),
    ] {
        let answer = site.post(&preferences, form);
        assert_eq!(answer.status, 422, "{form}");
        assert!(answer.text().contains("note--bad") && answer.text().contains("aria-invalid"), "{field}");
    }
    for day in ["", "yesterday", "2020-01-01", "2999-01-01", "%00"] {
        assert_eq!(site.post(&format!("{preferences}/pause"), &format!("until={day}")).status, 422, "{day}");
    }
    for address in ["", "nobody", "a%40b%0D%0ABcc%3A+x%40example.com", &reader(0).replace('@', "%40")] {
        let answer = site.post(&format!("{preferences}/address"), &format!("email={address}"));
        assert_eq!(answer.status, 422, "{address}");
    }
    for method in ["GET", "HEAD"] {
        for end in ["", "/pause", "/address", "/data", "/erase"] {
            assert_eq!(
                site.ask(method, &format!("{preferences}{end}"), "", b"").status,
                200,
                "{method} {end}"
            );
        }
    }
    assert!(before == of_readers(&site.house), "a look or a slip changes no row");
    let forged = preferences.replace(".p1.", ".p2.");
    for end in ["", "/pause", "/address", "/erase"] {
        assert_eq!(
            site.post(&format!("{forged}{end}"), "until=2999-01-01&email=x%40example.com").status,
            404
        );
    }
    assert_eq!(site.get(&format!("{forged}/data")).status, 404);
}

#[test]
fn a_break_begins_holds_and_ends() {
    let site = Site::open(2, "");
    let preferences = link_of(&site, &reader(0), "/preferences/");
    let day = (Utc::now() + TimeDelta::days(30)).date_naive();
    let begun = site.post(&format!("{preferences}/pause"), &format!("until={day}"));
    assert!(begun.status == 200 && begun.text().contains("note--good"), "{}", begun.text());
    let page = site.get(&preferences).text();
    assert!(page.contains(&day.format("%-d %B %Y").to_string()), "the page says until when: {page}");

    publish(&site.house, "agent", ["Agents", "Agents"]);
    site.house.must(&["send", "--wait"]);
    let status = site.house.status();
    assert_eq!((status["sent"].as_i64(), status["cancelled"].as_i64()), (Some(1), Some(1)));
    let note = &served::dump(&site.house)["delivery"];
    assert!(note.iter().any(|row| row.contains(&format!("the reader has paused until {day}"))), "{note:?}");

    assert!(site.post(&format!("{preferences}/pause"), "").text().contains("note--good"));
    publish(&site.house, "video", ["Video", "Video"]);
    site.house.must(&["send", "--wait"]);
    assert_eq!(site.house.status()["sent"], 2);
    assert!(served::dump(&site.house)["preference"].is_empty(), "who chose nothing has no row");
}

#[test]
fn a_letter_waits_for_its_readers_hour_and_send_says_until_when() {
    let site = Site::open(2, "");
    let preferences = link_of(&site, &reader(0), "/preferences/");
    // Five hours from now, on a clock that has no summer time.
    let hour = (Utc::now() + TimeDelta::hours(5)).format("%-H").to_string();
    let saved = site.post(&preferences, &format!("name=&topics=all&hour={hour}&zone=UTC"));
    assert!(saved.text().contains(&format!("value=\"{hour}\" selected")), "{}", saved.text());
    publish(&site.house, "agent", ["Agents", "Agents"]);
    let sent = site.house.must(&["send"]);
    assert!(
        sent.err.contains("1 letter waits for the hour that its reader chose"),
        "{}{}",
        sent.out,
        sent.err
    );
    let status = site.house.status();
    assert_eq!(
        (status["state"].as_str(), status["sent"].as_i64(), status["queued"].as_i64()),
        (Some("running"), Some(1), Some(1))
    );
    let words = site.house.must(&["status"]).out;
    assert!(words.contains("1 letter waits for the hour"), "{words}");
    let json: serde_json::Value = serde_json::from_str(&site.house.must(&["status", "--json"]).out).unwrap();
    assert_eq!(json["waiting_for_hour"]["letters"], 1, "{json}");
    let again = site.house.run(&["send"]);
    assert_eq!(again.code, 3, "nothing is due: {}{}", again.out, again.err);

    // Switched off, hours hold nobody.
    let mut house = House::new("outbox:outbox", "[delivery]\nreader_hours = false\n");
    house.set("VERDICTS__WEB__LISTEN", &site::free_address().to_string());
    house.furnish(1);
    house.must(&["send"]);
    assert_eq!(house.status()["sent"], 1);
}

#[test]
fn an_address_changes_when_its_owner_says_so_and_can_be_taken_back() {
    let site = Site::open(3, "");
    let (ann, bob) = (reader(0), reader(1));
    let preferences = link_of(&site, &ann, "/preferences/");
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

    // The old mailbox is told, and may take it back.
    let told = wait_for(&site, &ann, "another address");
    assert!(
        !told.text.contains("new@example.net"),
        "whoever reads the old mailbox learns no address: {}",
        told.text
    );
    let back = path(&site, &told.link("/address/"));
    assert_eq!(site.post(&back, "").status, 200);
    assert!(status_of(&site, &ann).contains("\"status\":\"active\""));

    // An address that somebody has already: the same answer, and the notice tells its owner.
    let other = ask(&bob);
    let note = |text: String| text.split("id=\"note\"").nth(1).map(|rest| rest[..200].to_owned());
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
    assert_eq!(data["notices"][0]["email"], "ann.other@example.net");
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

/// The rows about readers; the worker beside the pages has rows of its own.
fn of_readers(house: &House) -> Vec<(String, Vec<String>)> {
    let tables = tables_with_a_subscriber(house);
    served::dump(house).into_iter().filter(|(table, _)| tables.contains(table)).collect()
}

fn tables_with_a_subscriber(house: &House) -> Vec<String> {
    use sqlx::{Connection as _, Row as _};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = format!("sqlite:{}", house.path("verdicts.db").display());
    runtime.block_on(async move {
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
        let text = "SELECT m.name AS name FROM sqlite_master m WHERE m.type = 'table' AND (m.name = 'subscriber'
            OR EXISTS (SELECT 1 FROM pragma_table_info(m.name) c WHERE c.name = 'subscriber')) ORDER BY m.name";
        let rows = sqlx::query(text).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(|row| row.get("name")).collect()
    })
}

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
