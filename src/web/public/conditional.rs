//! Conditional requests (RFC 9110 §13): a public page has a strong tag, and whoever has that page
//! already gets a 304.
//!
//! A page is compressed once, when it is made. Each coding has a tag of its own, as a strong tag
//! must (§8.8.3.3).

use std::io::Write as _;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use sha2::{Digest as _, Sha256};

use crate::domain::UnixMillis;

/// Octets of the hash in a tag.
const TAG_OCTETS: usize = 12;
/// Below this, compression saves no packet.
const WORTH_COMPRESSING: usize = 1_000;

const ANYWHERE: (HeaderName, &str) =
    (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");

/// A public page before it is compressed and tagged.
pub struct PageContent<'a> {
    pub kind: &'static str,
    pub body: String,
    /// When anything in it last changed, as far as we know.
    pub modified: UnixMillis,
    /// Seconds that anybody may keep it without asking again.
    pub max_age: u32,
    /// Its language, when another reader gets it in another one. None: it is for machines, wherever
    /// they are.
    pub language: Option<&'a str>,
    /// A policy of its own in the place of the usual one.
    pub policy: Option<&'static str>,
}

/// A public page, ready to be sent many times.
pub struct PublicPage {
    plain: Coded,
    gzip: Option<Coded>,
    /// In seconds, as HTTP counts.
    modified: i64,
}

struct Coded {
    headers: HeaderMap,
    tag: String,
    body: Bytes,
}

impl PageContent<'_> {
    pub fn ready(self) -> PublicPage {
        let hash: String =
            Sha256::digest(self.body.as_bytes())[..TAG_OCTETS].iter().map(|o| format!("{o:02x}")).collect();
        let zipped = (self.body.len() >= WORTH_COMPRESSING).then(|| compressed(self.body.as_bytes()));
        let modified = self.modified.0.div_euclid(1000);
        let headers = self.headers(modified);
        let gzip = zipped.map(|body| {
            let mut headers = headers.clone();
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Coded::new(headers, format!("\"{hash}-gzip\""), body.into())
        });
        PublicPage { plain: Coded::new(headers, format!("\"{hash}\""), self.body.into()), gzip, modified }
    }

    fn headers(&self, modified: i64) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        let mut put = |name, text: String| {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        };
        put(header::CACHE_CONTROL, format!("public, max-age={}", self.max_age));
        let at = u64::try_from(modified).unwrap_or(0);
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(at);
        put(header::LAST_MODIFIED, httpdate::fmt_http_date(at));
        match self.language {
            Some(tag) => {
                put(header::CONTENT_LANGUAGE, tag.to_owned());
                put(header::VARY, "accept-language, accept-encoding".to_owned());
            }
            None => {
                put(header::VARY, "accept-encoding".to_owned());
                // For machines, pages of other sites among them: a feed reader may run in a
                // browser.
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
                headers.insert(ANYWHERE.0, HeaderValue::from_static(ANYWHERE.1));
            }
        }
        if let Some(policy) = self.policy {
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        }
        headers
    }
}

impl Coded {
    fn new(mut headers: HeaderMap, tag: String, body: Bytes) -> Self {
        if let Ok(value) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, value);
        }
        Self { headers, tag, body }
    }
}

impl PublicPage {
    /// Octets that it holds.
    pub fn size(&self) -> usize {
        self.plain.body.len() + self.gzip.as_ref().map_or(0, |gzip| gzip.body.len())
    }

