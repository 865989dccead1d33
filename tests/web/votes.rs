//! Votes from the letter: the page they are cast on, and where they are shown.

use std::time::{Duration, Instant};

use mail_parser::{Message, MessageParser};

use crate::support::house::{self, outbox};
use crate::support::site::Site;

/// The newest letter to a reader, decoded: text and HTML.
fn letter(site: &Site, reader: &str, subject: &str) -> (String, String) {
    let letters = outbox(&site.house.path("outbox"));
    let parse = |octets: &Vec<u8>| -> Message<'static> {
        MessageParser::default().parse(octets.as_slice()).unwrap().into_owned()
    };
    let all: Vec<Message<'_>> = letters.iter().map(parse).collect();
    let mine = all.iter().find(|m| {
        let to = m.to().unwrap().first().unwrap().address();
        to == Some(reader) && m.subject().unwrap_or_default().contains(subject)
    });
    let mine = mine.expect("a letter to the reader");
    (mine.body_text(0).unwrap().into_owned(), mine.body_html(0).unwrap().into_owned())
}

/// The path and query of the first link of a letter's HTML that ends so.
fn vote_link(html: &str, ends: &str) -> String {
    let mut links = html.split("href=\"").skip(1).map(|l| l.split('"').next().unwrap().replace("&amp;", "&"));
    let link = links.find(|l| l.contains("/vote/") && l.ends_with(ends)).expect("a vote link");
    let (_, path) = link.split_once("://").unwrap();
    path[path.find('/').unwrap()..].to_owned()
}

fn form(tool: &str, say: &str) -> String {
    format!("compare=lead&tool={tool}&say={say}")
}

fn shown(site: &Site) -> String {
    site.house.must(&["comparisons", "show", "lead"]).out
}

