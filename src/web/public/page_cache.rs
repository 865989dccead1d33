//! Public pages that are made already, in memory, so that a much-read one costs neither a query nor
//! a rendering.
//!
//! What is guaranteed: a page is checked by the first who asks for it a second or more after the
//! last check, with one small query for what it depends on ([`PageVersion`]), whoever changed that:
//! this process, another one, a command. While that check is under way, others get the page as it
//! is. So a page is as old as one second and one query at most; when the one who checks goes away
//! in the middle, one second more. When the store does not answer, the page stays as it is.
//!
//! What is not kept: pages that are not there (a 404 is a query each), and anything behind a token.
//! The octets are bounded; the page that was last checked longest ago goes first.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use super::conditional::PublicPage;
use crate::domain::issue::IssueNumber;
use crate::store;
use crate::texts::Language;

/// Octets of all pages together: about two thousand comparisons.
const CAPACITY: usize = 64 * 1024 * 1024;
/// How long a page is given out without a check, in milliseconds.
const UNCHECKED: u64 = 1_000;

/// Which page: its path, and the language it speaks (none for what is the same for all).
pub type PageKey = (String, Option<Language>);

/// What a page depends on; another version, another page.
#[derive(Clone, PartialEq, Debug)]
pub enum PageVersion {
    Comparison {
        figures: store::Figures,
        tools: [String; 2],
    },
    Lists(store::ListsVersion),
    /// A letter stays as it was sent; which of two subjects it is known by may be decided later.
    Letter(IssueNumber, String),
    /// The same as long as this process runs.
    Constant,
}

/// A page in the cache.
pub struct CachedPage {
    pub version: PageVersion,
    pub page: PublicPage,
    /// When a check of its version last began; milliseconds since the cache was made.
    checked_at: AtomicU64,
}

pub struct PageCache {
    begun: Instant,
    pages: RwLock<HashMap<PageKey, Arc<CachedPage>>>,
    capacity: usize,
}

/// What there is under a key.
pub enum CacheLookup {
    /// Give it out.
    Fresh(Arc<CachedPage>),
    /// Check first whether its version is still the same; nobody else does.
    Check(Arc<CachedPage>),
    Missing,
}

impl Default for PageCache {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl PageCache {
    fn with_capacity(capacity: usize) -> Self {
        Self { begun: Instant::now(), pages: RwLock::default(), capacity }
    }

    fn age(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub fn find(&self, key: &PageKey) -> CacheLookup {
        self.find_at(key, self.age())
    }

    fn find_at(&self, key: &PageKey, now: u64) -> CacheLookup {
        // A panic elsewhere leaves the map whole: it is only ever changed by single calls.
        let pages = self.pages.read().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = pages.get(key).cloned() else { return CacheLookup::Missing };
        drop(pages);
        let last = kept.checked_at.load(Ordering::Relaxed);
        if now.saturating_sub(last) < UNCHECKED {
            return CacheLookup::Fresh(kept);
        }
        match kept.checked_at.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => CacheLookup::Check(kept),
            Err(_) => CacheLookup::Fresh(kept),
        }
    }

    pub fn put(&self, key: PageKey, version: PageVersion, page: PublicPage) -> Arc<CachedPage> {
        self.put_at(key, version, page, self.age())
    }

    fn put_at(&self, key: PageKey, version: PageVersion, page: PublicPage, now: u64) -> Arc<CachedPage> {
        let kept = Arc::new(CachedPage { version, page, checked_at: AtomicU64::new(now) });
        let mut pages = self.pages.write().unwrap_or_else(PoisonError::into_inner);
        pages.insert(key, kept.clone());
        let mut size: usize = pages.values().map(|kept| kept.page.size()).sum();
        while size > self.capacity {
            let oldest = pages.iter().min_by_key(|(_, kept)| kept.checked_at.load(Ordering::Relaxed));
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { break };
            size -= pages.remove(&key).map_or(0, |kept| kept.page.size());
        }
        kept
    }

    /// Drops a page in all languages: what it shows was changed here, and whoever did it wants to
    /// see that.
    pub fn forget(&self, path: &str) {
        let mut pages = self.pages.write().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|(own, _), _| own != path);
    }
}

#[cfg(test)]
mod tests {
    use super::super::conditional::PageContent;
    use super::*;
    use crate::domain::UnixMillis;

    fn page(octets: usize) -> PublicPage {
        let body = "x".repeat(octets);
        PageContent {
            kind: "text/plain",
            body,
            modified: UnixMillis(0),
            max_age: 1,
            language: None,
            policy: None,
        }
        .ready()
    }

    fn key(name: &str) -> PageKey {
        (name.to_owned(), None)
    }

    #[test]
    fn one_at_a_time_checks_and_only_once_a_second() {
        let cache = PageCache::default();
        assert!(matches!(cache.find_at(&key("/a"), 0), CacheLookup::Missing));
        cache.put_at(key("/a"), PageVersion::Constant, page(10), 0);
        assert!(matches!(cache.find_at(&key("/a"), 999), CacheLookup::Fresh(_)));
        assert!(matches!(cache.find_at(&key("/a"), 1_000), CacheLookup::Check(_)));
        assert!(matches!(cache.find_at(&key("/a"), 1_000), CacheLookup::Fresh(_)), "somebody is checking");
        assert!(matches!(cache.find_at(&key("/a"), 2_001), CacheLookup::Check(_)));
        cache.forget("/a");
        assert!(matches!(cache.find_at(&key("/a"), 2_001), CacheLookup::Missing));
    }

    #[test]
    fn the_octets_are_bounded_and_the_least_recently_checked_goes_first() {
        let cache = PageCache::with_capacity(2_000);
        for (name, now) in [("/a", 1), ("/b", 2), ("/c", 3)] {
            cache.put_at(key(name), PageVersion::Constant, page(900), now);
        }
        assert!(matches!(cache.find_at(&key("/a"), 3), CacheLookup::Missing));
        assert!(matches!(cache.find_at(&key("/b"), 3), CacheLookup::Fresh(_)));
        cache.put_at(key("/d"), PageVersion::Constant, page(5_000), 4);
        let held: usize = cache.pages.read().unwrap().values().map(|kept| kept.page.size()).sum();
        assert!(held <= 2_000, "{held}");
    }
}
