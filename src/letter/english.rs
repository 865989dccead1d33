//! What a letter in English needs that is no text: how figures are written, where sentences end,
//! and how texts of any script are measured, made safe and laid out in lines.

mod visible;
mod width;
mod wrap;

use unicode_segmentation::UnicodeSegmentation;

pub use visible::{all_visible, isolated, visible};
pub use width::width;
pub use wrap::wrapped;

use width::{grapheme_length, length};

/// Width of the text part of letters and notices, in columns.
pub const TEXT_WIDTH: usize = 72;

/// "2,202,452".
pub fn figures(n: u64) -> String {
    let digits = n.to_string();
    let comma = |at: usize| if at > 0 && (digits.len() - at).is_multiple_of(3) { "," } else { "" };
    digits.char_indices().fold(String::new(), |text, (at, digit)| text + comma(at) + &digit.to_string())
}

pub fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Any run of blanks and line ends as one blank.
pub fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first sentences of a text that are not longer than `max` columns; without one, the first
/// words and an ellipsis. What a reader takes for one sign is never cut.
pub fn shortened(text: &str, max: usize) -> String {
    if length(text) <= max {
        return text.to_owned();
    }
    match sentence_ends(text).take_while(|end| length(&text[..*end]) <= max).last() {
        Some(end) if length(&text[..end]) > max / 4 => text[..end].to_owned(),
        _ => clipped(text, max),
    }
}

/// Where sentences end: after `.`, `!` or `?`, the quotes and brackets that close with them, and a
/// blank before what is not the small letter of "e.g. this"; after the full stops of Chinese and
/// Japanese wherever they stand.
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

/// At most `max` columns, cut between words where there is a blank, with an ellipsis for what is
/// gone.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_a_comma_at_every_thousand() {
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
}
