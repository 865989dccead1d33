//! The letters of a test: the same letter under another subject.

use std::num::NonZeroU32;

use super::edition::{Contents, Edition};
use super::proof::passes;
use super::publisher::{PublishError, Publisher};
use crate::domain::UnixMillis;
use crate::domain::delivery::Variant;
use crate::domain::subject::{Arm, Terms, Wording};
use crate::letter::compose::{Composition, Heading, second};
use crate::letter::pick::Selection;
use crate::store::{NewSubjectTest, NewVariant};

/// The letter under subject B.
pub struct Rival {
    pub edition: Edition,
    pub terms: Terms,
}

/// The letter under the subject that `a` is tested against: an operator's, or a second one made by
/// rule if the settings want tests and nobody wrote a subject. None: there is no test.
///
/// # Errors
/// As [`super::run`].
pub(super) fn rival(
    publisher: &Publisher,
    contents: Contents<'_>,
    a: &Composition,
    now: UnixMillis,
) -> Result<Option<Rival>, PublishError> {
    let Some(terms) = terms(publisher, contents.written) else { return Ok(None) };
    let Some(heading) = heading_b(publisher, contents, a) else { return Ok(None) };
    let edition = publisher.make(Contents { heading: Some(&heading), ..contents }, now)?;
    Ok(Some(Rival { edition, terms }))
}

fn terms(publisher: &Publisher, written: Option<&Wording>) -> Option<Terms> {
    let own = &publisher.settings.subject_test;
    match written {
        Some(Wording { against: Some((_, terms)), .. }) => Some(*terms),
        Some(Wording { subject: Some(_), .. }) => None,
        _ => own.share.map(|share| Terms { share, wait: own.wait }),
    }
}

/// Subject B and the preheader that goes with it; none if there is nothing else to say than `a`
/// does.
fn heading_b(publisher: &Publisher, contents: Contents<'_>, a: &Composition) -> Option<Heading> {
    let Contents { selection, written, .. } = contents;
    let mut heading = Heading { subject: a.subject.clone(), preheader: a.preheader.clone() };
    if let Some((against, _)) = written.and_then(|written| written.against.as_ref()) {
        against.as_str().clone_into(&mut heading.subject);
    } else if let Some(second) = second(&publisher.settings.site, selection, publisher.templates.phrases()) {
        heading.subject = second.subject;
        if written.is_none_or(|written| written.preheader.is_none()) {
            heading.preheader = second.preheader;
        }
    }
    (heading.subject != a.subject).then_some(heading)
}

/// The letter of a choice of topics under subject B; the one under A, if there is nothing else to
/// say of what it carries.
///
/// # Errors
/// As [`super::run`].
pub(super) fn variant_under_b(
    publisher: &Publisher,
    contents: Contents<'_>,
    (letter, a): (NonZeroU32, &Edition),
    now: UnixMillis,
) -> Result<NewVariant, PublishError> {
    let variant = Variant { arm: Arm::B, letter: Some(letter) };
    let Some(heading) = heading_b(publisher, contents, &a.composition) else {
        return Ok(new_variant(variant, contents.selection, a));
    };
    let b = publisher.make(Contents { heading: Some(&heading), ..contents }, now)?;
    passes(contents.number, publisher.proof(contents.number, &b.stencil, now))?;
    Ok(new_variant(variant, contents.selection, &b))
}

pub(super) fn new_variant(variant: Variant, selection: &Selection, edition: &Edition) -> NewVariant {
    let (subject, slugs) = (edition.composition.subject.clone(), selection.featured_slugs());
    NewVariant { variant, subject, slugs, stencil: edition.stencil.to_text() }
}

/// The test that an issue begins with; `variants` are those under subject B.
pub(super) fn new_test(
    publisher: &Publisher,
    a: &Edition,
    rival: &Rival,
    selection: &Selection,
    variants: Vec<NewVariant>,
) -> NewSubjectTest {
    let whole = Variant { arm: Arm::B, letter: None };
    let mut letters = vec![new_variant(whole, selection, &rival.edition)];
    letters.extend(variants);
    let tools = selection.featured.iter().flat_map(|choice| &choice.comparison.tools);
    NewSubjectTest {
        a: a.composition.subject.clone(),
        b: rival.edition.composition.subject.clone(),
        terms: rival.terms,
        tools: tools.map(|tool| tool.slug.clone()).collect(),
        letters,
        keyring: publisher.keyring.clone(),
    }
}
