//! The page around the letter: what to choose, how large it is, and what the linter says.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use tera::Context;

use super::source::{PreviewChoice, PreviewLetter};
use super::state::{PreviewQuery, PreviewServer};
use crate::letter::lint::{Grade, Message};
use crate::letter::render::HTML_MAX;

const PARTS: [(&str, &str); 5] = [
    ("html", "HTML"),
    ("text", "Text"),
    ("source", "HTML source"),
    ("wire", "On the wire"),
    ("headers", "Headers"),
];
const SCHEMES: [(&str, &str); 3] = [("light", "Light"), ("dark", "Dark"), ("both", "Both")];
const WIDTHS: [(&str, &str); 3] = [("640", "640 px"), ("375", "375 px"), ("full", "Full width")];
const IMAGES: [(&str, &str); 2] = [("on", "On"), ("off", "Off")];

/// A row of links of which one is where we are.
#[derive(Serialize)]
struct MenuGroup {
    label: &'static str,
    links: Vec<MenuLink>,
}

#[derive(Serialize)]
struct MenuLink {
    label: String,
    href: String,
    current: bool,
}

#[derive(Serialize)]
struct Frame {
    title: String,
    src: String,
    /// In pixels; none for as wide as there is room.
    width: Option<String>,
    dark: bool,
}

/// What is chosen, each by its key.
struct Chosen<'a> {
    show: &'a str,
    reader: &'a str,
    part: &'static str,
    scheme: &'static str,
    width: &'static str,
    images: &'static str,
}

/// The asked-for key of a row, or its first.
fn one_of(row: &[(&'static str, &'static str)], asked: Option<&str>) -> &'static str {
    row.iter().map(|(key, _)| *key).find(|key| Some(*key) == asked).unwrap_or(row[0].0)
}

fn key_of<'a>(choices: &'a [PreviewChoice], asked: Option<&str>) -> &'a str {
    let found = choices.iter().find(|choice| Some(choice.key.as_str()) == asked);
    found.or(choices.first()).map_or("", |choice| &choice.key)
}

impl Chosen<'_> {
    /// The address with one choice made anew.
    fn with(&self, row: &str, key: &str) -> String {
        let pick = |own: &str, value: &str| if own == row { key.to_owned() } else { value.to_owned() };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (own, value) in [
            ("show", self.show),
            ("reader", self.reader),
            ("part", self.part),
            ("scheme", self.scheme),
            ("width", self.width),
            ("images", self.images),
        ] {
            query.append_pair(own, &pick(own, value));
        }
        query.finish()
    }

    fn group<'b>(
        &self,
        label: &'static str,
        row: &str,
        current: &str,
        choices: impl Iterator<Item = (&'b str, &'b str)>,
    ) -> MenuGroup {
        let link = |(key, label): (&str, &str)| MenuLink {
            label: label.to_owned(),
            href: format!("/?{}", self.with(row, key)),
            current: key == current,
        };
        MenuGroup { label, links: choices.map(link).collect() }
    }

    fn frames(&self, version: &str) -> Vec<Frame> {
        let schemes: &[&str] = if self.scheme == "both" { &["light", "dark"] } else { &[self.scheme] };
        let width = (self.width != "full").then(|| self.width.to_owned());
        let wide = width.as_deref().map_or("full width".to_owned(), |width| format!("{width} px"));
        let frame = |scheme: &str| Frame {
            title: format!("The letter, {scheme}, {wide}"),
            src: format!("/letter.html?{}&v={version}", self.with("scheme", scheme)),
            width: width.clone(),
            dark: scheme == "dark",
        };
        schemes.iter().copied().map(frame).collect()
    }
}

fn as_pairs(choices: &[PreviewChoice]) -> impl Iterator<Item = (&str, &str)> {
    choices.iter().map(|choice| (choice.key.as_str(), choice.label.as_str()))
}

