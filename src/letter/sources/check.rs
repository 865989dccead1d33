//! What a comparison must be beyond its shape: slugs, lengths, links, two different tools, one
//! review per reviewer.

use std::collections::BTreeSet;

use super::problem::{FieldProblem, Step};
use crate::domain::comparison::{Comparison, Tool};

const SLUG_MAX: usize = 120;
const NAME_MAX: usize = 120;
const LINE_MAX: usize = 300;
const TEXT_MAX: usize = 5_000;
const URL_MAX: usize = 500;
const REVIEWS_MAX: usize = 100;

/// Everything that is wrong, in the order of the fields.
pub(super) fn check(comparison: &Comparison) -> Vec<FieldProblem> {
    let mut found = Found(Vec::new());
    found.slug(&["slug"], &comparison.slug);
    found.line(&["title"], &comparison.title, LINE_MAX);
    found.line(&["question"], &comparison.question, LINE_MAX);
    found.url(&comparison.url);
    for (index, tool) in comparison.tools.iter().enumerate() {
        found.tool(index, tool);
    }
    let [first, second] = &comparison.tools;
    if first.slug == second.slug || first.name == second.name {
        let same = if first.slug == second.slug { "slug" } else { "name" };
        found.add(
            vec![key("tools"), Step::Index(1), key(same)],
            format!(
                "both tools have the {same} {:?}; a comparison is of two different tools",
                match same {
                    "slug" => &second.slug,
                    _ => &second.name,
                }
            ),
        );
    }
    found.0
}

fn key(name: &str) -> Step {
    Step::Key(name.to_owned())
}

fn path(names: &[&str]) -> Vec<Step> {
    names.iter().map(|name| key(name)).collect()
}

struct Found(Vec<FieldProblem>);

impl Found {
    fn add(&mut self, path: Vec<Step>, text: String) {
        self.0.push(FieldProblem { path, text });
    }

    fn tool(&mut self, index: usize, tool: &Tool) {
        let at = |name: &str| vec![key("tools"), Step::Index(index), key(name)];
        self.slug_at(at("slug"), &tool.slug);
        self.line_at(at("name"), &tool.name, NAME_MAX, true);
        self.line_at(at("category"), &tool.category, NAME_MAX, true);
        self.line_at(at("tagline"), &tool.tagline, LINE_MAX, false);
        self.text_at(at("description"), &tool.description, false);
        let entry = vec![key("tools"), Step::Index(index), key("pricing"), key("entry")];
        self.line_at(entry, &tool.pricing.entry, NAME_MAX, true);
        if tool.reviews.len() > REVIEWS_MAX {
            let count = tool.reviews.len();
            self.add(at("reviews"), format!("has {count} reviews; a panel has at most {REVIEWS_MAX}"));
        }
        let mut seen = BTreeSet::new();
        for (number, review) in tool.reviews.iter().enumerate() {
            let field = |name: &str| [at("reviews"), vec![Step::Index(number), key(name)]].concat();
            self.line_at(field("reviewer"), &review.reviewer, NAME_MAX, true);
            self.text_at(field("quote"), &review.quote, true);
            if !seen.insert(review.reviewer.as_str()) {
                let who = &review.reviewer;
                self.add(
                    field("reviewer"),
                    format!("{who:?} has reviewed this tool already; keep one of the reviews"),
                );
            }
        }
    }

    fn slug(&mut self, names: &[&str], slug: &str) {
        self.slug_at(path(names), slug);
    }

    fn slug_at(&mut self, path: Vec<Step>, slug: &str) {
        let letters = slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if slug.is_empty()
            || slug.len() > SLUG_MAX
            || !letters
            || slug.starts_with('-')
            || slug.ends_with('-')
        {
            let shown: String = slug.chars().take(60).collect();
            self.add(
                path,
                format!("{shown:?} is not a slug; use lower-case letters, digits and inner hyphens, at most {SLUG_MAX}"),
            );
        }
    }

    fn line(&mut self, names: &[&str], text: &str, max: usize) {
        self.line_at(path(names), text, max, true);
    }

    fn line_at(&mut self, path: Vec<Step>, text: &str, max: usize, required: bool) {
        if text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
            self.add(path, "has a line end or another control character; write it as one line".to_owned());
        } else {
            self.length(path, text, max, required);
        }
    }

    fn text_at(&mut self, path: Vec<Step>, text: &str, required: bool) {
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.add(path, "has a control character; remove it".to_owned());
        } else {
            self.length(path, text, TEXT_MAX, required);
        }
    }

    fn length(&mut self, path: Vec<Step>, text: &str, max: usize, required: bool) {
        let length = text.chars().count();
        if length > max {
            self.add(path, format!("has {length} characters; shorten it to {max}"));
        } else if required && text.trim().is_empty() {
            self.add(path, "is empty; write it".to_owned());
        }
    }

    fn url(&mut self, text: &str) {
        if let Some(problem) = url_problem(text) {
            self.add(path(&["url"]), format!("{problem}; write an absolute https:// link"));
        }
    }
}

fn url_problem(text: &str) -> Option<&'static str> {
    if text.len() > URL_MAX {
        return Some("is longer than 500 octets");
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) || text.contains(['"', '<', '>', '\\']) {
        return Some("has blanks, quotes or characters beyond ASCII, which a link escapes as %XX");
    }
    let Ok(url) = url::Url::parse(text) else { return Some("is not a link") };
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Some("has no host"),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Some("has a user or a password in it");
    }
    match url.scheme() {
        "https" => None,
        "http" if loopback => None,
        "http" => Some("is http, which is taken for this machine only"),
        _ => Some("is neither http nor https"),
    }
}
