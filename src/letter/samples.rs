//! The project's own comparisons, for `verdicts demo` and the tests: invented tools, dates that
//! follow the clock.

use rust_embed::RustEmbed;

use super::sources;
use crate::domain::UnixMillis;
use crate::domain::comparison::Comparison;

#[derive(RustEmbed)]
#[folder = "templates/samples"]
struct Embedded;

/// The moment that the dates in the files are written for: 2026-11-17T09:00:00Z.
const WRITTEN_FOR: UnixMillis = UnixMillis(1_794_906_000_000);

/// All samples, by slug, moved so that six were published in the week before `now` and three well
/// before it.
pub fn samples(now: UnixMillis) -> Vec<Comparison> {
    let moved = chrono::TimeDelta::milliseconds(now.0.saturating_sub(WRITTEN_FOR.0));
    let mut samples: Vec<Comparison> = files()
        .filter_map(|(name, text)| sources::parse(std::path::Path::new(&name), &text).ok())
        .map(|mut comparison| {
            comparison.published_at =
                comparison.published_at.checked_add_signed(moved).unwrap_or(comparison.published_at);
            comparison
        })
        .collect();
    samples.sort_by(|a, b| a.slug.cmp(&b.slug));
    samples
}

/// The sample files as they are, by name, so that `verdicts init` can lay them out for an operator.
pub fn files() -> impl Iterator<Item = (String, String)> {
    let comparisons = Embedded::iter().filter(|name| name.ends_with(".json") || name.ends_with(".toml"));
    comparisons.filter_map(|name| {
        let file = Embedded::get(&name)?;
        Some((name.into_owned(), String::from_utf8_lossy(&file.data).into_owned()))
    })
}