    /// The page, or 304 when `asked` says that this very one is there already.
    pub fn answer(&self, asked: &HeaderMap) -> Response {
        let coded = match &self.gzip {
            Some(gzip) if takes_gzip(asked) => gzip,
            _ => &self.plain,
        };
        let is_known = self.is_known(asked);
        let mut response =
            Response::new(if is_known { Body::empty() } else { Body::from(coded.body.clone()) });
        *response.headers_mut() = coded.headers.clone();
        if coded.headers.get(header::CONTENT_ENCODING).is_none() && takes_brotli(asked) {
            // The layer above packs it on the way, and a strong tag would be one of other octets.
            if let Ok(weak) = HeaderValue::from_str(&format!("W/{}", coded.tag)) {
                response.headers_mut().insert(header::ETAG, weak);
            }
        }
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            // These describe a body, and there is none (§15.4.5).
            for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_LANGUAGE] {
                response.headers_mut().remove(name);
            }
        }
        response
    }

    /// `If-None-Match` is asked first, and when it is there, `If-Modified-Since` is not asked at
    /// all (§13.1.3).
    fn is_known(&self, asked: &HeaderMap) -> bool {
        let mut tags = asked.get_all(header::IF_NONE_MATCH).iter().peekable();
        if tags.peek().is_some() {
            return tags.filter_map(|value| value.to_str().ok()).any(|list| self.is_listed(list));
        }
        let since = asked.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
        let since = since.and_then(|text| httpdate::parse_http_date(text).ok());
        let since = since.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        since.is_some_and(|since| self.modified <= i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    /// Compared weakly, as a GET asks for (§13.1.2), and with either coding: both are the same
    /// page.
    fn is_listed(&self, list: &str) -> bool {
        let own = |tag: &str| tag == self.plain.tag || self.gzip.as_ref().is_some_and(|gzip| gzip.tag == tag);
        list.split(',').map(str::trim).any(|tag| tag == "*" || own(tag.strip_prefix("W/").unwrap_or(tag)))
    }
}

/// Whether gzip is wanted (RFC 9110 §12.5.3): named, or meant by `*`, and not with a weight of 0.
fn takes_gzip(asked: &HeaderMap) -> bool {
    let mut any = false;
    for part in asked
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
    {
        let (coding, weight) = part.split_once(';').unwrap_or((part, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(1.0, |q| q.parse().unwrap_or(0.0));
        match coding.trim() {
            coding if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") => {
                return weight > 0.0;
            }
            "*" => any = weight > 0.0,
            _ => {}
        }
    }
    any
}

/// Whether brotli may be wanted: the one other coding there is here.
fn takes_brotli(asked: &HeaderMap) -> bool {
    let lists = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|coding| coding.trim().to_ascii_lowercase().starts_with("br"))
}

fn compressed(body: &[u8]) -> Vec<u8> {
    let mut encoder =
        flate2::write::GzEncoder::new(Vec::with_capacity(body.len() / 4), flate2::Compression::best());
    encoder.write_all(body).expect("a vector takes every octet");
    encoder.finish().expect("a vector takes every octet")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> PublicPage {
        let body = "A page. ".repeat(400);
        let modified = UnixMillis(1_794_906_000_500);
        PageContent { kind: "text/html", body, modified, max_age: 60, language: Some("en"), policy: None }
            .ready()
    }

    fn asked(headers: &[(&'static str, &str)]) -> Response {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        page().answer(&map)
    }

    fn header(response: &Response, name: &str) -> String {
        response.headers().get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_tag_is_known_again_and_wins_over_the_date() {
        let tag = header(&asked(&[]), "etag");
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() == 26, "{tag}");
        let weak = format!("W/{tag}");
        let list = format!("\"other\", {tag}");
        for known in [tag.as_str(), &weak, &list, "*"] {
            let answer = asked(&[("if-none-match", known)]);
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(header(&answer, "etag"), tag);
            assert!(
                !header(&answer, "cache-control").is_empty() && header(&answer, "content-type").is_empty()
            );
        }
        let later = "Wed, 18 Nov 2026 09:00:00 GMT";
        let answer = asked(&[("if-none-match", "\"other\""), ("if-modified-since", later)]);
        assert_eq!(answer.status(), StatusCode::OK, "another tag, whatever the date says");
    }

    #[test]
    fn a_date_is_compared_in_whole_seconds_and_junk_is_no_date() {
        assert_eq!(header(&asked(&[]), "last-modified"), "Tue, 17 Nov 2026 09:00:00 GMT");
        for (since, status) in [
            ("Tue, 17 Nov 2026 09:00:00 GMT", 304),
            ("Tue, 17 Nov 2026 09:00:01 GMT", 304),
            ("Tue, 17 Nov 2026 08:59:59 GMT", 200),
            ("yesterday", 200),
            ("", 200),
        ] {
            assert_eq!(asked(&[("if-modified-since", since)]).status().as_u16(), status, "{since}");
        }
    }

    #[test]
    fn gzip_goes_to_who_takes_it_under_a_tag_of_its_own() {
        let plain = header(&asked(&[]), "etag");
        for (accept, coding) in [
            ("gzip, deflate, br", "gzip"),
            ("GZIP;q=0.5", "gzip"),
            ("*", "gzip"),
            ("gzip;q=0, *", ""),
            ("identity", ""),
        ] {
            let answer = asked(&[("accept-encoding", accept)]);
            assert_eq!(header(&answer, "content-encoding"), coding, "{accept}");
            assert_eq!(header(&answer, "etag") == plain, coding.is_empty(), "{accept}");
            assert!(header(&answer, "vary").contains("accept-encoding"));
        }
        assert_eq!(header(&asked(&[("accept-encoding", "br")]), "etag"), format!("W/{plain}"));
        let other = format!("{}-gzip\"", plain.trim_end_matches('"'));
        assert_eq!(asked(&[("if-none-match", &other)]).status(), StatusCode::NOT_MODIFIED);
    }
}
