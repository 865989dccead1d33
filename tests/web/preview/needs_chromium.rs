//! The preview as somebody sees it who works on a template.

use crate::support::programs::browser::{Browser, Light};

use super::*;

const FRAME: &str = "document.querySelector('iframe').contentDocument";

fn wait_until(browser: &Browser, script: &str, what: &str) {
    let start = Instant::now();
    while browser.run(script) != serde_json::json!(true) {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}:\n{}", browser.source());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What somebody does who works on a template: looks, saves, looks again without touching the browser.
#[test]
fn the_browser_shows_what_is_saved() {
    let site = preview(furnished(), "1");
    let browser = Browser::open();
    browser.goto(&site.url("/"));
    browser.look(1200, Light::Light);
    let frame = FRAME;
    let waits = |script: &str, what: &str| wait_until(&browser, script, what);
    waits(&format!("return {frame}.body.innerText.includes('Stackforge')"), "the letter is in its frame");
    waits(
        "const f = document.querySelector('iframe'); return f.clientHeight >= f.contentDocument.body.scrollHeight",
        "the frame is as high as the letter",
    );
    browser.run("window.untouched = true");

    let masthead = read(&site, "own/letter/masthead.mjml");
    let paint = "<mj-section><mj-column><mj-text>Fresh paint</mj-text></mj-column></mj-section>";
    site.house.write("own/letter/masthead.mjml", &format!("{masthead}{paint}"));
    waits(
        &format!("return {frame} && {frame}.body && {frame}.body.innerText.includes('Fresh paint')"),
        "the change is shown",
    );
    site.house.write("own/letter/masthead.mjml", &format!("{masthead}\n{{{{ nobody }}}}"));
    waits("return !document.querySelector('iframe')", "the mistake is shown");
    let line = masthead.matches('\n').count() + 2;
    let said = browser.text_of("[role=alert]");
    assert!(
        said.contains(&format!("own/letter/masthead.mjml:{line}:4: Variable `nobody` is not defined")),
        "{said}"
    );
    browser.inspect_letter("preview-broken");
    browser.look(1200, Light::Light);
    site.house.write("own/letter/masthead.mjml", &masthead);
    waits(
        &format!(
            "const f = document.querySelector('iframe'); return Boolean(f && {frame}.body && {frame}.body.innerText.includes('Stackforge'))"
        ),
        "the letter is back",
    );
    assert_eq!(browser.run("return window.untouched"), true, "nobody has loaded the page anew");
    assert_eq!(browser.console(), Vec::<String>::new(), "the console is silent");
}

#[test]
fn widths_and_light_do_not_depend_on_the_browsers_own() {
    let site = preview(furnished(), "1");
    let browser = Browser::open();
    let frame = FRAME;
    let ground = || {
        browser.run(&format!("const d = {frame}; return d.defaultView.getComputedStyle(d.querySelector('.page') || d.body).backgroundColor"))
    };
    let width = || browser.run("return document.querySelector('iframe').clientWidth");
    let mut grounds = Vec::new();
    for own in [Light::Light, Light::Dark] {
        browser.look(1200, own);
        for scheme in ["light", "dark"] {
            for (asked, pixels) in [("375", 375), ("640", 640)] {
                browser.goto(&site.url(&format!("/?scheme={scheme}&width={asked}")));
                wait_until(
                    &browser,
                    &format!("return {frame}.readyState === 'complete' && Boolean({frame}.body.innerText)"),
                    "the frame is there",
                );
                assert_eq!(width(), pixels);
                grounds.push((scheme, ground()));
            }
        }
    }
    let of = |scheme: &str| {
        grounds
            .iter()
            .filter(|(own, _)| *own == scheme)
            .map(|(_, ground)| ground.to_string())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!((of("light").len(), of("dark").len()), (1, 1), "{grounds:?}");
    assert_ne!(of("light"), of("dark"));
}

#[test]
fn choices_are_links_that_work_without_a_new_page_and_the_way_back_works_too() {
    let site = preview(furnished(), "1");
    let browser = Browser::open();
    let waits = |script: &str, what: &str| wait_until(&browser, script, what);
    browser.goto(&site.url("/"));
    browser.run("window.untouched = true");
    browser.click(".choose a[href*='part=headers']");
    waits("return Boolean(document.querySelector('table.headers'))", "the headers are shown");
    browser.run("history.back()");
    waits("return Boolean(document.querySelector('iframe'))", "the letter is shown again");
    assert_eq!(browser.run("return window.untouched"), true);
    assert_eq!(browser.console(), Vec::<String>::new(), "the console is silent");
    for (name, path) in [
        ("preview", "/"),
        ("preview-both", "/?scheme=both&width=375"),
        ("preview-text", "/?part=text"),
        ("preview-headers", "/?part=headers"),
        ("preview-notice", "/?show=confirm"),
    ] {
        browser.goto(&site.url(path));
        browser.inspect_letter(name);
    }
}

/// Without scripts it is a page like any other; only its owner has to reload it.
#[test]
fn it_is_there_without_scripts() {
    let site = preview(furnished(), "1");
    let browser = Browser::without_scripts();
    browser.goto(&site.url("/"));
    assert!(browser.text_of("[role=status]").contains("Reload this page"));
    browser.submit(".choose a[href*='part=text']");
    assert!(browser.main_text().contains("WEEKLY VERDICTS"));
}
