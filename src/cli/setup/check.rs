//! `verdicts check`: every way this set-up could fail to deliver, checked before it does.

mod report;
mod running;
mod settings;

use clap::Args;
use report::{CheckGrade, CheckReport};

use crate::app::App;
use crate::cli::exit::{CommandResult, Exit};
use crate::config::Settings;

/// Every way this set-up could fail to deliver, checked before it does.
#[derive(Args)]
#[command(
    after_help = "The relay is asked for its greeting, TLS and login; no letter is sent.\n\nExample:\n  verdicts check && verdicts send --dry-run"
)]
pub struct Check {
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: &Check, settings: Settings) -> CommandResult {
    let mut found = CheckReport::default();
    found.add(CheckGrade::Good, "settings", "every key is known and valid");
    settings::key(&settings, &mut found);
    settings::site(&settings, &mut found);
    settings::dkim(&settings, &mut found);
    settings::files(&settings, &mut found);
    for note in settings.theme.notes() {
        found.add(CheckGrade::Warn, "theme", note);
    }
    match App::open(settings.clone()).await {
        Ok(app) => {
            running::store(&app, &mut found).await;
            running::notices(&app, &mut found).await;
            running::relay(&app, &mut found).await;
            settings::schedule(&app.settings, &mut found);
            app.store.close().await;
        }
        Err(error) => found.add(CheckGrade::Bad, "database", error.to_string()),
    }
    found.print(arguments.json)?;
    Ok(if found.is_bad() { Exit::Incomplete } else { Exit::Done })
}
