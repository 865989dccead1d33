//! `verdicts issue subject`: the subject of the next issue in an operator's own words, and the test
//! of two subjects.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::app::App;
use crate::cli::exit::{CommandError, CommandResult, Exit};
use crate::cli::terminal::{say, say_json};
use crate::config::parse_span;
use crate::domain::UnixMillis;
use crate::domain::issue::{IssueNumber, IssueState};
use crate::domain::subject::{ArmFigures, Share, SubjectLine, Terms, Wording};
use crate::letter::lint;
use crate::publish;
use crate::store::SubjectTest;

/// What is typed besides the subject itself.
#[derive(Args, Default)]
pub struct Words {
    /// The line that mailbox lists show behind the subject [default: composed]
    #[arg(long, value_name = "TEXT")]
    preheader: Option<String>,
    /// Test the subject against this one
    #[arg(long, value_name = "SUBJECT")]
    against: Option<String>,
    /// How many of the readers take part in the test, half of them under each subject [default:
    /// subject_test.share, or 20%]
    #[arg(long, requires = "against", value_name = "PERCENT")]
    share: Option<String>,
    /// How long the others wait for the winner [default: subject_test.wait]
    #[arg(long, requires = "against", value_name = "SPAN")]
    wait: Option<String>,
}

#[derive(Args)]
pub struct SubjectArgs {
    /// The number of the next issue, as "verdicts issue draft" shows it
    number: i64,
    /// Absent, with no other words: shows what is written
    subject: Option<String>,
    #[command(flatten)]
    words: Words,
    /// Forget what is written, so that everything is composed
    #[arg(long, conflicts_with_all = ["subject", "preheader", "against", "share", "wait"])]
    clear: bool,
    #[arg(long)]
    json: bool,
}

/// How many of the readers take part in a test for which neither the command nor the
/// settings say it.
const SHARE: &str = "20%";

impl Words {
    pub(in crate::cli) fn with_preheader(preheader: Option<&str>) -> Self {
        Self { preheader: preheader.map(str::to_owned), ..Self::default() }
    }

    /// With a subject, what an operator wants written; none if nothing was typed.
    pub(in crate::cli) fn parse(
        &self,
        subject: Option<&str>,
        app: &App,
    ) -> Result<Option<Wording>, CommandError> {
        let line = |name: &str, text: Option<&str>| {
            let parsed = text.map(SubjectLine::parse).transpose();
            parsed.map_err(|error| CommandError::Usage(format!("{name}: {error}")))
        };
        let (subject, preheader) =
            (line("the subject", subject)?, line("--preheader", self.preheader.as_deref())?);
        let against = line("--against", self.against.as_deref())?;
        if against.is_some() && against == subject {
            return Err(CommandError::Usage(
                "--against: it is the same subject; write another one to test".to_owned(),
            ));
        }
        let terms = self.terms(app)?;
        let written = Wording { subject, preheader, against: against.map(|against| (against, terms)) };
        Ok((written != Wording::default()).then_some(written))
    }

    fn terms(&self, app: &App) -> Result<Terms, CommandError> {
        let own = &app.settings.subject_test;
        let share: Option<Share> = match &self.share {
            Some(text) => Some(
                text.parse().map_err(|error| CommandError::Usage(format!("--share {text:?}: {error}")))?,
            ),
            None => own.share,
        };
        let wait = match &self.wait {
            Some(text) => {
                wait(text).map_err(|error| CommandError::Usage(format!("--wait {text:?}: {error}")))?
            }
            None => own.wait,
        };
        let share = share.unwrap_or_else(|| SHARE.parse().expect("it is a share"));
        Ok(Terms { share, wait })
    }
}

fn wait(text: &str) -> Result<Duration, String> {
    match parse_span(text)? {
        wait if wait < Duration::from_secs(1) => {
            Err("it is too short; use a second or more, as 4h".to_owned())
        }
        wait => Ok(wait),
    }
}

pub(super) async fn run(arguments: &SubjectArgs, app: &App) -> CommandResult {
    let number = IssueNumber(arguments.number);
    let written = arguments.words.parse(arguments.subject.as_deref(), app)?;
    if written.is_some() || arguments.clear {
        write(app, number, written.as_ref()).await?;
    }
    show(app, number, arguments.json).await
}

/// Keeps what was typed for an issue that has not been made yet.
pub(in crate::cli) async fn write(
    app: &App,
    number: IssueNumber,
    written: Option<&Wording>,
) -> Result<(), CommandError> {
    if app.store.set_wording(number, written, UnixMillis::now()).await? {
        return Ok(());
    }
    Err(CommandError::Failed(too_late(app, number).await?))
}

/// Why an issue's subject can't be changed.
async fn too_late(app: &App, number: IssueNumber) -> Result<String, CommandError> {
    let next = app.store.next_number().await?;
    let Some(issue) = app.store.issue(number).await? else {
        return Ok(format!("issue {number} is not the next one; write the subject of issue {next}"));
    };
    let tally = app.store.tally(number).await?;
    let gone = tally.sent + tally.sending + tally.unknown;
    Ok(match issue.state {
        IssueState::Running | IssueState::Paused if gone == 0 => format!(
            "issue {number} is made, and its letters are as they are; call it off with \"verdicts issue cancel {number}\", \
             write the subject of issue {next}, and send again"
        ),
        IssueState::Cancelled if gone == 0 => {
            format!("issue {number} was called off; write the subject of issue {next}")
        }
        _ => format!(
            "letters of issue {number} have gone out as {:?}, and a letter never changes; write the subject of issue {next}",
            issue.subject
        ),
    })
}

