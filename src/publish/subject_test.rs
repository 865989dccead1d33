//! The letters of a test: the same letter under another subject.

use std::num::NonZeroU32;

use super::{Edition, PublishError, Publisher};
use crate::domain::UnixMillis;
use crate::domain::delivery::Variant;
use crate::domain::issue::IssueNumber;
use crate::domain::subject::{Arm, Terms, Wording};
use crate::letter::compose::{Composition, second};
use crate::letter::pick::Selection;
use crate::mail::Stencil;
use crate::store::{NewSubjectTest, NewVariant};

/// A letter under subject B.
pub struct Rival {
    pub composition: Composition,
    pub stencil: Stencil,
    pub terms: Terms,
}

/// The letter under the subject that `edition` is tested against: an operator's, or a second one made by rule if the settings
/// want tests and nobody wrote a subject. None: there is no test.
///
/// # Errors
/// As [`super::run`].
pub(super) fn rival(
    publisher: &Publisher,
    number: IssueNumber,
    selection: &Selection,
    composition: &Composition,
    written: Option<&Wording>,
) -> Result<Option<Rival>, PublishError> {
    let Some(terms) = terms(publisher, written) else { return Ok(None) };
    let under_b = under_b(publisher, selection, composition, written);
    if under_b.subject == composition.subject {
        return Ok(None);
    }
    let stencil = Stencil::build(&publisher.templates.render(&under_b)?, &publisher.settings.site, number)?;
    Ok(Some(Rival { composition: under_b, stencil, terms }))
}

fn terms(publisher: &Publisher, written: Option<&Wording>) -> Option<Terms> {
    let own = &publisher.settings.subject_test;
    match written {
        Some(Wording { against: Some((_, terms)), .. }) => Some(*terms),
        Some(Wording { subject: Some(_), .. }) => None,
        _ => own.share.map(|share| Terms { share, wait: own.wait }),
    }
}

fn under_b(
    publisher: &Publisher,
    selection: &Selection,
    composition: &Composition,
    written: Option<&Wording>,
) -> Composition {
    let mut under_b = composition.clone();
    if let Some((against, _)) = written.and_then(|written| written.against.as_ref()) {
        against.as_str().clone_into(&mut under_b.subject);
    } else if let Some(second) = second(&publisher.settings.site, selection) {
        under_b.subject = second.subject;
        if written.is_none_or(|written| written.preheader.is_none()) {
            under_b.preheader = second.preheader;
        }
    }
    under_b
}

/// The letter of a choice of topics under subject B; under A, if there is nothing else to say of what it carries.
///
/// # Errors
/// As [`super::run`].
pub(super) fn variant_under_b(
    publisher: &Publisher,
    number: IssueNumber,
    selection: &Selection,
    (letter, composition): (NonZeroU32, &Composition),
    written: Option<&Wording>,
    now: UnixMillis,
) -> Result<NewVariant, PublishError> {
    let site = &publisher.settings.site;
    let under_b = under_b(publisher, selection, composition, written);
    let stencil = Stencil::build(&publisher.templates.render(&under_b)?, site, number)?;
    super::passes(number, super::proof(site, &publisher.keyring, number, &stencil, now), false)?;
    Ok(new_variant(Variant { arm: Arm::B, letter: Some(letter) }, &under_b, selection, &stencil))
}

pub(super) fn new_variant(
    variant: Variant,
    composition: &Composition,
    selection: &Selection,
    stencil: &Stencil,
) -> NewVariant {
    let (subject, slugs) = (composition.subject.clone(), selection.featured_slugs());
    NewVariant { variant, subject, slugs, stencil: stencil.to_text() }
}

/// The test that an issue begins with; `variants` are those under subject B.
pub(super) fn new_test(
    publisher: &Publisher,
    edition: &Edition,
    selection: &Selection,
    variants: Vec<NewVariant>,
) -> Option<NewSubjectTest> {
    let rival = edition.rival.as_ref()?;
    let whole = Variant { arm: Arm::B, letter: None };
    let mut letters = vec![new_variant(whole, &rival.composition, selection, &rival.stencil)];
    letters.extend(variants);
    let tools = selection.featured.iter().flat_map(|choice| &choice.comparison.tools);
    Some(NewSubjectTest {
        a: edition.composition.subject.clone(),
        b: rival.composition.subject.clone(),
        terms: rival.terms,
        tools: tools.map(|tool| tool.slug.clone()).collect(),
        letters,
        keyring: publisher.keyring.clone(),
    })
}
