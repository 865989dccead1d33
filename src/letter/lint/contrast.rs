//! Whether every word can be read: its colour against what is behind it, in light and in dark (WCAG
//! 2.2, 1.4.3, level AA).

use std::collections::HashMap;

use ego_tree::NodeId;
use scraper::{ElementRef, Html, Node};

use super::css::StyleSheet;
use super::findings::{Findings, short};
use crate::domain::colour::{Colour, TEXT_CONTRAST};

/// The least contrast of large text: 24 px, or 18.66 px and bold.
const LARGE_TEXT: f64 = 3.0;

/// What an element hands down to those inside it.
#[derive(Clone, Copy, Debug)]
struct TextStyle {
    ink: Colour,
    ground: Colour,
    size: f64,
    bold: bool,
    hidden: bool,
}

pub(super) fn check(page: &Html, sheet: &StyleSheet, found: &mut Findings) {
    for dark in [false, true] {
        // What a mail program shows behind a letter that says nothing itself.
        let (ink, ground) =
            if dark { (Colour::WHITE, Colour([18; 3])) } else { (Colour::BLACK, Colour::WHITE) };
        let root = TextStyle { ink, ground, size: 16.0, bold: false, hidden: false };
        let mut looks: HashMap<NodeId, TextStyle> = HashMap::new();
        // Parents come before their children.
        for node in page.tree.root().descendants() {
            let Some(element) = ElementRef::wrap(node) else { continue };
            let inherited = node.parent().and_then(|parent| looks.get(&parent.id())).copied().unwrap_or(root);
            let look = look(&element, inherited, sheet, dark);
            looks.insert(node.id(), look);
            judge(&element, look, dark, found);
        }
    }
}

fn judge(element: &ElementRef<'_>, look: TextStyle, dark: bool, found: &mut Findings) {
    if look.hidden || ["style", "title", "head", "script", "xml"].contains(&element.value().name()) {
        return;
    }
    let own: String = element
        .children()
        .filter_map(|child| match child.value() {
            Node::Text(text) => Some(&**text),
            _ => None,
        })
        .collect();
    if own.chars().all(|c| c.is_whitespace() || !c.is_alphanumeric()) {
        return;
    }
    let large = look.size >= 24.0 || (look.bold && look.size >= 18.66);
    let least = if large { LARGE_TEXT } else { TEXT_CONTRAST };
    let ratio = look.ink.contrast(look.ground);
    if ratio < least {
        let mode = if dark { "dark" } else { "light" };
        let words = format!(
            "{} on {} has a contrast of {ratio:.2} in {mode} mode, {least} is the least (WCAG 2.2, 1.4.3); change one of them",
            look.ink, look.ground
        );
        found.error("contrast", format!("<{}> \"{}\"", element.value().name(), short(&own)), words);
    }
}

fn look(element: &ElementRef<'_>, inherited: TextStyle, sheet: &StyleSheet, dark: bool) -> TextStyle {
    let mut look = inherited;
    let value = |properties: &[&str]| sheet.value(element, properties, dark);
    let attribute = |name: &str| element.value().attr(name).map(str::to_owned);
    if let Some(ink) = value(&["color"]).or_else(|| attribute("color")).as_deref().and_then(colour) {
        look.ink = ink;
    }
    let ground = value(&["background-color", "background"]).or_else(|| attribute("bgcolor"));
    if let Some(ground) = ground.and_then(|value| value.split_whitespace().find_map(colour)) {
        look.ground = ground;
    }
    if let Some(size) = value(&["font-size"]).as_deref().and_then(|size| pixels(size, inherited.size)) {
        look.size = size;
    }
    let bold_by_itself = ["b", "strong", "th", "h1", "h2", "h3", "h4"].contains(&element.value().name());
    look.bold = match value(&["font-weight"]).as_deref() {
        Some("normal") => false,
        Some("bold" | "bolder") => true,
        Some(number) => number.parse::<u32>().map_or(look.bold, |weight| weight >= 700),
        None => look.bold || bold_by_itself,
    };
    look.hidden |=
        value(&["display"]).as_deref() == Some("none") || value(&["visibility"]).as_deref() == Some("hidden");
    look
}

fn pixels(size: &str, of: f64) -> Option<f64> {
    let number = |unit: &str| size.strip_suffix(unit).and_then(|n| n.trim().parse::<f64>().ok());
    number("px")
        .or_else(|| number("rem").map(|n| n * 16.0))
        .or_else(|| number("em").map(|n| n * of))
        .or_else(|| number("%").map(|n| n / 100.0 * of))
        .or_else(|| number("pt").map(|n| n * 4.0 / 3.0))
}

/// `#rgb`, `#rrggbb`, `rgb()` without transparency, and the names that letters use.
fn colour(text: &str) -> Option<Colour> {
    let text = text.trim().trim_end_matches(',').to_ascii_lowercase();
    if let Some(digits) = text.strip_prefix('#') {
        let digits: Vec<u8> = digits.chars().map_while(|c| u8::try_from(c.to_digit(16)?).ok()).collect();
        return match digits[..] {
            [r, g, b] => Some(Colour([r * 17, g * 17, b * 17])),
            [r1, r2, g1, g2, b1, b2] => Some(Colour([r1 * 16 + r2, g1 * 16 + g2, b1 * 16 + b2])),
            _ => None,
        };
    }
    if let Some(numbers) = text.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')')) {
        let numbers: Vec<u8> = numbers.split(',').filter_map(|one| one.trim().parse().ok()).collect();
        return numbers.try_into().ok().map(Colour);
    }
    match text.as_str() {
        "white" => Some(Colour::WHITE),
        "black" => Some(Colour::BLACK),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_as_letters_write_them() {
        assert_eq!(colour("#fff"), Some(Colour::WHITE));
        assert_eq!(colour("#0a6b49"), Some(Colour([10, 107, 73])));
        assert_eq!(colour("rgb(1, 2, 3)"), Some(Colour([1, 2, 3])));
        for none in ["transparent", "inherit", "#ff", "url(x)", ""] {
            assert_eq!(colour(none), None);
        }
    }
}
