//! The letter's styles as a mail program cascades them: enough of CSS to know what colour a word
//! has, and nothing more.

use scraper::node::Element;
use scraper::{ElementRef, Html, Selector};

/// The rules of all `<style>` elements, in their order.
pub(super) struct StyleSheet {
    pub rules: Vec<Rule>,
}

/// When a rule holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum When {
    Always,
    Dark,
    /// In a width, a program or a mood that this does not look at.
    Elsewhere,
}

pub(super) struct Rule {
    pub when: When,
    /// The words behind `@media`, if it stands in one.
    pub at: String,
    pub selector: String,
    parsed: Option<Selector>,
    weight: [usize; 3],
    pub declarations: Vec<Declaration>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Declaration {
    pub property: String,
    pub value: String,
    pub important: bool,
}

/// Important or not, the selector's weight, and how late the rule stands.
type Rank = (bool, [usize; 3], usize);

impl StyleSheet {
    pub(super) fn of(page: &Html) -> Self {
        let mut rules = Vec::new();
        let style = Selector::parse("style").expect("it is a selector");
        for element in page.select(&style) {
            let media = element.value().attr("media").unwrap_or("");
            read(&element.text().collect::<String>(), media, &mut rules);
        }
        Self { rules }
    }

    /// The value on an element of one of `properties` (a property, and the shorthand that sets it
    /// too): inline style and rules, by importance, weight and order.
    pub(super) fn value(&self, element: &ElementRef<'_>, properties: &[&str], dark: bool) -> Option<String> {
        let is_asked = |one: &&Declaration| properties.contains(&one.property.as_str());
        let holds = |when| when == When::Always || (dark && when == When::Dark);
        let mut best: Option<(Rank, &str)> = None;
        let mut offer = |rank, value| {
            if best.is_none_or(|(before, _)| rank >= before) {
                best = Some((rank, value));
            }
        };
        for (order, rule) in self.rules.iter().enumerate() {
            let mut declared = rule.declarations.iter().filter(is_asked).peekable();
            // To match a selector is most of the work.
            if declared.peek().is_none()
                || !holds(rule.when)
                || !rule.parsed.as_ref().is_some_and(|one| one.matches(element))
            {
                continue;
            }
            for declaration in declared {
                offer((declaration.important, rule.weight, order), &declaration.value);
            }
        }
        let inline = inline(element.value());
        for declaration in inline.iter().filter(is_asked) {
            // A style attribute weighs more than any selector.
            offer((declaration.important, [usize::MAX; 3], usize::MAX), &declaration.value);
        }
        best.map(|(_, value)| value.to_owned())
    }
}

/// The declarations of an element's style attribute.
pub(super) fn inline(element: &Element) -> Vec<Declaration> {
    declarations(element.attr("style").unwrap_or(""))
}

fn read(css: &str, media: &str, rules: &mut Vec<Rule>) {
    let css = without_comments(css);
    let mut rest = css.as_str();
    while let Some(open) = rest.find('{') {
        let head = rest[..open].trim();
        let Some(end) = closing(&rest[open..]) else { break };
        let body = &rest[open + 1..open + end];
        // What ends with a semicolon before a block (@import, @charset) is a rule of its own.
        let (before, head) = head.rsplit_once(';').unwrap_or(("", head));
        for statement in before.split(';').map(str::trim).filter(|one| one.starts_with('@')) {
            rules.push(Rule::bare(statement));
        }
        let head = head.trim();
        match head.strip_prefix("@media") {
            Some(condition) => read(body, condition.trim(), rules),
            None if head.starts_with('@') => rules.push(Rule::bare(head)),
            None => rules.extend(head.split(',').map(|one| Rule::new(one.trim(), media, body))),
        }
        rest = &rest[open + end + 1..];
    }
    rules.extend(rest.split(';').map(str::trim).filter(|one| one.starts_with('@')).map(Rule::bare));
}

/// Where the brace that opens `text` is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(at)
    })
}

fn without_comments(css: &str) -> String {
    let mut clean = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        clean.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    clean + rest
}

fn declarations(body: &str) -> Vec<Declaration> {
    body.split(';')
        .filter_map(|one| {
            let (property, value) = one.split_once(':')?;
            let value = value.trim();
            let plain = value.strip_suffix("!important").map(str::trim_end);
            Some(Declaration {
                property: property.trim().to_ascii_lowercase(),
                value: plain.unwrap_or(value).to_ascii_lowercase(),
                important: plain.is_some(),
            })
        })
        .collect()
}

impl Rule {
    fn new(selector: &str, media: &str, body: &str) -> Self {
        let media_words = media.to_ascii_lowercase();
        let when = if media_words.is_empty() || media_words == "all" || media_words == "screen" {
            When::Always
        } else if media_words.contains("prefers-color-scheme") && media_words.contains("dark") {
            When::Dark
        } else {
            When::Elsewhere
        };
        Self {
            when,
            at: if media.is_empty() { String::new() } else { format!("@media {media_words}") },
            selector: selector.to_owned(),
            parsed: Selector::parse(selector).ok(),
            weight: weight(selector),
            declarations: declarations(body),
        }
    }

    fn bare(at: &str) -> Self {
        Self {
            when: When::Elsewhere,
            at: at.to_ascii_lowercase(),
            selector: String::new(),
            parsed: None,
            weight: [0; 3],
            declarations: Vec::new(),
        }
    }
}

/// How much a selector weighs: ids, classes and attributes, elements (Selectors 3 §9).
fn weight(selector: &str) -> [usize; 3] {
    let classes = selector.matches(['.', '[', ':']).count();
    let elements = selector
        .split([' ', '>', '+', '~'])
        .filter(|part| part.starts_with(|c: char| c.is_ascii_alphabetic()))
        .count();
    [selector.matches('#').count(), classes, elements]
}
