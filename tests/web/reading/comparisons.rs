//! The page of a comparison.

use super::*;

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
