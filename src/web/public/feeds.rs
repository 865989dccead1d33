//! The feeds: Atom (RFC 4287) and JSON Feed 1.1, with every published comparison and every letter.
//!
//! An entry's id is its address and stays what it is. Votes are not part of an entry: they change
//! every minute, and a feed reader would bring the same comparison again and again.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;

use super::cached::MakeError;
use super::compare::{changed_at, compared_tool};
use super::conditional::PageContent;
use crate::domain::UnixMillis;
use crate::domain::comparison::{StoredComparison, Votes};
use crate::domain::issue::Issue;
use crate::web::render::{phrases, xml};
use crate::web::state::Web;

/// Comparisons in a feed: a few weeks of a busy site.
const COMPARISONS: i64 = 30;
/// Letters in a feed.
const LETTERS: i64 = 10;
/// Seconds that a feed reader need not ask again.
const MAX_AGE: u32 = 300;

/// An entry of either feed.
struct FeedEntry {
    /// Its address, which is its id as well.
    url: String,
    title: String,
    summary: String,
    html: String,
    published: UnixMillis,
    updated: UnixMillis,
    tags: BTreeSet<String>,
}

/// `GET /feed.xml`.
pub async fn atom(State(web): State<Arc<Web>>, asked: HeaderMap) -> Response {
    let now = UnixMillis::now();
    let make = async || {
        let entries = entries(&web, now).await?;
        let modified = updated(&web, &entries);
        let kind = "application/atom+xml; charset=utf-8";
        Ok(Some(PageContent { kind, modified, ..web.data(atom_text(&web, &entries, modified), MAX_AGE) }))
    };
    web.cached_list(("/feed.xml".to_owned(), None), &asked, now, make).await
}

/// `GET /feed.json`.
pub async fn json(State(web): State<Arc<Web>>, asked: HeaderMap) -> Response {
    let now = UnixMillis::now();
    let make = async || {
        let entries = entries(&web, now).await?;
        let modified = updated(&web, &entries);
        let kind = "application/feed+json; charset=utf-8";
        Ok(Some(PageContent { kind, modified, ..web.data(json_text(&web, &entries), MAX_AGE) }))
    };
    web.cached_list(("/feed.json".to_owned(), None), &asked, now, make).await
}

/// When the newest entry changed; without any, since when there is this feed, as far as this
/// process knows.
fn updated(web: &Web, entries: &[FeedEntry]) -> UnixMillis {
    entries.iter().map(|entry| entry.updated).max().unwrap_or(web.started)
}

/// The newest first.
async fn entries(web: &Web, now: UnixMillis) -> Result<Vec<FeedEntry>, MakeError> {
    let mut entries = Vec::new();
    for stored in web.store.public_comparisons(COMPARISONS, now).await? {
        entries.push(of_comparison(web, &stored)?);
    }
    let letters = web.store.public_issues(0, LETTERS).await?;
    let numbers: Vec<_> = letters.iter().map(|issue| issue.number).collect();
    let carried = web.store.comparisons_in(&numbers).await?;
    for issue in letters {
        let public =
            |one: &&crate::store::Carried| one.issue == issue.number && one.comparison.published() <= now;
        let inside = carried
            .iter()
            .filter(public)
            .map(|one| (web.site.compare_url(&one.comparison.slug), one.comparison.title.clone()));
        let inside: Vec<(String, String)> = inside.collect();
        entries.push(of_letter(web, &issue, &inside)?);
    }
    entries.sort_by(|a, b| b.published.cmp(&a.published).then_with(|| a.url.cmp(&b.url)));
    Ok(entries)
}

