//! `verdicts issue pause`, `resume`, `cancel` and `retry`: an operator's hand on a run.

use super::breakdown;
use crate::app::App;
use crate::cli::exit::{CommandError, CommandResult, Exit};
use crate::cli::terminal::say;
use crate::domain::UnixMillis;
use crate::domain::class::Class;
use crate::domain::delivery::DeliveryState;
use crate::domain::issue::{IssueNumber, IssueState};
use crate::store::Requeued;

pub(super) async fn pause(app: &App, number: IssueNumber) -> CommandResult {
    let done = app.store.pause(number, "an operator asked for it").await?;
    changed(app, number, done, "running", "paused").await
}

pub(super) async fn resume(app: &App, number: IssueNumber) -> CommandResult {
    let done = app.store.resume(number).await?;
    let next = "running again; \"verdicts send\" or \"verdicts serve\" goes on with it";
    changed(app, number, done, "paused", next).await
}

pub(super) async fn cancel(app: &App, number: IssueNumber) -> CommandResult {
    match app.store.cancel(number, UnixMillis::now()).await? {
        Some(count) => {
            say(format_args!("issue {number} is cancelled; {count} letters will not be sent"));
            Ok(Exit::Done)
        }
        None => changed(app, number, false, IssueState::Running.as_str(), "").await,
    }
}

async fn changed(app: &App, number: IssueNumber, done: bool, needed: &str, now: &str) -> CommandResult {
    if done {
        say(format_args!("issue {number} is {now}"));
        return Ok(Exit::Done);
    }
    let state = app.store.issue(number).await?.ok_or_else(|| CommandError::no_issue(number))?.state;
    Err(CommandError::Failed(format!("issue {number} is {state}, not {needed}; nothing was changed")))
}

pub(super) async fn retry(app: &App, number: IssueNumber, class: &str) -> CommandResult {
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
        Requeued::Unknown => Err(CommandError::no_issue(number)),
        Requeued::Cancelled => refused(format!("issue {number} was called off; nothing of it is sent again")),
        Requeued::Busy(other) => refused(format!(
            "issue {other} is on its way, and there is one at a time; retry issue {number} when it is finished"
        )),
    }
}
