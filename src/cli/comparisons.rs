//! `verdicts comparisons`: what the site has compared.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::exit::{CommandError, CommandResult, Exit};
use super::terminal::{say, say_json};
use crate::domain::UnixMillis;
use crate::domain::comparison::{StoredComparison, Tool, Votes};
use crate::letter::sources;
use crate::store::{ComparisonChange, Store};

#[derive(Subcommand)]
pub enum ComparisonsCommand {
    /// Import files or folders of .json and .toml; good files go in, bad ones are listed
    #[command(
        after_help = "Importing the same content again changes nothing; changed content updates, and says so.\n\n\
        Examples:\n  verdicts comparisons import comparisons/\n  verdicts comparisons import a.json b.toml"
    )]
    Import {
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
    /// List comparisons, the newest first
    List {
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: i64,
        #[arg(long)]
        json: bool,
    },
    /// Show one comparison: both tools, their figures and who said what
    Show {
        slug: String,
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of a comparison file, for editors
    #[command(after_help = "Example:\n  verdicts comparisons schema > comparison.schema.json")]
    Schema,
}

pub fn schema() -> CommandResult {
    say(serde_json::to_string_pretty(&sources::schema())?);
    Ok(Exit::Done)
}

pub async fn run(command: ComparisonsCommand, store: &Store) -> CommandResult {
    match command {
        ComparisonsCommand::Import { paths, json } => import(&paths, json, store).await,
        ComparisonsCommand::List { limit, json } => list(limit, json, store).await,
        ComparisonsCommand::Show { slug, json } => show(&slug, json, store).await,
        ComparisonsCommand::Schema => schema(),
    }
}

async fn import(paths: &[PathBuf], json: bool, store: &Store) -> CommandResult {
    let found = sources::read(paths);
    let (mut added, mut updated, mut unchanged) = (0, 0, 0);
    for (path, comparison) in &found.good {
        match store.put_comparison(comparison, UnixMillis::now()).await? {
            ComparisonChange::Added => {
                added += 1;
                eprintln!("added {} ({})", comparison.slug, path.display());
            }
            ComparisonChange::Updated => {
                updated += 1;
                eprintln!("updated {} ({})", comparison.slug, path.display());
            }
            ComparisonChange::Unchanged => unchanged += 1,
        }
    }
    for error in &found.bad {
        eprintln!("{error}");
    }
    let bad = found.bad.len();
    if json {
        say_json(&json!({ "added": added, "updated": updated, "unchanged": unchanged, "bad": bad }))?;
    } else {
        say(format_args!("{added} added, {updated} updated, {unchanged} unchanged, {bad} bad"));
    }
    Ok(if bad == 0 { Exit::Done } else { Exit::Incomplete })
}

async fn list(limit: i64, json: bool, store: &Store) -> CommandResult {
    let found = store.comparisons(limit).await?;
    if json {
        let rows: Vec<_> = found
            .iter()
            .map(|c| {
                json!({ "slug": c.comparison.slug, "title": c.comparison.title,
                    "published_at": c.comparison.published_at, "featured_in": c.featured_in })
            })
            .collect();
        say_json(&rows)?;
        return Ok(Exit::Done);
    }
    for stored in &found {
        say(format_args!(
            "{}  {}  {}{}",
            stored.comparison.published_at.format("%Y-%m-%d"),
            stored.comparison.slug,
            stored.comparison.title,
            featured(stored)
        ));
    }
    if found.is_empty() {
        eprintln!("no comparisons yet; import some with \"verdicts comparisons import PATH\"");
    }
    Ok(Exit::Done)
}

fn featured(stored: &StoredComparison) -> String {
    stored.featured_in.map(|number| format!("  (issue {number})")).unwrap_or_default()
}

async fn show(slug: &str, json: bool, store: &Store) -> CommandResult {
    let stored = store.comparison(slug).await?.ok_or_else(|| {
        CommandError::Failed(format!(
            "there is no comparison {slug:?}; \"verdicts comparisons list\" shows which there are"
        ))
    })?;
    if json {
        say_json(&stored.comparison)?;
        return Ok(Exit::Done);
    }
    let comparison = &stored.comparison;
    say(format_args!("{}{}\n{}", comparison.title, featured(&stored), comparison.question));
    say(format_args!(
        "published {}, {}",
        comparison.published_at.format("%Y-%m-%d %H:%M UTC"),
        comparison.url
    ));
    let slugs = comparison.tools.each_ref().map(|tool| tool.slug.as_str());
    let totals = store.vote_totals(&slugs).await?;
    for tool in &comparison.tools {
        say(format_args!("\n{} ({})\n  {}", tool.name, tool.category, tool.tagline));
        say(format_args!(
            "  panel {}, community {}, entry {}",
            panel(tool),
            community(tool, totals.get(&tool.slug).map(|total| total.votes).unwrap_or_default()),
            tool.pricing.entry
        ));
        for review in &tool.reviews {
            say(format_args!("  {}  {}", review.verdict.as_str(), review.reviewer));
        }
    }
    Ok(Exit::Done)
}

fn panel(tool: &Tool) -> String {
    let votes = tool.panel();
    votes.percent().map_or("—".to_owned(), |p| format!("{p}% ({} of {})", votes.ship, votes.total()))
}

/// The figure that readers see, and how many of the votes were cast here and not in the file.
fn community(tool: &Tool, here: Votes) -> String {
    let votes = tool.community_with(here);
    votes.percent().map_or("—".to_owned(), |p| {
        format!("{p}% ({} of {}, {} of them voted here)", votes.ship, votes.total(), here.total())
    })
}
