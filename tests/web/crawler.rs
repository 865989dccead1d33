//! Mail scanners and prefetchers follow every link: a GET or HEAD of any of them changes no row (promise P10).

use std::collections::{BTreeMap, BTreeSet};

use verdicts::web::routes;

use crate::support::house;
use crate::support::mail::letters::{self, Mail, html_links, letters};
use crate::support::served::{Served, dump};
use crate::support::site::Site;

/// What a crawl met: every address with its status.
type Met = BTreeMap<String, u16>;

/// A site with a history: readers of every kind, two issues, and whatever letters that brought.
fn furnished() -> (house::House, Vec<Mail>, std::net::SocketAddr) {
    let site = Site::open(4, "[signup]\nminimum_fill = \"0s\"");
    // One who confirmed and one who has not yet: the mails of both are in somebody's scanner.
    for (n, person) in ["new@example.com", "newer@example.com"].into_iter().enumerate() {
        let form = site.get("/").text();
        let stamp =
            form.split("name=\"stamp\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let answer =
            site.post("/subscribe", &format!("email={}&website=&stamp={stamp}", person.replace('@', "%40")));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mail = letters::wait_for(&site.house.path("outbox"), |mail| mail.to.contains(person));
        if n == 0 {
            let confirm = mail.link("/confirm/");
            let path = own(&confirm, &site.url("")).unwrap();
            assert_eq!(site.post(&path, "").status, 200);
            let outbox = site.house.path("outbox");
            let is_welcome = |mail: &Mail| {
                mail.to.contains(person) && mail.links.iter().any(|l| l.contains("/preferences/"))
            };
            let welcome = letters::wait_for(&outbox, is_welcome);
            // They move, and have not said at the new address that it is theirs.
            let preferences = own(&welcome.link("/preferences/"), &site.url("")).unwrap();
            let answer = site.post(&format!("{preferences}/address"), "email=moved%40example.org");
            assert_eq!(answer.status, 200, "{}", answer.text());
            letters::wait_for(&outbox, |mail| mail.to.contains("moved@example.org"));
        }
    }
    let more = house::comparison("second", chrono::Utc::now() - chrono::TimeDelta::hours(1));
    let more = site
        .house
        .write("second.json", &more.replace("Stackforge", "Brickyard").replace("stackforge", "brickyard"));
    site.house.must(&["comparisons", "import", more.to_str().unwrap()]);
    site.house.must(&["comparisons", "import", concat!(env!("CARGO_MANIFEST_DIR"), "/templates/samples")]);
    site.house.must(&["subscribers", "unsubscribe", "reader1@example.org"]);
    let mails = letters(&site.house.path("outbox"));
    assert!(mails.len() >= 4, "letters are out");
    let address = site.address;
    let Site { house, mut serving, .. } = site;
    serving.signal("TERM");
    let _ = serving.0.wait();
    (house, mails, address)
}

/// The address as a path of ours; none for what is elsewhere or no page.
fn own(link: &str, base: &str) -> Option<String> {
    let path = match link.strip_prefix(base) {
        Some(path) => path,
        None if link.starts_with('/') && !link.starts_with("//") => link,
        None => return None,
    };
    let path = path.split('#').next().unwrap_or_default();
    Some(if path.is_empty() { "/".to_owned() } else { path.to_owned() })
}

/// Links of whatever kind of answer: HTML, XML and JSON all quote or enclose them.
fn links(body: &str, base: &str) -> Vec<String> {
    let mut found = html_links(body);
    // A feed has its HTML in escapes.
    let body = body.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    for (at, _) in body.match_indices(base) {
        let rest = &body[at..];
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '\\'))
            .unwrap_or(rest.len());
        found.push(rest[..end].to_owned());
    }
    found
}

fn crawl(served: &Served, seeds: impl IntoIterator<Item = String>) -> Met {
    let base = format!("http://{}", served.address);
    let mut open: Vec<String> = seeds.into_iter().filter_map(|link| own(&link, &base)).collect();
    let mut met = Met::new();
    while let Some(path) = open.pop() {
        if met.contains_key(&path) {
            continue;
        }
        let ask = |method: &str| {
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: SafeLinks scanner\r\nConnection: close\r\n\r\n",
                served.address
            );
            String::from_utf8_lossy(&served.say(head.as_bytes())).into_owned()
        };
        let status = |answer: &str| answer.split(' ').nth(1).and_then(|s| s.parse::<u16>().ok()).unwrap_or(0);
        let (head, get) = (ask("HEAD"), ask("GET"));
        assert!(status(&get) > 0, "{path} is not answered");
        assert_eq!(status(&head), status(&get), "{path}: HEAD and GET disagree");
        let (fields, body) = get.split_once("\r\n\r\n").unwrap_or((&get, ""));
        let location = fields.lines().find_map(|line| line.strip_prefix("location: "));
        open.extend(location.into_iter().filter_map(|link| own(link, &base)));
        if !path.starts_with("/assets/") {
            open.extend(links(body, &base).iter().filter_map(|link| own(link, &base)));
        }
        met.insert(path, status(&get));
        assert!(met.len() < 2000, "the site has no end");
    }
    met
}

#[test]
fn whoever_follows_every_link_changes_nothing_and_finds_no_dead_one() {
    let (house, mails, address) = furnished();
    let served = Served::start(&house, address);
    let before = dump(&house);
    assert!(
        before["subscriber"].len() >= 4 && !before["delivery"].is_empty(),
        "there is something to change"
    );

    let mut seeds: BTreeSet<String> = mails.iter().flat_map(|mail| mail.links.iter().cloned()).collect();
    // No reader is led to the page about forms on other sites; its address stands in the README.
    seeds
        .extend(["/", "/embed", "/robots.txt", "/sitemap.xml", "/feed.xml", "/feed.json"].map(str::to_owned));
    let met = crawl(&served, seeds);

    let after = dump(&house);
    for (table, rows) in &before {
        assert_eq!(rows, &after[table], "a GET or HEAD changed {table}");
    }
    // A vote link of somebody who has left is gone, and says so.
    let dead: Vec<_> = met.iter().filter(|(_, status)| **status >= 400 && **status != 410).collect();
    assert!(dead.is_empty(), "links that lead nowhere: {dead:?}");

    // Every kind of page was among them, so none is missing from the claim.
    for route in routes().into_iter().filter(|route| route.methods.contains(&"GET")).map(|route| route.path) {
        let front = route.split('{').next().unwrap();
        let is_met =
            met.keys().any(|path| if front == route { *path == route } else { path.starts_with(front) });
        assert!(is_met || route.ends_with("z"), "nothing led to {route}; met {:?}", met.keys());
    }
}
