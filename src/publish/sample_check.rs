//! A run's letters made of the project's own comparisons, so that a template that would stop a run
//! one day is found before.

use std::time::Duration;

use super::edition::{Contents, Edition};
use super::proof::{passes, proof};
use super::publisher::PublishError;
use crate::config::Settings;
use crate::domain::UnixMillis;
use crate::domain::comparison::{Comparison, Votes};
use crate::domain::issue::IssueNumber;
use crate::domain::token::Keyring;
use crate::letter::compose::ComparisonVotes;
use crate::letter::lint::{Finding, Grade};
use crate::letter::pick::{Rules, Window, pick, reach};
use crate::letter::render::Templates;
use crate::letter::samples;

/// How many comparisons the letters feature: the fewest, some, and as many as an issue usually has.
const FEATURED: [usize; 3] = [1, 3, 5];

/// Makes letters of the samples with these templates, and holds them up to the linter. What comes
/// back are its warnings.
///
/// # Errors
/// The first letter that can't be made, or has an error.
pub fn sample_check(
    templates: &Templates,
    settings: &Settings,
    keyring: &Keyring,
    now: UnixMillis,
) -> Result<Vec<Finding>, PublishError> {
    let site = &settings.site;
    let week = Duration::from_secs(7 * 24 * 3600);
    let (number, samples) = (IssueNumber(1), samples(now));
    let mut warnings: Vec<Finding> = Vec::new();
    let full = FEATURED.map(|max| (max, samples.clone(), votes(&samples)));
    let bare = (1, samples.iter().take(1).cloned().map(|one| bare(one, now)).collect(), Vec::new());
    for (max, comparisons, votes) in full.into_iter().chain([bare]) {
        let rules = Rules { min: 1, max, mentions: Rules::MENTIONS, reach: reach(None, now, week) };
        let selection = &pick(&comparisons, Window::since(None, now, week), rules);
        let contents = Contents { number, selection, last_votes: &votes, written: None, heading: None };
        let edition = Edition::make(templates, site, contents, now)?;
        let findings = proof(site, keyring, number, &edition.stencil, now);
        warnings.extend(findings.iter().filter(|one| one.grade == Grade::Warning).cloned());
        passes(number, findings)?;
    }
    warnings.dedup();
    Ok(warnings)
}

/// Votes on what a letter before featured.
fn votes(samples: &[Comparison]) -> Vec<ComparisonVotes> {
    let here = [Votes { ship: 3, skip: 1 }, Votes::default()];
    samples.iter().take(2).map(|one| ComparisonVotes { comparison: one.clone(), here }).collect()
}

/// A comparison with nothing in it that may be absent.
fn bare(mut comparison: Comparison, now: UnixMillis) -> Comparison {
    comparison.published_at = now.minus(Duration::from_secs(3600)).utc();
    for tool in &mut comparison.tools {
        tool.reviews.clear();
        tool.community = None;
        tool.tagline.clear();
        tool.description.clear();
    }
    comparison
}
