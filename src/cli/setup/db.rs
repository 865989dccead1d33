//! `verdicts db`: the database itself.

use std::path::PathBuf;

use clap::Subcommand;

use crate::app;
use crate::cli::exit::{CommandResult, Exit};
use crate::cli::terminal::say;
use crate::config::Settings;
use crate::domain::UnixMillis;
use crate::store::{Store, StoreError};

#[derive(Subcommand)]
pub enum DbCommand {
    /// Bring the schema up to this binary's; refuses a newer one
    Migrate,
    /// Copy a SQLite database while everything runs; for Postgres, say how
    #[command(after_help = "Example:\n  verdicts db backup /var/backups/verdicts-$(date +%F).db")]
    Backup { file: PathBuf },
    /// Turn deliveries of issues that ended longer ago than delivery.keep into counters now; serve
    /// does it by itself
    Condense,
    /// Go on from a restored copy although readers had more letters than it knows: its open issue
    /// is paused, and what was sent since is not sent again
    #[command(after_help = "Example:\n  verdicts db accept-restored && verdicts issue cancel 12")]
    AcceptRestored,
}

pub async fn run(command: DbCommand, settings: Settings) -> CommandResult {
    let store = Store::open_unchecked(settings.database.url.expose()).await?;
    let outcome = match command {
        DbCommand::Migrate => store.migrate().await.map(|(before, after)| match before == after {
            true => say(format_args!("the schema is {after} already; nothing to do")),
            false => say(format_args!("the schema was {before} and is {after} now")),
        }),
        DbCommand::Backup { file } => {
            store.backup(&file).await.map(|()| say(format_args!("backed up to {}", file.display())))
        }
        DbCommand::Condense => condense(&store, &settings)
            .await
            .map(|all| say(format_args!("{all} deliveries are counters now"))),
        DbCommand::AcceptRestored => accept(&store, &settings).await.map(say),
    };
    store.close().await;
    outcome?;
    Ok(Exit::Done)
}

async fn accept(store: &Store, settings: &Settings) -> Result<String, StoreError> {
    let file = app::restore_guard(settings, store);
    let here = store.ledger_position().await?;
    let Some(known) = file.known(&here.id)?.filter(|known| known.generation > here.generation) else {
        return Ok("the database is no older copy; nothing to accept".to_owned());
    };
    let paused = store.accept_restored(&known, UnixMillis::now()).await?;
    Ok(match paused {
        Some(number) => format!(
            "accepted; issue {number} is paused, since nobody knows who has it: \"verdicts issue cancel {number}\", or \
             \"verdicts issue resume {number}\" to send it to all who may not have it"
        ),
        None => "accepted; the next letter starts behind the last one that was sent".to_owned(),
    })
}

/// Turns all deliveries older than `delivery.keep` into counters; how many.
pub(in crate::cli) async fn condense(store: &Store, settings: &Settings) -> Result<u64, StoreError> {
    let before = UnixMillis::now().minus(settings.delivery.keep);
    let mut all = 0;
    loop {
        match store.condense(before, 10_000).await? {
            0 => return Ok(all),
            some => all += some,
        }
    }
}
