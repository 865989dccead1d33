//! The places in a rendered letter that differ from reader to reader, and the marks that stand
//! there until then.
//!
//! A mark is `[[n:name]]`. The number `n` is chosen per letter so that `[[n:` occurs nowhere in its
//! content, so a comparison that quotes a mark is printed as it is and fills nothing.

use serde::{Deserialize, Serialize};

/// A place that is filled per reader.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StencilSlot {
    /// A blank and the reader's name, or nothing: `Hello[[0:addressee]],`.
    Addressee,
    /// The whole URL that unsubscribes this reader.
    UnsubscribeUrl,
    /// The whole URL of this reader's preferences.
    PreferencesUrl,
    /// The URL under which this reader votes; a template adds `?compare=…&tool=…&say=ship`.
    VoteUrl,
    /// The topics that the reader chose, or that they get everything:
    /// `You read {{ slots.topics }}.`
    Topics,
    /// From here to `reader_end` is for the reader's own copy; the public archive leaves it out.
    ReaderOnly,
    ReaderEnd,
}

impl StencilSlot {
    pub const ALL: [Self; 7] = [
        Self::Addressee,
        Self::UnsubscribeUrl,
        Self::PreferencesUrl,
        Self::VoteUrl,
        Self::Topics,
        Self::ReaderOnly,
        Self::ReaderEnd,
    ];

    /// The slot's name in templates: `{{ slots.unsubscribe_url }}`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Addressee => "addressee",
            Self::UnsubscribeUrl => "unsubscribe_url",
            Self::PreferencesUrl => "preferences_url",
            Self::VoteUrl => "vote_url",
            Self::Topics => "topics",
            Self::ReaderOnly => "reader_only",
            Self::ReaderEnd => "reader_end",
        }
    }
}

/// How one letter spells its marks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marks(u32);

/// A stretch of a rendered letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    Text(&'a str),
    Slot(StencilSlot),
}

impl Marks {
    /// Marks that nothing in `texts` can be taken for.
    pub fn clear_of(texts: &[&str]) -> Self {
        let mut marks = Self(0);
        while texts.iter().any(|text| text.contains(&marks.opening())) {
            marks.0 += 1;
        }
        marks
    }

    fn opening(self) -> String {
        format!("[[{}:", self.0)
    }

    pub fn mark(self, slot: StencilSlot) -> String {
        format!("{}{}]]", self.opening(), slot.as_str())
    }

    /// Cuts a text at its marks. A mark that names no slot stays text.
    pub fn split(self, text: &str) -> Vec<Piece<'_>> {
        let opening = self.opening();
        let mut pieces = Vec::new();
        let (mut done, mut from) = (0, 0);
        while let Some(found) = text[from..].find(&opening) {
            let at = from + found;
            let inside = &text[at + opening.len()..];
            let slot = StencilSlot::ALL
                .into_iter()
                .find(|slot| inside.strip_prefix(slot.as_str()).is_some_and(|after| after.starts_with("]]")));
            from = at + opening.len();
            if let Some(slot) = slot {
                if at > done {
                    pieces.push(Piece::Text(&text[done..at]));
                }
                pieces.push(Piece::Slot(slot));
                from += slot.as_str().len() + 2;
                done = from;
            }
        }
        if done < text.len() {
            pieces.push(Piece::Text(&text[done..]));
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_cannot_forge_a_mark() {
        let content = "see [[0:unsubscribe_url]] and [[1:addressee]]";
        let marks = Marks::clear_of(&[content]);
        let text = format!("{content}: {}", marks.mark(StencilSlot::UnsubscribeUrl));
        assert_eq!(
            marks.split(&text),
            [Piece::Text(&format!("{content}: ")), Piece::Slot(StencilSlot::UnsubscribeUrl)]
        );
    }

    #[test]
    fn brackets_around_a_mark_stay() {
        let marks = Marks::clear_of(&[]);
        let text = format!("[{}][[0:nothing]]", marks.mark(StencilSlot::Addressee));
        assert_eq!(
            marks.split(&text),
            [Piece::Text("["), Piece::Slot(StencilSlot::Addressee), Piece::Text("][[0:nothing]]")]
        );
    }
}
