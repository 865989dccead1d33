//! Answers to who has been here before, takes less or reads another language.

use super::*;

#[test]
fn whoever_has_a_page_already_is_not_sent_it_again() {
    let site = Site::open(1, "");
    for path in EVERYTHING {
        let first = site.get(path);
        assert_eq!(first.status, 200, "{path}");
        let (tag, modified) = (first.must("etag").to_owned(), first.must("last-modified").to_owned());
        assert!(tag.starts_with('"'), "{path}: a strong tag: {tag}");
        assert!(first.must("cache-control").starts_with("public, max-age="), "{path}");
        assert!(first.header("set-cookie").is_none());
        let head = site.ask("HEAD", path, "", b"");
        assert_eq!(
            (head.status, head.header("etag"), head.body.len()),
            (200, Some(tag.as_str()), 0),
            "{path}"
        );
        assert_eq!(head.must("content-length"), first.body.len().to_string(), "{path}");
        for (asked, status) in [
            (format!("If-None-Match: {tag}\r\n"), 304),
            (format!("If-None-Match: \"x\", W/{tag}\r\n"), 304),
            ("If-None-Match: *\r\n".to_owned(), 304),
            ("If-None-Match: \"x\"\r\n".to_owned(), 200),
            (format!("If-Modified-Since: {modified}\r\n"), 304),
            ("If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT\r\n".to_owned(), 200),
            ("If-Modified-Since: soon\r\n".to_owned(), 200),
            (format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {modified}\r\n"), 200),
        ] {
            let again = site.ask("GET", path, &asked, b"");
            assert_eq!(again.status, status, "{path} {asked}");
            if status == 304 {
                assert!(
                    again.body.is_empty()
                        && again.must("etag") == tag
                        && again.header("cache-control").is_some()
                );
            }
        }
    }
}

#[test]
fn compressed_pages_are_the_same_pages_under_another_tag() {
    let site = Site::open(1, "");
    for path in ["/compare/lead", "/issues/1", "/feed.xml"] {
        let plain = site.get(path);
        let zipped = site.ask("GET", path, "Accept-Encoding: gzip, br\r\n", b"");
        assert_eq!(zipped.must("content-encoding"), "gzip", "{path}");
        assert!(zipped.must("vary").contains("accept-encoding"));
        assert_ne!(plain.must("etag"), zipped.must("etag"), "{path}");
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(zipped.body.as_slice()).read_to_end(&mut text).unwrap();
        assert!(text == plain.body, "{path}");
        let other = site.ask("GET", path, "Accept-Encoding: br\r\n", b"");
        assert_eq!(other.must("content-encoding"), "br", "packed on the way, so the tag is weak");
        assert_eq!(other.must("etag"), format!("W/{}", plain.must("etag")));
        let asked = format!("Accept-Encoding: gzip\r\nIf-None-Match: {}\r\n", zipped.must("etag"));
        assert_eq!(site.ask("GET", path, &asked, b"").status, 304, "{path}");
    }
}

#[test]
fn pages_speak_the_readers_language() {
    let site = Site::open(1, "");
    let german = site.ask("GET", "/compare/lead", "Accept-Language: de-AT, en;q=0.5\r\n", b"");
    let page = german.text();
    assert!(
        page.contains("<html lang=\"de\">") && page.contains("Die Jury entscheidet sich für Pocketbase Nano")
    );
    assert!(page.contains("<h1 lang=\"en\">"), "the comparison's own words stay in the site's language");
    assert_eq!(german.must("content-language"), "de");
    assert!(german.must("vary").contains("accept-language"));
    assert!(site.get("/compare/lead").text().contains("The panel picks"), "and nobody else gets it");
    assert!(site.ask("GET", "/issues", "Accept-Language: de\r\n", b"").text().contains("Alle Ausgaben"));
    let letter = site.ask("GET", "/issues/1", "Accept-Language: de\r\n", b"").text();
    assert!(letter.contains("Den Brief per Mail bekommen"));
}
