//! Answers for everybody: from the cache if they can, made anew if they must.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::conditional::Made;
use super::page_cache::{Found, Key, Stamp};
use crate::domain::UnixMillis;
use crate::store::StoreError;
use crate::texts::Language;
use crate::web::state::Web;

/// Seconds for which a browser or a proxy may show a page without asking again.
const PAGE_AGE: u32 = 60;

/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Unmade {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Page(#[from] tera::Error),
    #[error("the letter of an issue can't be read: {0}")]
    Letter(#[from] crate::mail::StencilError),
}

/// A page, with what it depends on. None: there is no such page.
pub type Making<'a> = Result<Option<(Stamp, Made<'a>)>, Unmade>;

impl Web {
    /// A page of HTML in a language.
    pub(in crate::web) fn html(&self, language: Language, body: String) -> Made<'_> {
        let language = Some(self.pages.texts.tag(language));
        let (kind, modified) = ("text/html; charset=utf-8", UnixMillis(0));
        Made { kind, body, modified, max_age: PAGE_AGE, language, policy: None }
    }

    /// Something for machines, in no language of a reader's.
    pub(in crate::web) fn data(&self, body: String, max_age: u32) -> Made<'_> {
        Made { kind: "text/plain", body, modified: UnixMillis(0), max_age, language: None, policy: None }
    }

    /// The page of `key`: as it lies on the cache, as long as `look` finds what it depends on unchanged; else as `make`
    /// makes it now. `look` is not asked where nothing lies.
    pub(in crate::web) async fn everybodys<'a>(
        &'a self,
        key: Key,
        asked: &HeaderMap,
        look: impl AsyncFnOnce(&Stamp) -> Result<Option<Stamp>, StoreError>,
        make: impl AsyncFnOnce() -> Making<'a>,
    ) -> Response {
        match self.page_cache.find(&key) {
            Found::Good(kept) => return kept.page.answer(asked),
            Found::Look(kept) => match look(&kept.stamp).await {
                Ok(Some(stamp)) if stamp == kept.stamp => return kept.page.answer(asked),
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "the store does not answer; a page is given out as it was");
                    return kept.page.answer(asked);
                }
            },
            Found::Nothing => {}
        }
        match make().await {
            Ok(Some((stamp, mut made))) => {
                // The page's own words may be newer than what it tells: they came with this binary.
                made.modified = made.modified.max(self.started);
                self.page_cache.put(key, stamp, made.ready()).page.answer(asked)
            }
            Ok(None) => {
                self.page_cache.forget(&key.0);
                self.unknown_link()
            }
            Err(Unmade::Store(error)) => self.broken(&error),
            Err(error) => {
                tracing::error!(page = key.0, %error, "a page could not be made");
                self.pages.show(StatusCode::INTERNAL_SERVER_ERROR, "later.html", &self.context())
            }
        }
    }

    /// [`Web::everybodys`] for what depends on the lists of comparisons and issues.
    pub(in crate::web) async fn list<'a>(
        &'a self,
        key: Key,
        asked: &HeaderMap,
        now: UnixMillis,
        make: impl AsyncFnOnce() -> Result<Option<Made<'a>>, Unmade>,
    ) -> Response {
        let lists = async || self.store.lists_version(now).await.map(|cache| Some(Stamp::Lists(cache)));
        let make = async || {
            // Read before the lists themselves, so that a page is at worst made once too often.
            let stamp = Stamp::Lists(self.store.lists_version(now).await?);
            Ok(make().await?.map(|made| (stamp, made)))
        };
        self.everybodys(key, asked, async |_: &Stamp| lists().await, make).await
    }
}
