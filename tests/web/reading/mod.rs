//! What everybody may read: the archive, the comparisons, the feeds and the sitemap, over HTTP from the real binary.

mod archive;
mod caching;
mod comparisons;
mod feeds;

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
