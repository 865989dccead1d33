//! `verdicts status`: where a run stands.

use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::cli::exit::{CommandError, CommandResult, Exit};
use crate::cli::issue::subject;
use crate::cli::terminal::{say, say_json};
use crate::domain::UnixMillis;
use crate::domain::class::Refused;
use crate::domain::delivery::Status;
use crate::domain::issue::{IssueNumber, IssueState};
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

pub async fn run(arguments: &StatusArgs, store: &Store) -> CommandResult {
    let number = match arguments.number {
        Some(number) => IssueNumber(number),
        None => match store.issues(1).await?.first() {
            Some(newest) => newest.number,
            None => {
                return Err(CommandError::Failed(
                    "there is no issue yet; start one with \"verdicts send\"".to_owned(),
                ));
            }
        },
    };
    let run_status = RunStatus::read(store, number).await?;
    if arguments.json {
        return run_status.say_json().map(|()| Exit::Done);
    }
    run_status.say();
    run_status.say_pace();
    if let Some(waiting) = run_status.waiting {
        say(waiting_words(&waiting));
    }
    Ok(Exit::Done)
}

/// All that is known of where an issue stands.
pub(in crate::cli) struct RunStatus {
    pub status: Status,
    pub waiting: Option<Waiting>,
    pub test: Option<SubjectTest>,
    refused: Refused,
    /// Letters a second, while letters go.
    speed: Option<f64>,
}

impl RunStatus {
    /// Fails for an issue that does not exist.
    pub async fn read(store: &Store, number: IssueNumber) -> Result<Self, CommandError> {
        let now = UnixMillis::now();
        let status = store.status(number).await?.ok_or_else(|| CommandError::no_issue(number))?;
        let is_going = status.state == IssueState::Running && status.tally.open() > 0;
        Ok(Self {
            waiting: store.waiting_for_hour(number, now).await?,
            test: store.subject_test(number).await?,
            refused: store.refused(number).await?,
            speed: if is_going { store.speed(now).await? } else { None },
            status,
        })
    }

    /// How long the letters that are open take at this speed, in whole seconds.
    fn eta(&self) -> Option<u64> {
        let speed = self.speed.filter(|speed| *speed > 0.0)?;
        #[expect(clippy::cast_precision_loss, reason = "an estimate for people's eyes")]
        let seconds = self.status.tally.open() as f64 / speed;
        Duration::try_from_secs_f64(seconds.ceil()).ok().map(|eta| eta.as_secs())
    }

    /// What the end of a `send` says; the refusals come with their replies then.
    pub fn say(&self) {
        say(words(&self.status));
        self.test.iter().flat_map(|test| subject::words(test, self.status.state)).for_each(say);
    }

    fn say_pace(&self) {
        if let Some(speed) = self.speed {
            let eta = self.eta().map(|eta| format!(", {eta} s to go")).unwrap_or_default();
            say(format_args!("{speed:.0} letters a second{eta}"));
        }
        for (classes, what) in [(self.refused.deferred, "refused for now"), (self.refused.failed, "failed")] {
            if !classes.counts().is_empty() {
                say(format_args!("{what}: {classes}"));
            }
        }
    }

    /// The contract's fields, then those that are there only when they say something.
    pub fn say_json(&self) -> Result<(), CommandError> {
        say_json(&Report { status: &self.status, more: self.more() })
    }

    fn more(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        let mut add = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        if let Some(speed) = self.speed {
            add("letters_per_second", json!(speed));
        }
        if let Some(eta) = self.eta() {
            add("seconds_to_go", json!(eta));
        }
        for (name, classes) in
            [("deferred_by_class", self.refused.deferred), ("failed_by_class", self.refused.failed)]
        {
            let counts = classes.counts().into_iter().map(|(class, n)| (class.to_string(), json!(n)));
            let counts: Map<String, Value> = counts.collect();
            if !counts.is_empty() {
                add(name, Value::Object(counts));
            }
        }
        if let Some(Waiting { letters, next, last }) = &self.waiting {
            let waiting = json!({ "letters": letters, "next": next.to_string(), "last": last.to_string() });
            add("waiting_for_hour", waiting);
        }
        if let Some(test) = &self.test {
            add("subject_test", subject::to_json(test));
        }
        fields
    }
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    status: &'a Status,
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// Who waits for an hour, and until when.
pub(in crate::cli) fn waiting_words(waiting: &Waiting) -> String {
    let Waiting { letters, next, last } = waiting;
    match letters {
        1 => format!("1 letter waits for the hour that its reader chose, until {next}"),
        letters => {
            format!("{letters} letters wait for the hours that their readers chose, from {next} to {last}")
        }
    }
}

/// The status as a person reads it.
pub(in crate::cli) fn words(status: &Status) -> String {
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
    use crate::domain::class::Class;
    use crate::domain::delivery::Tally;

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

    #[test]
    fn a_run_that_goes_says_how_fast_and_what_was_refused() {
        let tally = Tally { audience: 100, queued: 61, sent: 37, deferred: 1, failed: 1, ..Tally::default() };
        let status = Status { issue: IssueNumber(3), state: IssueState::Running, tally, pause_reason: None };
        let mut refused = Refused::default();
        refused.deferred.add(Class::Policy);
        refused.failed.add_many(Class::Mailbox, 1);
        let run_status = RunStatus { status, waiting: None, test: None, refused, speed: Some(12.5) };
        let json = run_status.more();
        assert_eq!((&json["letters_per_second"], &json["seconds_to_go"]), (&json!(12.5), &json!(5)));
        assert_eq!(json["deferred_by_class"], json!({ "policy": 1 }));
        assert_eq!(json["failed_by_class"], json!({ "mailbox": 1 }));
        let slow = RunStatus { speed: Some(0.0), refused: Refused::default(), ..run_status };
        assert_eq!(slow.eta(), None, "nothing moves");
        assert!(!slow.more().contains_key("failed_by_class"));
    }
}
