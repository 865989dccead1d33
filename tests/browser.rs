//! What a reader sees and does, in a real browser: every page in light and dark, wide and narrow, with no script and no cookie.

#[path = "support/browser.rs"]
mod browser;
#[path = "support/house.rs"]
mod house;
#[path = "support/letters.rs"]
mod letters;
#[path = "support/site.rs"]
mod site;

use browser::{Browser, Light};
use letters::letters;
use site::Site;

/// Everything there is without a token, and every way to go wrong.
#[test]
fn public_pages_are_accessible_in_light_and_dark_and_narrow() {
    let site = Site::open(1, "");
    let browser = Browser::open();
    for (name, path) in [("archive", "/issues"), ("not-found", "/nowhere"), ("front", "/")] {
        browser.goto(&site.url(path));
        browser.inspect(name);
    }
}

#[test]
fn the_keyboard_reaches_the_content_first() {
    let site = Site::open(1, "");
    let browser = Browser::open();
    browser.goto(&site.url("/issues"));
    browser.look(1200, Light::Light);
    browser.press('\u{e004}');
    assert_eq!(browser.run("return document.activeElement.className"), "skip");
    let ring = browser.run("return getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(ring, "solid", "the focus is seen");
    browser.photograph("skip-link");
    browser.press('\u{e007}');
    assert_eq!(browser.run("return document.activeElement.id"), "main");
}

/// A mail program's archive view, and what a reader does from the links in a letter.
#[test]
fn a_reader_chooses_and_leaves() {
    let site = Site::open(1, "");
    let mail = letters(&site.house.path("outbox")).remove(0);
    for (browser, name) in [(Browser::open(), "plain"), (Browser::without_scripts(), "without-scripts")] {
        browser.goto(&mail.link("/preferences/"));
        if name == "plain" {
            browser.inspect("preferences");
        }
        browser.fill("#name", "Ann <b>");
        browser.click("form button[type=submit]");
        assert_eq!(browser.attribute("#name", "value").as_deref(), Some("Ann <b>"));
        assert!(browser.has(".note--good"), "{name}: it says that it is saved");
    }
    let browser = Browser::without_scripts();
    browser.goto(&mail.link("/unsubscribe/"));
    browser.click("form button[type=submit]");
    assert!(browser.main_text().contains("off the list"));
    let shown = site.house.must(&["subscribers", "show", "reader0@example.com"]).out.to_lowercase();
    assert!(shown.contains("unsubscribed"));
}
