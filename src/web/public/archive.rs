//! The archive: letters as they were sent, without anything of a reader's.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::cached::MakeError;
use super::conditional::PageContent;
use super::page_cache::PageVersion;
use crate::domain::UnixMillis;
use crate::domain::issue::{Issue, IssueNumber};
use crate::domain::subject::Arm;
use crate::mail::Stencil;
use crate::texts::Language;
use crate::web::render::json_ld;
use crate::web::state::Web;

/// Issues on a page of the archive.
const PAGE: i64 = 20;
/// Beyond this no archive goes: a thousand years of weeks.
const LAST_PAGE: i64 = 3_000;
/// A letter styles itself inline, as mail clients want it; it has no script and loads nothing but
/// images.
const LETTER_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Serialize)]
struct ArchiveRow {
    number: i64,
    iso: String,
    date: String,
    subject: String,
    comparisons: Vec<FeaturedComparison>,
}

#[derive(Serialize)]
struct FeaturedComparison {
    slug: String,
    title: String,
    /// Its page is published.
    public: bool,
}

#[derive(Deserialize)]
pub struct Paging {
    page: Option<String>,
}

/// `GET /issues`, `GET /issues?page=2`: every issue of which a letter has left, the newest first.
pub async fn list(
    State(web): State<Arc<Web>>,
    Query(paging): Query<Paging>,
    language: Language,
    asked: HeaderMap,
) -> Response {
    let page = match paging.page.as_deref().map(str::parse) {
        None => 1,
        Some(Ok(page @ 1..=LAST_PAGE)) => page,
        Some(_) => return web.not_found(),
    };
    let now = UnixMillis::now();
    let key = (format!("/issues?page={page}"), Some(language));
    web.cached_list(key, &asked, now, async || archive_page(&web, language, page, now).await).await
}

async fn archive_page(
    web: &Web,
    language: Language,
    page: i64,
    now: UnixMillis,
) -> Result<Option<PageContent<'_>>, MakeError> {
    let mut issues = web.store.public_issues((page - 1) * PAGE, PAGE + 1).await?;
    if issues.is_empty() && page > 1 {
        return Ok(None);
    }
    let is_more = issues.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
    issues.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    let modified = issues.first().map_or(UnixMillis(0), |issue| issue.created_at);
    let mut context = web.context();
    context.insert("issues", &rows(web, language, issues, now).await?);
    context.insert("page", &page);
    context.insert("newer", &(page > 1).then(|| address(page - 1)));
    context.insert("older", &is_more.then(|| address(page + 1)));
    context.insert("canonical", &format!("{}{}", web.site.base_url, address(page)));
    let body = web.pages.render(language, "issues.html", &context)?;
    Ok(Some(PageContent { modified, ..web.html(language, body) }))
}

fn address(page: i64) -> String {
    if page == 1 { "/issues".to_owned() } else { format!("/issues?page={page}") }
}

async fn rows(
    web: &Web,
    language: Language,
    issues: Vec<Issue>,
    now: UnixMillis,
) -> Result<Vec<ArchiveRow>, MakeError> {
    let phrases = web.phrases(language);
    let numbers: Vec<IssueNumber> = issues.iter().map(|issue| issue.number).collect();
    let mut carried: BTreeMap<IssueNumber, Vec<FeaturedComparison>> = BTreeMap::new();
    for one in web.store.comparisons_in(&numbers).await? {
        let public = one.comparison.published() <= now;
        let link = FeaturedComparison { slug: one.comparison.slug, title: one.comparison.title, public };
        carried.entry(one.issue).or_default().push(link);
    }
    let row = |issue: Issue| ArchiveRow {
        number: issue.number.0,
        iso: issue.created_at.to_string(),
        date: phrases.date(issue.created_at),
        subject: issue.subject,
        comparisons: carried.remove(&issue.number).unwrap_or_default(),
    };
    Ok(issues.into_iter().map(row).collect())
}

/// `GET /issues/{number}`: the letter as sent, with neutral links instead of a reader's, a bar
/// above it that leads on, and the metadata of a page in its head.
pub async fn issue(
    State(web): State<Arc<Web>>,
    Path(number): Path<String>,
    language: Language,
    asked: HeaderMap,
) -> Response {
    let Ok(number) = number.parse().map(IssueNumber) else { return web.not_found() };
    let key = (format!("/issues/{number}"), Some(language));
    // A letter stays as it was sent. But the one claimed first may come back unsent, and the issue
    // be called off in time.
    let version = |issue: Issue| PageVersion::Letter(number, issue.subject);
    let check = async |_: &PageVersion| Ok(web.store.public_issue(number).await?.map(version));
    let make = async || {
        let Some(issue) = web.store.public_issue(number).await? else { return Ok(None) };
        let Some(text) = web.store.public_stencil(number).await? else { return Ok(None) };
        let letter = Stencil::from_text(&text)?.web_html();
        let body = letter_page(&web, language, &issue, &letter)?;
        let made = PageContent {
            modified: renamed_at(&web, number).await?.unwrap_or(issue.created_at),
            max_age: 300,
            policy: Some(LETTER_POLICY),
            ..web.html(language, body)
        };
        Ok(Some((version(issue), made)))
    };
    web.cached(key, &asked, check, make).await
}

/// When the letter got another subject than it began with.
async fn renamed_at(web: &Web, number: IssueNumber) -> Result<Option<UnixMillis>, MakeError> {
    let decided = web.store.subject_test(number).await?.and_then(|test| test.decided);
    Ok(decided.filter(|decided| decided.winner == Arm::B).map(|decided| decided.at))
}

fn letter_page(web: &Web, language: Language, issue: &Issue, letter: &str) -> Result<String, MakeError> {
    let url = web.site.issue_url(issue.number);
    let mut context = web.context();
    context.insert("subject", &issue.subject);
    context.insert("preheader", &issue.preheader);
    context.insert("url", &url);
    context.insert("published", &issue.created_at.to_string());
    context.insert("json_ld", &json_ld::of_letter(issue, &url, &web.site));
    let head = web.pages.render(language, "letter_head.html", &context)?;
    let bar = web.pages.render(language, "letter_bar.html", &context)?;
    Ok(with_parts(letter, &head, &bar))
}

/// Puts `head` at the end of the letter's head and `bar` at the start of its body, and makes the
/// rest of the body the page's main part. A letter of an operator's own template that has neither
/// stays as it is.
fn with_parts(letter: &str, head: &str, bar: &str) -> String {
    let Some(head_ends) = letter.find("</head>") else { return letter.to_owned() };
    let body = letter[head_ends..].find("<body").map(|at| head_ends + at);
    let Some(begins) = body.and_then(|at| letter[at..].find('>').map(|end| at + end + 1)) else {
        return letter.to_owned();
    };
    let ends = letter.rfind("</body>").unwrap_or(letter.len());
    let (front, body, end) = (&letter[head_ends..begins], &letter[begins..ends], &letter[ends..]);
    [&letter[..head_ends], head, front, bar, "<main>", body, "</main>", end].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_stands_in_the_body_and_the_metadata_in_the_head() {
        let letter = "<html><head><title>x</title></head><body class=\"a\"><p>y</p></body></html>";
        let page = with_parts(letter, "<meta>", "<nav></nav>");
        assert_eq!(
            page,
            "<html><head><title>x</title><meta></head><body class=\"a\"><nav></nav><main><p>y</p></main></body></html>"
        );
        assert_eq!(with_parts("<p>bare</p>", "<meta>", "<nav></nav>"), "<p>bare</p>");
    }
}