/// Asks the public page until it says so; it may be a second old.
fn page_says(site: &Site, text: &str) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !site.get("/compare/lead").text().contains(text) {
        assert!(Instant::now() < limit, "{text} in\n{}", site.get("/compare/lead").text());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_reader_votes_from_the_letter_and_changes_their_mind() {
    let site = Site::open(3, "");
    let (text, html) = letter(&site, "reader0@example.com", "");
    let link = vote_link(&html, "tool=stackforge&say=skip");
    let path = link.split('?').next().unwrap().to_owned();
    assert!(
        text.lines().any(|line| line.ends_with(&format!("{path}?compare=lead&tool=stackforge"))),
        "{text}"
    );

    for method in ["GET", "HEAD"] {
        let page = site.ask(method, &link, "", b"");
        assert_eq!((page.status, page.must("cache-control")), (200, "no-store"), "{method}");
    }
    let page = site.get(&link).text();
    assert!(page.contains("<form method=\"post\"") && page.contains("You chose: skip it."), "{page}");
    let first = page.find("Would you ship with Stackforge?").unwrap();
    assert!(
        first < page.find("Would you ship with Pocketbase Nano?").unwrap(),
        "the link's tool comes first"
    );
    assert!(
        shown(&site).contains("64% (41 of 64, 0 of them voted here)"),
        "a look is no vote: {}",
        shown(&site)
    );

    let counted = site.post(&path, &form("stackforge", "skip"));
    assert_eq!(counted.status, 200, "{}", counted.head);
    let page = counted.text();
    assert!(page.contains("Counted: you would skip Stackforge.") && page.contains("65 votes"), "{page}");
    assert!(page.contains("Would you ship with Pocketbase Nano?"), "and the other tool");
    assert!(shown(&site).contains("63% (41 of 65, 1 of them voted here)"), "{}", shown(&site));
    page_says(&site, "<strong>63%</strong> <span class=\"muted\">65 votes</span>");

    site.post(&path, &form("stackforge", "ship"));
    site.post(&path, &form("stackforge", "ship"));
    assert!(shown(&site).contains("65% (42 of 65, 1 of them voted here)"), "{}", shown(&site));
    page_says(&site, "<strong>65%</strong> <span class=\"muted\">65 votes</span>");
    assert!(site.get(&link).text().contains("Your vote: ship"));
    let choices = site.get(&path).text();
    assert!(choices.contains(&format!("{path}?compare=lead")), "what there is to vote on: {choices}");
    assert!(!site.log().contains("k1.v"), "no token in the log");
}

#[test]
fn nobody_votes_with_what_is_not_theirs() {
    let site = Site::open(2, "");
    let (_, html) = letter(&site, "reader0@example.com", "");
    let link = vote_link(&html, "tool=stackforge&say=ship");
    let path = link.split('?').next().unwrap().to_owned();
    let token = path.strip_prefix("/vote/").unwrap();
    let leave = html.split("/unsubscribe/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    for forged in [
        leave,
        token.replace(".v1.", ".v2."),
        format!("{token}x"),
        "junk".to_owned(),
        token.replace(".v", ".u"),
    ] {
        assert_eq!(site.get(&format!("/vote/{forged}?compare=lead")).status, 404, "{forged}");
        assert_eq!(
            site.post(&format!("/vote/{forged}"), &form("stackforge", "ship")).status,
            404,
            "{forged}"
        );
    }
    for (nonsense, status) in [
        (form("stackforge", "maybe"), 422),
        (form("nothing", "ship"), 422),
        ("compare=nothing&tool=stackforge&say=ship".to_owned(), 404),
        (String::new(), 404),
    ] {
        assert_eq!(site.post(&path, &nonsense).status, status, "{nonsense}");
    }
    assert_eq!(site.get(&format!("{path}?compare=lead&tool=%3Cscript%3E&say=%22%3E")).status, 200);
    assert!(
        !site.get(&format!("{path}?compare=lead&tool=%3Cscript%3E&say=%22%3E")).text().contains("<script")
    );
    assert!(shown(&site).contains("0 of them voted here"), "{}", shown(&site));
}

#[test]
fn the_votes_of_who_leaves_stay_without_a_name() {
    let site = Site::open(2, "");
    let (_, html) = letter(&site, "reader0@example.com", "");
    let link = vote_link(&html, "tool=pocketbase-nano&say=ship");
    let path = link.split('?').next().unwrap().to_owned();
    assert_eq!(site.post(&path, &form("pocketbase-nano", "ship")).status, 200);
    let leave = html.split("/unsubscribe/").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(site.post(&format!("/unsubscribe/{leave}"), "List-Unsubscribe=One-Click").status, 200);
    for answer in [site.get(&link), site.get(&path), site.post(&path, &form("pocketbase-nano", "skip"))] {
        assert_eq!(answer.status, 410);
        assert!(answer.text().contains("This link votes no more"), "{}", answer.text());
    }
    assert!(shown(&site).contains("100% (1 of 1, 1 of them voted here)"), "{}", shown(&site));
}

#[test]
fn the_next_letter_says_how_the_votes_came_out() {
    let site = Site::open(3, "");
    for (reader, tool, say) in [
        ("reader0@example.com", "stackforge", "ship"),
        ("reader1@example.org", "stackforge", "ship"),
        ("reader1@example.org", "pocketbase-nano", "skip"),
    ] {
        let (_, html) = letter(&site, reader, "");
        let link = vote_link(&html, &format!("tool={tool}&say={say}"));
        assert_eq!(site.post(link.split('?').next().unwrap(), &form(tool, say)).status, 200);
    }
    let next = |slug: &str, one: &str| {
        let text = house::comparison(slug, chrono::Utc::now()).replace("Pocketbase Nano", one);
        let file = site.house.write("next.json", &text.replace("pocketbase-nano", &one.to_lowercase()));
        site.house.must(&["comparisons", "import", file.to_str().unwrap()]);
        site.house.must(&["send"]);
        letter(&site, "reader2@example.com", one)
    };
    let (text, html) = next("second", "Carton");
    let results = text.split("HOW READERS VOTED ON THE LAST LETTER").nth(1).expect("the results").to_owned();
    for line in [
        "Pocketbase Nano vs Stackforge",
        "Pocketbase Nano               0%    ..........  1 vote",
        "Stackforge                    65%   #######...  66 votes",
    ] {
        assert!(results.contains(line), "{line}: {results}");
    }
    assert!(html.contains("How readers voted on the last letter") && html.contains("66 votes"));
    assert!(
        text.lines().any(|line| line == "  votes             —                         66"),
        "the letter's figures count the votes cast here: {text}"
    );
    let archived = site.get("/issues/2").text();
    assert!(archived.contains("How readers voted on the last letter") && !archived.contains("/vote/"));

    // Stackforge was in that one, too, and has votes; so only a letter of two others has nothing to tell.
    let file = site.house.write(
        "quiet.json",
        &house::comparison("quiet", chrono::Utc::now())
            .replace("Pocketbase Nano", "Quill")
            .replace("pocketbase-nano", "quill")
            .replace("Stackforge", "Inkwell")
            .replace("stackforge", "inkwell"),
    );
    site.house.must(&["comparisons", "import", file.to_str().unwrap()]);
    site.house.must(&["send"]);
    let (text, html) = next("last", "Parcel");
    assert!(!text.contains("HOW READERS VOTED") && !html.contains("How readers voted"), "{text}");
}