/// `GET /`: everything there is to judge a letter by.
pub(super) async fn page(
    State(preview): State<Arc<PreviewServer>>,
    Query(asked): Query<PreviewQuery>,
) -> Response {
    // Before the letter is made: a change while it is made is one that the page has not seen.
    let version = preview.version.borrow().clone();
    let shown = preview.shown(&asked).await;
    let menu = preview.source.menu();
    let readers = shown.as_ref().as_ref().map_or(&[][..], |letter| &letter.readers);
    let chosen = Chosen {
        show: key_of(&menu, asked.show.as_deref()),
        // Kept while there is an error, so that the reader is the same after it.
        reader: match readers {
            [] => asked.reader.as_deref().unwrap_or(""),
            readers => key_of(readers, asked.reader.as_deref()),
        },
        part: one_of(&PARTS, asked.part.as_deref()),
        scheme: one_of(&SCHEMES, asked.scheme.as_deref()),
        width: one_of(&WIDTHS, asked.width.as_deref()),
        images: one_of(&IMAGES, asked.images.as_deref()),
    };
    let mut groups = vec![chosen.group("Letter", "show", chosen.show, as_pairs(&menu))];
    if !readers.is_empty() {
        groups.push(chosen.group("Reader", "reader", chosen.reader, as_pairs(readers)));
    }
    groups.push(chosen.group("Part", "part", chosen.part, PARTS.into_iter()));
    if chosen.part == "html" {
        groups.push(chosen.group("Colours", "scheme", chosen.scheme, SCHEMES.into_iter()));
        groups.push(chosen.group("Width", "width", chosen.width, WIDTHS.into_iter()));
        groups.push(chosen.group("Images", "images", chosen.images, IMAGES.into_iter()));
    }
    let mut context = Context::new();
    context.insert("title", &preview.source.title());
    context.insert("version", &version);
    context.insert("groups", &groups);
    context.insert("part", chosen.part);
    match &*shown {
        Ok(letter) => fill(&mut context, letter, &chosen, &version),
        Err(problems) => context.insert("problems", problems),
    }
    match preview.template.0.render("preview.html", &context) {
        Ok(html) => Html(html).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn fill(context: &mut Context, letter: &PreviewLetter, chosen: &Chosen<'_>, version: &str) {
    let message = Message::parse(&letter.wire);
    let (html, text) = (message.html.unwrap_or_default(), message.text.unwrap_or_default());
    context.insert("problems", &[""; 0]);
    context.insert("subject", &letter.subject);
    context.insert("preheader", &letter.preheader);
    context.insert("notes", &letter.notes);
    context.insert("findings", &letter.findings);
    context.insert("errors", &letter.findings.iter().filter(|one| one.grade == Grade::Error).count());
    context.insert("download", &format!("/letter.eml?{}", chosen.with("", "")));
    context.insert("html_size", &kilobytes(html.len()));
    context.insert("html_limit", &kilobytes(HTML_MAX));
    context.insert("html_share", &(html.len() * 100 / HTML_MAX).min(100));
    context.insert("text_size", &kilobytes(text.len()));
    context.insert("wire_size", &kilobytes(letter.wire.len()));
    match chosen.part {
        "text" => context.insert("text", &text),
        "source" => context.insert("text", &html),
        "wire" => context.insert("text", &String::from_utf8_lossy(&letter.wire).replace("\r\n", "\n")),
        "headers" => context.insert("headers", &message.headers),
        _ => context.insert("frames", &chosen.frames(version)),
    }
}

/// "39.9 KB", a kilobyte being 1000 octets as in the limits of mail programs.
fn kilobytes(octets: usize) -> String {
    format!("{}.{} KB", octets / 1000, octets % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_in_thousands() {
        assert_eq!(
            (kilobytes(0), kilobytes(90_000), kilobytes(39_951)),
            ("0.0 KB".into(), "90.0 KB".into(), "39.9 KB".into())
        );
    }

    #[test]
    fn one_choice_is_made_anew_and_the_others_stay() {
        let chosen = Chosen {
            show: "letter",
            reader: "topic:A & B",
            part: "html",
            scheme: "dark",
            width: "375",
            images: "on",
        };
        assert_eq!(
            chosen.with("scheme", "light"),
            "show=letter&reader=topic%3AA+%26+B&part=html&scheme=light&width=375&images=on"
        );
    }
}
