//! Feeds and the sitemap.

use super::*;

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
