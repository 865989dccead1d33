//! `verdicts issue preview N --serve`: what an operator judges a letter by, on this machine, as the files stand.

mod needs_chromium;

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use verdicts::domain::token::{Keyring, Purpose};

use crate::support::house::{self, House};
use crate::support::served;
use crate::support::site::{Site, free_address};

/// A house with a draft of two comparisons in two categories, and templates of its own.
fn furnished() -> House {
    let mut house = House::new("outbox:outbox", "");
    house.furnish(2);
    let published = chrono::Utc::now() - chrono::TimeDelta::hours(20);
    let other = house::comparison("second", published).replace("Developer Tools", "Image Models");
    let other = other.replace("Stackforge", "Brickyard").replace("stackforge", "brickyard");
    std::fs::create_dir(house.path("comparisons")).unwrap();
    house.write("comparisons/second.json", &other);
    house.must(&["comparisons", "import", "comparisons"]);
    house.must(&["templates", "export", "own"]);
    house.set("VERDICTS__TEMPLATES__DIR", "own");
    house
}

/// The preview of an issue, served.
fn preview(house: House, number: &str) -> Site {
    let address = free_address();
    let listen = address.to_string();
    let serving =
        house.start_logged(&["issue", "preview", number, "--serve", "--listen", &listen], "preview.log");
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        let log = std::fs::read_to_string(house.path("preview.log")).unwrap();
        assert!(start.elapsed() < Duration::from_secs(30), "no preview on {address}: {log}");
        std::thread::sleep(Duration::from_millis(20));
    }
    Site { house, address, serving }
}

fn read(site: &Site, name: &str) -> String {
    std::fs::read_to_string(site.house.path(name)).unwrap()
}

/// The version that a page was made of.
fn version(page: &str) -> String {
    page.split("data-version=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a version")
        .to_owned()
}

/// The page as it is once a change has been seen that came after `before`.
fn after(site: &Site, before: &str, path: &str) -> String {
    let start = Instant::now();
    while site.get(&format!("/changed?since={before}")).text() == before {
        assert!(start.elapsed() < Duration::from_secs(60), "nobody sees the change");
    }
    site.get(path).text()
}

