//! Readers' votes: one per reader and tool, changeable, and counted for good without a name once the reader has left.

use std::time::{Duration, Instant};

use Stance::{Ship, Skip};
use mail_parser::{Message, MessageParser};
use verdicts::domain::UnixMillis;
use verdicts::domain::comparison::{Stance, Votes};
use verdicts::domain::subscriber::{SubscriberId, SubscriberStatus};
use verdicts::store::{CastVote, Store, Voted};

use crate::support::house::{self, outbox};
use crate::support::site::Site;
use crate::support::world::*;

fn later(ms: i64) -> UnixMillis {
    UnixMillis(NOW.0 + ms)
}

fn ballot(reader: i64, tool: &str, stance: Stance) -> CastVote<'_> {
    CastVote { reader: SubscriberId(reader), tool, published: NOW, stance }
}

async fn total(store: &Store, tool: &str) -> Votes {
    store.vote_totals(&[tool, "nothing"]).await.unwrap().get(tool).copied().unwrap_or_default().votes
}

async fn cast(store: &Store, reader: i64, tool: &str, stance: Stance) -> Voted {
    store.vote(&ballot(reader, tool, stance), later(1)).await.unwrap()
}

async fn a_vote_is_counted_once_and_may_be_changed(w: World) {
    w.with_readers(3).await;
    assert_eq!(total(&w.store, "quarry").await, Votes::default());
    for (reader, stance) in [(1, Ship), (1, Ship), (2, Skip), (3, Ship), (2, Ship), (3, Skip), (3, Skip)] {
        assert_eq!(cast(&w.store, reader, "quarry", stance).await, Voted::Counted);
    }
    assert_eq!(total(&w.store, "quarry").await, Votes { ship: 2, skip: 1 });
    assert_eq!(total(&w.store, "atlas").await, Votes::default(), "another tool has its own count");
    let own = w.store.votes_by(SubscriberId(3)).await.unwrap();
    assert_eq!(own.get("quarry"), Some(&(Skip, later(1))));
    assert_eq!(own.len(), 1);
}

async fn only_readers_vote(w: World) {
    let rows = [
        reader(1, SubscriberStatus::Pending),
        reader(2, SubscriberStatus::Unsubscribed),
        reader(3, SubscriberStatus::Bounced),
        reader(4, SubscriberStatus::Active),
    ];
    w.store.add_subscribers(&rows, &[hash(1), hash(2), hash(3), hash(4)]).await.unwrap();
    assert_eq!(cast(&w.store, 1, "quarry", Ship).await, Voted::Pending);
    for gone in [2, 3, 99] {
        assert_eq!(cast(&w.store, gone, "quarry", Ship).await, Voted::Gone, "{gone}");
    }
    assert_eq!(total(&w.store, "quarry").await, Votes::default());
    assert_eq!(cast(&w.store, 4, "quarry", Ship).await, Voted::Counted);
}

async fn who_leaves_takes_the_name_along_and_leaves_the_vote(w: World) {
    w.with_readers(3).await;
    for (reader, stance) in [(1, Ship), (2, Skip), (3, Ship)] {
        cast(&w.store, reader, "quarry", stance).await;
        cast(&w.store, reader, "atlas", Skip).await;
    }
    w.store.unsubscribe(SubscriberId(1), &hash(1), later(5)).await.unwrap();
    w.store.erase(SubscriberId(2), &hash(2), later(5)).await.unwrap();
    for gone in [1, 2] {
        assert!(w.store.votes_by(SubscriberId(gone)).await.unwrap().is_empty(), "no row names reader {gone}");
        assert_eq!(cast(&w.store, gone, "quarry", Skip).await, Voted::Gone);
    }
    assert_eq!(total(&w.store, "quarry").await, Votes { ship: 2, skip: 1 });
    assert_eq!(total(&w.store, "atlas").await, Votes { ship: 0, skip: 3 });
    assert_eq!(w.store.votes_by(SubscriberId(3)).await.unwrap().len(), 2, "who stayed is still known");
    // A repeat of the leaving changes nothing.
    w.store.unsubscribe(SubscriberId(1), &hash(1), later(9)).await.unwrap();
    assert_eq!(total(&w.store, "quarry").await, Votes { ship: 2, skip: 1 });
}

async fn leaving_and_coming_back_is_no_second_vote(w: World) {
    w.with_readers(2).await;
    cast(&w.store, 1, "quarry", Ship).await;
    w.store.unsubscribe(SubscriberId(1), &hash(1), later(1000)).await.unwrap();
    w.store.unsubscribe(SubscriberId(2), &hash(2), later(1000)).await.unwrap();
    raw(&w.url, "UPDATE subscriber SET status = 'active', ended_at = NULL").await;
    assert_eq!(cast(&w.store, 1, "quarry", Ship).await, Voted::Sealed);
    assert_eq!(total(&w.store, "quarry").await, Votes { ship: 1, skip: 0 });
    assert_eq!(cast(&w.store, 2, "quarry", Skip).await, Voted::Counted, "who had no vote lost none");
    let newer = CastVote { published: later(1001), ..ballot(1, "atlas", Skip) };
    assert_eq!(w.store.vote(&newer, later(2000)).await.unwrap(), Voted::Counted);
}

async fn one_vote_per_reader_and_tool_whatever_races(w: World) {
    w.with_readers(8).await;
    let other = w.another().await;
    let mut tasks = tokio::task::JoinSet::new();
    for round in 0..6 {
        for reader in 1..=8_i64 {
            let store = if (round + reader) % 2 == 0 { w.store.clone() } else { other.clone() };
            let stance = if (round * 3 + reader) % 5 < 3 { Ship } else { Skip };
            let tool = if round % 3 == 0 { "atlas" } else { "quarry" };
            tasks.spawn(async move { cast(&store, reader, tool, stance).await });
        }
    }
    // Two leave in the middle of it.
    for reader in [1, 2_usize] {
        let store = w.store.clone();
        tasks.spawn(async move {
            store.unsubscribe(SubscriberId(reader as i64), &hash(reader), later(5)).await.unwrap();
            Voted::Gone
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    for tool in ["atlas", "quarry"] {
        let mut held = Votes::default();
        for reader in 1..=8 {
            match w.store.votes_by(SubscriberId(reader)).await.unwrap().get(tool) {
                Some((Ship, _)) => held.ship += 1,
                Some((Skip, _)) => held.skip += 1,
                None => assert!(reader <= 2, "reader {reader} has voted on {tool}"),
            }
        }
        let counted = total(&w.store, tool).await;
        let nameless = counted.total() - held.total();
        assert!(nameless <= 2, "{tool}: {counted:?} counted, {held:?} held");
        assert!(counted.ship >= held.ship && counted.skip >= held.skip, "{tool}: {counted:?} {held:?}");
    }
    for gone in [1, 2] {
        assert!(w.store.votes_by(SubscriberId(gone)).await.unwrap().is_empty(), "a vote slipped in behind");
    }
}

async fn raw(url: &str, text: &'static str) {
    use sqlx::Connection as _;
    let mut connection = sqlx::AnyConnection::connect(url).await.unwrap();
    sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

contract! {
    a_vote_is_counted_once_and_may_be_changed,
    only_readers_vote,
    who_leaves_takes_the_name_along_and_leaves_the_vote,
    leaving_and_coming_back_is_no_second_vote,
    one_vote_per_reader_and_tool_whatever_races,
}

// From the letter to the next one, over HTTP.

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
