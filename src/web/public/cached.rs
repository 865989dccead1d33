//! Public pages: from the cache as long as they are right, made anew otherwise.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::conditional::PageContent;
use super::page_cache::{CacheLookup, PageKey, PageVersion};
use crate::domain::UnixMillis;
use crate::store::StoreError;
use crate::texts::Language;
use crate::web::state::Web;

/// Seconds for which a browser or a proxy may show a page without asking again.
const PAGE_AGE: u32 = 60;

/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Page(#[from] tera::Error),
    #[error("the letter of an issue can't be read: {0}")]
    Letter(#[from] crate::mail::StencilError),
}

/// A page, with what it depends on. None: there is no such page.
pub type MakeResult<'a> = Result<Option<(PageVersion, PageContent<'a>)>, MakeError>;

impl Web {
    /// A page of HTML in a language.
    pub(in crate::web) fn html(&self, language: Language, body: String) -> PageContent<'_> {
        let language = Some(self.pages.texts.tag(language));
        let (kind, modified) = ("text/html; charset=utf-8", UnixMillis(0));
        PageContent { kind, body, modified, max_age: PAGE_AGE, language, policy: None }
    }

    /// Something for machines, in no reader's language.
    pub(in crate::web) fn data(&self, body: String, max_age: u32) -> PageContent<'_> {
        PageContent {
            kind: "text/plain",
            body,
            modified: UnixMillis(0),
            max_age,
            language: None,
            policy: None,
        }
    }

    /// The page of `key`: the cached one, as long as `check` finds what it depends on unchanged;
    /// else as `make` makes it now. `check` is not asked where nothing is cached.
    pub(in crate::web) async fn cached<'a>(
        &'a self,
        key: PageKey,
        asked: &HeaderMap,
        check: impl AsyncFnOnce(&PageVersion) -> Result<Option<PageVersion>, StoreError>,
        make: impl AsyncFnOnce() -> MakeResult<'a>,
    ) -> Response {
        match self.page_cache.find(&key) {
            CacheLookup::Fresh(kept) => return kept.page.answer(asked),
            CacheLookup::Check(kept) => match check(&kept.version).await {
                Ok(Some(version)) if version == kept.version => return kept.page.answer(asked),
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "the store does not answer; a page is given out as it was");
                    return kept.page.answer(asked);
                }
            },
            CacheLookup::Missing => {}
        }
        match make().await {
            Ok(Some((version, mut made))) => {
                // The page's own words may be newer than what it tells: they came with this binary.
                made.modified = made.modified.max(self.started);
                self.page_cache.put(key, version, made.ready()).page.answer(asked)
            }
            Ok(None) => {
                self.page_cache.forget(&key.0);
                self.not_found()
            }
            Err(MakeError::Store(error)) => self.unavailable(&error),
            Err(error) => {
                tracing::error!(page = key.0, %error, "a page could not be made");
                self.pages.show(StatusCode::INTERNAL_SERVER_ERROR, "later.html", &self.context())
            }
        }
    }

    /// [`Web::cached`] for what depends on the lists of comparisons and issues.
    pub(in crate::web) async fn cached_list<'a>(
        &'a self,
        key: PageKey,
        asked: &HeaderMap,
        now: UnixMillis,
        make: impl AsyncFnOnce() -> Result<Option<PageContent<'a>>, MakeError>,
    ) -> Response {
        let lists = async || self.store.lists_version(now).await.map(|lists| Some(PageVersion::Lists(lists)));
        let make = async || {
            // Read before the lists themselves, so that a page is at worst made once too often.
            let version = PageVersion::Lists(self.store.lists_version(now).await?);
            Ok(make().await?.map(|made| (version, made)))
        };
        self.cached(key, asked, async |_: &PageVersion| lists().await, make).await
    }
}
