//! `verdicts subscribers …`: files of people in and out, and one person at a time.

mod export;
mod import;
mod person;
mod stats;

use std::path::{Path, PathBuf};

use super::exit::CommandResult;
use crate::domain::UnixMillis;
use crate::domain::subscriber::SubscriberStatus;
use crate::domain::token::Keyring;
use crate::store::Store;
use crate::subscribers::Options;

#[derive(clap::Subcommand, Debug)]
pub enum SubscribersCommand {
    /// Take in a CSV of people, also as Mailchimp, Substack, Ghost, beehiiv, Buttondown and
    /// listmonk export it
    ///
    /// The first line names the columns; `email` is required, and name, status, timezone,
    /// created_at and source are known. Known addresses stay as they are and suppressed ones stay
    /// out. A bad row is reported and the rest goes in (exit 1).
    #[command(after_help = "Examples:\n  verdicts subscribers import readers.csv\n  \
                            verdicts subscribers import waitlist.csv --status pending --source waitlist-2026\n  \
                            verdicts subscribers import old.csv --report bad-rows.csv")]
    Import {
        /// The CSV, UTF-8; `-` reads standard input
        file: PathBuf,
        /// Status of the rows (without it: what the file says, and active where it says nothing).
        /// Whoever the file says has unsubscribed, bounced or complained stays so
        #[arg(long)]
        status: Option<SubscriberStatus>,
        /// Where the consent came from, for rows that don't say it
        /// themselves [default: import:FILE]
        #[arg(long)]
        source: Option<String>,
        /// Write every bad row's line, field and reason to this file, as CSV
        #[arg(long)]
        report: Option<PathBuf>,
        /// Print the summary as JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the subscribers as CSV, which `import` reads again
    #[command(after_help = "Example:\n  verdicts subscribers export --status active --out readers.csv")]
    Export {
        /// Only those with this status
        #[arg(long)]
        status: Option<SubscriberStatus>,
        /// The file to write, readable by you alone [default: standard output]
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Add one person
    #[command(after_help = "Example:\n  verdicts subscribers add ann@example.com --name \"Ann Lee\"")]
    Add {
        email: String,
        #[arg(long)]
        name: Option<String>,
        /// pending gets no letter until the person confirms
        #[arg(long, default_value = "active")]
        status: SubscriberStatus,
    },
    /// Show what is known about one address
    Show {
        email: String,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print everything that is kept on one person, as JSON: what their own page lets them download
    #[command(after_help = "Example:\n  verdicts subscribers data ann@example.com > ann.json")]
    Data { email: String },
    /// Unsubscribe one address, at once and for good
    Unsubscribe { email: String },
    /// Delete a person; the address stays out by a keyed hash alone
    #[command(after_help = "Example:\n  verdicts subscribers erase ann@example.com --yes")]
    Erase {
        email: String,
        /// Really delete: nothing brings the data back
        #[arg(long)]
        yes: bool,
    },
    /// Count subscribers by status, and why readers left
    Stats {
        /// Print the figures as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs one command. `json` asks for JSON where a command reports.
///
/// # Errors
/// [`CommandError`](super::CommandError) with one line for the operator.
pub async fn run(command: SubscribersCommand, store: &Store, keyring: &Keyring, json: bool) -> CommandResult {
    let now = UnixMillis::now();
    match command {
        SubscribersCommand::Import { file, status, source, report, json: own } => {
            let source = source.unwrap_or_else(|| default_source(&file));
            let options = Options { status, source, now };
            import::import_file(store, keyring, &file, options, report.as_deref(), json || own).await
        }
        SubscribersCommand::Export { status, out } => export::export(store, status, out.as_deref()).await,
        SubscribersCommand::Add { email, name, status } => {
            person::add(store, keyring, &email, name.as_deref(), status, now).await
        }
        SubscribersCommand::Show { email, json: own } => {
            person::show(store, keyring, &email, json || own).await
        }
        SubscribersCommand::Data { email } => person::data(store, keyring, &email).await,
        SubscribersCommand::Unsubscribe { email } => person::unsubscribe(store, keyring, &email, now).await,
        SubscribersCommand::Erase { email, yes } => person::erase(store, keyring, &email, yes, now).await,
        SubscribersCommand::Stats { json: own } => stats::stats(store, json || own).await,
    }
}

fn default_source(file: &Path) -> String {
    match file.file_name().filter(|_| file != Path::new("-")) {
        Some(name) => format!("import:{}", name.to_string_lossy()),
        None => "import:standard input".to_owned(),
    }
}
