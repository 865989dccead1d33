//! What everybody may read: the archive, the comparisons, the feeds and the sitemap, over HTTP from the real binary.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::support::house::{self, House, comparison};
use crate::support::site::{Answer, Site, free_address};

const ATOM: &str = "http://www.w3.org/2005/Atom";
const EVERYTHING: [&str; 7] =
    ["/compare/lead", "/issues", "/issues/1", "/feed.xml", "/feed.json", "/sitemap.xml", "/robots.txt"];

fn yesterday() -> DateTime<Utc> {
    Utc::now() - TimeDelta::days(1)
}

/// A comparison as a test changes it.
fn changed(slug: &str, published: DateTime<Utc>, change: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_str(&comparison(slug, published)).unwrap();
    change(&mut value);
    value.to_string()
}

/// The whole address of a page.
fn url(site: &Site, path: &str) -> String {
    format!("http://{}{path}", site.address)
}

fn import(house: &House, text: &str) {
    let file = house.write("another.json", text);
    house.must(&["comparisons", "import", file.to_str().unwrap()]);
}

/// Asks until the answer is as it should be; the pages may be a second old.
fn until(site: &Site, path: &str, is_good: impl Fn(&Answer) -> bool) -> Answer {
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = site.get(path);
        if is_good(&answer) {
            return answer;
        }
        assert!(Instant::now() < limit, "{path} stays at {}\n{}", answer.head, answer.text());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The values of `content` in `<meta property="…" content="…">` and the like.
fn meta<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let tag = page.split("<meta ").find(|tag| {
        tag.starts_with(&format!("property=\"{name}\"")) || tag.starts_with(&format!("name=\"{name}\""))
    })?;
    tag.split("content=\"").nth(1)?.split('"').next()
}

fn json_ld(page: &str) -> Value {
    let block = page.split("<script type=\"application/ld+json\">").nth(1).expect("a data block");
    serde_json::from_str(block.split("</script>").next().unwrap()).unwrap()
}

#[test]
fn a_comparison_says_all_there_is_to_say() {
    let site = Site::open(1, "");
    let answer = site.get("/compare/lead");
    assert_eq!(answer.status, 200);
    let page = answer.text();
    for shown in [
        "<h1 lang=\"en\">Pocketbase Nano vs Stackforge</h1>",
        "Which one should you ship with?",
        "Developer Tools",
        "Pocketbase Nano in one line",
        "What Stackforge does, in a sentence.",
        "$19/mo",
        "<strong>100%</strong>",
        "<strong>75%</strong>",
        "4 of 4 would ship it",
        "3 of 4 would ship it",
        "<strong>—</strong> <span class=\"muted\">no votes yet</span>",
        "<strong>64%</strong> <span class=\"muted\">64 votes</span>",
        "The panel picks Pocketbase Nano, 100% to 75%.",
        "All 4 reviewers ship Pocketbase Nano.",
        "Product manager is the only one to skip Stackforge.",
        "Futurist judged Pocketbase Nano only.",
        "href=\"/issues/1\"",
    ] {
        assert!(page.contains(shown), "{shown} in\n{page}");
    }
    for quote in house::QUOTES {
        let escaped = quote.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let escaped = escaped.replace('"', "&quot;").replace('\'', "&#39;");
        assert!(page.contains(&escaped), "{escaped}");
    }
    let table = page.split("<table").nth(1).unwrap().split("</table>").next().unwrap();
    assert!(table.contains("<caption>") && table.matches("scope=\"col\"").count() == 3);
    let rows: Vec<Vec<&str>> = table
        .split("<tr class=")
        .skip(1)
        .map(|row| {
            let word = |cell: &&str| ["Ship", "Skip", "not asked"].into_iter().find(|w| cell.contains(*w));
            assert!(row.contains("scope=\"row\""));
            row.split("<td>")
                .skip(1)
                .map(|cell| word(&cell).expect("a word beside shape and colour"))
                .collect()
        })
        .collect();
    let (ship, skip, none) = ("Ship", "Skip", "not asked");
    assert_eq!(rows, [[ship, ship], [ship, ship], [ship, ship], [ship, none], [none, skip]]);
}