#[test]
fn a_letter_is_shown_in_every_way_that_it_is_judged_by() {
    let site = preview(furnished(), "1");
    let rows = served::dump(&site.house);
    let page = site.get("/").text();
    for part in [
        "Issue 1, the draft",
        "HTML, links filled in",
        "of 90.0 KB",
        "The linter",
        "hint",
        "Zoë Ångström",
        "Only Image Models",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let text = site.get("/?part=text").text();
    assert!(text.contains("WEEKLY VERDICTS") && text.contains("Zoë"), "{text}");
    assert!(!site.get("/?part=text&reader=nameless").text().contains("Zoë Ångström,"));
    let one = site.get("/?part=text&reader=topic%3AImage+Models").text();
    assert!(one.contains("Brickyard") && !one.contains("Stackforge"), "{one}");
    assert!(site.get("/?part=source").text().contains("&lt;!doctype html"), "the source is shown, not run");
    assert!(site.get("/?part=wire").text().contains("Content-Transfer-Encoding: quoted-printable"));
    let headers = site.get("/?part=headers").text();
    assert!(
        headers.contains("List-Unsubscribe-Post") && headers.contains("<th scope=\"row\">Message-ID"),
        "{headers}"
    );
    let both = site.get("/?scheme=both&width=375").text();
    assert_eq!(both.matches("<iframe").count(), 2);
    assert!(both.contains("frame--375") && both.contains("title=\"The letter, dark, 375 px\""), "{both}");

    // What is asked for wrongly is what there is first.
    assert!(
        site.get("/?show=zilch&part=zilch&scheme=zilch&width=zilch&reader=zilch").text().contains("<iframe")
    );
    assert_eq!(served::dump(&site.house), rows, "looking changes no row");
}

#[test]
fn a_letter_is_a_page_and_a_file_of_its_own() {
    let site = preview(furnished(), "1");
    let rows = served::dump(&site.house);
    let light = site.get("/letter.html").text();
    let dark = site.get("/letter.html?scheme=dark").text();
    for html in [&light, &dark] {
        assert!(!html.contains("prefers-color-scheme"), "it does not ask the system");
        assert!(html.contains("Zoë Ångström") && html.contains("</html>"));
    }
    assert_ne!(light, dark);
    let policy = |path: &str| site.get(path).must("content-security-policy").to_owned();
    assert!(policy("/letter.html").starts_with("sandbox allow-same-origin allow-popups "), "no script runs");
    assert!(policy("/letter.html").contains("img-src https: data: http://127.0.0.1:8080;"));
    assert!(policy("/letter.html?images=off").contains("img-src 'none';"));
    let letter = site.get("/letter.eml");
    assert!(letter.must("content-disposition").starts_with("attachment"));
    assert!(letter.text().starts_with("Date: ") && letter.text().contains("\r\nTo: =?"), "{}", letter.text());
    assert_eq!(served::dump(&site.house), rows, "looking changes no row");
}

#[test]
fn notices_are_shown_like_letters() {
    let site = preview(furnished(), "1");
    let rows = served::dump(&site.house);
    for (kind, says) in [
        ("confirm", "/confirm/"),
        ("already_subscribed", "/preferences/"),
        ("welcome", "/unsubscribe/"),
        ("address_change", "/address/"),
        ("address_changed", "new.address@example.com"),
    ] {
        let page = site.get(&format!("/?show={kind}&part=text")).text();
        assert!(page.contains(says), "{kind}: {page}");
        assert!(!page.contains("pill--skip"), "our own notices have no error: {page}");
        assert!(site.get(&format!("/letter.html?show={kind}")).text().contains("</html>"));
    }
    assert_eq!(served::dump(&site.house), rows, "looking changes no row");
}

#[test]
fn no_link_in_it_opens_anything() {
    let site = preview(furnished(), "1");
    let keyring = Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap();
    let mut tokens = BTreeSet::new();
    for show in ["letter", "confirm", "already_subscribed", "welcome", "address_change", "address_changed"] {
        for part in ["text", "source"] {
            let page = site.get(&format!("/?show={show}&part={part}")).text().replace("&#x2F;", "/");
            for path in ["/unsubscribe/", "/preferences/", "/vote/", "/confirm/", "/address/"] {
                for link in page.split(path).skip(1) {
                    let token: String = link
                        .chars()
                        .take_while(|c| c.is_ascii_alphanumeric() || "._-".contains(*c))
                        .collect();
                    tokens.insert(token);
                }
            }
        }
    }
    assert!(tokens.len() >= 5, "{tokens:?}");
    for token in tokens {
        for purpose in [Purpose::Unsubscribe, Purpose::Preferences, Purpose::Confirm, Purpose::Vote] {
            assert_eq!(keyring.verify_link_token(purpose, &token), None, "{token}");
        }
        assert!(token.starts_with("k0."), "{token} is of no site's key");
    }
}

#[test]
fn it_answers_to_this_machine_and_changes_nothing() {
    let site = preview(furnished(), "1");
    let port = site.address.port();
    let ask = |host: &str, line: &str| {
        site.say(
            format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
                .as_bytes(),
        )
    };
    for host in ["evil.example", &format!("evil.example:{port}"), "127.0.0.1.evil.example", "192.0.2.1"] {
        for path in ["/", "/letter.html", "/letter.eml", "/changed", "/assets/style.css"] {
            let answer = ask(host, &format!("GET {path}"));
            assert_eq!(answer.status, 421, "{host}{path}");
            assert!(!answer.text().contains("Stackforge"));
        }
    }
    for host in ["localhost", &format!("localhost:{port}"), &format!("[::1]:{port}")] {
        assert_eq!(ask(host, "GET /").status, 200, "{host}");
    }
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(ask("localhost", &format!("{method} /")).status, 405, "{method}");
    }
    let page = site.get("/");
    let policy = page.must("content-security-policy");
    for part in ["default-src 'none'", "script-src 'self'", "frame-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(page.must("cross-origin-resource-policy"), "same-origin");
    assert_eq!(page.must("cache-control"), "no-store");
    assert_eq!(site.get("/assets/..%2Fverdicts.toml").status, 404);
    assert_eq!(site.get("/assets/preview.html").status, 404);

    let ran = site.house.run(&["issue", "preview", "1", "--serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("add --public if they may"), "{}", ran.err);
    let ran = site.house.run(&["issue", "preview", "7", "--serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("issue 7"), "{}", ran.err);
    let ran = site.house.run(&["issue", "preview", "1", "--serve", "--listen", &site.address.to_string()]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("choose a port"), "{}", ran.err);
}

#[test]
fn it_follows_templates_and_texts() {
    let site = preview(furnished(), "1");
    let page = site.get("/").text();
    let masthead = read(&site, "own/letter/masthead.mjml");
    site.house.write(
        "own/letter/masthead.mjml",
        &format!("{masthead}<mj-section><mj-column><mj-text>Fresh paint</mj-text></mj-column></mj-section>"),
    );
    let changed = after(&site, &version(&page), "/?part=source");
    assert!(changed.contains("Fresh paint"), "{changed}");

    // A mistake takes the letter's place with its own, and the letter comes back when it is mended.
    site.house.write("own/letter/masthead.mjml", &format!("\n  {{% if %}}{masthead}"));
    let broken = after(&site, &version(&changed), "/");
    assert!(broken.contains("own/letter/masthead.mjml:2:9: "), "{broken}");
    assert!(!broken.contains("<iframe") && broken.contains("There is no letter to show"));
    assert_eq!(site.get("/letter.html").status, 404);
    site.house.write("own/letter/masthead.mjml", &format!("<mj-buton>{masthead}<mj-textt></mj-textt>"));
    let broken = after(&site, &version(&broken), "/");
    assert!(broken.contains("masthead.mjml:1:1: there is no &lt;mj-buton&gt;"), "all at once: {broken}");
    assert!(broken.contains("there is no &lt;mj-textt&gt;"), "all at once: {broken}");
    site.house.write("own/letter/masthead.mjml", &masthead);
    let mended = after(&site, &version(&broken), "/?part=source");
    assert!(!mended.contains("Fresh paint") && mended.contains("Stackforge"), "{mended}");

    let text = read(&site, "own/texts/en/join.toml");
    let line = text.lines().find(|line| line.contains("{site}") && line.starts_with("subject = ")).unwrap();
    site.house.write("own/texts/en/join.toml", &text.replacen(line, "subject = \"Are you in, {site}?\"", 1));
    let notice = after(&site, &version(&mended), "/?show=confirm");
    let other = NOTICES.map(|kind| site.get(&format!("/?show={kind}")).text()).concat();
    assert!((notice.clone() + &other).contains("Are you in, Weekly Verdicts?"), "{notice}");
    site.house.write("own/texts/en/join.toml", &text.replacen(line, "", 1));
    let notice = after(&site, &version(&notice), "/?show=confirm");
    assert!(notice.contains("own/texts/en/join.toml:") && notice.contains("is missing"), "{notice}");
    assert!(site.get("/").text().contains("<iframe"), "the letter needs none of them");
    site.house.write("own/texts/en/join.toml", &text);
}

#[test]
fn it_follows_comparisons_and_settings() {
    let site = preview(furnished(), "1");
    let second = read(&site, "comparisons/second.json");
    let before = version(&site.get("/").text());
    site.house.write("comparisons/second.json", &second.replace("Brickyard", "Kilnworks"));
    let page = after(&site, &before, "/?part=text");
    assert!(page.contains("Kilnworks") && !page.contains("Brickyard"), "{page}");
    let html = site.get("/").text();
    assert!(html.contains("1 comparison is shown as on disk and not imported yet"), "{html}");
    assert!(
        !site.house.must(&["comparisons", "list"]).out.contains("Kilnworks"),
        "nothing is imported by a look"
    );
    site.house.write("comparisons/second.json", &second.replace("\"slug\"", "\"slgu\""));
    let page = after(&site, &version(&page), "/");
    assert!(page.contains("comparisons/second.json:"), "{page}");
    site.house.write("comparisons/second.json", &second);

    let settings = read(&site, "verdicts.toml");
    let before = version(&site.get("/").text());
    site.house.write(
        "verdicts.toml",
        &settings.replace("name = \"Weekly Verdicts\"", "name = \"Monthly Musings\""),
    );
    assert!(after(&site, &before, "/?part=text").contains("MONTHLY MUSINGS"));
    let before = version(&site.get("/").text());
    site.house.write("verdicts.toml", &settings.replace("name =", "nmae ="));
    assert!(after(&site, &before, "/").contains("verdicts.toml:2: site.nmae is not a setting"));
}

const NOTICES: [&str; 5] = ["confirm", "already_subscribed", "welcome", "address_change", "address_changed"];

#[test]
fn it_starts_with_broken_templates_and_shows_what_was_sent() {
    let house = furnished();
    house.must(&["send"]);
    let footer = std::fs::read_to_string(house.path("own/letter/footer.mjml")).unwrap();
    house.write("own/letter/footer.mjml", &format!("{footer}{{{{ nothing }}}}"));
    assert_eq!(house.run(&["issue", "draft"]).code, 2, "nothing else does");
    let site = preview(house, "1");
    let page = site.get("/").text();
    assert!(page.contains("<iframe") && page.contains("as it was enqueued"), "{page}");
    assert!(!page.contains("the draft"), "{page}");
}
