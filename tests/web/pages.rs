//! The links of a letter, followed over HTTP: a GET shows, a POST acts, once and for good.

use crate::support::house::{header, outbox};
use crate::support::site::Site;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

/// The path of the unsubscribe link in the header of the letter to `reader`.
fn unsubscribe_path(site: &Site, reader: &str) -> String {
    let letters = outbox(&site.house.path("outbox"));
    let letter =
        letters.iter().find(|l| header(l, "To").unwrap().contains(reader)).expect("a letter to the reader");
    let links = header(letter, "List-Unsubscribe").unwrap();
    let url = links.split(['<', '>']).find(|part| part.starts_with("http")).unwrap().to_owned();
    url.strip_prefix(&site.url("")).expect("base_url").to_owned()
}

/// P5: with the answer of the page the reader has left.
#[test]
fn one_click_leaves_and_a_look_does_not() {
    let site = Site::open(3, "");
    let (ann, bob) = ("reader0@example.com", "reader1@example.org");
    let path = unsubscribe_path(&site, ann);

    let page = site.get(&path);
    assert_eq!(page.status, 200);
    assert!(page.text().contains("<button"), "a GET shows a button: {}", page.text());
    assert!(!page.text().contains(ann), "the page masks the address");
    assert!(page.must("content-security-policy").starts_with("default-src 'none'"), "{}", page.head);
    assert!(site.status_of(ann).contains("active"), "a GET changes nothing");
    assert_eq!(site.ask("HEAD", &path, "", b"").status, 200);
    assert!(site.status_of(ann).contains("active"), "nor does a HEAD");

    let one_click = "List-Unsubscribe=One-Click";
    let urlencoded = site.post(&path, one_click);
    assert_eq!(urlencoded.status, 200, "no redirect, no login: {}", urlencoded.head);
    assert_eq!(urlencoded.header("set-cookie"), None);
    assert!(site.status_of(ann).contains("unsubscribed"));
    assert_eq!(site.post(&path, one_click).status, 200, "repeats succeed");
    assert!(site.get(&path).text().contains("off the list"));

    let path = unsubscribe_path(&site, bob);
    let multipart =
        b"--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    assert_eq!(
        site.ask("POST", &path, "Content-Type: multipart/form-data; boundary=b\r\n", multipart).status,
        200
    );
    assert!(site.status_of(bob).contains("unsubscribed"));
    assert!(site.status_of("reader2@example.com").contains("active"), "nobody else left");

    // An import of the old list does not bring them back, and the next letter does not reach them.
    let again = site.house.must(&["subscribers", "import", "readers.csv"]);
    assert!(again.out.contains('3'), "{}", again.out);
    assert!(site.status_of(ann).contains("unsubscribed"));
}

#[test]
fn links_that_are_not_ours_tell_nothing() {
    let site = Site::open(2, "");
    let path = unsubscribe_path(&site, "reader0@example.com");
    for forged in [
        path.replace(".u1.", ".u2."),
        format!("{path}x"),
        "/unsubscribe/".to_owned(),
        "/unsubscribe/junk".to_owned(),
        path.replace("/unsubscribe/", "/preferences/"),
        "/issues/999".to_owned(),
        "/issues/one".to_owned(),
        "/nowhere".to_owned(),
    ] {
        for method in ["GET", "POST"] {
            let answer = site.ask(method, &forged, FORM, b"");
            assert!((400..500).contains(&answer.status), "{method} {forged} was answered {}", answer.status);
        }
    }
    let huge = "x".repeat(200_000);
    assert_eq!(site.post(&path, &huge).status, 413);
    assert!(site.status_of("reader0@example.com").contains("active"));
    assert!(site.status_of("reader1@example.org").contains("active"));
}

#[test]
fn the_archive_shows_the_letter_without_anybodys_token() {
    let site = Site::open(1, "");
    assert_eq!(site.get("/healthz").status, 200);
    assert_eq!(site.get("/readyz").status, 200);
    assert!(site.get("/issues").text().contains("/issues/1"));
    let letter = site.get("/issues/1");
    assert_eq!(letter.status, 200);
    assert!(letter.text().contains("Stackforge"));
    assert!(!letter.text().contains("/unsubscribe/k1."), "no token of a reader");
    assert!(!letter.text().contains("reader0"));
}

#[test]
fn a_reader_says_how_to_be_greeted() {
    let site = Site::open(1, "");
    let letter = &outbox(&site.house.path("outbox"))[0];
    let parsed = mail_parser::MessageParser::default().parse(letter).unwrap();
    let text = parsed.body_text(0).unwrap();
    let at = text.find("/preferences/").expect("a preferences link in the text");
    let path = text[at..].split_whitespace().next().unwrap().trim_end_matches(['>', ')', '.']).to_owned();
    assert_eq!(site.get(&path).status, 200);
    let saved = site.post(&path, "name=%3Cb%3EAnn%0D%0ABcc%3A+x");
    assert_eq!(saved.status, 200);
    assert!(saved.text().contains("&lt;b&gt;Ann"), "what a person typed is escaped: {}", saved.text());
    let shown = site.house.must(&["subscribers", "show", "reader0@example.com"]).out;
    assert!(shown.contains("<b>Ann  Bcc: x"), "one line, as typed: {shown}");
}
