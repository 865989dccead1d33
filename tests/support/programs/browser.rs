//! A real browser: Debian's Chromium, led by its driver. It reaches nothing but loopback.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::driver::Driver;
use serde_json::{Value, json};

/// Where axe-core is installed to by `tests/run`.
const AXE: &str = "target/npm/node_modules/axe-core/axe.min.js";
/// Where screenshots go, for whoever wants to look.
const SCREENS: &str = "target/screens";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Light {
    Light,
    Dark,
}

/// The name of an element's id in every answer (W3C WebDriver §12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A session of its own, with a profile of its own; both end with the value.
pub struct Browser {
    driver: Driver,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// A browser as most people have it.
    pub fn open() -> Self {
        Self::start(&json!({}))
    }

    /// One whose owner has switched scripts off.
    pub fn without_scripts() -> Self {
        Self::start(&json!({ "profile.managed_default_content_settings.javascript": 2 }))
    }

    fn start(preferences: &Value) -> Self {
        let driver = Driver::start();
        let profile = tempfile::Builder::new().prefix("verdicts-browser-").tempdir().unwrap();
        let capabilities = json!({ "goog:chromeOptions": {
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
                "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--hide-scrollbars", "--window-size=1200,900",
                "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
                format!("--user-data-dir={}", profile.path().display()),
            ],
            "prefs": preferences,
        }, "goog:loggingPrefs": { "browser": "ALL" } });
        let wish = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let session = driver.request("POST", "/session", &wish).expect("Chromium starts");
        let session = session["sessionId"].as_str().expect("a session").to_owned();
        Self { driver, session, _profile: profile }
    }

    fn tell(&self, method: &str, path: &str, body: &Value) -> Value {
        self.driver
            .request(method, &format!("/session/{}{path}", self.session), body)
            .unwrap_or_else(|error| panic!("the browser refuses {path}: {error}"))
    }

    fn post(&self, path: &str, body: Value) -> Value {
        self.tell("POST", path, &body)
    }

    fn read(&self, path: &str) -> String {
        self.tell("GET", path, &Value::Null).as_str().unwrap_or_default().to_owned()
    }

    /// A command of Chromium's own protocol, by way of the driver.
    fn cdp(&self, command: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": parameters }))
    }

    fn all(&self, selector: &str) -> Vec<String> {
        let found = self.post("/elements", json!({ "using": "css selector", "value": selector }));
        let found = found.as_array().expect("a list");
        found.iter().map(|element| element[ELEMENT].as_str().expect("an id").to_owned()).collect()
    }

    fn one(&self, selector: &str) -> String {
        let found = self.all(selector);
        found
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("no {selector} on {}:\n{}", self.url(), self.source()))
    }

    pub fn goto(&self, url: &str) {
        self.post("/url", json!({ "url": url }));
    }

    pub fn url(&self) -> String {
        self.read("/url")
    }

    pub fn title(&self) -> String {
        self.read("/title")
    }

    /// The HTML of the page as it stands now.
    pub fn source(&self) -> String {
        self.read("/source")
    }

    /// What somebody sees in the main part of the page.
    pub fn main_text(&self) -> String {
        self.text_of("main")
    }

    pub fn has(&self, selector: &str) -> bool {
        !self.all(selector).is_empty()
    }

    /// Whether somebody sees the first element of the selector.
    pub fn shows(&self, selector: &str) -> bool {
        let shown = |id: &String| self.tell("GET", &format!("/element/{id}/displayed"), &Value::Null);
        self.all(selector).first().is_some_and(|id| shown(id) == json!(true))
    }

    pub fn text_of(&self, selector: &str) -> String {
        self.read(&format!("/element/{}/text", self.one(selector)))
    }

    pub fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        let value =
            self.tell("GET", &format!("/element/{}/attribute/{name}", self.one(selector)), &Value::Null);
        value.as_str().map(str::to_owned)
    }

    /// Types into a field, in place of what is there.
    pub fn fill(&self, selector: &str, text: &str) {
        let field = self.one(selector);
        self.post(&format!("/element/{field}/clear"), json!({}));
        self.post(&format!("/element/{field}/value"), json!({ "text": text }));
    }

    /// Types into a field that has parts (a date), one after the other.
    pub fn type_in(&self, selector: &str, text: &str) {
        let field = self.one(selector);
        self.post(&format!("/element/{field}/value"), json!({ "text": text }));
    }

    /// Presses a button that leads to a page, and waits until that page has taken the place of this one.
    pub fn submit(&self, selector: &str) {
        let old = self.one("html");
        self.click(selector);
        let start = Instant::now();
        let path = format!("/session/{}/element/{old}/name", self.session);
        while self.driver.request("GET", &path, &Value::Null).is_ok() {
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "nothing comes of {selector}:\n{}",
                self.source()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn click(&self, selector: &str) {
        let element = self.one(selector);
        self.post(&format!("/element/{element}/click"), json!({}));
    }

    /// A key, wherever the focus is.
    pub fn press(&self, key: char) {
        let focused = self.tell("GET", "/element/active", &Value::Null);
        let focused = focused[ELEMENT].as_str().expect("something has the focus").to_owned();
        self.post(&format!("/element/{focused}/value"), json!({ "text": key.to_string() }));
    }

    /// What the console has said since it was last asked, warnings and errors.
    pub fn console(&self) -> Vec<String> {
        let said = self.post("/se/log", json!({ "type": "browser" }));
        let lines = said.as_array().map(Vec::as_slice).unwrap_or_default();
        let loud = lines.iter().filter(|line| line["level"] == "SEVERE" || line["level"] == "WARNING");
        loud.map(|line| line["message"].as_str().unwrap_or("?").to_owned()).collect()
    }

    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [] }))
    }

    /// How wide the window is, and what its owner likes.
    pub fn look(&self, width: u32, light: Light) {
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false }),
        );
        let scheme = if light == Light::Dark { "dark" } else { "light" };
        self.cdp(
            "Emulation.setEmulatedMedia",
            json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] }),
        );
    }

    /// Saves the whole page as a picture.
    pub fn photograph(&self, name: &str) -> PathBuf {
        let picture =
            self.cdp("Page.captureScreenshot", json!({ "format": "png", "captureBeyondViewport": true }));
        let octets = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            picture["data"].as_str().unwrap(),
        );
        let file = Path::new(SCREENS).join(format!("{name}.png"));
        std::fs::create_dir_all(SCREENS).unwrap();
        std::fs::write(&file, octets.unwrap()).unwrap();
        file
    }

    /// How far the page is wider than the window, in pixels, with what sticks out.
    pub fn overflow(&self) -> Option<String> {
        let found = self.run(
            "const page = document.documentElement;
             if (page.scrollWidth <= page.clientWidth) return null;
             const wide = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > page.clientWidth + 1);
             return page.scrollWidth + ' > ' + page.clientWidth + ': ' + wide.slice(0, 5).map(e => e.outerHTML.slice(0, 120)).join(' | ');",
        );
        found.as_str().map(str::to_owned)
    }

    /// What axe-core finds wrong with the page, one line each.
    pub fn violations(&self) -> Vec<String> {
        let axe = std::fs::read_to_string(AXE)
            .unwrap_or_else(|error| panic!("{AXE}: {error}; tests/run installs it into target/npm"));
        self.run(&axe);
        let script = "const done = arguments[0];
             axe.run(document, { resultTypes: ['violations'] }).then(
                 r => done(r.violations.map(v => v.id + ': ' + v.help + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + ' ' + (n.any[0]?.message || '')).join(' | '))),
                 e => done(['axe failed: ' + e]));";
        let found = self.post("/execute/async", json!({ "script": script, "args": [] }));
        found
            .as_array()
            .expect("axe answers")
            .iter()
            .map(|line| line.as_str().unwrap_or("?").to_owned())
            .collect()
    }

    /// What has to be true of every page, looked at where it stands: in light and dark, wide and at 320 px.
    pub fn inspect_letter(&self, name: &str) {
        for light in [Light::Light, Light::Dark] {
            let scheme = if light == Light::Dark { "dark" } else { "light" };
            for width in [320, 1200] {
                self.look(width, light);
                self.photograph(&format!("{name}-{scheme}-{width}"));
                assert_eq!(self.overflow(), None, "{name} at {width} px, {scheme}");
                let violations = self.violations();
                assert!(violations.is_empty(), "{name} at {width} px, {scheme}:\n{}", violations.join("\n"));
            }
        }
    }

    /// As [`Browser::inspect_letter`], and what a letter may but a page may not: style itself.
    pub fn inspect(&self, name: &str) {
        self.inspect_letter(name);
        assert_eq!(
            self.run("return [...document.scripts].filter(s => s.type !== 'application/ld+json').length"),
            json!(0),
            "{name} has no script"
        );
        assert_eq!(
            self.run("return document.querySelectorAll('[style], style').length"),
            json!(0),
            "{name} styles itself"
        );
        assert_eq!(self.run("return document.cookie"), json!(""), "{name} sets a cookie");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.request("DELETE", &format!("/session/{}", self.session), &Value::Null);
    }
}
