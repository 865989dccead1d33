//! What is wrong with a template before anything is rendered: MJML that the renderer would pass in
//! silence, slots that nobody fills, images without words.

use super::attributes::{ATTRIBUTES, in_tag, is_known};
use super::file::{File, Kind};
use super::problem::Problem;
use crate::mail::StencilSlot;

/// What the renderer knows (mrml 6).
const TAGS: [&str; 37] = [
    "mjml",
    "mj-accordion",
    "mj-accordion-element",
    "mj-accordion-text",
    "mj-accordion-title",
    "mj-all",
    "mj-attributes",
    "mj-body",
    "mj-breakpoint",
    "mj-button",
    "mj-carousel",
    "mj-carousel-image",
    "mj-class",
    "mj-column",
    "mj-divider",
    "mj-font",
    "mj-group",
    "mj-head",
    "mj-hero",
    "mj-image",
    "mj-include",
    "mj-navbar",
    "mj-navbar-link",
    "mj-preview",
    "mj-raw",
    "mj-section",
    "mj-social",
    "mj-social-element",
    "mj-spacer",
    "mj-style",
    "mj-table",
    "mj-text",
    "mj-title",
    "mj-wrapper",
    "mj-selector",
    "mj-html-attribute",
    "mj-html-attributes",
];

/// Known to the reference and not to the renderer, or known and wrong in it.
const AVOID: [(&str, &str); 4] = [
    ("mj-include", "loses the width of what it includes; use {% include \"file.mjml\" %}"),
    ("mj-html-attributes", "is not rendered here; write the attribute into an <mj-raw>"),
    (
        "mj-font",
        "loads a font from elsewhere, which says that the letter was opened; name fonts that people have",
    ),
    ("mj-carousel", "needs what most mail programs don't have; show one image"),
];

/// What is wrong with one template, without rendering it.
pub fn scan(kind: Kind, file: &File) -> Vec<Problem> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let text = file.text.as_str();
    if file.name.ends_with(".mjml") {
        tags(text, &mut found);
        attributes(text, &mut found);
    }
    if file.name.ends_with(".mjml") || file.name.ends_with(".html") {
        images(text, &mut found);
    }
    // A letter in the archive styles itself, and so does what stands around it.
    if kind == Kind::Pages && file.name.ends_with(".html") && !file.name.starts_with("letter_") {
        blocked(text, &mut found);
    }
    if kind == Kind::Letter {
        slots(text, &mut found);
    }
    found.sort();
    found.into_iter().map(|(at, words)| Problem::at(file, at, words)).collect()
}

fn tags(text: &str, found: &mut Vec<(usize, String)>) {
    for (at, _) in text.match_indices('<') {
        let rest = text[at + 1..].trim_start_matches('/');
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        let name = &rest[..end];
        if !name.starts_with("mj") {
            continue;
        }
        if let Some((_, why)) = AVOID.iter().find(|(avoid, _)| *avoid == name) {
            found.push((at, format!("<{name}> {why}")));
        } else if !TAGS.contains(&name) {
            let near =
                TAGS.into_iter().max_by(|a, b| strsim::jaro(a, name).total_cmp(&strsim::jaro(b, name)));
            found.push((
                at,
                format!("there is no <{name}> in MJML; did you mean <{}>?", near.unwrap_or("mj-text")),
            ));
        }
    }
}

fn attributes(text: &str, found: &mut Vec<(usize, String)>) {
    for (at, _) in text.match_indices("<mj") {
        let rest = &text[at + 1..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        let tag = &rest[..end];
        for (place, name) in in_tag(text, at + 1 + end).into_iter().filter(|(_, name)| !is_known(tag, name)) {
            let known = ATTRIBUTES.iter().find(|(own, _)| *own == tag).map_or("", |(_, known)| known);
            let near = known
                .split_whitespace()
                .max_by(|a, b| strsim::jaro(a, name).total_cmp(&strsim::jaro(b, name)));
            let hint = match near.filter(|near| strsim::jaro(near, name) > 0.8) {
                Some(near) => format!("; did you mean {near}?"),
                None => String::new(),
            };
            found.push((place, format!("<{tag}> has no attribute {name} in MJML{hint}")));
        }
    }
}

fn images(text: &str, found: &mut Vec<(usize, String)>) {
    for tag in ["<mj-image", "<img"] {
        for (at, _) in text.match_indices(tag) {
            let inside = text[at..].split('>').next().unwrap_or("");
            if !inside.contains("alt=") {
                found.push((at, format!("{tag}> has no alt; write what it shows, or alt=\"\"")));
            }
        }
    }
}

/// What a browser would leave out of a page, since its content security policy takes files of this
/// site alone.
fn blocked(text: &str, found: &mut Vec<(usize, String)>) {
    for mark in ["<style", " style=", "<script>", " onclick=", " onload=", " onsubmit="] {
        for (at, _) in text.match_indices(mark) {
            let words = format!(
                "{} is blocked by the content security policy; put it into style.css or a script of its own",
                mark.trim()
            );
            found.push((at + (mark.len() - mark.trim_start().len()), words));
        }
    }
}

fn slots(text: &str, found: &mut Vec<(usize, String)>) {
    for (at, prefix) in text.match_indices("slots.") {
        let rest = &text[at + prefix.len()..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = &rest[..end];
        if is_code(text, at) && !StencilSlot::ALL.iter().any(|slot| slot.as_str() == name) {
            let known = StencilSlot::ALL.map(StencilSlot::as_str).join(", ");
            found.push((at, format!("there is no slot \"{name}\"; there are {known}")));
        }
    }
}

/// Whether this stands inside `{{ }}` or `{% %}`.
fn is_code(text: &str, at: usize) -> bool {
    let opened = text[..at].rfind("{{").max(text[..at].rfind("{%"));
    let closed = text[..at].rfind("}}").max(text[..at].rfind("%}"));
    opened > closed
}
