//! `verdicts issue lint`: what the linter says of a letter.

use serde_json::json;

use super::letter::stencil;
use crate::app::App;
use crate::cli::exit::{CommandError, CommandResult, Exit};
use crate::cli::terminal::{say, say_json};
use crate::domain::UnixMillis;
use crate::domain::issue::IssueNumber;
use crate::letter::lint::Grade;
use crate::publish::{self, Rival, proof};

/// The draft under the subject that it is to be tested against, which a run holds to the same.
async fn rival(app: &App, number: IssueNumber) -> Result<Option<Rival>, CommandError> {
    if app.store.issue(number).await?.is_some() {
        return Ok(None);
    }
    let draft = publish::draft(&app.publisher(), UnixMillis::now()).await?;
    Ok(draft.rival)
}

/// Fails if there is an error, since no run would start with that letter.
pub(super) async fn lint(app: &App, number: IssueNumber, as_json: bool) -> CommandResult {
    let stencil = stencil(app, number).await?;
    let now = UnixMillis::now();
    let mut findings = proof(&app.settings.site, &app.keyring, number, &stencil, now);
    if let Some(rival) = rival(app, number).await? {
        let under_b = proof(&app.settings.site, &app.keyring, number, &rival.edition.stencil, now);
        findings.extend(under_b.into_iter().filter(|one| !findings.contains(one)).collect::<Vec<_>>());
        findings.sort_by_key(|finding| finding.grade);
    }
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
        _ => Err(CommandError::Failed(format!(
            "no run starts with issue {number} as it is; mend what is called an error"
        ))),
    }
}
