//! `verdicts key …`: the keys that sign the links in letters.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::app;
use crate::cli::exit::{CommandError, CommandResult, Exit};
use crate::cli::terminal::say;
use crate::config::Settings;
use crate::domain::token::KEY_OCTETS;
use crate::private::{self, Existing};

#[derive(clap::Subcommand, Debug)]
pub enum KeyCommand {
    /// Put a new key in front: links in new letters are signed with it, and those in old
    /// ones still work
    ///
    /// The older keys stay in the file. The oldest also computes Message-IDs and the hashes of
    /// suppressed addresses, so it must never be removed. Restart "serve" and "worker" afterwards,
    /// and back the file up.
    #[command(after_help = "Example:\n  verdicts key rotate")]
    Rotate,
}

pub fn run(command: &KeyCommand, settings: &Settings) -> CommandResult {
    match command {
        KeyCommand::Rotate => rotate(settings),
    }
}

fn rotate(settings: &Settings) -> CommandResult {
    let given = &settings.secret.key_file;
    // The file itself, and not a link to it, is what gets replaced.
    let path = &fs::canonicalize(given).unwrap_or_else(|_| given.clone());
    // Two at once would each add a key to the same file, and one of the two would be lost with
    // all its links.
    let _lock = lock(path)?;
    let keyring = app::read_keyring(settings)?;
    let mut key = [0; KEY_OCTETS];
    getrandom::fill(&mut key)
        .map_err(|error| CommandError::Failed(format!("the system gives no random numbers: {error}")))?;
    replace(path, &keyring.rotated_file_text(&key)).map_err(|error| named(path, &error))?;
    let (number, count) = app::read_keyring(settings)?.newest();
    say(format_args!(
        "key {number} signs the links from now on; {} older verify those in letters already sent\n\
         next: restart \"verdicts serve\" and every worker, and back {} up",
        count - 1,
        path.display()
    ));
    Ok(Exit::Done)
}

/// Written beside and renamed, so that there is a whole key file at every moment, for its
/// owner's eyes only.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = beside(path, ".new");
    let mut file = private::file(&beside, Existing::Replace)?;
    file.write_all(text.as_bytes())?;
    // Run by root, it stays readable for the service.
    let owner = fs::metadata(path)?;
    if (owner.uid(), owner.gid()) != {
        let own = file.metadata()?;
        (own.uid(), own.gid())
    } {
        std::os::unix::fs::chown(&beside, Some(owner.uid()), Some(owner.gid()))?;
    }
    file.sync_all()?;
    fs::rename(&beside, path)?;
    // The rename itself has to be on the disk before a letter is signed with the new key.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn lock(path: &Path) -> Result<File, CommandError> {
    let file = beside(path, ".lock");
    let lock = private::file(&file, Existing::Keep).map_err(|error| named(&file, &error))?;
    lock.lock().map_err(|error| named(&file, &error))?;
    Ok(lock)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn named(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::Failed(format!(
        "{} can't be written: {error}; check the rights on its folder",
        path.display()
    ))
}
