//! `verdicts send`: pick, render, enqueue and deliver now.

use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;

use super::progress::Bar;
use super::status::RunStatus;
use super::stop::stop_signal;
use crate::app::{self, App};
use crate::cli::exit::{CommandError, CommandResult, Exit};
use crate::cli::issue::breakdown::breakdown;
use crate::cli::issue::draft::draft;
use crate::cli::issue::subject::{self, Words};
use crate::cli::terminal::say;
use crate::delivery::{Pass, Progress};
use crate::domain::UnixMillis;
use crate::domain::delivery::{Status, Tally};
use crate::domain::issue::{Issue, IssueNumber, IssueState};
use crate::domain::subject::Wording;
use crate::publish::{self, Started};
use crate::store::SubjectTest;
use crate::worker::{Observer, Until, deliver_issue};

/// Pick, render, enqueue and deliver now; resumes an unfinished run.
#[derive(Args, Default)]
#[command(
    after_help = "Returns when nothing is due any more; deferred letters go on in \"verdicts serve\" or with the \
    next send. A second send in the same week finds nothing new and exits 3.\n\nExamples:\n  verdicts send --dry-run\n  \
    verdicts send\n  verdicts send --wait --json"
)]
pub struct Send {
    /// Show what would be sent to how many, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// What the letter is called [default: as "verdicts issue subject" says, or composed]
    #[arg(long, conflicts_with = "dry_run")]
    subject: Option<String>,
    /// The line that mailbox lists show behind the subject
    #[arg(long, conflicts_with = "dry_run")]
    preheader: Option<String>,
    /// Stay until every delivery is final
    #[arg(long)]
    wait: bool,
    /// Print the final status as JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: &Send, app: &App) -> CommandResult {
    if arguments.dry_run {
        return draft(app, arguments.json).await;
    }
    let stop = stop_signal();
    app::restore_guard(&app.settings, &app.store).check(&app.store).await?;
    write_subject(arguments, app).await?;
    let Some(number) = the_run(app).await? else { return Ok(Exit::NothingToSend) };
    let before = app.store.tally(number).await?;
    let until = if arguments.wait { Until::NothingOpen } else { Until::NothingDue };
    let done = {
        // Its lease ends with it, so that another process may go on while this one reports.
        let mut deliverer = app.deliverer(stop.clone())?;
        let watcher = Watcher { bar: Bar::letters(before), said: AtomicBool::new(false) };
        let done = deliver_issue(&mut deliverer, number, until, &watcher).await?;
        watcher.bar.finish();
        done
    };
    if done.is_some() && !*stop.borrow() {
        // `serve` does it by itself; who has a timer run `send` alone would keep every row for
        // ever.
        if let Err(error) = crate::cli::setup::db::condense(&app.store, &app.settings).await {
            eprintln!("old deliveries could not be condensed: {error}; the next send tries again");
        }
    }
    let run_status = RunStatus::read(&app.store, number).await?;
    report(&run_status, arguments.json, app).await?;
    conclude(&run_status.status, before, done.as_ref())
}

/// Where the run stands now, what waits for later, and what did not get through.
async fn report(run_status: &RunStatus, as_json: bool, app: &App) -> Result<(), CommandError> {
    if as_json {
        run_status.say_json()?;
    } else {
        run_status.say();
    }
    let RunStatus { status, waiting, test, .. } = run_status;
    if let Some(waiting) = waiting {
        eprintln!(
            "{}; \"verdicts serve\" or the next \"verdicts send\" sends what is due by then",
            super::status::waiting_words(waiting)
        );
    }
    if let Some(test) = test.as_ref().filter(|test| test.decided.is_none() && test.held > 0) {
        eprintln!(
            "the winner of the subject test is decided {}; \"verdicts serve\" or the next \"verdicts send\" sends it to the rest",
            test.decide_at
        );
    }
    if !as_json && status.tally.failed + status.tally.deferred > 0 {
        breakdown(app, status.issue).await?.lines().into_iter().for_each(say);
    }
    Ok(())
}

