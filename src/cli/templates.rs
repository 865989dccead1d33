//! `verdicts templates`: the letter's templates as files, and what is wrong with an operator's.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{Exit, Failure, Outcome, say};
use crate::app;
use crate::config::Settings;
use crate::domain::UnixMillis;
use crate::letter::render::Templates;
use crate::letter::templates;
use crate::week::rehearse;

#[derive(Subcommand)]
pub enum TemplatesCommand {
    /// Write the built-in templates into a folder, to be changed there; nothing that exists is overwritten
    #[command(
        after_help = "Example:\n  verdicts templates export templates    # then: [templates] dir = \"templates\""
    )]
    Export { dir: PathBuf },
    /// Everything that is wrong with the templates, by file, line and column; the samples are rendered and held to the linter
    #[command(after_help = "Example:\n  verdicts templates check templates")]
    Check {
        /// The folder [default: templates.dir of the settings, else the built-in ones]
        dir: Option<PathBuf>,
    },
}

pub fn run(command: &TemplatesCommand, settings: impl FnOnce() -> Result<Settings, Failure>) -> Outcome {
    match command {
        TemplatesCommand::Export { dir } => export(dir),
        TemplatesCommand::Check { dir } => {
            let settings = settings()?;
            let dir = dir.clone().or_else(|| settings.templates.clone());
            check(dir.as_deref(), &settings)
        }
    }
}

fn export(dir: &Path) -> Outcome {
    let folder = dir.join("letter");
    super::init::make_folder(&folder)?;
    let (mut written, mut kept) = (0, 0);
    for (name, text) in templates::embedded() {
        let path = folder.join(&name);
        match fs::File::create_new(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
        {
            Ok(()) => written += 1,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => kept += 1,
            Err(error) => {
                return Err(Failure::Failed(format!("{} can't be written: {error}", path.display())));
            }
        }
    }
    say(format!("{written} templates are in {}, {kept} were there already", folder.display()));
    say(format!("change them, set templates.dir = {dir:?}, and run \"verdicts templates check\""));
    Ok(Exit::Done)
}

fn check(dir: Option<&Path>, settings: &Settings) -> Outcome {
    let keyring = app::read_keyring(settings)?;
    let made = match dir {
        None => Templates::embedded(),
        Some(dir) => {
            let folder = dir.join("letter");
            let problems = templates::scan_folder(&folder).map_err(|(file, error)| {
                Failure::Failed(format!("{}: {error}; run \"verdicts templates export\"", file.display()))
            })?;
            problems.iter().for_each(say);
            if !problems.is_empty() {
                return Err(Failure::Failed(format!("{} problems in {}", problems.len(), folder.display())));
            }
            Templates::with_folder(&folder)
        }
    };
    let made = made.map_err(|error| Failure::Failed(error.to_string()))?.with_theme(&settings.theme);
    settings.theme.notes().iter().for_each(say);
    let warnings = rehearse(&made, settings, &keyring, UnixMillis::now())
        .map_err(|error| Failure::Failed(error.to_string()))?;
    warnings.iter().for_each(say);
    say("letters of one, three and five samples pass the linter");
    Ok(Exit::Done)
}
