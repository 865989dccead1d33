//! `verdicts status`: where a run stands.

use clap::Args;

use super::{Exit, Failure, Outcome, say, say_json};
use crate::domain::delivery::Status;
use crate::domain::issue::IssueNumber;
use crate::store::Store;

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
    if arguments.json {
        say_json(&status)?
    } else {
        say(words(&status))
    }
    Ok(Exit::Done)
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
