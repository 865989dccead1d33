//! axe-core on the HTML of every letter and notice, as a phone and a mail program on a desk show it, in light and dark.

use crate::support::mail::mails;
use crate::support::programs::browser::{Browser, Light};

/// A phone, and the width of a letter.
const WIDTHS: [u32; 2] = [375, 640];

/// Rules for whole pages. A mail is an article in the page of a mail program, which has the landmarks; so has the archive's page
/// around a letter (`tests/web/needs_chromium/browser.rs`).
const OF_PAGES: [&str; 2] = ["landmark-one-main: ", "region: "];

#[test]
fn letters_and_notices_have_no_violation_in_light_and_dark_on_a_phone_and_a_desk() {
    let folder = tempfile::tempdir().expect("a folder");
    let browser = Browser::open();
    let mut wrong = Vec::new();
    // Both languages have the same templates.
    let notices = mails::notices().into_iter().filter(|mail| mail.name.ends_with("_en"));
    for mail in mails::letters().into_iter().chain(notices) {
        let file = folder.path().join("mail.html");
        std::fs::write(&file, mail.html()).expect("the folder is ours");
        browser.goto(&format!("file://{}", file.display()));
        for light in [Light::Light, Light::Dark] {
            for width in WIDTHS {
                browser.look(width, light);
                let at = format!("{} at {width} px, {light:?}", mail.name);
                let violations = browser.violations().into_iter();
                let ours = violations.filter(|one| !OF_PAGES.iter().any(|rule| one.starts_with(rule)));
                wrong.extend(ours.map(|violation| format!("{at}: {violation}")));
                wrong.extend(browser.overflow().map(|what| format!("{at} is wider than the window: {what}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
