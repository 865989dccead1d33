//! `/vote/{token}`: a reader's word on the tools of a comparison.
//!
//! The comparison's own page is public and carries no token: one in its address would end up in
//! copies of the address and in caches. So whoever comes with a token votes here, where nothing is
//! cached, and sees both tools and their figures; the page links to the whole comparison without
//! the token.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use crate::domain::UnixMillis;
use crate::domain::comparison::{Comparison, Stance, Tool};
use crate::domain::subscriber::{SubscriberId, SubscriberStatus};
use crate::domain::token::Purpose;
use crate::store::{CastVote, StoreError, Voted};
use crate::texts::Language;
use crate::web::public::compare::{self, ComparedTool, compared_tool};
use crate::web::state::Web;

/// What a link in the letter says, and what the form sends: a comparison, one of its tools, and the
/// choice.
#[derive(Deserialize)]
pub struct VoteForm {
    #[serde(default)]
    compare: String,
    #[serde(default)]
    tool: String,
    #[serde(default)]
    say: String,
}

#[derive(Serialize)]
struct BallotView<'a> {
    tool: ComparedTool<'a>,
    /// "ship", "skip", or nothing yet.
    own: Option<&'static str>,
    /// The choice of the link, until it is cast.
    chosen: Option<&'static str>,
    /// The choice that was cast just now.
    cast: Option<&'static str>,
}

/// Whose token this is, as far as voting goes.
enum Voter {
    Reader(SubscriberId),
    Gone,
    Pending,
    /// Not one of our tokens.
    Nobody,
}

/// `GET /vote/{token}`: shows the choice of the link and a button, and changes nothing. Without a
/// comparison it shows what there is to vote on.
pub async fn page(
    State(web): State<Arc<Web>>,
    Path(token): Path<String>,
    Query(choice): Query<VoteForm>,
    language: Language,
) -> Response {
    let shown = async {
        let reader = match voter(&web, &token).await? {
            Voter::Reader(reader) => reader,
            other => return Ok(refusal(&web, &other)),
        };
        if choice.compare.is_empty() {
            return choices(&web, &token).await;
        }
        match comparison(&web, &choice.compare).await? {
            Some(comparison) => ballot(&web, language, reader, &comparison, &choice, false).await,
            None => Ok(web.not_found()),
        }
    };
    shown.await.unwrap_or_else(|error: StoreError| web.unavailable(&error))
}

/// `POST /vote/{token}`: counts the vote, or changes it, and shows the figures with it in. The
/// token is the whole authority.
pub async fn cast(
    State(web): State<Arc<Web>>,
    Path(token): Path<String>,
    language: Language,
    Form(choice): Form<VoteForm>,
) -> Response {
    let shown = async {
        let reader = match voter(&web, &token).await? {
            Voter::Reader(reader) => reader,
            other => return Ok(refusal(&web, &other)),
        };
        let Some(comparison) = comparison(&web, &choice.compare).await? else {
            return Ok(web.not_found());
        };
        let named = comparison.tools.iter().find(|tool| tool.slug == choice.tool);
        let (Some(tool), Some(stance)) = (named, Stance::parse(&choice.say)) else {
            return Ok(StatusCode::UNPROCESSABLE_ENTITY.into_response());
        };
        let vote = CastVote { reader, tool: &tool.slug, published: comparison.published(), stance };
        match web.store.vote(&vote, UnixMillis::now()).await? {
            Voted::Counted => {
                web.page_cache.forget(&compare::path(&comparison.slug));
                ballot(&web, language, reader, &comparison, &choice, true).await
            }
            Voted::Gone => Ok(refusal(&web, &Voter::Gone)),
            Voted::Pending => Ok(refusal(&web, &Voter::Pending)),
            Voted::Sealed => Ok(notice(&web, StatusCode::CONFLICT, "sealed")),
        }
    };
    shown.await.unwrap_or_else(|error: StoreError| web.unavailable(&error))
}

async fn voter(web: &Web, token: &str) -> Result<Voter, StoreError> {
    let Some(id) = web.keyring.verify_link_token(Purpose::Vote, token) else { return Ok(Voter::Nobody) };
    let subscriber = web.store.subscriber_by_id(id).await?;
    Ok(match subscriber.map(|subscriber| subscriber.status) {
        Some(SubscriberStatus::Active) => Voter::Reader(id),
        Some(SubscriberStatus::Pending) => Voter::Pending,
        _ => Voter::Gone,
    })
}

fn refusal(web: &Web, voter: &Voter) -> Response {
    match voter {
        Voter::Gone => notice(web, StatusCode::GONE, "gone"),
        Voter::Pending => notice(web, StatusCode::FORBIDDEN, "pending"),
        Voter::Reader(_) | Voter::Nobody => web.not_found(),
    }
}

/// A page that says why nothing was counted.
fn notice(web: &Web, status: StatusCode, why: &str) -> Response {
    let mut context = web.context();
    context.insert("why", why);
    web.pages.show(status, "vote_notice.html", &context)
}

async fn comparison(web: &Web, slug: &str) -> Result<Option<Comparison>, StoreError> {
    let stored = web.store.public_comparison(slug, UnixMillis::now()).await?;
    Ok(stored.map(|stored| stored.comparison))
}

/// The ballot of one comparison: the tool of the link first.
async fn ballot(
    web: &Web,
    language: Language,
    reader: SubscriberId,
    comparison: &Comparison,
    choice: &VoteForm,
    is_cast: bool,
) -> Result<Response, StoreError> {
    let own = web.store.votes_by(reader).await?;
    let totals = web.store.vote_totals(&comparison.tools.each_ref().map(|tool| tool.slug.as_str())).await?;
    let phrases = web.phrases(language);
    let view = |tool| {
        let tool: &Tool = tool;
        let is_meant = tool.slug == choice.tool;
        let meant = Stance::parse(&choice.say).filter(|_| is_meant).map(Stance::as_str);
        let here = totals.get(&tool.slug).map(|total| total.votes).unwrap_or_default();
        BallotView {
            tool: compared_tool(tool, here, phrases),
            own: own.get(&tool.slug).map(|(stance, _)| stance.as_str()),
            chosen: meant.filter(|_| !is_cast),
            cast: meant.filter(|_| is_cast),
        }
    };
    let mut ballots: Vec<BallotView<'_>> = comparison.tools.iter().map(view).collect();
    ballots.sort_by_key(|ballot| ballot.tool.slug != choice.tool);
    let mut context = web.context();
    context.insert("compare", &comparison.slug);
    context.insert("title", &comparison.title);
    context.insert("ballots", &ballots);
    context.insert("content_lang", web.pages.texts.tag(web.pages.texts.site_language()));
    Ok(web.pages.show(StatusCode::OK, "vote.html", &context))
}

/// The comparisons of the last letter, to choose from.
async fn choices(web: &Web, token: &str) -> Result<Response, StoreError> {
    let last = web.store.latest_public_issue().await?;
    let numbers: Vec<_> = last.iter().map(|issue| issue.number).collect();
    let carried = web.store.comparisons_in(&numbers).await?;
    let links: Vec<(String, String)> =
        carried.into_iter().map(|one| (one.comparison.slug, one.comparison.title)).collect();
    let mut context = web.context();
    context.insert("links", &links);
    context.insert("token", token);
    Ok(web.pages.show(StatusCode::OK, "vote_choices.html", &context))
}
