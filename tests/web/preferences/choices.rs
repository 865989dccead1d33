//! Topics, hour and break, from the page to the next letter.

use super::*;

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
    assert_letters_carry_what_was_chosen(&mails(&site));
    // Rendered once for each distinct rest, not for each choice: "Agents" and "agents" are one.
    let tables = served::dump(&site.house);
    assert_eq!(tables["issue_variant"].len(), 2, "two letters besides the whole one");
    assert_eq!(tables["issue_topics"].len(), 4, "for four different choices");
    // The operator and the archive see the whole letter.
    assert!(site.get("/issues/2").text().contains("video one"));
}

/// The letters of issue 2: comparisons, and the line that says what its reader chose.
fn assert_letters_carry_what_was_chosen(mails: &[Mail]) {
    let letter =
        |n: usize| mails.iter().find(|mail| mail.to.contains(&reader(n)) && mail.text.contains("No. 2,"));
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
