//! A letter before it is filled in, and for whom that may be.

use crate::app::sample::plain;
use crate::mail::Stencil;
use crate::web::preview::PreviewChoice;

/// Who a letter is filled in for: somebody whose name has to be encoded.
pub(super) const NAME: &str = "Zoë Ångström";
/// Topics that are offered as readers; a letter has rarely more.
pub(super) const MOST_TOPICS: usize = 8;

/// A letter with its slots, and what is said beside it.
pub(super) struct UnfilledLetter {
    pub stencil: Stencil,
    pub preheader: String,
    pub readers: Vec<PreviewChoice>,
    pub notes: Vec<String>,
}

/// The readers that every letter has.
pub(super) fn names() -> Vec<PreviewChoice> {
    [("named", NAME), ("nameless", "Without a name")]
        .map(|(key, label)| PreviewChoice { key: key.to_owned(), label: label.to_owned() })
        .to_vec()
}

/// An error as what there is to see in place of a letter.
pub(super) fn one(error: impl std::fmt::Display) -> Vec<String> {
    vec![plain(&error.to_string())]
}
