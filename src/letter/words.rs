//! Small English: numbers, lists, dates, sentences. Everything that would be different in another language and is not
//! in a template stands here and in [`super::compose`].

use crate::domain::UnixMillis;

/// Width of the text part of letters and notices, in characters.
pub const TEXT_WIDTH: usize = 72;

/// "four" up to twelve, then figures.
pub fn number(n: usize) -> String {
    const WORDS: [&str; 13] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve",
    ];
    WORDS.get(n).map_or_else(|| n.to_string(), |word| (*word).to_owned())
}

/// "A", "A and B", "A, B and C".
pub fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// "review", "reviews".
pub fn plural(n: usize, word: &str) -> String {
    if n == 1 { word.to_owned() } else { format!("{word}s") }
}

pub fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// "17 November 2026", in UTC.
pub fn date(at: UnixMillis) -> String {
    at.utc().format("%-d %B %Y").to_string()
}

/// What people see of a text: control characters and the separators of lines become blanks, and what turns the direction of all that
/// follows goes. The door refuses some of it, but a letter is safe whatever the store holds: mrml takes no control character,
/// and a sentence of ours around a name stays readable.
pub fn visible(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let blank = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().filter(|c| !turns(*c)).map(|c| if blank(c) { ' ' } else { c }).collect()
}

/// The same of every text in a value, for what templates print.
///
/// # Errors
/// If it is no value that JSON can hold.
pub fn all_visible(value: &impl serde::Serialize) -> Result<serde_json::Value, serde_json::Error> {
    use serde_json::Value;
    fn walk(value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(visible(&text)),
            Value::Array(items) => items.into_iter().map(walk).collect(),
            Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, walk(value))).collect(),
            other => other,
        }
    }
    serde_json::to_value(value).map(walk)
}

/// Any run of blanks and line ends as one blank.
pub fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first sentences of a text that fit into `max` characters; without one, the first words and an ellipsis.
pub fn shortened(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let cut = text.char_indices().nth(max).map_or(text.len(), |(at, _)| at);
    let head = &text[..cut];
    let sentence = head
        .char_indices()
        .filter(|(at, c)| matches!(c, '.' | '!' | '?') && text[at + 1..].starts_with(' '))
        .map(|(at, _)| at + 1)
        .next_back();
    match sentence {
        Some(end) if end > max / 4 => head[..end].to_owned(),
        _ => clipped(text, max),
    }
}

/// At most `max` characters, cut between words where there is one, with an ellipsis for what is gone.
pub fn clipped(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let cut = text.char_indices().nth(max.saturating_sub(1)).map_or(text.len(), |(at, _)| at);
    let head = &text[..cut];
    let head = head.rfind(' ').filter(|at| *at > cut / 2).map_or(head, |at| &head[..at]);
    format!("{}…", head.trim_end_matches([' ', ',', ';', ':', '.', '—']))
}

/// Lines of at most `width` characters with `indent` before each. Words longer than a line (links) are left whole.
pub fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            column = 0;
        }
        if column == 0 {
            out.push_str(indent);
            column = indent.chars().count();
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_numbers_read_as_english() {
        assert_eq!(list(&["A"]), "A");
        assert_eq!(list(&["A", "B", "C"]), "A, B and C");
        assert_eq!(number(4), "four");
        assert_eq!(number(13), "13");
    }

    #[test]
    fn texts_are_shortened_at_a_sentence_or_at_a_word() {
        assert_eq!(shortened("One two. Three four five.", 12), "One two.");
        assert_eq!(shortened("One two three four", 10), "One two…");
        assert_eq!(shortened("Version 2.0 is out. It works.", 22), "Version 2.0 is out.");
        assert_eq!(shortened("short", 10), "short");
    }

    #[test]
    fn wrapping_keeps_links_whole() {
        assert_eq!(wrapped("a bb ccc dddd", 6, ""), "a bb\nccc\ndddd");
        assert_eq!(wrapped("x https://verdicts.example/a", 10, "  "), "  x\n  https://verdicts.example/a");
    }
}
