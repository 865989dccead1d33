//! `verdicts send`: pick, render, enqueue and deliver now.

use std::time::Duration;

use clap::Args;
use tokio::sync::watch;

use super::exit::{CommandError, CommandResult, Exit};
use super::issue::subject::{self, Words};
use super::progress::Bar;
use super::status::RunStatus;
use super::stop::stop_signal;
use super::terminal::say;
use crate::app::{self, App};
use crate::delivery::{self, Pass};
use crate::domain::UnixMillis;
use crate::domain::delivery::{Status, Tally};
use crate::domain::issue::{Issue, IssueNumber, IssueState};
use crate::domain::subject::Wording;
use crate::publish::{self, Started};
use crate::store::WorkerLease;

/// How often a process that only watches looks at the ledger, and tries to take over.
const WATCH: Duration = Duration::from_millis(500);

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
        return super::issue::draft::draft(app, arguments.json).await;
    }
    let stop = stop_signal();
    app::mark_file(&app.settings, &app.store).check(&app.store).await?;
    write_subject(arguments, app).await?;
    let Some(number) = the_run(app).await? else { return Ok(Exit::NothingToSend) };
    let before = app.store.tally(number).await?;
    let done = deliver(app, number, arguments.wait, &stop).await?;
    if done.is_some() && !*stop.borrow() {
        // `serve` does it by itself; who has a timer run `send` alone would keep every row for ever.
        if let Err(error) = super::setup::db::condense(&app.store, &app.settings).await {
            eprintln!("old deliveries could not be condensed: {error}; the next send tries again");
        }
    }
    let run_status = RunStatus::read(&app.store, number).await?;
    if arguments.json {
        run_status.say_json()?;
    } else {
        run_status.say();
    }
    let RunStatus { status, waiting, test, .. } = run_status;
    if let Some(waiting) = &waiting {
        eprintln!(
            "{}; \"verdicts serve\" or the next \"verdicts send\" sends what is due by then",
            super::status::waiting_words(waiting)
        );
    }
    if let Some(test) = test.filter(|test| test.decided.is_none() && test.held > 0) {
        eprintln!(
            "the winner of the subject test is decided {}; \"verdicts serve\" or the next \"verdicts send\" sends it to the rest",
            test.decide_at
        );
    }
    if !arguments.json && status.tally.failed + status.tally.deferred > 0 {
        super::issue::breakdown::breakdown(app, number).await?.lines().into_iter().for_each(say);
    }
    conclude(&status, before, done.as_ref())
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

/// The unfinished run, or a new one; none when there is nothing to send, which has been said by then.
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
            // Somebody was first between our look and our commit: help to deliver what they enqueued.
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

/// Delivers, or watches the process that does. Takes over when that one ends with work left.
async fn deliver(
    app: &App,
    number: IssueNumber,
    wait: bool,
    stop: &watch::Receiver<bool>,
) -> Result<Option<Pass>, CommandError> {
    let mailer = app.mailer()?;
    let bar = Bar::letters(app.store.tally(number).await?);
    let mut enlistment: Option<WorkerLease> = None;
    let mut last = None;
    let mut said = false;
    let mut held = None;
    while !*stop.borrow() {
        let now = UnixMillis::now();
        if enlistment.is_none() {
            enlistment = app.store.enlist(now).await?;
        }
        match &enlistment {
            Some(me) => {
                let found = app.store.reclaim(me, now).await?;
                if found > 0 {
                    eprintln!(
                        "{found} letters were in flight when a worker ended; they are tried again under the same Message-ID"
                    );
                }
                if let Some(test) = app.store.decide_subject_test(now).await? {
                    let lines = subject::words(&test, IssueState::Running);
                    lines.into_iter().for_each(|line| eprintln!("{line}"));
                }
                let pass =
                    delivery::pass(&app.store, me, &mailer, stop, |progress| bar.show(&progress)).await?;
                let paused = !pass.paused.is_empty();
                held = pass.held_until;
                last = Some(pass);
                if paused {
                    break;
                }
            }
            None if !said => {
                eprintln!("another process delivers from this database; watching it");
                said = true;
            }
            None => {}
        }
        app.store.finish_done(UnixMillis::now()).await?;
        let tally = app.store.tally(number).await?;
        bar.set(&tally);
        let running = app.store.issue(number).await?.is_some_and(|issue| issue.state == IssueState::Running);
        let due = app.store.next_due().await?.is_some_and(|due| due <= UnixMillis::now());
        let idle = enlistment.is_some() || tally.sending == 0;
        if !running || tally.open() == 0 || (!wait && (!due || held.is_some()) && idle) {
            break;
        }
        if !due || held.is_some() || enlistment.is_none() {
            let mut stopping = stop.clone();
            tokio::select! {
                () = tokio::time::sleep(WATCH) => {}
                _ = stopping.wait_for(|stopping| *stopping) => {}
            }
        }
    }
    bar.finish();
    Ok(last)
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
