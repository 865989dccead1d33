//! `verdicts issue`: look at issues, and pause, resume or cancel their runs.

pub(super) mod breakdown;
pub(super) mod draft;
mod lint;
pub(super) mod preview;
pub(super) mod subject;

use std::fs;
use std::path::Path;

use clap::Subcommand;
use serde_json::json;

use super::exit::{CommandError, CommandResult, Exit};
use super::status;
use super::terminal::{say, say_json};
use crate::app::App;
use crate::domain::class::Class;
use crate::domain::delivery::{Claimed, DeliveryState, Variant};
use crate::domain::issue::{IssueNumber, IssueState};
use crate::domain::subscriber::SubscriberId;
use crate::domain::{EmailAddress, UnixMillis};
use crate::mail::Stencil;
use crate::publish;
use crate::store::Requeued;

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
    /// Show an issue: subject, run, and with --failures every address that failed with its last reply
    #[command(after_help = "Examples:\n  verdicts issue show 12\n  verdicts issue show 12 --failures")]
    Show {
        number: i64,
        #[arg(long)]
        failures: bool,
        #[arg(long)]
        json: bool,
    },
    /// Look at an issue's letter: as files, or with --serve as a page that follows every change. The next number is the draft
    #[command(
        after_help = "Examples:\n  verdicts issue preview 12 --out /tmp/letter\n  verdicts issue preview 12 --serve"
    )]
    Preview(preview::PreviewArgs),
    /// Hold a letter to the standards; errors stop a run, warnings are shown before it. The next number checks the draft
    #[command(after_help = "Example:\n  verdicts issue lint 12 --json")]
    Lint {
        number: i64,
        #[arg(long)]
        json: bool,
    },
    /// Write the subject of the next issue, test two against each other, or show what an issue is called
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
    let store = &app.store;
    match command {
        IssueCommand::Draft { json } => draft::draft(app, json).await,
        IssueCommand::List { json } => list(app, json).await,
        IssueCommand::Show { number, failures, json } => show(app, IssueNumber(number), failures, json).await,
        IssueCommand::Preview(arguments) => preview(app, IssueNumber(arguments.number), &arguments.out).await,
        IssueCommand::Lint { number, json } => lint::lint(app, IssueNumber(number), json).await,
        IssueCommand::Subject(arguments) => subject::run(&arguments, app).await,
        IssueCommand::Test { number, to } => test(app, IssueNumber(number), &to).await,
        IssueCommand::Retry { number, class } => retry(app, IssueNumber(number), &class).await,
        IssueCommand::Pause { number } => {
            let done = store.pause(IssueNumber(number), "an operator asked for it").await?;
            changed(app, IssueNumber(number), done, "running", "paused").await
        }
        IssueCommand::Resume { number } => {
            let done = store.resume(IssueNumber(number)).await?;
            let next = "running again; \"verdicts send\" or \"verdicts serve\" goes on with it";
            changed(app, IssueNumber(number), done, "paused", next).await
        }
        IssueCommand::Cancel { number } => cancel(app, IssueNumber(number)).await,
    }
}

async fn list(app: &App, as_json: bool) -> CommandResult {
    let issues = app.store.issues(1000).await?;
    if as_json {
        say_json(&issues)?;
        return Ok(Exit::Done);
    }
    for issue in &issues {
        say(format_args!("{:>4}  {}  {:9}  {}", issue.number, issue.created_at, issue.state, issue.subject));
    }
    if issues.is_empty() {
        eprintln!("no issues yet; \"verdicts issue draft\" shows what the first would be");
    }
    Ok(Exit::Done)
}

async fn show(app: &App, number: IssueNumber, failures: bool, as_json: bool) -> CommandResult {
    let issue = app.store.issue(number).await?.ok_or_else(|| status::unknown(number))?;
    let stands = app.store.status(number).await?.ok_or_else(|| status::unknown(number))?;
    if failures {
        return show_failures(app, number, as_json).await;
    }
    let test = app.store.subject_test(number).await?;
    if as_json {
        let breakdown = breakdown::breakdown(app, number).await?;
        let mut json = json!({ "issue": issue, "status": stands, "refusals": breakdown });
        if let (Some(test), Some(fields)) = (&test, json.as_object_mut()) {
            fields.insert("subject_test".to_owned(), subject::to_json(test));
        }
        say_json(&json)?;
        return Ok(Exit::Done);
    }
    say(format_args!("issue {number}: {}\n{}\nstarted {}", issue.subject, issue.preheader, issue.created_at));
    match &issue.slot {
        Some(slot) => say(format_args!("for the slot {slot}")),
        None => say("because an operator asked for it"),
    }
    if let Some(at) = issue.finished_at {
        say(format_args!("{} {at}", issue.state));
    }
    say(status::words(&stands));
    test.iter().flat_map(|test| subject::words(test, issue.state)).for_each(say);
    breakdown::breakdown(app, number).await?.lines().into_iter().for_each(say);
    Ok(Exit::Done)
}

