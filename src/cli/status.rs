//! `verdicts status`: where a run stands.

use clap::Args;
use serde_json::json;

use super::issue::subject;
use super::{Exit, Failure, Outcome, say, say_json};
use crate::domain::UnixMillis;
use crate::domain::delivery::Status;
use crate::domain::issue::IssueNumber;
use crate::store::{Store, SubjectTest, Waiting};

/// Where a run stands: every reader is in exactly one of the counts.
#[derive(Args)]
#[command(after_help = "Examples:\n  verdicts status\n  verdicts status 12 --json")]
pub struct StatusArgs {
    /// The issue's number [default: the newest]
    number: Option<i64>,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: &StatusArgs, store: &Store) -> Outcome {
    let number = match arguments.number {
        Some(number) => IssueNumber(number),
        None => match store.issues(1).await?.first() {
            Some(newest) => newest.number,
            None => {
                return Err(Failure::Failed(
                    "there is no issue yet; start one with \"verdicts send\"".to_owned(),
                ));
            }
        },
    };
    let status = store.status(number).await?.ok_or_else(|| unknown(number))?;
    let waiting = store.waiting_for_hour(number, UnixMillis::now()).await?;
    let test = store.subject_test(number).await?;
    if arguments.json {
        return report_json(&status, waiting.as_ref(), test.as_ref()).map(|()| Exit::Done);
    }
    say(words(&status));
    test.iter().flat_map(|test| subject::words(test, status.state)).for_each(say);
    if let Some(waiting) = waiting {
        say(waiting_words(&waiting));
    }
    Ok(Exit::Done)
}

/// The contract's fields, and those that are there only when they say something.
pub(super) fn report_json(
    status: &Status,
    waiting: Option<&Waiting>,
    test: Option<&SubjectTest>,
) -> Result<(), Failure> {
    if waiting.is_none() && test.is_none() {
        return say_json(status);
    }
    let mut json = serde_json::to_value(status)?;
    if let Some(fields) = json.as_object_mut() {
        if let Some(Waiting { letters, next, last }) = waiting {
            let waiting = json!({ "letters": letters, "next": next.to_string(), "last": last.to_string() });
            fields.insert("waiting_for_hour".to_owned(), waiting);
        }
        if let Some(test) = test {
            fields.insert("subject_test".to_owned(), subject::to_json(test));
        }
    }
    say_json(&json)
}

/// Who waits for an hour, and until when.
pub(super) fn waiting_words(waiting: &Waiting) -> String {
    let Waiting { letters, next, last } = waiting;
    match letters {
        1 => format!("1 letter waits for the hour that its reader chose, until {next}"),
        letters => {
            format!("{letters} letters wait for the hours that their readers chose, from {next} to {last}")
        }
    }
}

pub(super) fn unknown(number: IssueNumber) -> Failure {
    Failure::Failed(format!("there is no issue {number}; \"verdicts issue list\" shows which there are"))
}

/// The status as a person reads it.
pub(super) fn words(status: &Status) -> String {
    let tally = &status.tally;
    let mut text =
        format!("issue {} is {}: {} of {} sent", status.issue, status.state, tally.sent, tally.audience);
    for (count, what) in [
        (tally.queued, "queued"),
        (tally.sending, "being sent"),
        (tally.deferred, "deferred"),
        (tally.failed, "failed"),
        (tally.cancelled, "cancelled"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    if tally.unknown > 0 {
        text.push_str(&format!("; {} had an attempt whose outcome could not be known", tally.unknown));
    }
    if let Some(reason) = &status.pause_reason {
        text.push_str(&format!("\npaused: {reason}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::Tally;
    use crate::domain::issue::IssueState;

    #[test]
    fn the_json_is_the_contracts() {
        let tally = Tally {
            audience: 6,
            queued: 1,
            sending: 1,
            deferred: 1,
            sent: 1,
            failed: 1,
            cancelled: 1,
            unknown: 2,
        };
        let status = Status { issue: IssueNumber(3), state: IssueState::Running, tally, pause_reason: None };
        assert_eq!(
            serde_json::to_string(&status).unwrap(),
            r#"{"issue":3,"state":"running","audience":6,"queued":1,"sending":1,"deferred":1,"sent":1,"failed":1,"cancelled":1,"unknown":2}"#
        );
        assert_eq!(
            words(&status),
            "issue 3 is running: 1 of 6 sent, 1 queued, 1 being sent, 1 deferred, 1 failed, 1 cancelled; \
             2 had an attempt whose outcome could not be known"
        );
    }
}
