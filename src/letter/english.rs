//! Small English: numbers, lists, dates, sentences. Everything that would be different in another language and is not
//! in a template stands here and in [`super::compose`].

mod wrap;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

pub use wrap::wrapped;

use crate::domain::UnixMillis;

/// Width of the text part of letters and notices, in columns.
pub const TEXT_WIDTH: usize = 72;

/// "four" up to twelve, then figures.
pub fn number(n: usize) -> String {
    const WORDS: [&str; 13] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve",
    ];
    WORDS.get(n).map_or_else(|| n.to_string(), |word| (*word).to_owned())
}

/// "2,202,452".
pub fn figures(n: u64) -> String {
    let digits = n.to_string();
    let comma = |at: usize| if at > 0 && (digits.len() - at).is_multiple_of(3) { "," } else { "" };
    digits.char_indices().fold(String::new(), |text, (at, digit)| text + comma(at) + &digit.to_string())
}

/// "A", "A and B", "A, B and C".
pub fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => isolated(one),
        [rest @ .., last] => {
            let rest: Vec<String> = rest.iter().map(|name| isolated(name)).collect();
            format!("{} and {}", rest.join(", "), isolated(last))
        }
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
    let kept = isolates_are_paired(text);
    let turns = |c: char| {
        matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}' | '\u{2067}') || !kept && matches!(c, FSI | PDI)
    };
    let blank = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().filter(|c| !turns(*c)).map(|c| if blank(c) { ' ' } else { c }).collect()
}

/// Begins and ends what finds its direction by itself (UAX #9).
const FSI: char = '\u{2068}';
const PDI: char = '\u{2069}';

/// Whether what is begun is ended, so that nothing behind the text is turned: our own sentences isolate names.
fn isolates_are_paired(text: &str) -> bool {
    let mut open = 0_usize;
    for c in text.chars() {
        match c {
            FSI => open += 1,
            PDI if open == 0 => return false,
            PDI => open -= 1,
            _ => {}
        }
    }
    open == 0
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

/// Columns that a text takes on a terminal: two for a character of Chinese, Japanese or Korean and most emoji, none for an
/// accent that is stacked on another.
pub fn width(text: &str) -> usize {
    text.graphemes(true).map(grapheme_width).sum()
}

/// What terminals draw as one sign is as wide as its widest part.
fn grapheme_width(grapheme: &str) -> usize {
    grapheme.width().min(2)
}

/// What a text counts for where its length is limited: its columns, or its characters where there are more of them, so that
/// no pile of accents gets through.
fn length(text: &str) -> usize {
    text.graphemes(true).map(grapheme_length).sum()
}

fn grapheme_length(grapheme: &str) -> usize {
    grapheme_width(grapheme).max(grapheme.chars().count())
}

/// The first sentences of a text that are not longer than `max` columns; without one, the first words and an ellipsis. What a reader
/// takes for one sign is never cut.
pub fn shortened(text: &str, max: usize) -> String {
    if length(text) <= max {
        return text.to_owned();
    }
    match sentence_ends(text).take_while(|end| length(&text[..*end]) <= max).last() {
        Some(end) if length(&text[..end]) > max / 4 => text[..end].to_owned(),
        _ => clipped(text, max),
    }
}

/// Where sentences end: after `.`, `!` or `?`, the quotes and brackets that close with them, and a blank before what is not
/// the small letter of "e.g. this"; after the full stops of Chinese and Japanese wherever they stand.
fn sentence_ends(text: &str) -> impl Iterator<Item = usize> + '_ {
    const SHORT: [&str; 11] = ["Mr", "Mrs", "Ms", "Dr", "St", "No", "vs", "e.g", "i.e", "approx", "Inc"];
    let closes = |c: char| matches!(c, '"' | '\'' | '”' | '’' | '»' | ')' | ']' | '」' | '』' | '）' | '】');
    text.char_indices().filter_map(move |(at, c)| {
        let wide = matches!(c, '。' | '！' | '？' | '．' | '｡');
        if !wide && !matches!(c, '.' | '!' | '?' | '؟' | '۔' | '…' | '।') {
            return None;
        }
        let behind = &text[at + c.len_utf8()..];
        let rest = behind.trim_start_matches(closes);
        let end = text.len() - rest.len();
        let next = rest.trim_start();
        let is_end = wide && !next.starts_with(['。', '！', '？'])
            || rest.starts_with(char::is_whitespace) && !next.starts_with(char::is_lowercase);
        let word = text[..at].rsplit(char::is_whitespace).next().unwrap_or("");
        (is_end && !(c == '.' && SHORT.contains(&word))).then_some(end)
    })
}