async fn retry(app: &App, number: IssueNumber, class: &str) -> CommandResult {
    let chosen: Option<Class> = match class {
        "all" => None,
        class => Some(
            class.parse().map_err(|problem| CommandError::Usage(format!("--class {class:?}: {problem}")))?,
        ),
    };
    let mut readers = Vec::new();
    breakdown::each(app, number, DeliveryState::Failed, |row| {
        if chosen.is_none_or(|chosen| chosen == Class::of(row.reply.as_ref())) {
            readers.push(row.subscriber);
        }
    })
    .await?;
    let refused = |why: String| Err(CommandError::Failed(why));
    match app.store.requeue(number, &readers, UnixMillis::now()).await? {
        Requeued::Again(0) => {
            say(format_args!(
                "issue {number} has no failed letter of class {class} whose reader is still active"
            ));
            Ok(Exit::NothingToSend)
        }
        Requeued::Again(letters) => {
            say(format_args!(
                "{letters} failed letters of issue {number} are due again; \"verdicts send\" or \"verdicts serve\" tries them"
            ));
            Ok(Exit::Done)
        }
        Requeued::Unknown => Err(status::unknown(number)),
        Requeued::Cancelled => refused(format!("issue {number} was called off; nothing of it is sent again")),
        Requeued::Busy(other) => refused(format!(
            "issue {other} is on its way, and there is one at a time; retry issue {number} when it is finished"
        )),
    }
}

/// Every failed or deferred address with its last reply. The operator asked, so addresses are printed whole.
async fn show_failures(app: &App, number: IssueNumber, as_json: bool) -> CommandResult {
    for state in [DeliveryState::Failed, DeliveryState::Deferred] {
        let mut after = SubscriberId(0);
        loop {
            let rows = app.store.deliveries(number, state, after, breakdown::PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = last.subscriber;
            for row in &rows {
                let who = row.email.as_ref().map_or("(erased)", EmailAddress::expose);
                let reply = row
                    .reply
                    .as_ref()
                    .map(ToString::to_string)
                    .or_else(|| row.note.clone())
                    .unwrap_or_default();
                if as_json {
                    say_json(
                        &json!({ "email": who, "state": state, "attempts": row.attempts, "reply": row.reply, "note": row.note }),
                    )?;
                } else {
                    say(format_args!("{:8}  {who}  {} attempts  {reply}", state.as_str(), row.attempts));
                }
            }
        }
    }
    Ok(Exit::Done)
}

/// The letter of an issue: as stored, or as the draft has it when it is the next number.
async fn stencil(app: &App, number: IssueNumber) -> Result<Stencil, CommandError> {
    if let Some(text) = app.store.public_stencil(number).await? {
        return Ok(Stencil::from_text(&text)?);
    }
    let draft = publish::draft(&app.publisher(), UnixMillis::now()).await?;
    match draft.edition {
        Some(edition) if draft.number == number => Ok(edition.stencil),
        None if draft.number == number => Err(CommandError::Failed(format!(
            "issue {number} has no letter: {}",
            publish::quiet_words(&app.publisher(), &draft.selection)
        ))),
        _ => Err(status::unknown(number)),
    }
}

/// One letter as a reader would get it. The reader is number 0, whose links lead to nobody.
fn fill(
    app: &App,
    stencil: Stencil,
    number: IssueNumber,
    email: EmailAddress,
) -> Result<Vec<u8>, CommandError> {
    let now = UnixMillis::now();
    let claimed = Claimed {
        issue: number,
        subscriber: SubscriberId(0),
        email,
        name: None,
        attempt: 1,
        enqueued_at: now,
        variant: Variant::default(),
        choice: None,
    };
    let mut letter = Vec::new();
    crate::delivery::Letters::fill(&app.letters(stencil)?, &claimed, now, &mut letter);
    Ok(letter)
}

async fn preview(app: &App, number: IssueNumber, out: &Path) -> CommandResult {
    let stencil = stencil(app, number).await?;
    super::init::make_folder(out)?;
    let (html, text) = (stencil.web_html(), stencil.web_text());
    let letter = fill(app, stencil, number, app.settings.site.from.address.clone())?;
    for (name, content) in
        [("letter.html", html.as_bytes()), ("letter.txt", text.as_bytes()), ("letter.eml", &letter[..])]
    {
        let path = out.join(name);
        fs::write(&path, content)
            .map_err(|error| CommandError::Failed(format!("{} can't be written: {error}", path.display())))?;
        say(path.display());
    }
    Ok(Exit::Done)
}

async fn test(app: &App, number: IssueNumber, to: &str) -> CommandResult {
    let to = EmailAddress::parse(to).map_err(|error| CommandError::Usage(format!("--to {to:?}: {error}")))?;
    let stencil = stencil(app, number).await?;
    let letter = fill(app, stencil, number, to.clone())?;
    match app.mailer()?.send_one(&to, &format!("test-{number}"), &letter).await {
        Ok(reply) => {
            say(format_args!("the relay took it: {reply}"));
            Ok(Exit::Done)
        }
        Err(reason) => Err(CommandError::Failed(format!("the relay did not take it: {reason}"))),
    }
}

async fn changed(app: &App, number: IssueNumber, done: bool, needed: &str, now: &str) -> CommandResult {
    if done {
        say(format_args!("issue {number} is {now}"));
        return Ok(Exit::Done);
    }
    let state = app.store.issue(number).await?.ok_or_else(|| status::unknown(number))?.state;
    Err(CommandError::Failed(format!("issue {number} is {state}, not {needed}; nothing was changed")))
}

async fn cancel(app: &App, number: IssueNumber) -> CommandResult {
    match app.store.cancel(number, UnixMillis::now()).await? {
        Some(count) => {
            say(format_args!("issue {number} is cancelled; {count} letters will not be sent"));
            Ok(Exit::Done)
        }
        None => changed(app, number, false, IssueState::Running.as_str(), "").await,
    }
}