fn of_comparison(web: &Web, stored: &StoredComparison) -> Result<FeedEntry, MakeError> {
    let comparison = &stored.comparison;
    let language = web.pages.texts.site_language();
    let phrases = web.phrases(language);
    let tools: Vec<_> =
        comparison.tools.iter().map(|tool| compared_tool(tool, Votes::default(), phrases)).collect();
    let reviews: Vec<_> = comparison.tools.iter().map(|tool| &tool.reviews).collect();
    let verdict = phrases::verdict(comparison, phrases);
    let mut context = web.context();
    context.insert("question", &comparison.question);
    context.insert("verdict", &verdict);
    context.insert("split", &phrases::split(comparison, phrases));
    context.insert("tools", &tools);
    context.insert("reviews", &reviews);
    Ok(FeedEntry {
        url: web.site.compare_url(&comparison.slug),
        title: comparison.title.clone(),
        summary: verdict,
        html: web.pages.render(language, "feed_comparison.html", &context)?,
        published: comparison.published(),
        updated: changed_at(stored),
        tags: comparison.tools.iter().map(|tool| tool.category.trim().to_owned()).collect(),
    })
}

fn of_letter(web: &Web, issue: &Issue, inside: &[(String, String)]) -> Result<FeedEntry, MakeError> {
    let language = web.pages.texts.site_language();
    let number = issue.number.to_string();
    let url = web.site.issue_url(issue.number);
    let mut context = web.context();
    context.insert("preheader", &issue.preheader);
    context.insert("inside", inside);
    context.insert("url", &url);
    Ok(FeedEntry {
        title: web.phrases(language).fill("read.letter", &[("number", &number), ("subject", &issue.subject)]),
        summary: issue.preheader.clone(),
        html: web.pages.render(language, "feed_letter.html", &context)?,
        published: issue.created_at,
        updated: issue.created_at,
        tags: BTreeSet::new(),
        url,
    })
}

fn atom_text(web: &Web, entries: &[FeedEntry], updated: UnixMillis) -> String {
    let (site, base) = (xml::text(&web.site.name), xml::text(&web.site.base_url));
    let language = web.pages.texts.tag(web.pages.texts.site_language());
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{language}\">\n\
         <id>{base}/feed.xml</id>\n<title>{site}</title>\n<updated>{updated}</updated>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{base}/feed.xml\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{base}/issues\"/>\n\
         <author><name>{site}</name><uri>{base}/</uri></author>\n"
    );
    for entry in entries {
        let (url, title) = (xml::text(&entry.url), xml::text(&entry.title));
        let (published, updated) = (entry.published, entry.updated);
        out.push_str(&format!(
            "<entry>\n<id>{url}</id>\n<title>{title}</title>\n<link rel=\"alternate\" type=\"text/html\" href=\"{url}\"/>\n\
             <published>{published}</published>\n<updated>{updated}</updated>\n"
        ));
        for tag in &entry.tags {
            out.push_str(&format!("<category term=\"{}\"/>\n", xml::text(tag)));
        }
        let (summary, html) = (xml::text(&entry.summary), xml::text(&entry.html));
        out.push_str(&format!(
            "<summary>{summary}</summary>\n<content type=\"html\">{html}</content>\n</entry>\n"
        ));
    }
    out.push_str("</feed>\n");
    out
}

fn json_text(web: &Web, entries: &[FeedEntry]) -> String {
    let base = &web.site.base_url;
    let language = web.pages.texts.tag(web.pages.texts.site_language());
    let items: Vec<_> = entries
        .iter()
        .map(|entry| {
            json!({
                "id": entry.url,
                "url": entry.url,
                "title": entry.title,
                "summary": entry.summary,
                "content_html": entry.html,
                "date_published": entry.published.to_string(),
                "date_modified": entry.updated.to_string(),
                "tags": entry.tags,
            })
        })
        .collect();
    let feed = json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": web.site.name,
        "home_page_url": format!("{base}/issues"),
        "feed_url": format!("{base}/feed.json"),
        "language": language,
        "authors": [{ "name": web.site.name, "url": format!("{base}/") }],
        "items": items,
    });
    format!("{feed:#}\n")
}