async fn show(app: &App, number: IssueNumber, as_json: bool) -> CommandResult {
    let test = app.store.subject_test(number).await?;
    if let Some(issue) = app.store.issue(number).await? {
        if as_json {
            let (subject, preheader) = (&issue.subject, &issue.preheader);
            say_json(&json!({ "issue": number, "subject": subject, "preheader": preheader,
                "subject_test": test.as_ref().map(to_json) }))?;
        } else {
            say(format_args!("subject    {}\npreheader  {}", issue.subject, issue.preheader));
            test.iter().flat_map(|test| words(test, issue.state)).for_each(say);
        }
        return Ok(Exit::Done);
    }
    if app.store.next_number().await? != number {
        return Err(CommandError::no_issue(number));
    }
    let written = app.store.wording(number).await?;
    let draft = publish::draft(&app.publisher(), UnixMillis::now()).await?;
    let edition = draft.edition.as_ref().map(|edition| &edition.composition);
    let findings =
        edition.map(|letter| lint::heading(&letter.subject, &letter.preheader)).unwrap_or_default();
    if as_json {
        say_json(&json!({ "issue": number, "written": written, "findings": findings,
            "subject": edition.map(|letter| &letter.subject), "preheader": edition.map(|letter| &letter.preheader) }))?;
        return Ok(Exit::Done);
    }
    match edition {
        Some(letter) => draft_words(letter, draft.rival.as_ref()).into_iter().for_each(say),
        None => written_words(written.as_ref()).into_iter().for_each(say),
    }
    findings.iter().for_each(say);
    Ok(Exit::Done)
}

/// What the next letter is called, and what that is tested against.
pub(super) fn draft_words(
    letter: &crate::letter::compose::Composition,
    rival: Option<&publish::Rival>,
) -> Vec<String> {
    let mut lines = vec![format!("subject    {}", letter.subject)];
    if let Some(rival) = rival {
        let Terms { share, wait } = rival.terms;
        lines.push(format!(
            "against    {}  ({share} of the readers, the others wait {} for the winner)",
            rival.edition.composition.subject,
            span(wait)
        ));
    }
    lines.push(format!("preheader  {}", letter.preheader));
    lines
}

/// The same where there is nothing to send yet.
fn written_words(written: Option<&Wording>) -> Vec<String> {
    let Some(Wording { subject, preheader, against }) = written else {
        return vec!["nothing is written, so subject and preheader are composed".to_owned()];
    };
    let composed =
        |line: Option<&SubjectLine>| line.map_or_else(|| "(composed)".to_owned(), SubjectLine::to_string);
    let mut lines = vec![format!("subject    {}", composed(subject.as_ref()))];
    if let Some((against, Terms { share, wait })) = against {
        let wait = span(*wait);
        lines.push(format!(
            "against    {against}  ({share} of the readers, the others wait {wait} for the winner)"
        ));
    }
    lines.push(format!("preheader  {}", composed(preheader.as_ref())));
    lines
}

/// "4h", "1h30m", "90s": as a person would type it.
fn span(wait: Duration) -> String {
    let seconds = wait.as_secs();
    let parts =
        [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect()
}

/// A test as a person reads it.
pub(in crate::cli) fn words(test: &SubjectTest, state: IssueState) -> Vec<String> {
    let arm = |name: &str, subject: &str, figures: ArmFigures| {
        let ArmFigures { sent, voted } = figures;
        format!("subject {name} \"{subject}\": {voted} of {sent} readers voted ({})", rate(figures))
    };
    let [a, b] = test.figures;
    let mut lines = vec![arm("A", &test.a, a), arm("B", &test.b, b)];
    lines.push(match test.decided {
        Some(decided) => {
            let name = decided.winner.as_str().to_uppercase();
            format!("subject {name} won {}: {}", decided.at, decided.why)
        }
        None if matches!(state, IssueState::Running | IssueState::Paused) => {
            let held = match test.held {
                1 => "1 letter waits".to_owned(),
                held => format!("{held} letters wait"),
            };
            format!("{held} for the winner, which is decided {}", test.decide_at)
        }
        None => "not decided: the run ended before, and nobody waited for the winner".to_owned(),
    });
    lines
}

fn rate(figures: ArmFigures) -> String {
    figures.rate().map_or_else(|| "—".to_owned(), |tenths| format!("{}.{}%", tenths / 10, tenths % 10))
}

/// A test as a script reads it.
pub(in crate::cli) fn to_json(test: &SubjectTest) -> serde_json::Value {
    let arm = |subject: &str, figures: ArmFigures| {
        let rate = figures.rate().map(|tenths| f64::from(i32::try_from(tenths).unwrap_or(i32::MAX)) / 10.0);
        json!({ "subject": subject, "sent": figures.sent, "voted": figures.voted, "rate": rate })
    };
    let decided = test
        .decided
        .map(|one| json!({ "winner": one.winner, "why": one.why, "decided_at": one.at.to_string() }));
    json!({ "share": test.share, "a": arm(&test.a, test.figures[0]), "b": arm(&test.b, test.figures[1]),
        "held": test.held, "decide_at": test.decide_at.to_string(), "decided": decided })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_as_they_are_typed() {
        for text in ["4h", "1h30m", "90s", "1d", "1d2h3m4s"] {
            let said = span(parse_span(text).unwrap());
            assert_eq!(parse_span(&said), parse_span(text), "{said}");
        }
        assert_eq!(span(Duration::from_secs(4 * 3600)), "4h");
    }
}
