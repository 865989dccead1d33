//! `verdicts issue`: look at issues, and pause, resume or cancel their runs.

pub(super) mod breakdown;
pub(super) mod draft;
mod letter;
mod lint;
mod look;
pub(super) mod preview;
mod state;
pub(super) mod subject;

use clap::Subcommand;

use super::exit::CommandResult;
use crate::app::App;
use crate::domain::issue::IssueNumber;

#[derive(Subcommand)]
pub enum IssueCommand {
    /// What the next letter would be, and why; changes nothing
    Draft {
        #[arg(long)]
        json: bool,
    },
    /// List issues, the newest first
    List {
        #[arg(long)]
        json: bool,
    },
    /// Show an issue: subject, run, and with --failures every address that failed with
    /// its last reply
    #[command(after_help = "Examples:\n  verdicts issue show 12\n  verdicts issue show 12 --failures")]
    Show {
        number: i64,
        #[arg(long)]
        failures: bool,
        #[arg(long)]
        json: bool,
    },
    /// Look at an issue's letter: as files, or with --serve as a page that follows every change.
    /// The next number is the draft
    #[command(
        after_help = "Examples:\n  verdicts issue preview 12 --out /tmp/letter\n  verdicts issue preview 12 --serve"
    )]
    Preview(preview::PreviewArgs),
    /// Hold a letter to the standards; errors stop a run, warnings are shown before it. The next
    /// number checks the draft
    #[command(after_help = "Example:\n  verdicts issue lint 12 --json")]
    Lint {
        number: i64,
        #[arg(long)]
        json: bool,
    },
    /// Write the subject of the next issue, test two against each other, or show what an
    /// issue is called
    #[command(
        after_help = "What is not given is composed from the comparisons. A test sends a share of the letters at once, half of \
        them under each subject; the others wait, and get the subject that moved more of its readers to vote.\n\n\
        Examples:\n  verdicts issue subject 12 \"Coldframe or Spillway?\"\n  \
        verdicts issue subject 12 \"Coldframe or Spillway?\" --against \"Coldframe wins\" --share 20% --wait 4h\n  \
        verdicts issue subject 12 --clear"
    )]
    Subject(subject::SubjectArgs),
    /// Send one copy to one address, outside the ledger; the next number sends the draft
    #[command(after_help = "Example:\n  verdicts issue test 12 --to me@example.com")]
    Test {
        number: i64,
        #[arg(long, value_name = "EMAIL")]
        to: String,
    },
    /// Try failed letters again, those of one class of replies or all; a finished issue runs again
    #[command(
        after_help = "\"verdicts issue show N\" lists the classes: mailbox, full, policy, content, network, protocol, other.\n\n\
        Example:\n  verdicts issue retry 12 --class policy && verdicts send"
    )]
    Retry {
        number: i64,
        /// Which of the failed letters
        #[arg(long, default_value = "all")]
        class: String,
    },
    /// Stop the run; what is in flight is finished
    Pause { number: i64 },
    /// Go on with a paused run
    Resume { number: i64 },
    /// Call the run off; what has not been sent never will be
    Cancel { number: i64 },
}

pub async fn run(command: IssueCommand, app: &App) -> CommandResult {
    match command {
        IssueCommand::Draft { json } => draft::draft(app, json).await,
        IssueCommand::List { json } => look::list(app, json).await,
        IssueCommand::Show { number, failures, json } => {
            look::show(app, IssueNumber(number), failures, json).await
        }
        IssueCommand::Preview(arguments) => {
            letter::write(app, IssueNumber(arguments.number), &arguments.out).await
        }
        IssueCommand::Lint { number, json } => lint::lint(app, IssueNumber(number), json).await,
        IssueCommand::Subject(arguments) => subject::run(&arguments, app).await,
        IssueCommand::Test { number, to } => letter::test(app, IssueNumber(number), &to).await,
        IssueCommand::Retry { number, class } => state::retry(app, IssueNumber(number), &class).await,
        IssueCommand::Pause { number } => state::pause(app, IssueNumber(number)).await,
        IssueCommand::Resume { number } => state::resume(app, IssueNumber(number)).await,
        IssueCommand::Cancel { number } => state::cancel(app, IssueNumber(number)).await,
    }
}
