//! `verdicts issue draft`: what the next letter would be.

use serde_json::json;

use super::subject;
use crate::app::App;
use crate::cli::exit::{CommandResult, Exit};
use crate::cli::terminal::{say, say_json};
use crate::domain::UnixMillis;
use crate::publish;

/// Prints what the next letter would be.
pub(in crate::cli) async fn draft(app: &App, as_json: bool) -> CommandResult {
    let draft = publish::draft(&app.publisher(), UnixMillis::now()).await?;
    let readers = app.store.count_subscribers().await?.get("active").copied().unwrap_or(0);
    let selection = &draft.selection;
    let subject = draft.edition.as_ref().map(|e| &e.composition.subject);
    let against = draft.rival.as_ref().map(|rival| &rival.edition.composition.subject);
    if as_json {
        let slugs = |choices: &[crate::letter::pick::Choice]| -> Vec<_> {
            choices
                .iter()
                .map(|c| json!({ "slug": c.comparison.slug, "reason": c.why.to_string() }))
                .collect()
        };
        let left: Vec<_> = selection
            .left_out
            .iter()
            .map(|(slug, reason)| json!({ "slug": slug, "reason": reason.to_string() }))
            .collect();
        say_json(
            &json!({ "issue": draft.number, "subject": subject, "against": against, "readers": readers,
            "featured": slugs(&selection.featured), "mentioned": slugs(&selection.mentioned), "left_out": left }),
        )?;
    } else {
        for (title, choices) in [("featured", &selection.featured), ("also compared", &selection.mentioned)] {
            for choice in choices {
                say(format_args!("{title:>14}  {}  ({})", choice.comparison.slug, choice.why));
            }
        }
        for (slug, reason) in &selection.left_out {
            say(format_args!("{:>14}  {slug}  ({reason})", "left out"));
        }
        if let Some(edition) = &draft.edition {
            say(format_args!("\nissue {} to {readers} readers", draft.number));
            subject::draft_words(&edition.composition, draft.rival.as_ref()).into_iter().for_each(say);
            say(format_args!("size       {} KB", edition.stencil.size() / 1024));
        }
    }
    if draft.edition.is_none() {
        eprintln!("nothing to send: {}", publish::quiet_words(&app.publisher(), selection));
        return Ok(Exit::NothingToSend);
    }
    Ok(Exit::Done)
}
