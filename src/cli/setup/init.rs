//! `verdicts init`: settings, a secret key and folders for a new site.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::exit::{CommandError, CommandResult, Exit};
use crate::cli::files::{keep_existing, make_folder, unwritable, write_new};
use crate::cli::terminal::say;
use crate::config;
use crate::domain::token::{KEY_OCTETS, Keyring};
use crate::private::{self, Existing};

/// Write settings, a secret key and folders for a new site.
#[derive(Args)]
#[command(
    after_help = "Nothing that exists is overwritten.\n\nExample:\n  verdicts init my-letter && cd my-letter && verdicts check"
)]
pub struct Init {
    /// Where to [default: this folder]
    #[arg(default_value = ".")]
    dir: PathBuf,
}

pub fn run(arguments: &Init) -> CommandResult {
    let dir = &arguments.dir;
    let settings = dir.join("verdicts.toml");
    if settings.exists() {
        return Err(CommandError::Failed(format!(
            "{} is there already; edit it, or choose another folder",
            settings.display()
        )));
    }
    make_folder(&dir.join("comparisons"))?;
    let subscribers = dir.join("subscribers");
    private::folder(&subscribers).map_err(|error| unwritable(&subscribers, &error))?;
    write_key(&dir.join("verdicts.key"))?;
    write_new(
        &dir.join(".gitignore"),
        "verdicts.key*\nverdicts.ledger-mark\ndkim/\nsubscribers/\noutbox/\n",
        0o644,
    )
    .or_else(keep_existing)?;
    write_new(&settings, &config::init_file(), 0o640).map_err(|error| unwritable(&settings, &error))?;
    say(format_args!(
        "wrote {}, verdicts.key, comparisons/ and subscribers/\nnext: fill in [site] and [relay], then run \"verdicts check\"",
        settings.display()
    ));
    Ok(Exit::Done)
}

/// Writes a new random key, for its owner's eyes only. An existing key is kept: links in letters
/// depend on it.
pub(in crate::cli) fn write_key(path: &Path) -> Result<(), CommandError> {
    let mut key = [0; KEY_OCTETS];
    getrandom::fill(&mut key)
        .map_err(|error| CommandError::Failed(format!("the system gives no random numbers: {error}")))?;
    private::file(path, Existing::Refuse)
        .and_then(|mut file| file.write_all(Keyring::file_text(1, &key).as_bytes()))
        .or_else(keep_existing)
        .map_err(|error| unwritable(path, &error))
}
