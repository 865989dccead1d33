//! Text in lines of a terminal. Pure.

use unicode_segmentation::UnicodeSegmentation;

use super::width::{grapheme_width, width as columns};

/// Lines of at most `width` columns with `indent` before each. Links are left whole; other words
/// that are longer than a line, and text without blanks, break between two signs.
pub fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut lines =
        Lines { out: String::with_capacity(text.len() + text.len() / 16), column: 0, width, indent };
    for word in text.split_whitespace() {
        if word.contains("://") || word.is_ascii() && word.len() <= width.saturating_sub(indent.len()) {
            lines.word(word);
            continue;
        }
        let mut blank = true;
        for piece in pieces(word, width.saturating_sub(columns(indent)).max(2)) {
            if blank {
                lines.word(piece);
            } else {
                lines.joined(piece);
            }
            blank = false;
        }
    }
    lines.out
}

struct Lines<'a> {
    out: String,
    /// Of the line that is written; 0 at its very beginning.
    column: usize,
    width: usize,
    indent: &'a str,
}

impl Lines<'_> {
    /// Behind a blank, or on a line of its own.
    fn word(&mut self, word: &str) {
        let length = columns(word);
        if self.column > 0 && self.column + 1 + length > self.width {
            self.end();
        } else if self.column > 0 {
            self.out.push(' ');
            self.column += 1;
        }
        self.put(word, length);
    }

    /// Right behind what is there, where it fits.
    fn joined(&mut self, piece: &str) {
        let length = columns(piece);
        if self.column > 0 && self.column + length > self.width {
            self.end();
        }
        self.put(piece, length);
    }

    fn end(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    fn put(&mut self, text: &str, length: usize) {
        if self.column == 0 {
            self.out.push_str(self.indent);
            self.column = columns(self.indent);
        }
        self.out.push_str(text);
        self.column += length;
    }
}

/// A word in parts between which a line may end: each wide sign with the marks that must not begin
/// a line, and what is too long for a line in parts of `most` columns.
fn pieces(word: &str, most: usize) -> Vec<&str> {
    const NOT_FIRST: &str = "、。，．！？：；）」』】〉》ー…ゃゅょっャュョッ,.!?:;)”’";
    let mut pieces = Vec::new();
    let (mut start, mut columns, mut breaks) = (0, 0, false);
    for (at, grapheme) in word.grapheme_indices(true) {
        let wide = grapheme_width(grapheme) == 2;
        let may_begin = !grapheme.chars().next().is_some_and(|c| NOT_FIRST.contains(c));
        let too_long = columns + grapheme_width(grapheme) > most;
        if at > start && (too_long || may_begin && (breaks || wide)) {
            pieces.push(&word[start..at]);
            (start, columns) = (at, 0);
        }
        columns += grapheme_width(grapheme);
        breaks = wide || breaks && !may_begin;
    }
    pieces.push(&word[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_keeps_links_whole() {
        assert_eq!(wrapped("a bb ccc dddd", 6, ""), "a bb\nccc\ndddd");
        assert_eq!(wrapped("x https://verdicts.example/a", 10, "  "), "  x\n  https://verdicts.example/a");
    }

    #[test]
    fn lines_break_by_what_a_terminal_shows() {
        assert_eq!(
            wrapped("日本語の文章。次", 6, ""),
            "日本語\nの文\n章。次",
            "no line begins with a full stop"
        );
        assert_eq!(wrapped("abcdefgh ij", 4, ""), "abcd\nefgh\nij");
        assert_eq!(wrapped("é é", 2, ""), "é\né");
        for line in wrapped(&"墨云 writes 中文 and Ｆｕｌｌ width ".repeat(9), 30, "  ").lines() {
            assert!(columns(line) <= 31, "{line}");
        }
    }
}
