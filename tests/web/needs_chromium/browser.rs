//! What a reader sees and does, in a real browser: every page in light and dark, wide and narrow, with no script and no cookie.

use crate::support::mail::letters::{Mail, wait_for};
use crate::support::programs::browser::{Browser, Light};
use crate::support::site::Site;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/samples");

/// Everything there is without a token, and a way to go wrong.
#[test]
fn public_pages_are_accessible_in_light_and_dark_and_narrow() {
    let site = Site::open(1, "");
    site.house.must(&["comparisons", "import", SAMPLES]);
    let browser = Browser::open();
    for (name, path) in [
        ("front", "/"),
        ("archive", "/issues"),
        ("comparison", "/compare/lead"),
        ("comparison-sample", "/compare/tessera-vs-mockingbird"),
        ("embed", "/embed"),
        ("not-found", "/nowhere"),
    ] {
        browser.goto(&site.url(path));
        browser.inspect(name);
    }
    browser.goto(&site.url("/issues/1"));
    browser.inspect_letter("letter");
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

/// A person who was never here joins, reads, votes, chooses and leaves, all through pages and mails.
#[test]
fn the_whole_life_of_a_reader() {
    let site = Site::open(1, "[signup]\nminimum_fill = \"0s\"");
    let browser = Browser::open();
    let me = "nora@example.com";
    join(&site, &browser, me);
    site.next_issue();
    let letter =
        wait_for(&site.house.path("outbox"), |mail| mail.to.contains(me) && mail.html.contains("/vote/"));
    browser.goto(&letter.link("say=ship"));
    browser.inspect("vote");
    browser.submit("form button[type=submit]");
    browser.inspect("voted");
    choose(&browser, &letter.link("/preferences/"));
    let new = "nora.new@example.org";
    let preferences = move_to(&site, &browser, me, new);
    leave(&site, &browser, &letter, new);
    be_erased(&site, &browser, &preferences, new);
}

fn join(site: &Site, browser: &Browser, me: &str) {
    browser.goto(&site.url("/"));
    browser.fill("#email", "nora@example");
    browser.submit("form button[type=submit]");
    browser.inspect("join-refused");
    browser.fill("#email", me);
    browser.submit("form button[type=submit]");
    browser.inspect("join-sent");
    assert!(browser.main_text().contains(me), "it says where the mail went");

    let asked = wait_for(&site.house.path("outbox"), |mail| mail.to.contains(me));
    browser.goto(&asked.link("/confirm/"));
    browser.inspect("confirm");
    assert!(!site.status_of(me).contains("active"), "a look confirms nothing");
    browser.submit("form button[type=submit]");
    browser.inspect("confirmed");
    assert!(site.status_of(me).contains("active"));
}

fn choose(browser: &Browser, preferences: &str) {
    browser.goto(preferences);
    browser.inspect("preferences");
    browser.fill("#name", "Nora <b>");
    browser.click("input[name=topics][value=some]");
    browser.submit("form button[type=submit]");
    browser.inspect("preferences-refused");
    assert!(browser.has("[role=alert]"), "some topics, and none chosen");
    browser.click("input[name=topics][value=some]");
    browser.click("input[name=topic]");
    browser.submit("form button[type=submit]");
    browser.inspect("preferences-saved");
    assert_eq!(browser.attribute("#name", "value").as_deref(), Some("Nora <b>"));
    let day = (chrono::Utc::now() + chrono::TimeDelta::days(20)).format("%m%d%Y").to_string();
    browser.type_in("#until", &day);
    browser.submit("form[action$='/pause'] button");
    browser.inspect("preferences-paused");
    browser.submit("form[action$='/pause'] button");
}

/// From the page of preferences. A new address counts once somebody at it has said so; the page that
/// says so has the new link to the reader's own page, since that of the old mailbox is spent.
fn move_to(site: &Site, browser: &Browser, me: &str, new: &str) -> String {
    browser.fill("#email", new);
    browser.submit("form[action$='/address'] button");
    browser.inspect("address-asked");
    let asked = wait_for(&site.house.path("outbox"), |mail| mail.to.contains(new));
    browser.goto(&asked.link("/address/"));
    browser.inspect("address-confirm");
    assert!(site.status_of(me).contains("active"), "a look changes no address");
    browser.submit("main form button[type=submit]");
    browser.inspect("address-changed");
    assert!(site.status_of(new).contains("active"));
    let link = browser.attribute("main a[href^='/preferences/']", "href").expect("the new link");
    site.url(&link)
}

fn leave(site: &Site, browser: &Browser, letter: &Mail, me: &str) {
    browser.goto(&letter.link("/unsubscribe/"));
    browser.inspect("leave");
    assert!(site.status_of(me).contains("active"), "a look leaves nothing");
    browser.submit("main form button[type=submit]");
    browser.inspect("left");
    assert!(site.status_of(me).contains("unsubscribed"));
    browser.submit("form[action^='/undo/'] button");
    browser.inspect("leaving-undone");
    assert!(site.status_of(me).contains("active"), "a slip is taken back");
    browser.goto(&letter.link("/unsubscribe/"));
    browser.submit("main form button[type=submit]");
    browser.click("input[name=reason]");
    browser.submit("form[action$='/reason'] button");
    browser.inspect("leaving-reason");
    browser.goto(&letter.link("/unsubscribe/"));
    browser.inspect("left-already");
}

fn be_erased(site: &Site, browser: &Browser, preferences: &str, me: &str) {
    browser.goto(&format!("{preferences}/erase"));
    browser.inspect("erase");
    assert!(site.status_of(me).contains("unsubscribed"), "a look erases nothing");
    if browser.has("main form input[type=checkbox]") {
        browser.click("main form input[type=checkbox]");
    }
    browser.submit("main form button[type=submit]");
    browser.inspect("erased");
    let gone = site.house.run(&["subscribers", "show", me]);
    assert!(!gone.out.contains(me), "nobody by that address: {}", gone.out);
    browser.goto(preferences);
    browser.inspect("preferences-of-nobody");
}

/// The same without JavaScript: there is nothing that needs it.
#[test]
fn a_life_without_scripts() {
    let site = Site::open(1, "[signup]\nminimum_fill = \"0s\"");
    let outbox = site.house.path("outbox");
    let me = "nora@example.com";
    let browser = Browser::without_scripts();

    browser.goto(&site.url("/"));
    browser.fill("#email", me);
    browser.submit("form button[type=submit]");
    browser.goto(&wait_for(&outbox, |mail| mail.to.contains(me)).link("/confirm/"));
    browser.submit("form button[type=submit]");
    assert!(site.status_of(me).contains("active"));

    site.next_issue();
    let letter = wait_for(&outbox, |mail| mail.to.contains(me) && mail.html.contains("/vote/"));
    browser.goto(&letter.link("say=ship"));
    browser.submit("form button[type=submit]");
    browser.goto(&letter.link("/preferences/"));
    browser.fill("#name", "Nora");
    browser.submit("form button[type=submit]");
    assert!(browser.has(".note--good"), "it says that it is saved");
    assert!(site.house.must(&["subscribers", "show", me]).out.contains("Nora"));
    browser.goto(&letter.link("/unsubscribe/"));
    browser.submit("main form button[type=submit]");
    assert!(site.status_of(me).contains("unsubscribed"));
    browser.goto(&format!("{}/erase", letter.link("/preferences/")));
    browser.submit("main form button[type=submit]");
    assert_ne!(site.house.run(&["subscribers", "show", me]).code, 0, "nobody by that address");
}