/// Keeps the words of `--subject` and `--preheader` for the issue that is about to be made.
async fn write_subject(arguments: &Send, app: &App) -> Result<(), CommandError> {
    let words = Words::with_preheader(arguments.preheader.as_deref());
    let Some(typed) = words.parse(arguments.subject.as_deref(), app)? else { return Ok(()) };
    // An unfinished run would go on under the name that it has.
    let number = match app.store.unfinished().await?.first() {
        Some(issue) => issue.number,
        None => app.store.next_number().await?,
    };
    let before = app.store.wording(number).await?.unwrap_or_default();
    let written = Wording {
        subject: typed.subject.or(before.subject),
        preheader: typed.preheader.or(before.preheader),
        against: before.against,
    };
    subject::write(app, number, Some(&written)).await
}

/// The unfinished run, or a new one; none when there is nothing to send, which has been said by
/// then.
async fn the_run(app: &App) -> Result<Option<IssueNumber>, CommandError> {
    let now = UnixMillis::now();
    if let Some(issue) = app.store.unfinished().await?.into_iter().next() {
        refuse_paused(&issue)?;
        eprintln!("going on with issue {} \"{}\"", issue.number, issue.subject);
        return Ok(Some(issue.number));
    }
    let started = publish::run(&app.publisher(), None, now).await?;
    match started {
        Started::Running { number, .. } => {
            eprintln!("{started}");
            Ok(Some(number))
        }
        Started::Quiet(_) | Started::Nobody | Started::NobodyWants => {
            eprintln!("nothing to send: {started}");
            Ok(None)
        }
        Started::Taken { .. } => {
            // Somebody was first between our look and our commit: help to deliver what they
            // enqueued.
            match app.store.unfinished().await?.into_iter().next() {
                Some(issue) => Ok(Some(issue.number)),
                None => {
                    eprintln!("nothing to send: {started}");
                    Ok(None)
                }
            }
        }
    }
}

fn refuse_paused(issue: &Issue) -> Result<(), CommandError> {
    if issue.state != IssueState::Paused {
        return Ok(());
    }
    let reason = issue.pause_reason.as_deref().unwrap_or("an operator asked for it");
    Err(CommandError::Failed(format!(
        "issue {0} is paused: {reason}; mend it, then run \"verdicts issue resume {0}\"",
        issue.number
    )))
}

/// What a `send` says on stderr while letters go.
struct Watcher {
    bar: Bar,
    /// Whether it has been said that another process delivers.
    said: AtomicBool,
}

impl Observer for Watcher {
    fn elsewhere(&self) {
        if !self.said.swap(true, Ordering::Relaxed) {
            eprintln!("another process delivers from this database; watching it");
        }
    }

    fn reclaimed(&self, letters: u64) {
        eprintln!(
            "{letters} letters were in flight when a worker ended; they are tried again under the same Message-ID"
        );
    }

    fn decided(&self, test: &SubjectTest) {
        subject::words(test, IssueState::Running).into_iter().for_each(|line| eprintln!("{line}"));
    }

    fn progress(&self, progress: &Progress) {
        self.bar.show(progress);
    }

    fn counted(&self, tally: &Tally) {
        self.bar.set(tally);
    }
}

fn conclude(status: &Status, before: Tally, pass: Option<&Pass>) -> CommandResult {
    if let Some((number, reason)) = pass.and_then(|pass| pass.paused.first()) {
        return Err(CommandError::Failed(format!(
            "the run is paused: {reason}; mend it, then run \"verdicts issue resume {number}\" and \"verdicts send\""
        )));
    }
    if let Some(until) = pass.and_then(|pass| pass.held_until) {
        eprintln!(
            "the pace lets the next letter go at {until}; \"verdicts serve\" or the next \"verdicts send\" goes on"
        );
        return Ok(if status.tally == before { Exit::NothingToSend } else { Exit::Done });
    }
    if status.tally == before && before.open() > 0 {
        if before.deferred > 0 {
            eprintln!("nothing is due yet: {} letters wait for another try", before.deferred);
        }
        return Ok(Exit::NothingToSend);
    }
    Ok(Exit::Done)
}
