//! `/compare/{slug}`: two tools side by side, as the panel and the readers see them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;

use super::cached::MakeResult;
use super::conditional::PageContent;
use super::page_cache::PageVersion;
use crate::domain::UnixMillis;
use crate::domain::comparison::{Comparison, Stance, StoredComparison, Tool, Votes};
use crate::letter::verdict;
use crate::store::Figures;
use crate::texts::{Language, Phrases};
use crate::web::render::{json_ld, phrases};
use crate::web::state::Web;

/// What the template prints. Sentences are in the reader's language, the comparison's own words in
/// the site's.
#[derive(Serialize)]
struct ComparePage<'a> {
    slug: &'a str,
    title: &'a str,
    question: &'a str,
    /// The comparison's own address where that is another one than this page's.
    original: Option<&'a str>,
    canonical: &'a str,
    published_iso: String,
    published: String,
    modified_iso: String,
    /// The public issue that featured it.
    issue: Option<i64>,
    verdict: String,
    split: Vec<String>,
    tools: [ComparedTool<'a>; 2],
    rows: Vec<ReviewerRow<'a>>,
}

/// One side of a comparison.
#[derive(Serialize)]
pub struct ComparedTool<'a> {
    pub slug: &'a str,
    pub name: &'a str,
    pub category: &'a str,
    pub tagline: &'a str,
    pub description: &'a str,
    pub entry: &'a str,
    /// The panel's ship %; none without a review, which is "—".
    pub panel: Option<u8>,
    pub ships: u32,
    pub reviews: u64,
    /// "ship" or "skip" for each review, ships first.
    pub stances: Vec<&'static str>,
    /// The community's ship %; none without a vote.
    pub community: Option<u8>,
    /// "120 votes".
    pub votes: Option<String>,
}

/// One reviewer's line.
#[derive(Serialize)]
struct ReviewerRow<'a> {
    reviewer: &'a str,
    /// "agree", "split" or "only".
    relation: &'static str,
    sides: [ReviewerSide<'a>; 2],
}

#[derive(Serialize)]
struct ReviewerSide<'a> {
    tool: &'a str,
    /// "ship", "skip" or "none".
    stance: &'static str,
    quote: &'a str,
}

/// `GET /compare/{slug}`.
pub async fn page(
    State(web): State<Arc<Web>>,
    Path(slug): Path<String>,
    language: Language,
    asked: HeaderMap,
) -> Response {
    let now = UnixMillis::now();
    let check = async |version: &PageVersion| {
        let PageVersion::Comparison { tools, .. } = version else { return Ok(None) };
        let figures = web.store.figures(&slug, tools.each_ref().map(String::as_str), now).await?;
        Ok(figures.map(|figures| PageVersion::Comparison { figures, tools: tools.clone() }))
    };
    let make = async || make(&web, language, &slug, now).await;
    web.cached((path(&slug), Some(language)), &asked, check, make).await
}

/// The page's path, as the cache knows it.
pub fn path(slug: &str) -> String {
    format!("/compare/{slug}")
}

async fn make<'a>(web: &'a Web, language: Language, slug: &str, now: UnixMillis) -> MakeResult<'a> {
    let Some(stored) = web.store.public_comparison(slug, now).await? else { return Ok(None) };
    let tools = stored.comparison.tools.each_ref().map(|tool| tool.slug.as_str());
    let Some(figures) = web.store.figures(slug, tools, now).await? else { return Ok(None) };
    // If it was changed between the two, the next check finds another time and the page is made
    // again.
    let figures = Figures { updated_at: stored.updated_at, ..figures };
    let modified = figures.totals.iter().fold(changed_at(&stored), |last, total| last.max(total.changed_at));
    let canonical = web.site.compare_url(slug);
    let view = view(&stored, &figures, &canonical, web.phrases(language));
    let mut context = web.context();
    context.insert("page", &view);
    context.insert("content_lang", web.pages.texts.tag(web.pages.texts.site_language()));
    let json_ld = json_ld::of_comparison(&stored.comparison, &canonical, changed_at(&stored), &web.site);
    context.insert("json_ld", &json_ld);
    let body = web.pages.render(language, "compare.html", &context)?;
    let version = PageVersion::Comparison { figures, tools: tools.map(str::to_owned) };
    Ok(Some((version, PageContent { modified, ..web.html(language, body) })))
}

/// When the comparison last changed for those who read it: an import that only brings it in changes
/// nothing.
pub fn changed_at(stored: &StoredComparison) -> UnixMillis {
    let published = stored.comparison.published();
    if stored.updated_at > stored.imported_at { stored.updated_at.max(published) } else { published }
}

fn view<'a>(
    stored: &'a StoredComparison,
    figures: &Figures,
    canonical: &'a str,
    phrases: Phrases<'_>,
) -> ComparePage<'a> {
    let comparison = &stored.comparison;
    let [first, second] = &comparison.tools;
    let here = figures.totals.map(|total| total.votes);
    ComparePage {
        slug: &comparison.slug,
        title: &comparison.title,
        question: &comparison.question,
        original: (comparison.url != canonical).then_some(comparison.url.as_str()),
        canonical,
        published_iso: comparison.published().to_string(),
        published: phrases.date(comparison.published()),
        modified_iso: changed_at(stored).to_string(),
        issue: figures.issue.map(|number| number.0),
        verdict: phrases::verdict(comparison, phrases),
        split: phrases::split(comparison, phrases),
        tools: [compared_tool(first, here[0], phrases), compared_tool(second, here[1], phrases)],
        rows: rows(comparison),
    }
}

/// A tool with its figures; `here` are the votes cast on this site.
pub fn compared_tool<'a>(tool: &'a Tool, here: Votes, phrases: Phrases<'_>) -> ComparedTool<'a> {
    let (panel, community) = (tool.panel(), tool.community_with(here));
    let mut stances: Vec<&str> = tool.reviews.iter().map(|review| review.verdict.as_str()).collect();
    stances.sort_unstable();
    ComparedTool {
        slug: &tool.slug,
        name: &tool.name,
        category: &tool.category,
        tagline: &tool.tagline,
        description: &tool.description,
        entry: &tool.pricing.entry,
        panel: panel.percent(),
        ships: panel.ship,
        reviews: panel.total(),
        stances,
        community: community.percent(),
        votes: phrases::votes(community, phrases),
    }
}

fn rows(comparison: &Comparison) -> Vec<ReviewerRow<'_>> {
    let side = |at: usize, reviewer: &str, stance: Option<Stance>| {
        let tool = &comparison.tools[at];
        let quote = tool.review_by(reviewer).map_or("", |review| review.quote.as_str());
        ReviewerSide { tool: &tool.name, stance: stance.map_or("none", Stance::as_str), quote }
    };
    verdict::scorecard(comparison)
        .into_iter()
        .map(|row| ReviewerRow {
            reviewer: row.reviewer,
            relation: match row.stances {
                [Some(a), Some(b)] if a == b => "agree",
                [Some(_), Some(_)] => "split",
                _ => "only",
            },
            sides: [side(0, row.reviewer, row.stances[0]), side(1, row.reviewer, row.stances[1])],
        })
        .collect()
}
