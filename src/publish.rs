//! A week, from the comparisons in the store to a queue full of letters.
//!
//! [`run`] is the walk: the draft is made, the linter passes it, a letter is made for every choice
//! of topics, and all of it goes into the queue in one commit. Every letter on the way is an
//! [`Edition`].

mod draft;
mod edition;
mod proof;
mod publisher;
mod sample_check;
mod started;
mod subject_test;
mod variants;

use crate::domain::UnixMillis;
use crate::domain::issue::NewIssue;
use crate::store::{Enqueue, Enqueued, Subjects};

pub use draft::{Draft, draft, draft_with};
pub use edition::{Contents, Edition};
pub use proof::proof;
pub use publisher::{PublishError, Publisher};
pub use sample_check::sample_check;
pub use started::{Started, decision_words, quiet_words};
pub use subject_test::Rival;

/// Runs a week: pick what is new, compose and render one letter, and enqueue a delivery for every
/// reader.
///
/// `slot` is the schedule's, or none when an operator asked. Up to the last step nothing is
/// written, so a crash leaves nothing behind; the last step is one commit, and from there on the
/// queue knows everything.
///
/// # Errors
/// [`PublishError`] when the store does not answer or the letter can't be made; nothing has been
/// written then.
pub async fn run(
    publisher: &Publisher,
    slot: Option<&str>,
    now: UnixMillis,
) -> Result<Started, PublishError> {
    for _ in 0..publisher::TRIES {
        let draft = draft(publisher, now).await?;
        let Some(edition) = &draft.edition else {
            return Ok(Started::Quiet(quiet_words(publisher, &draft.selection)));
        };
        if publisher.store.count_subscribers().await?.get("active").copied().unwrap_or(0) == 0 {
            return Ok(Started::Nobody);
        }
        hold(publisher, &draft, edition, now)?;
        let (choices, under_b) = variants::choices(publisher, &draft, now).await?;
        let test = draft
            .rival
            .as_ref()
            .map(|rival| subject_test::new_test(publisher, edition, rival, &draft.selection, under_b));
        let new = Enqueue {
            number: draft.number,
            issue: new_issue(&draft, edition, slot, now),
            choices,
            subjects: Subjects { written: draft.written, test },
        };
        match publisher.store.enqueue(&new, now).await? {
            Enqueued::Started { number, audience } => {
                let begun = publisher.store.subject_test(number).await?;
                let test = new.subjects.test.map(|_| started::test_words(begun.as_ref()));
                return Ok(Started::Running { number, audience, subject: new.issue.subject, test });
            }
            Enqueued::Taken { by } => return Ok(Started::Taken { by }),
            Enqueued::NobodyWants => return Ok(Started::NobodyWants),
            // Somebody chose meanwhile what none of these letters is for.
            Enqueued::Outdated => {}
        }
    }
    Err(PublishError::Restless)
}

/// Holds the whole letter up to the linter, under each of its subjects.
fn hold(
    publisher: &Publisher,
    draft: &Draft,
    edition: &Edition,
    now: UnixMillis,
) -> Result<(), PublishError> {
    let findings = publisher.proof(draft.number, &edition.stencil, now);
    proof::warn(draft.number, &findings);
    proof::passes(draft.number, findings)?;
    // What there is to warn of was said of the same letter under subject A, but for the subject
    // itself.
    let under_b = draft.rival.iter().map(|rival| publisher.proof(draft.number, &rival.edition.stencil, now));
    under_b.into_iter().try_for_each(|findings| proof::passes(draft.number, findings))
}

fn new_issue(draft: &Draft, edition: &Edition, slot: Option<&str>, now: UnixMillis) -> NewIssue {
    NewIssue {
        slot: slot.map(str::to_owned),
        cutoff_at: now,
        subject: edition.composition.subject.clone(),
        preheader: edition.composition.preheader.clone(),
        stencil: edition.stencil.to_text(),
        featured: draft.selection.featured_slugs(),
        mentioned: draft.selection.mentioned_slugs(),
    }
}
