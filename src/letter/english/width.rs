//! How long a text is for whoever sees it.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns that a text takes on a terminal: two for a character of Chinese, Japanese or Korean and
/// most emoji, none for an accent that is stacked on another.
pub fn width(text: &str) -> usize {
    text.graphemes(true).map(grapheme_width).sum()
}

/// What terminals draw as one sign is as wide as its widest part.
pub(super) fn grapheme_width(grapheme: &str) -> usize {
    grapheme.width().min(2)
}

/// What a text counts for where its length is limited: its columns, or its characters where there
/// are more of them, so that no pile of accents gets through.
pub(super) fn length(text: &str) -> usize {
    text.graphemes(true).map(grapheme_length).sum()
}

pub(super) fn grapheme_length(grapheme: &str) -> usize {
    grapheme_width(grapheme).max(grapheme.chars().count())
}