#[test]
fn a_comparison_tells_machines_what_it_is() {
    let site = Site::open(1, "");
    let answer = site.get("/compare/lead");
    let (page, own) = (answer.text(), url(&site, "/compare/lead"));
    assert!(page.contains(&format!("<link rel=\"canonical\" href=\"{own}\">")));
    assert_eq!(meta(&page, "og:url"), Some(own.as_str()));
    assert_eq!(meta(&page, "og:title"), Some("Pocketbase Nano vs Stackforge"));
    assert_eq!(meta(&page, "og:type"), Some("article"));
    assert_eq!(meta(&page, "robots"), Some("index"));
    let at = meta(&page, "article:published_time").unwrap();
    assert!(DateTime::parse_from_rfc3339(at).is_ok(), "{at}");

    let data = json_ld(&page);
    assert_eq!((data["@type"].as_str(), data["url"].as_str()), (Some("Article"), Some(own.as_str())));
    let tools = data["about"].as_array().unwrap();
    assert_eq!(tools[1]["name"], "Stackforge");
    assert_eq!(
        (&tools[1]["aggregateRating"]["ratingValue"], &tools[1]["aggregateRating"]["reviewCount"]),
        (&75.into(), &4.into())
    );
    let quotes: Vec<&str> = tools
        .iter()
        .flat_map(|t| t["review"].as_array().unwrap())
        .map(|r| r["reviewBody"].as_str().unwrap())
        .collect();
    assert_eq!(quotes, house::QUOTES, "read back as they were written");

    // The data block is the only script there is, and the policy makes no exception for it.
    assert_eq!(page.matches("<script").count(), 1);
    let policy = answer.must("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'")
            && !policy.contains("script-src")
            && !policy.contains("unsafe")
    );
}

