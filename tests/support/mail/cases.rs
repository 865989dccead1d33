//! The letters of `tests/fixtures/letters`, composed: for snapshots, screenshots and measurements.
#![allow(dead_code, reason = "every user takes the part it needs")]

use std::path::PathBuf;
use std::sync::LazyLock;

use serde::Deserialize;
use verdicts::domain::UnixMillis;
use verdicts::domain::comparison::{Comparison, Votes};
use verdicts::domain::issue::IssueNumber;
use verdicts::domain::site::{Mailbox, Site};
use verdicts::letter::compose::{ComparisonVotes, Composition, compose};
use verdicts::letter::pick::{Choice, RankedBy, Selection};
use verdicts::letter::sources;
use verdicts::texts::{Phrases, Texts};

/// 2026-11-17T09:00:00Z.
pub const NOW: UnixMillis = UnixMillis(1_794_906_000_000);
pub const ISSUE: IssueNumber = IssueNumber(12);

/// One letter of the matrix.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    /// Slugs of the comparisons, the lead first.
    pub featured: Vec<String>,
    #[serde(default)]
    pub mentioned: Vec<String>,
    /// Those of the letter before, with votes cast here.
    #[serde(default)]
    pub voted: Vec<String>,
}

/// Every case, in the order of `cases.json`.
pub fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(folder().join("cases.json")).expect("cases.json is there");
    serde_json::from_str(&text).expect("cases.json is a list of cases")
}

/// A comparison of the fixtures, read as an operator's file is.
pub fn comparison(slug: &str) -> Comparison {
    let path = folder().join(format!("{slug}.json"));
    let text = std::fs::read_to_string(&path).expect("the fixture is there");
    sources::parse(&path, &text).unwrap_or_else(|errors| panic!("{slug}: {errors:?}"))
}

pub fn site() -> Site {
    Site {
        name: "Weekly Verdicts".into(),
        base_url: "https://verdicts.example".into(),
        from: Mailbox::parse("Weekly Verdicts <letters@verdicts.example>").expect("it is an address"),
        reply_to: Some(Mailbox::parse("desk@verdicts.example").expect("it is an address")),
        postal_address: "1 Test Street, Testville".into(),
        list_id: "weekly.verdicts.example".into(),
        language: "en".into(),
    }
}

/// The texts that letters are made of.
pub fn phrases() -> Phrases<'static> {
    static TEXTS: LazyLock<Texts> = LazyLock::new(|| Texts::of_letters(None).expect("ours are sound"));
    Phrases { texts: &TEXTS, language: TEXTS.site_language() }
}

impl Case {
    /// What the letter says.
    pub fn composition(&self) -> Composition {
        self.composition_of(&site())
    }

    /// What the letter of another site says.
    pub fn composition_of(&self, site: &Site) -> Composition {
        compose(ISSUE, NOW, site, &self.selection(), phrases()).with_votes(&self.ballots(), phrases())
    }

    /// How the votes on the letter before came out.
    pub fn ballots(&self) -> Vec<ComparisonVotes> {
        self.voted.iter().map(|slug| ballot(slug)).collect()
    }

    pub fn selection(&self) -> Selection {
        let choices = |slugs: &[String]| slugs.iter().map(|slug| choice(slug)).collect();
        Selection {
            featured: choices(&self.featured),
            mentioned: choices(&self.mentioned),
            left_out: Vec::new(),
            quiet: None,
        }
    }
}

fn choice(slug: &str) -> Choice {
    Choice { comparison: comparison(slug), why: RankedBy { rolled_over: false, reviews: 0, votes: 0 } }
}

/// Votes on the first tool only, so that the second shows what nobody has voted on looks like where its file has none.
fn ballot(slug: &str) -> ComparisonVotes {
    ComparisonVotes { comparison: comparison(slug), here: [Votes { ship: 21, skip: 8 }, Votes::default()] }
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/letters"))
}
