//! The letter of an issue: into files with `verdicts issue preview`, to one address with `test`.

use std::fs;
use std::path::Path;

use crate::app::App;
use crate::cli::exit::{CommandError, CommandResult, Exit};
use crate::cli::files::make_folder;
use crate::cli::terminal::say;
use crate::domain::delivery::{Claimed, Variant};
use crate::domain::issue::IssueNumber;
use crate::domain::subscriber::{LinkEpoch, SubscriberId};
use crate::domain::{EmailAddress, UnixMillis};
use crate::mail::Stencil;
use crate::publish;

/// The letter of an issue: as stored, or as the draft has it when it is the next number.
pub(super) async fn stencil(app: &App, number: IssueNumber) -> Result<Stencil, CommandError> {
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
        _ => Err(CommandError::no_issue(number)),
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
        epoch: LinkEpoch::default(),
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

pub(super) async fn write(app: &App, number: IssueNumber, out: &Path) -> CommandResult {
    let stencil = stencil(app, number).await?;
    make_folder(out)?;
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

pub(super) async fn test(app: &App, number: IssueNumber, to: &str) -> CommandResult {
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
