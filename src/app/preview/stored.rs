//! The letter of an issue that was enqueued.

use std::num::NonZeroU32;

use super::unfilled::{MOST_TOPICS, UnfilledLetter, names, one};
use crate::domain::delivery::Variant;
use crate::domain::issue::IssueNumber;
use crate::domain::subject::Arm;
use crate::mail::Stencil;
use crate::store::Store;
use crate::web::preview::PreviewChoice;

/// As it was enqueued.
pub(super) async fn stored(
    store: &Store,
    number: IssueNumber,
    reader: &str,
) -> Result<UnfilledLetter, Vec<String>> {
    let issue = store.issue(number).await.map_err(one)?;
    let text = store.stencil(number).await.map_err(one)?;
    let variants = store.variants(number).await.map_err(one)?;
    let mut readers = names();
    for (variant, _) in variants.iter().take(MOST_TOPICS) {
        readers.push(choice(*variant));
    }
    let chosen = variants.into_iter().find(|(variant, _)| reader == choice(*variant).key);
    let Some(text) = chosen.map(|(_, text)| text).or(text) else {
        return Err(vec![format!("issue {number} has no letter in the database")]);
    };
    Ok(UnfilledLetter {
        stencil: Stencil::from_text(&text).map_err(one)?,
        preheader: issue.map(|issue| issue.preheader).unwrap_or_default(),
        readers,
        notes: vec![
            "It is shown as it was enqueued; templates that change now are for the next issue.".to_owned(),
        ],
    })
}

/// A letter of the issue beside the whole one.
fn choice(variant: Variant) -> PreviewChoice {
    let number = variant.letter.map_or(0, NonZeroU32::get);
    PreviewChoice {
        key: format!("variant:{number}{}", variant.arm.as_str()),
        label: match (variant.letter, variant.arm) {
            (None, Arm::A) => "The whole letter".to_owned(),
            (None, Arm::B) => "Under subject B".to_owned(),
            (Some(number), Arm::A) => format!("Topics, variant {number}"),
            (Some(number), Arm::B) => format!("Topics, variant {number}, subject B"),
        },
    }
}
