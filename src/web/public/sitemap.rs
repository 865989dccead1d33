//! For crawlers: what there is (sitemaps.org 0.9), and what is nobody's business (RFC 9309).

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::conditional::PageContent;
use super::page_cache::PageVersion;
use crate::domain::UnixMillis;
use crate::web::render::xml;
use crate::web::state::Web;

/// A sitemap may have 50,000 addresses; the newest of each kind go in.
const COMPARISONS: i64 = 40_000;
const ISSUES: i64 = 9_000;
/// Seconds that a crawler need not ask again.
const MAX_AGE: u32 = 3600;

/// `GET /sitemap.xml`: the front page, the archive, every public letter and comparison.
pub async fn sitemap(State(web): State<Arc<Web>>, asked: HeaderMap) -> Response {
    let now = UnixMillis::now();
    let make = async || {
        let site = &web.site;
        let comparisons = web.store.public_slugs(COMPARISONS, now).await?;
        let issues = web.store.public_issues(0, ISSUES).await?;
        let letters = issues.iter().map(|issue| (site.issue_url(issue.number), issue.created_at));
        let letters = letters.chain(comparisons.iter().map(|(slug, at)| (site.compare_url(slug), *at)));
        let letters: Vec<(String, UnixMillis)> = letters.collect();
        let modified = letters.iter().map(|(_, at)| *at).max().unwrap_or(web.started);
        let mut text = String::from(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
        );
        for page in ["/", "/issues"] {
            text.push_str(&format!("<url><loc>{}{page}</loc></url>\n", xml::text(&site.base_url)));
        }
        for (url, at) in &letters {
            text.push_str(&format!("<url><loc>{}</loc><lastmod>{at}</lastmod></url>\n", xml::text(url)));
        }
        text.push_str("</urlset>\n");
        let kind = "application/xml; charset=utf-8";
        Ok(Some(PageContent { kind, modified, ..web.data(text, MAX_AGE) }))
    };
    web.cached_list(("/sitemap.xml".to_owned(), None), &asked, now, make).await
}

/// `GET /robots.txt`: all is open but what hangs on a reader's token or is the operator's.
pub async fn robots(State(web): State<Arc<Web>>, asked: HeaderMap) -> Response {
    let text = format!(
        "User-agent: *\nDisallow: /confirm/\nDisallow: /unsubscribe/\nDisallow: /preferences/\nDisallow: /vote/\n\
         Disallow: /operator/\nDisallow: /hooks/\nAllow: /\n\nSitemap: {}/sitemap.xml\n",
        web.site.base_url
    );
    let check = async |_: &PageVersion| Ok(Some(PageVersion::Constant));
    let make = async || {
        let kind = "text/plain; charset=utf-8";
        Ok(Some((
            PageVersion::Constant,
            PageContent { kind, modified: web.started, ..web.data(text, MAX_AGE) },
        )))
    };
    web.cached(("/robots.txt".to_owned(), None), &asked, check, make).await
}
