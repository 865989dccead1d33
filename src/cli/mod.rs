//! The command line: one file for each group of commands. Owns the terminal, progress bars and exit
//! codes; decides nothing.
//!
//! - `setup`: init, check, keys and the database.
//! - `run`: send, serve, worker and status.
//! - `issue`, `comparisons`, [`subscribers`], `templates`: what is in the database and the folder.
//! - `demo`: all of it, from nothing.

mod comparisons;
mod demo;
mod exit;
mod files;
mod issue;
mod run;
mod setup;
pub mod subscribers;
mod templates;
mod terminal;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

pub use exit::{CommandError, CommandResult, Exit};

use self::run::{send, serve, status};
use self::setup::{check, db, dkim, init, key};
use crate::app::App;
use crate::config::{ConfigError, Settings};

/// Sends the week's new comparisons to everyone who asked for them.
#[derive(Parser)]
#[command(name = "verdicts", version, about, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 bad usage or settings, 3 nothing to send.\n\n\
    Examples:\n  verdicts demo --once          the whole job from nothing, into a folder of .eml files\n  \
    verdicts init my-letter       settings, key and folders for a real site\n  \
    verdicts send --dry-run       what the next letter would be")]
struct Cli {
    /// The settings file [default: ./verdicts.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How much to log on stderr: error, warn, info, debug (RUST_LOG is heard too)
    #[arg(long, global = true, value_name = "LEVEL", default_value = "warn")]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The whole main job on the embedded default, from nothing: samples in, letters in a folder,
    /// pages to look at
    Demo(demo::Demo),
    /// Write settings, a secret key and folders for a new site
    Init(init::Init),
    /// Web pages, scheduler and delivery
    Serve,
    /// Scheduler and delivery without web pages
    Worker,
    /// Import and look at comparisons
    #[command(subcommand)]
    Comparisons(comparisons::ComparisonsCommand),
    /// Import, export and look after readers
    #[command(subcommand)]
    Subscribers(subscribers::SubscribersCommand),
    /// Look at issues, and pause, resume or cancel their runs
    #[command(subcommand)]
    Issue(issue::IssueCommand),
    /// Pick, render, enqueue and deliver now; resumes an unfinished run
    Send(send::Send),
    /// Where a run stands: every reader is in exactly one of the counts
    Status(status::StatusArgs),
    /// Every way this set-up could fail to deliver, checked before it does
    Check(check::Check),
    /// Make the letter look your own way: the built-in templates as files, and what is
    /// wrong with yours
    #[command(subcommand)]
    Templates(templates::TemplatesCommand),
    /// Make the keys that sign letters, and print their DNS records
    #[command(subcommand)]
    Dkim(dkim::DkimCommand),
    /// Renew the key that signs the links in letters
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Migrate or back up the database
    #[command(subcommand)]
    Db(db::DbCommand),
    /// Print a completion script for your shell
    #[command(after_help = "Example:\n  verdicts completions bash > /etc/bash_completion.d/verdicts")]
    Completions { shell: clap_complete::Shell },
}

/// Parses the arguments, runs the command, and turns its end into an exit code. `env` is
/// the process's environment.
pub fn main(
    arguments: impl Iterator<Item = OsString>,
    env: impl Iterator<Item = (String, String)>,
) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // clap's own code for bad usage is 2 and for --help 0, as the contract has it.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    start_log(&cli);
    // One thread for the ledger and its connections: they wake each other a few times a letter,
    // which costs next to nothing on one thread and a switch each between two. SQLite, signatures
    // and pages have threads of their own.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return finish(Err(CommandError::Failed(format!("no runtime can be started: {error}"))));
        }
    };
    finish(runtime.block_on(dispatch(cli, env.collect())))
}

async fn dispatch(cli: Cli, env: Vec<(String, String)>) -> CommandResult {
    let config = cli.config.as_deref();
    match cli.command {
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "verdicts", &mut std::io::stdout());
            Ok(Exit::Done)
        }
        Command::Init(arguments) => init::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments).await,
        Command::Db(command) => db::run(command, settings(config, env)?).await,
        Command::Check(arguments) => check::run(&arguments, settings(config, env)?).await,
        Command::Templates(command) => templates::run(&command, || Ok(settings(config, env)?)),
        Command::Issue(issue::IssueCommand::Preview(arguments)) if arguments.serve => {
            issue::preview::serve(arguments, config, env).await
        }
        Command::Dkim(command) => dkim::run(command, settings(config, env)),
        Command::Key(command) => key::run(&command, &settings(config, env)?),
        Command::Comparisons(comparisons::ComparisonsCommand::Schema) => comparisons::schema(),
        command => {
            let app = App::open(settings(config, env)?).await?;
            let outcome = with_app(command, &app).await;
            app.store.close().await;
            outcome
        }
    }
}

async fn with_app(command: Command, app: &App) -> CommandResult {
    match command {
        Command::Serve => serve::run(app, true).await,
        Command::Worker => serve::run(app, false).await,
        Command::Comparisons(command) => comparisons::run(command, &app.store).await,
        Command::Subscribers(command) => subscribers::run(command, &app.store, &app.keyring, false).await,
        Command::Issue(command) => issue::run(command, app).await,
        Command::Send(arguments) => send::run(&arguments, app).await,
        Command::Status(arguments) => status::run(&arguments, &app.store).await,
        _ => unreachable!("dispatch has answered the commands that need no store"),
    }
}

fn settings(config: Option<&Path>, env: Vec<(String, String)>) -> Result<Settings, ConfigError> {
    Settings::load(config, env.into_iter())
}

/// Logs go to stderr, so that stdout is the command's answer and nothing else.
fn start_log(cli: &Cli) {
    let serving = matches!(cli.command, Command::Serve | Command::Worker);
    let level = if serving && cli.log == "warn" { "info" } else { &cli.log };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init();
}

fn finish(outcome: CommandResult) -> ExitCode {
    match outcome {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::Incomplete) => ExitCode::from(1),
        Ok(Exit::NothingToSend) => ExitCode::from(3),
        Err(failure) => {
            eprintln!("verdicts: {failure}");
            ExitCode::from(if matches!(failure, CommandError::Usage(_)) { 2 } else { 1 })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