/// At most `max` columns, cut between words where there is a blank, with an ellipsis for what is gone.
pub fn clipped(text: &str, max: usize) -> String {
    if length(text) <= max {
        return text.to_owned();
    }
    let mut columns = 0;
    let fits = text.grapheme_indices(true).take_while(|(_, grapheme)| {
        columns += grapheme_length(grapheme);
        columns < max
    });
    let cut = fits.last().map_or(0, |(at, grapheme)| at + grapheme.len());
    let head = &text[..cut];
    let head = if text[cut..].starts_with(char::is_whitespace) {
        head
    } else {
        head.rfind(' ').filter(|at| *at > cut / 2).map_or(head, |at| &head[..at])
    };
    format!("{}…", head.trim_end_matches([' ', ',', ';', ':', '.', '—', '、', '，']))
}

/// A name for the middle of an English sentence: one that reads from right to left is kept apart from what stands beside it
/// (UAX #9, FSI and PDI), or "67% to 33%" behind it would read backwards.
pub fn isolated(name: &str) -> String {
    let is_rtl = |c: char| matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}');
    if !name.chars().any(is_rtl) {
        return name.to_owned();
    }
    let inside: String = name.chars().filter(|c| !matches!(*c, FSI | PDI)).collect();
    format!("{FSI}{inside}{PDI}")
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
        assert_eq!([7, 999, 1_000, 2_202_452].map(figures), ["7", "999", "1,000", "2,202,452"]);
    }

    #[test]
    fn texts_are_shortened_at_a_sentence_or_at_a_word() {
        assert_eq!(shortened("One two. Three four five.", 12), "One two.");
        assert_eq!(shortened("One two three four", 10), "One two…");
        assert_eq!(shortened("Version 2.0 is out. It works.", 22), "Version 2.0 is out.");
        assert_eq!(shortened("short", 10), "short");
    }

    #[test]
    fn a_sentence_ends_where_a_reader_says_so() {
        for (text, max, expected) in [
            ("It is fine, e.g. this. And more of it.", 24, "It is fine, e.g. this."),
            ("Ask Dr. Lee about it now. Then go on.", 26, "Ask Dr. Lee about it now."),
            ("He said \"stop.\" They went on anyway.", 24, "He said \"stop.\""),
            ("Really?! Yes, it is so. And so on.", 25, "Really?! Yes, it is so."),
            ("提案は三つまで。読み終える前に次が出てこない。", 20, "提案は三つまで。"),
            ("「いい！」と言った。次の日。", 22, "「いい！」と言った。"),
            ("جيد في النثر؟ نعم. ضعيف في الأرقام جدا.", 20, "جيد في النثر؟ نعم."),
            ("No. This is one long sentence that does not end", 24, "No. This is one long…"),
        ] {
            assert_eq!(shortened(text, max), expected);
        }
    }

    #[test]
    fn nothing_is_cut_inside_of_a_sign() {
        let family = "👩‍👩‍👧‍👦";
        assert_eq!(shortened(&family.repeat(9), 22), format!("{}…", family.repeat(3)));
        assert_eq!(clipped("e\u{301}e\u{301}e\u{301}e\u{301}", 5), "e\u{301}e\u{301}…");
        assert_eq!(clipped("🇩🇪🇫🇷🇯🇵", 5), "🇩🇪🇫🇷…");
        assert_eq!(clipped("日本語の文章", 7), "日本語…");
        assert_eq!(clipped("word", 0), "…");
    }

    #[test]
    fn whatever_is_shortened_fits() {
        let texts = [
            "a b c d e f g",
            "日本語の文章を直す道具です。二つ目の文。",
            "x".repeat(40).as_str(),
            "a. B. C. D. E. F. G. H.",
        ]
        .map(str::to_owned);
        for text in &texts {
            for max in 1..60 {
                let short = shortened(text, max);
                assert!(length(&short) <= max, "{max}: {short:?}");
                assert!(!short.is_empty());
            }
        }
    }

    #[test]
    fn a_name_from_right_to_left_stands_apart() {
        assert_eq!(isolated("قلم"), "\u{2068}قلم\u{2069}");
        assert_eq!(isolated("قل\u{2069}م"), isolated("قلم"), "nothing inside ends it early");
        assert_eq!(isolated("Quarry"), "Quarry");
        assert_eq!(visible(&isolated("قلم")), isolated("قلم"));
        assert_eq!(visible("a\u{2069}b\u{2068}c\u{202E}d"), "abcd");
    }
}
