//! `verdicts templates`: letter, notices, pages and texts as files, and what is wrong
//! with an operator's.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::exit::{CommandError, CommandResult, Exit};
use super::files::make_folder;
use super::terminal::say;
use crate::app;
use crate::config::Settings;
use crate::domain::UnixMillis;
use crate::templates::{self, Kind};

#[derive(Subcommand)]
pub enum TemplatesCommand {
    /// Write the built-in templates into a folder, to be changed there; nothing that
    /// exists is overwritten
    #[command(
        after_help = "Writes DIR/letter, DIR/notices, DIR/pages and DIR/texts. Delete what you don't change: what is not there is built in.\n\n\
        Example:\n  verdicts templates export templates    # then: [templates] dir = \"templates\""
    )]
    Export { dir: PathBuf },
    /// Everything that is wrong with the templates, by file, line and column; samples are rendered
    /// and held to the linter
    #[command(after_help = "Example:\n  verdicts templates check templates")]
    Check {
        /// The folder [default: templates.dir of the settings, else the built-in ones]
        dir: Option<PathBuf>,
    },
}

pub fn run(
    command: &TemplatesCommand,
    settings: impl FnOnce() -> Result<Settings, CommandError>,
) -> CommandResult {
    match command {
        TemplatesCommand::Export { dir } => export(dir),
        TemplatesCommand::Check { dir } => {
            let mut settings = settings()?;
            settings.templates = dir.clone().or(settings.templates);
            check(&settings)
        }
    }
}

fn export(dir: &Path) -> CommandResult {
    for kind in Kind::ALL {
        let folder = dir.join(kind.folder());
        let (mut written, mut kept) = (0, 0);
        for file in templates::embedded(kind) {
            let path = folder.join(&file.name);
            make_folder(path.parent().unwrap_or(&folder))?;
            match fs::File::create_new(&path)
                .and_then(|mut new| std::io::Write::write_all(&mut new, file.text.as_bytes()))
            {
                Ok(()) => written += 1,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => kept += 1,
                Err(error) => {
                    return Err(CommandError::Failed(format!(
                        "{} can't be written: {error}",
                        path.display()
                    )));
                }
            }
        }
        say(format!("{written} templates are in {}, {kept} were there already", folder.display()));
    }
    say(format!("change them, set templates.dir = {dir:?}, and run \"verdicts templates check\""));
    Ok(Exit::Done)
}

fn check(settings: &Settings) -> CommandResult {
    let keyring = app::read_keyring(settings)?;
    let checked = app::templates::check(settings, &keyring, UnixMillis::now())?;
    settings.theme.notes().iter().for_each(say);
    checked.warnings.iter().chain(&checked.problems).for_each(say);
    if checked.problems.is_empty() {
        say("letters of one, three and five samples pass the linter; notices, pages and texts are sound");
        return Ok(Exit::Done);
    }
    let place = match &settings.templates {
        Some(dir) => dir.display().to_string(),
        None => "the built-in templates".to_owned(),
    };
    let count = checked.problems.len();
    Err(CommandError::Failed(format!("{count} problem{} in {place}", if count == 1 { "" } else { "s" })))
}
