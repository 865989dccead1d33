//! The next letter, with the files on disk in place of what was imported of them.

use std::path::PathBuf;

use super::unfilled::{MOST_TOPICS, UnfilledLetter, names, one};
use crate::domain::UnixMillis;
use crate::domain::comparison::{Comparison, StoredComparison};
use crate::domain::preferences::Topics;
use crate::letter::sources;
use crate::publish::{self, Draft, Edition, Publisher};
use crate::web::preview::PreviewChoice;

/// As it would go out now; `comparisons` are files and folders.
pub(super) async fn draft(
    publisher: &Publisher,
    comparisons: &[PathBuf],
    reader: &str,
) -> Result<UnfilledLetter, Vec<String>> {
    let now = UnixMillis::now();
    let (unsaved, note) = unsaved(publisher, comparisons).await?;
    let draft = publish::draft_with(publisher, now, &unsaved).await.map_err(one)?;
    let Some(whole) = &draft.edition else {
        let quiet = publish::quiet_words(publisher, &draft.selection);
        return Err(vec![format!("issue {} has no letter: {quiet}", draft.number)]);
    };
    let mut readers = names();
    let topics = topics(&draft);
    for topic in topics.iter().take(MOST_TOPICS) {
        readers.push(PreviewChoice { key: format!("topic:{topic}"), label: format!("Only {topic}") });
    }
    if draft.rival.is_some() {
        readers.push(PreviewChoice { key: "rival".to_owned(), label: "The other subject".to_owned() });
    }
    let topic = topics.iter().find(|topic| reader == format!("topic:{topic}"));
    let of_topic = match topic.and_then(|topic| Topics::new([topic.as_str()])) {
        Some(topics) => Some(draft.edition_of(publisher, &topics, now).map_err(one)?),
        None => None,
    };
    let edition: &Edition = match &draft.rival {
        Some(rival) if reader == "rival" => &rival.edition,
        _ => of_topic.as_ref().unwrap_or(whole),
    };
    let (stencil, preheader) = (edition.stencil.clone(), edition.composition.preheader.clone());
    Ok(UnfilledLetter { stencil, preheader, readers, notes: note.into_iter().collect() })
}

/// The comparisons of the files that differ from what was imported and have been in no letter, and
/// a word on that.
async fn unsaved(
    publisher: &Publisher,
    comparisons: &[PathBuf],
) -> Result<(Vec<Comparison>, Option<String>), Vec<String>> {
    if comparisons.is_empty() {
        return Ok((Vec::new(), None));
    }
    let read = sources::read(comparisons);
    // An empty folder is what a new site has.
    let bad: Vec<String> = read
        .bad
        .iter()
        .filter(|error| error.at.is_some() || error.file.is_file())
        .map(ToString::to_string)
        .collect();
    if !bad.is_empty() {
        return Err(bad);
    }
    let mut unsaved = Vec::new();
    for (_, comparison) in read.good {
        let stored: Option<StoredComparison> =
            publisher.store.comparison(&comparison.slug).await.map_err(one)?;
        let is_other =
            stored.is_none_or(|stored| stored.featured_in.is_none() && stored.comparison != comparison);
        if is_other {
            unsaved.push(comparison);
        }
    }
    let files = comparisons.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ");
    let note = match unsaved.len() {
        0 => None,
        count => Some(format!(
            "{count} comparison{} shown as on disk and not imported yet: verdicts comparisons import {files}",
            if count == 1 { " is" } else { "s are" }
        )),
    };
    Ok((unsaved, note))
}

/// The categories of what is featured, each once, as readers choose them.
fn topics(draft: &Draft) -> Vec<String> {
    let mut topics: Vec<String> = Vec::new();
    for tool in draft.selection.featured.iter().flat_map(|choice| &choice.comparison.tools) {
        let topic = tool.category.trim();
        if !topics.iter().any(|one| one.eq_ignore_ascii_case(topic)) {
            topics.push(topic.to_owned());
        }
    }
    // One topic for all is the whole letter.
    if topics.len() > 1 { topics } else { Vec::new() }
}
