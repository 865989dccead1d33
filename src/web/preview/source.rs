//! Who makes what the preview shows, and what that is.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use crate::letter::lint::Finding;

/// What somebody wants to see. Texts as they stand in the address; whoever makes the letter knows
/// them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Wanted {
    /// `letter`, or the kind of a notice.
    pub show: String,
    /// One of [`PreviewLetter::readers`]; what is none of them is the first.
    pub reader: String,
}

/// One thing to choose: how the address calls it, and what a person reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PreviewChoice {
    pub key: String,
    pub label: String,
}

/// A letter to be shown.
#[derive(Clone, Debug)]
pub struct PreviewLetter {
    pub subject: String,
    pub preheader: String,
    /// The letter on the wire: RFC 5322, CRLF.
    pub wire: Vec<u8>,
    /// In their order, the worst first.
    pub findings: Vec<Finding>,
    /// For whom it can be filled in.
    pub readers: Vec<PreviewChoice>,
    /// What an operator should know before judging it, a sentence each.
    pub notes: Vec<String>,
}

/// A letter, or what keeps it from being made: one line each, with file, line and column where
/// there are any.
pub type Shown = Result<PreviewLetter, Vec<String>>;

/// Who makes what is shown.
pub trait PreviewSource: Send + Sync + 'static {
    /// What all of it is called: `Issue 12, the draft`.
    fn title(&self) -> String;
    /// What there is to see; the letter comes first.
    fn menu(&self) -> Vec<PreviewChoice>;
    /// Makes one letter of what stands in the files now.
    fn show<'a>(&'a self, wanted: &'a Wanted) -> Pin<Box<dyn Future<Output = Shown> + Send + 'a>>;
    /// Files and folders; a change in one of them means a new letter.
    fn watched(&self) -> Vec<PathBuf>;
    /// Where images of the letter may come from besides https, as a source of a content security
    /// policy.
    fn images_from(&self) -> String;
}
