//! `verdicts db`: the database itself.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Exit, Outcome, say};
use crate::config::Settings;
use crate::store::Store;

#[derive(Subcommand)]
pub enum DbCommand {
    /// Bring the schema up to this binary's; refuses a newer one
    Migrate,
    /// Copy a SQLite database while everything runs; for Postgres, say how
    #[command(after_help = "Example:\n  verdicts db backup /var/backups/verdicts-$(date +%F).db")]
    Backup { file: PathBuf },
}

pub async fn run(command: DbCommand, settings: Settings) -> Outcome {
    let store = Store::open_unchecked(settings.database.url.expose()).await?;
    let outcome = match command {
        DbCommand::Migrate => store.migrate().await.map(|(before, after)| match before == after {
            true => say(format_args!("the schema is {after} already; nothing to do")),
            false => say(format_args!("the schema was {before} and is {after} now")),
        }),
        DbCommand::Backup { file } => {
            store.backup(&file).await.map(|()| say(format_args!("backed up to {}", file.display())))
        }
    };
    store.close().await;
    outcome?;
    Ok(Exit::Done)
}
