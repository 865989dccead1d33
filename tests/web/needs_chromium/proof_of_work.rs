//! The arithmetic that robots are kept out with, in a real browser: our own script under our own policy.

use crate::support::mail::letters::wait_for;
use crate::support::programs::browser::Browser;
use crate::support::site::Site;

const SETTINGS: &str = "[signup]\nminimum_fill = \"0s\"\nproof_of_work = true";

#[test]
fn a_browser_does_the_work_and_a_person_sees_that_it_does() {
    let site = Site::open(1, SETTINGS);
    let browser = Browser::open();
    browser.goto(&site.url("/"));
    assert_eq!(browser.violations(), Vec::<String>::new());
    browser.fill("#email", "nora@example.com");
    // The form goes off when the work is done.
    browser.submit("form button[type=submit]");
    assert!(browser.url().ends_with("/subscribe"), "{}", browser.source());
    assert!(browser.main_text().contains("nora@example.com"), "{}", browser.main_text());
    wait_for(&site.house.path("outbox"), |mail| mail.to.contains("nora@example.com"));
}

#[test]
fn without_scripts_the_page_says_so_kindly() {
    let site = Site::open(1, SETTINGS);
    let browser = Browser::without_scripts();
    browser.goto(&site.url("/"));
    assert!(browser.main_text().contains("needs JavaScript"), "{}", browser.main_text());
    browser.fill("#email", "nora@example.com");
    browser.submit("form button[type=submit]");
    assert!(browser.main_text().contains("Once more"), "{}", browser.main_text());
    assert!(browser.main_text().contains("write to us"), "and how to join all the same");
}