#[test]
fn whoever_has_a_page_already_is_not_sent_it_again() {
    let site = Site::open(1, "");
    for path in EVERYTHING {
        let first = site.get(path);
        assert_eq!(first.status, 200, "{path}");
        let (tag, modified) = (first.must("etag").to_owned(), first.must("last-modified").to_owned());
        assert!(tag.starts_with('"'), "{path}: a strong tag: {tag}");
        assert!(first.must("cache-control").starts_with("public, max-age="), "{path}");
        assert!(first.header("set-cookie").is_none());
        let head = site.ask("HEAD", path, "", b"");
        assert_eq!(
            (head.status, head.header("etag"), head.body.len()),
            (200, Some(tag.as_str()), 0),
            "{path}"
        );
        assert_eq!(head.must("content-length"), first.body.len().to_string(), "{path}");
        for (asked, status) in [
            (format!("If-None-Match: {tag}\r\n"), 304),
            (format!("If-None-Match: \"x\", W/{tag}\r\n"), 304),
            ("If-None-Match: *\r\n".to_owned(), 304),
            ("If-None-Match: \"x\"\r\n".to_owned(), 200),
            (format!("If-Modified-Since: {modified}\r\n"), 304),
            ("If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT\r\n".to_owned(), 200),
            ("If-Modified-Since: soon\r\n".to_owned(), 200),
            (format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {modified}\r\n"), 200),
        ] {
            let again = site.ask("GET", path, &asked, b"");
            assert_eq!(again.status, status, "{path} {asked}");
            if status == 304 {
                assert!(
                    again.body.is_empty()
                        && again.must("etag") == tag
                        && again.header("cache-control").is_some()
                );
            }
        }
    }
}

#[test]
fn compressed_pages_are_the_same_pages_under_another_tag() {
    let site = Site::open(1, "");
    for path in ["/compare/lead", "/issues/1", "/feed.xml"] {
        let plain = site.get(path);
        let zipped = site.ask("GET", path, "Accept-Encoding: gzip, br\r\n", b"");
        assert_eq!(zipped.must("content-encoding"), "gzip", "{path}");
        assert!(zipped.must("vary").contains("accept-encoding"));
        assert_ne!(plain.must("etag"), zipped.must("etag"), "{path}");
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(zipped.body.as_slice()).read_to_end(&mut text).unwrap();
        assert!(text == plain.body, "{path}");
        let other = site.ask("GET", path, "Accept-Encoding: br\r\n", b"");
        assert_eq!(other.must("content-encoding"), "br", "packed on the way, so the tag is weak");
        assert_eq!(other.must("etag"), format!("W/{}", plain.must("etag")));
        let asked = format!("Accept-Encoding: gzip\r\nIf-None-Match: {}\r\n", zipped.must("etag"));
        assert_eq!(site.ask("GET", path, &asked, b"").status, 304, "{path}");
    }
}

#[test]
fn pages_speak_the_readers_language() {
    let site = Site::open(1, "");
    let german = site.ask("GET", "/compare/lead", "Accept-Language: de-AT, en;q=0.5\r\n", b"");
    let page = german.text();
    assert!(
        page.contains("<html lang=\"de\">") && page.contains("Die Jury entscheidet sich für Pocketbase Nano")
    );
    assert!(page.contains("<h1 lang=\"en\">"), "the comparison's own words stay in the site's language");
    assert_eq!(german.must("content-language"), "de");
    assert!(german.must("vary").contains("accept-language"));
    assert!(site.get("/compare/lead").text().contains("The panel picks"), "and nobody else gets it");
    assert!(site.ask("GET", "/issues", "Accept-Language: de\r\n", b"").text().contains("Alle Ausgaben"));
    let letter = site.ask("GET", "/issues/1", "Accept-Language: de\r\n", b"").text();
    assert!(letter.contains("Den Brief per Mail bekommen"));
}

#[test]
fn the_atom_feed_is_valid() {
    let site = Site::open(1, "");
    import(
        &site.house,
        &changed("second", yesterday() - TimeDelta::days(3), |c| c["title"] = "Q & <A>".into()),
    );
    let answer = until(&site, "/feed.xml", |a| a.text().contains("/compare/second"));
    assert_eq!(answer.must("content-type"), "application/atom+xml; charset=utf-8");
    let text = answer.text();
    let document = roxmltree::Document::parse(&text).unwrap();
    let feed = document.root_element();
    assert!(feed.has_tag_name((ATOM, "feed")));
    let entries: Vec<_> = feed.children().filter(|n| n.has_tag_name((ATOM, "entry"))).collect();
    assert_eq!(entries.len(), 3, "two comparisons and a letter");
    // RFC 4287 §4.1.1 and §4.1.2: exactly one of each, and an author for all.
    let one = |node: roxmltree::Node<'_, '_>, name: &str| -> String {
        let found: Vec<_> = node.children().filter(|n| n.has_tag_name((ATOM, name))).collect();
        assert_eq!(found.len(), 1, "{name} in {:?}", node.tag_name());
        found[0].text().unwrap_or_default().to_owned()
    };
    let mut ids = BTreeSet::new();
    for node in entries.iter().chain([&feed]) {
        let id = one(*node, "id");
        assert!(id.starts_with(&url(&site, "/")), "an absolute IRI: {id}");
        assert!(ids.insert(id));
        assert!(!one(*node, "title").is_empty());
        assert!(DateTime::parse_from_rfc3339(&one(*node, "updated")).is_ok());
    }
    let author = feed.children().find(|n| n.has_tag_name((ATOM, "author"))).unwrap();
    assert!(!one(author, "name").is_empty());
    let links = |node: &roxmltree::Node<'_, '_>, rel: &str| {
        node.children()
            .filter(|n| n.has_tag_name((ATOM, "link")) && n.attribute("rel") == Some(rel))
            .map(|n| n.attribute("href").unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(links(&feed, "self"), [url(&site, "/feed.xml")]);
    let mut titles = Vec::new();
    for entry in &entries {
        let [link] = links(entry, "alternate").try_into().unwrap();
        assert_eq!(site.get(link.strip_prefix(&url(&site, "")).unwrap()).status, 200, "{link}");
        let content = entry.children().find(|n| n.has_tag_name((ATOM, "content"))).unwrap();
        assert_eq!(content.attribute("type"), Some("html"));
        assert!(content.children().all(|n| n.is_text()), "escaped, not nested");
        titles.push(one(*entry, "title"));
    }
    assert!(titles[0].starts_with("Letter no. 1: "), "the newest first: {titles:?}");
    assert_eq!(titles[1..], ["Pocketbase Nano vs Stackforge", "Q & <A>"]);
    let page = site.get("/issues").text();
    assert!(page.contains("<link rel=\"alternate\" type=\"application/atom+xml\""), "pages lead to it");
}

#[test]
fn the_json_feed_is_valid_and_an_entry_stays_who_it_is() {
    let site = Site::open(1, "");
    let answer = site.get("/feed.json");
    assert_eq!(answer.must("content-type"), "application/feed+json; charset=utf-8");
    assert_eq!(answer.must("access-control-allow-origin"), "*", "a feed reader may be a page of its own");
    assert!(site.get("/compare/lead").header("access-control-allow-origin").is_none());
    let feed: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(feed["version"], "https://jsonfeed.org/version/1.1");
    assert_eq!(feed["feed_url"], url(&site, "/feed.json"));
    assert!(!feed["title"].as_str().unwrap().is_empty());
    let item = |feed: &Value, end: &str| -> Value {
        let items = feed["items"].as_array().unwrap();
        items
            .iter()
            .find(|item| item["url"].as_str().unwrap().ends_with(end))
            .cloned()
            .expect("it is in the feed")
    };
    let before = item(&feed, "/compare/lead");
    assert!(before["id"].is_string() && before["content_html"].as_str().unwrap().contains("The panel picks"));
    assert_eq!(before["date_published"], before["date_modified"], "an import is no change");
    for name in ["date_published", "date_modified"] {
        assert!(DateTime::parse_from_rfc3339(before[name].as_str().unwrap()).is_ok());
    }

    let published = DateTime::parse_from_rfc3339(before["date_published"].as_str().unwrap()).unwrap();
    import(&site.house, &changed("lead", published.to_utc(), |c| c["question"] = "Which one now?".into()));
    let answer = until(&site, "/feed.json", |a| a.text().contains("Which one now?"));
    let after = item(&serde_json::from_slice(&answer.body).unwrap(), "/compare/lead");
    assert_eq!((&after["id"], &after["date_published"]), (&before["id"], &before["date_published"]));
    assert!(after["date_modified"].as_str() > before["date_modified"].as_str());
}

#[test]
fn the_sitemap_lists_what_there_is_and_nothing_else() {
    let site = Site::open(1, "");
    import(&site.house, &comparison("tomorrow", Utc::now() + TimeDelta::days(1)));
    import(&site.house, &comparison("older", yesterday() - TimeDelta::days(9)));
    let answer = until(&site, "/sitemap.xml", |a| a.text().contains("/compare/older"));
    let text = answer.text();
    let document = roxmltree::Document::parse(&text).unwrap();
    let name = |name| {
        move |n: &roxmltree::Node<'_, '_>| {
            n.has_tag_name(("http://www.sitemaps.org/schemas/sitemap/0.9", name))
        }
    };
    let listed: BTreeSet<String> =
        document.descendants().filter(name("loc")).map(|n| n.text().unwrap().to_owned()).collect();
    let expected = ["/", "/issues", "/issues/1", "/compare/lead", "/compare/older"];
    assert_eq!(listed, expected.iter().map(|path| url(&site, path)).collect());
    for path in expected {
        let status = site.get(path).status;
        assert!(status == 200 || path == "/" && status < 400, "{path}: {status}");
    }
    for at in document.descendants().filter(name("lastmod")) {
        assert!(DateTime::parse_from_rfc3339(at.text().unwrap()).is_ok());
    }
    let robots = site.get("/robots.txt").text();
    assert!(robots.contains(&format!("Sitemap: {}", url(&site, "/sitemap.xml"))), "{robots}");
    assert!(robots.contains("Disallow: /vote/"));
}

#[test]
fn what_is_not_published_yet_is_not_there() {
    let site = Site::open(1, "");
    import(&site.house, &comparison("tomorrow", Utc::now() + TimeDelta::days(1)));
    import(&site.house, &comparison("marker", yesterday()));
    until(&site, "/feed.xml", |a| a.text().contains("/compare/marker"));
    assert_eq!(site.get("/compare/tomorrow").status, 404);
    for path in ["/feed.xml", "/feed.json", "/sitemap.xml", "/issues"] {
        assert!(!site.get(path).text().contains("tomorrow"), "{path}");
    }
    for path in [
        "/compare/",
        "/compare/nothing",
        "/compare/Lead",
        "/compare/lead/",
        "/issues/2",
        "/issues/0",
        "/issues/-1",
        "/issues/1x",
    ] {
        assert_eq!(site.get(path).status, 404, "{path}");
    }
}

#[test]
fn an_issue_is_public_once_a_letter_has_left() {
    let address = free_address();
    let nobody = free_address();
    let mut house = House::new(&format!("smtp://{nobody}"), &format!("[web]\nlisten = \"{address}\"\n"));
    house.set("VERDICTS__SITE__BASE_URL", &format!("http://{address}"));
    house.furnish(2);
    house.run(&["send"]);
    assert_eq!(house.status()["queued"].as_i64().unwrap() + house.status()["deferred"].as_i64().unwrap(), 2);
    let serving = house.start_logged(&["serve"], "serve.log");
    let site = Site { house, address, serving };
    let limit = Instant::now() + Duration::from_secs(30);
    while std::net::TcpStream::connect(address).is_err() {
        assert!(Instant::now() < limit);
        std::thread::sleep(Duration::from_millis(20));
    }
    let hidden = |site: &Site| {
        assert_eq!(site.get("/issues/1").status, 404);
        for path in ["/issues", "/feed.xml", "/sitemap.xml", "/compare/lead"] {
            assert!(!site.get(path).text().contains("/issues/1"), "{path}");
        }
    };
    hidden(&site);
    site.house.must(&["issue", "cancel", "1"]);
    hidden(&site);
    assert_eq!(site.get("/compare/lead").status, 200, "the comparison has been published all the same");
}

#[test]
fn nothing_anybody_wrote_becomes_markup() {
    let hostile = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;";
    let site = Site::open(1, "");
    let text = changed("hostile", Utc::now(), |c| {
        for name in ["title", "question"] {
            c[name] = format!("{name} {hostile}").into();
        }
        for (n, tool) in c["tools"].as_array_mut().unwrap().iter_mut().enumerate() {
            for name in ["name", "category", "tagline", "description"] {
                tool[name] = format!("{name} {n} {hostile}").into();
            }
            tool["pricing"]["entry"] = hostile.into();
            for review in tool["reviews"].as_array_mut().unwrap() {
                review["reviewer"] = format!("{} {hostile}", review["reviewer"].as_str().unwrap()).into();
                review["quote"] = hostile.into();
            }
        }
    });
    import(&site.house, &text);
    let page = site.get("/compare/hostile");
    assert_eq!(page.status, 200);
    let page = page.text();
    assert!(!page.contains("<script>") && !page.contains("<img"), "{page}");
    assert_eq!(page.matches("<script").count(), 1, "the data block alone");
    assert_eq!(json_ld(&page)["headline"], format!("title {hostile}"));
    assert!(meta(&page, "og:title").unwrap().starts_with("title &lt;/script&gt;"));

    let atom = until(&site, "/feed.xml", |a| a.text().contains("/compare/hostile")).text();
    assert!(!atom.contains("<script") && !atom.contains("<img"));
    let document = roxmltree::Document::parse(&atom).unwrap();
    let content: Vec<&str> = document
        .descendants()
        .filter(|n| n.has_tag_name((ATOM, "content")))
        .filter_map(|n| n.text())
        .collect();
    assert!(
        content.iter().any(|html| html.contains("&lt;script&gt;"))
            && content.iter().all(|html| !html.contains("<script"))
    );
    let feed: Value = serde_json::from_slice(&site.get("/feed.json").body).unwrap();
    for item in feed["items"].as_array().unwrap() {
        assert!(!item["content_html"].as_str().unwrap().contains("<script"));
    }
    site.house.must(&["send"]);
    let letter = until(&site, "/issues/2", |a| a.status == 200).text();
    assert!(!letter.contains("<script>") && !letter.contains("<img"), "the letter and its bar");
    let archive = until(&site, "/issues", |a| a.text().contains("/issues/2")).text();
    assert!(archive.contains("title &lt;/script&gt;") && !archive.contains("<script"), "{archive}");
}

#[test]
fn a_change_by_another_process_shows_and_so_does_a_withdrawal() {
    let site = Site::open(1, "");
    let before = site.get("/compare/lead");
    assert_eq!(site.get("/compare/lead").must("etag"), before.must("etag"));
    let day = yesterday();
    import(&site.house, &changed("lead", day, |c| c["question"] = "Which one, on second thought?".into()));
    let after = until(&site, "/compare/lead", |a| a.text().contains("on second thought"));
    assert_ne!(after.must("etag"), before.must("etag"));
    import(&site.house, &comparison("lead", Utc::now() + TimeDelta::days(2)));
    until(&site, "/compare/lead", |a| a.status == 404);
    assert!(
        !until(&site, "/sitemap.xml", |a| !a.text().contains("/compare/lead"))
            .text()
            .contains("/compare/lead")
    );
}

#[test]
fn the_letter_in_the_archive_leads_on_and_names_nobody() {
    let site = Site::open(2, "");
    let answer = site.get("/issues/1");
    let page = answer.text();
    assert!(page.contains("Stackforge") && page.contains("<header class=\"site-bar\""));
    assert!(page.contains(&format!("<link rel=\"canonical\" href=\"{}\">", url(&site, "/issues/1"))));
    assert_eq!(json_ld(&page)["url"], url(&site, "/issues/1"));
    assert_eq!(meta(&page, "og:type"), Some("article"));
    for absent in ["/unsubscribe/", "/preferences/", "/vote/", "reader0", "reader1", "Hello"] {
        assert!(!page.contains(absent), "{absent}");
    }
    assert!(answer.must("content-security-policy").contains("default-src 'none'"));
    let archive = site.get("/issues").text();
    assert!(archive.contains("href=\"/compare/lead\"") && archive.contains("<time"), "{archive}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_has_pages() {
    use sqlx::Connection as _;
    let site = tokio::task::spawn_blocking(|| Site::open(1, "")).await.unwrap();
    sqlx::any::install_default_drivers();
    let url = format!("sqlite:{}", site.house.path("verdicts.db").display());
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let rows = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 45)
        INSERT INTO issue (number, state, cutoff_at, subject, preheader, stencil, created_at, finished_at)
        SELECT i, 'finished', 0, 'Subject ' || i, '', '', 1700000000000 + i, 1700000000000 + i FROM n";
    sqlx::raw_sql(rows).execute(&mut connection).await.unwrap();
    tokio::task::spawn_blocking(move || {
        let numbers = |page: &str| -> Vec<i64> {
            let links = page.split("class=\"archive__subject\" href=\"/issues/").skip(1);
            links.map(|link| link.split('"').next().unwrap().parse().unwrap()).collect()
        };
        let first = until(&site, "/issues", |a| a.text().contains("/issues/45")).text();
        assert_eq!(numbers(&first), (26..=45).rev().collect::<Vec<_>>());
        assert!(first.contains("href=\"/issues?page=2\"") && !first.contains("rel=\"prev\""));
        let second = site.get("/issues?page=2").text();
        assert_eq!(numbers(&second), (6..=25).rev().collect::<Vec<_>>());
        assert!(
            second.contains("rel=\"prev\" href=\"/issues\"")
                && second.contains("rel=\"next\" href=\"/issues?page=3\"")
        );
        let last = site.get("/issues?page=3").text();
        assert_eq!(numbers(&last), [5, 4, 3, 2, 1]);
        assert!(!last.contains("rel=\"next\""));
        for junk in ["4", "0", "-1", "x", "", "99999999999999999999"] {
            assert_eq!(site.get(&format!("/issues?page={junk}")).status, 404, "{junk}");
        }
    })
    .await
    .unwrap();
}
