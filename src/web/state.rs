//! What every handler is given: the store, the keys, the pages and the site they speak for.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use ipnet::IpNet;
use tera::Context;
use tokio::sync::Notify;

use crate::config::SignupSettings;
use crate::domain::UnixMillis;
use crate::domain::site::Site;
use crate::domain::token::Keyring;
use crate::store::Store;
use crate::texts::{Language, Phrases};
use crate::web::public::page_cache::PageCache;
use crate::web::render::pages::Pages;
use crate::web::server::bounds::Bounds;

/// What the pages need.
pub struct Web {
    pub store: Store,
    pub keyring: Keyring,
    pub site: Site,
    pub pages: Pages,
    /// Public pages that are made already.
    pub page_cache: PageCache,
    /// When this process began: nothing it says is older.
    pub started: UnixMillis,
    /// Whose word on a client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    pub signup: SignupSettings,
    /// Tells the worker of this process that a notice is in the queue.
    pub wake: Arc<Notify>,
    pub bounds: Bounds,
    /// The clock of readers whose own is not known.
    pub zone: chrono_tz::Tz,
    /// Whether letters wait for the hour that their reader chose.
    pub reader_hours: bool,
}

impl Web {
    /// What every page needs: the site's own lines. The language is added by whoever renders.
    pub(in crate::web) fn context(&self) -> Context {
        let mut context = Context::new();
        context.insert("site", &self.site.name);
        context.insert("postal_address", &self.site.postal_address);
        context
    }

    /// The reader's language by `Accept-Language`, if we have it.
    pub(in crate::web) fn language(&self, headers: &HeaderMap) -> Language {
        let accept = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        self.pages.texts.negotiate(accept.unwrap_or(""))
    }

    pub(in crate::web) fn phrases(&self, language: Language) -> Phrases<'_> {
        Phrases { texts: &self.pages.texts, language }
    }
}

/// The language to answer in, for handlers that need it themselves.
impl FromRequestParts<Arc<Web>> for Language {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Self::Rejection> {
        Ok(web.language(&parts.headers))
    }
}
