//! A reader's own page over HTTP, from the link in a letter: topics, hour, break, address, data, erasure; and the way out.

mod choices;
mod links;
mod person;

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
