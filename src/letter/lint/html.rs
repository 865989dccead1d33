//! What the HTML is made of: nothing that runs, sends or loads by itself, links that lead
//! somewhere, and the marks that people with a screen reader go by.

use scraper::{ElementRef, Html, Selector};

use super::findings::{Findings, short};
use super::headers::{is_loopback, is_web};
use super::message::Message;

/// Elements that mail programs drop or block, and filters distrust.
const FORBIDDEN: [&str; 14] = [
    "script", "form", "input", "button", "select", "textarea", "iframe", "frame", "object", "embed", "audio",
    "video", "base", "link",
];

pub(super) fn check(page: &Html, message: &Message, found: &mut Findings) {
    for node in page.tree.root().descendants() {
        let Some(element) = ElementRef::wrap(node) else { continue };
        forbidden(&element, found);
        match element.value().name() {
            "html" if element.value().attr("lang").unwrap_or("").trim().is_empty() => {
                found.error(
                    "lang",
                    "<html>",
                    "the HTML does not say its language; put lang=\"en\" on <mjml>",
                );
            }
            "img" => image(&element, found),
            "a" => link(&element, found),
            "table" => table(&element, found),
            "th" if element.value().attr("scope").is_none() => {
                found.warning(
                    "table",
                    place(&element),
                    "a <th> does not say what it heads; give it scope=\"row\" or \"col\"",
                );
            }
            _ => {}
        }
    }
    title(page, found);
    headings(page, found);
    once(page, found);
    if let Some(html) = &message.html
        && !html.to_ascii_lowercase().contains("charset=utf-8")
    {
        found.warning(
            "charset",
            "<head>",
            "the HTML does not say its charset; put charset=UTF-8 into the head",
        );
    }
}

fn forbidden(element: &ElementRef<'_>, found: &mut Findings) {
    let name = element.value().name();
    if FORBIDDEN.contains(&name) {
        let words = format!("<{name}> does not work in a letter, and filters distrust it; take it out");
        found.error("element", place(element), words);
    }
    if name.starts_with("mj-") || name == "mjml" {
        let words =
            format!("<{name}> is MJML that was not rendered; see whether its name and its place are right");
        found.error("mjml", place(element), words);
    }
    for (attribute, value) in element.value().attrs() {
        if attribute.starts_with("on") {
            found.error("element", place(element), format!("{attribute} is a script; take it out"));
        }
        if attribute.starts_with("mj-") || attribute == "css-class" {
            found.error("mjml", place(element), format!("{attribute} is MJML that was not rendered"));
        }
        if attribute == "style" && value.contains("url(") {
            let words =
                "a style loads something from elsewhere, which says that the letter was opened; take it out";
            found.error("remote", place(element), words);
        }
    }
}

fn image(element: &ElementRef<'_>, found: &mut Findings) {
    let attribute = |name: &str| element.value().attr(name);
    let source = attribute("src").unwrap_or("");
    if attribute("alt").is_none() {
        found.error(
            "alt",
            place(element),
            format!("the image {} has no alt; write what it shows, or alt=\"\"", short(source)),
        );
    }
    for side in ["width", "height"] {
        match attribute(side).and_then(|text| text.trim_end_matches("px").parse::<u32>().ok()) {
            Some(0..=2) => {
                let words = format!(
                    "the image {} is too small to be seen, as those that track readers are",
                    short(source)
                );
                found.error("pixel", place(element), words);
            }
            None if attribute(side) != Some("auto") => {
                let words = format!(
                    "the image {} does not say its {side}, so the text jumps when it loads",
                    short(source)
                );
                found.warning("image-size", place(element), words);
            }
            _ => {}
        }
    }
    if !is_web(source) {
        let words = format!("the image's address {:?} is not an https URL", short(source));
        found.error("link", place(element), words);
    }
}

fn link(element: &ElementRef<'_>, found: &mut Findings) {
    let Some(target) = element.value().attr("href") else {
        found.error("link", place(element), "a link has no href");
        return;
    };
    if is_loopback(target) {
        let words =
            "links lead to this machine, where no reader gets to; set site.base_url before you send for real";
        found.hint("link", place(element), words);
    } else if !(is_web(target) || target.starts_with("mailto:") && target.contains('@')) {
        let words = format!("the link {:?} is not an absolute https URL; mend it", short(target));
        found.error("link", place(element), words);
    }
    let words: String = element.text().collect();
    let image = Selector::parse("img[alt]").expect("it is a selector");
    let says_image =
        element.select(&image).any(|one| !one.value().attr("alt").unwrap_or("").trim().is_empty());
    if words.trim().is_empty() && !says_image && element.value().attr("aria-label").is_none() {
        found.error("link", place(element), format!("the link to {} has no words", short(target)));
    }
}

fn table(element: &ElementRef<'_>, found: &mut Findings) {
    let role = element.value().attr("role").unwrap_or("");
    let head = Selector::parse("th").expect("it is a selector");
    if !["presentation", "none"].contains(&role) && element.select(&head).next().is_none() {
        let words = "a table for layout is read out as data; give it role=\"presentation\"";
        found.error("table", place(element), words);
    }
}

fn title(page: &Html, found: &mut Findings) {
    let title = Selector::parse("title").expect("it is a selector");
    let words: String = page.select(&title).next().map(|one| one.text().collect()).unwrap_or_default();
    if words.trim().is_empty() {
        found.error("title", "<head>", "the HTML has no title; put <mj-title> back into letter.mjml");
    }
}

/// A heading is at most one level below the one before it.
fn headings(page: &Html, found: &mut Findings) {
    let heading = Selector::parse("h1, h2, h3, h4, h5, h6").expect("it is a selector");
    let mut before: Option<u32> = None;
    for one in page.select(&heading) {
        let level = one.value().name()[1..].parse().unwrap_or(1);
        if before.is_some_and(|before| level > before + 1) {
            found.warning("headings", place(&one), format!("a heading of level {level} comes too early"));
        }
        before = Some(level);
    }
}

fn once(page: &Html, found: &mut Findings) {
    let with_id = Selector::parse("[id]").expect("it is a selector");
    let mut seen = std::collections::HashSet::new();
    for id in page.select(&with_id).filter_map(|one| one.value().attr("id")) {
        if !seen.insert(id) {
            found.warning("id", format!("id=\"{}\"", short(id)), "an id stands twice");
        }
    }
}

/// An element and how its text begins.
fn place(element: &ElementRef<'_>) -> String {
    let words: String = element.text().take(4).collect();
    format!("<{}> \"{}\"", element.value().name(), short(words.trim()))
}
