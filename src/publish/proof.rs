//! The proof: the letter filled in for one reader and held up to the linter, before anybody gets it (promise P10).

use std::time::Duration;

use super::PublishError;
use crate::config::Settings;
use crate::domain::comparison::{Comparison, Votes};
use crate::domain::issue::IssueNumber;
use crate::domain::site::Site;
use crate::domain::subscriber::SubscriberId;
use crate::domain::token::{Keyring, Purpose};
use crate::domain::{EmailAddress, UnixMillis};
use crate::letter::compose::{ComparisonVotes, compose};
use crate::letter::lint::{Expected, Finding, Grade, lint};
use crate::letter::pick::{Rules, Window, pick, reach};
use crate::letter::render::Templates;
use crate::letter::samples;
use crate::mail::{Recipient, Stencil};

/// What the linter says of this letter; the worst comes first. Readers differ in a name and in the tokens of their links alone, so
/// one stands for all: nobody, with a name that has to be encoded.
pub fn proof(
    site: &Site,
    keyring: &Keyring,
    number: IssueNumber,
    stencil: &Stencil,
    now: UnixMillis,
) -> Vec<Finding> {
    let email = EmailAddress::parse("reader@example.com").expect("it is an address");
    let nobody = SubscriberId(0);
    let token = |purpose| keyring.link_token(purpose, nobody);
    let reader = Recipient {
        email: &email,
        name: Some("Æthelflæd Ångström"),
        message_id: &keyring.message_id(number, nobody),
        date: now,
        unsubscribe_token: &token(Purpose::Unsubscribe),
        preferences_token: &token(Purpose::Preferences),
        vote_token: &token(Purpose::Vote),
        topics: Some("Agents & editors, Köder"),
    };
    let mut letter = Vec::new();
    stencil.fill(&reader, &mut letter);
    lint(&letter, Expected { postal_address: Some(&site.postal_address), is_notice: false })
}

/// How many comparisons the rehearsal's letters have: the fewest, some, and as many as an issue usually has.
const REHEARSED: [usize; 3] = [1, 3, 5];

/// Makes letters of the samples with these templates, and holds them up to the linter: what would stop a run one day is found
/// today.
///
/// # Errors
/// The first letter that can't be made, or has an error.
pub fn rehearse(
    templates: &Templates,
    settings: &Settings,
    keyring: &Keyring,
    now: UnixMillis,
) -> Result<Vec<Finding>, PublishError> {
    let site = &settings.site;
    let week = Duration::from_secs(7 * 24 * 3600);
    let (number, samples) = (IssueNumber(1), samples(now));
    let mut warnings: Vec<Finding> = Vec::new();
    let full = REHEARSED.map(|max| (max, samples.clone(), ballots(&samples)));
    let bare = (1, samples.iter().take(1).cloned().map(|one| bare(one, now)).collect(), Vec::new());
    for (max, comparisons, ballots) in full.into_iter().chain([bare]) {
        let rules = Rules { min: 1, max, mentions: Rules::MENTIONS, reach: reach(None, now, week) };
        let selection = pick(&comparisons, Window::since(None, now, week), rules);
        let letter = templates.render(&compose(number, now, site, &selection).with_votes(&ballots))?;
        let stencil = Stencil::build(&letter, site, number)?;
        let findings = proof(site, keyring, number, &stencil, now);
        warnings.extend(findings.iter().filter(|one| one.grade == Grade::Warning).cloned());
        super::passes(number, findings, false)?;
    }
    warnings.dedup();
    Ok(warnings)
}

/// Votes on what a letter before featured.
fn ballots(samples: &[Comparison]) -> Vec<ComparisonVotes> {
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
