//! `verdicts demo`: the whole main job from nothing.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::{CommandError, CommandResult, Exit};
use super::files::make_folder;
use super::run::{send, serve};
use super::setup::init;
use super::terminal::say;
use crate::app::App;
use crate::config::Settings;
use crate::domain::UnixMillis;
use crate::letter::samples;
use crate::store::ComparisonChange;
use crate::subscribers::{self, Options};

/// Readers of the demo; every address is under example.com or example.org, which belong to nobody.
const READERS: &str = include_str!("../../templates/samples/readers.csv");

/// The whole main job on the embedded default, from nothing.
#[derive(Args)]
#[command(
    after_help = "Imports sample comparisons and readers, sends the week's letter into DIR/outbox as .eml files that any \
    mail program opens, and then serves the archive and the unsubscribe pages.\n\nExamples:\n  verdicts demo --once\n  \
    verdicts demo --dir /tmp/letter --listen 127.0.0.1:9090"
)]
pub struct Demo {
    /// Where everything goes
    #[arg(long, default_value = "demo")]
    dir: PathBuf,
    /// Exit when the letters are in the outbox, instead of serving pages
    #[arg(long)]
    once: bool,
    /// Where the pages are served
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

pub async fn run(arguments: &Demo) -> CommandResult {
    let dir = &arguments.dir;
    make_folder(dir)?;
    init::write_key(&dir.join("verdicts.key"))?;
    let settings_file = dir.join("verdicts.toml");
    fs::write(&settings_file, settings_text(arguments.listen)).map_err(|error| {
        CommandError::Failed(format!("{} can't be written: {error}", settings_file.display()))
    })?;
    let app = App::open(Settings::load(Some(&settings_file), std::iter::empty())?).await?;
    let outcome = letters(&app, dir, arguments).await;
    app.store.close().await;
    outcome
}

async fn letters(app: &App, dir: &Path, arguments: &Demo) -> CommandResult {
    import(app).await?;
    // A demo that is started again finds its letter sent already, which is as good an end
    // as sending it.
    send::run(&send::Send::default(), app).await?;
    say_where(dir)?;
    if arguments.once {
        return Ok(Exit::Done);
    }
    say(format_args!("\nserving http://{}/issues until you press Ctrl-C", arguments.listen));
    serve::run(app, true).await
}

async fn import(app: &App) -> Result<(), CommandError> {
    let (mut added, mut total) = (0, 0);
    for comparison in samples(UnixMillis::now()) {
        // A demo started again keeps its first dates: moving them would make last
        // week's comparisons new.
        if app.store.comparison(&comparison.slug).await?.is_some() {
            continue;
        }
        total += 1;
        if app.store.put_comparison(&comparison, UnixMillis::now()).await? == ComparisonChange::Added {
            added += 1;
        }
    }
    say(format_args!("comparisons: {added} of {total} added"));
    let options = Options { status: None, source: "demo".to_owned(), now: UnixMillis::now() };
    let readers = subscribers::CsvReader::open(READERS.as_bytes(), options)?;
    let summary = subscribers::import(readers, &app.store, &app.keyring, |_| {}).await?;
    say(format_args!("readers: {} of {} added", summary.added, summary.rows()));
    Ok(())
}

fn say_where(dir: &Path) -> Result<(), CommandError> {
    let outbox = dir.join("outbox");
    let mut letters: Vec<PathBuf> = fs::read_dir(&outbox)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "eml"))
        .collect();
    letters.sort();
    say(format_args!("\n{} letters are in {}", letters.len(), outbox.display()));
    if let Some(first) = letters.first() {
        say(format_args!("look at one:    {}", first.display()));
    }
    let config = dir.join("verdicts.toml");
    say(format_args!(
        "look at it all: verdicts --config {0} status\n                verdicts --config {0} issue show 1",
        config.display()
    ));
    Ok(())
}

fn settings_text(listen: SocketAddr) -> String {
    format!(
        r#"# Settings of the demo: letters go into a folder, and every link leads to this machine.
[site]
name = "Weekly Verdicts"
base_url = "http://{listen}"
from = "Weekly Verdicts <letters@verdicts.example>"
postal_address = "Weekly Verdicts, 1 Sample Street, Exampleville"
list_id = "weekly.verdicts.example"

[database]
url = "sqlite:verdicts.db"

[relay]
url = "outbox:outbox"

[web]
listen = "{listen}"

[secret]
key_file = "verdicts.key"
"#
    )
}
