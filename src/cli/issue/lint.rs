//! `verdicts issue lint`: what the linter says of a letter.

use serde_json::json;

use super::stencil;
use crate::app::App;
use crate::cli::{Exit, Failure, Outcome, say, say_json};
use crate::domain::UnixMillis;
use crate::domain::issue::IssueNumber;
use crate::letter::lint::Grade;
use crate::week::proof;

/// Fails if there is an error, since no run would start with that letter.
pub(super) async fn lint(app: &App, number: IssueNumber, as_json: bool) -> Outcome {
    let stencil = stencil(app, number).await?;
    let findings = proof(&app.settings.site, &app.keyring, number, &stencil, UnixMillis::now());
    let count = |grade| findings.iter().filter(|one| one.grade == grade).count();
    let errors = count(Grade::Error);
    if as_json {
        say_json(&json!({ "issue": number, "errors": errors, "findings": findings }))?;
    } else {
        findings.iter().for_each(say);
        let (warnings, hints) = (count(Grade::Warning), count(Grade::Hint));
        say(format!("issue {number}: {errors} errors, {warnings} warnings, {hints} hints"));
    }
    match errors {
        0 => Ok(Exit::Done),
        _ => Err(Failure::Failed(format!(
            "no run starts with issue {number} as it is; mend what is called an error"
        ))),
    }
}
