//! `verdicts issue list` and `show`: what went out, and to whom it did not.

use serde_json::json;

use super::{breakdown, subject};
use crate::app::App;
use crate::cli::exit::{CommandError, CommandResult, Exit};
use crate::cli::run::status;
use crate::cli::terminal::{say, say_json};
use crate::domain::EmailAddress;
use crate::domain::delivery::DeliveryState;
use crate::domain::issue::IssueNumber;
use crate::domain::subscriber::SubscriberId;

pub(super) async fn list(app: &App, as_json: bool) -> CommandResult {
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

pub(super) async fn show(app: &App, number: IssueNumber, failures: bool, as_json: bool) -> CommandResult {
    let issue = app.store.issue(number).await?.ok_or_else(|| CommandError::no_issue(number))?;
    let stands = app.store.status(number).await?.ok_or_else(|| CommandError::no_issue(number))?;
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

/// Every failed or deferred address with its last reply. The operator asked, so addresses
/// are printed whole.
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
