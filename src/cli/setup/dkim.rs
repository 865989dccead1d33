//! `verdicts dkim`: keys that sign letters, and what the DNS has to say about them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::cli::exit::{CommandError, CommandResult, Exit};
use crate::cli::terminal::{say, say_json};
use crate::config::{ConfigError, Settings};
use crate::domain::{EmailAddress, UnixMillis};
use crate::mail::Signer;
use crate::mail::dkim::{KeyKind, PrivateKey, Record};
use crate::private::{self, Existing};

#[derive(Subcommand)]
pub enum DkimCommand {
    /// Make keys; prints the DNS records to publish and the settings to add
    #[command(after_help = "Nothing that exists is overwritten.\n\nExamples:\n  verdicts dkim generate\n  \
                      verdicts dkim generate --domain example.com --selector s2 --type rsa")]
    Generate(Generate),
    /// Print the DNS records of the keys in the settings
    #[command(after_help = "Example:\n  verdicts dkim record")]
    Record {
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub struct Generate {
    /// The domain that signs [default: dkim.domain, else the domain of site.from]
    #[arg(long)]
    domain: Option<String>,
    /// The key's name in the DNS [default: v and the month, as v202611]
    #[arg(long)]
    selector: Option<String>,
    /// Which keys; "both" signs each letter twice, for verifiers of either kind
    #[arg(long = "type", value_enum, default_value_t = Type::Both)]
    kind: Type,
    /// The folder for the key files [default: dkim beside the settings]
    #[arg(long)]
    dir: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Type {
    Rsa,
    Ed25519,
    Both,
}

/// A key that is about to get its file.
struct Planned {
    kind: KeyKind,
    selector: String,
    file: PathBuf,
}

pub fn run(command: DkimCommand, settings: Result<Settings, ConfigError>) -> CommandResult {
    match command {
        DkimCommand::Generate(arguments) => generate(&arguments, settings),
        DkimCommand::Record { json } => record(&settings?, json),
    }
}

/// Settings are wanted for the domain and the folder alone, so that with `--domain` a site without
/// any can have keys.
fn generate(arguments: &Generate, settings: Result<Settings, ConfigError>) -> CommandResult {
    let (domain, base) = match (&arguments.domain, settings) {
        (Some(domain), settings) => {
            (host(domain, "--domain")?, settings.map(|s| s.folder).unwrap_or_default())
        }
        (None, settings) => {
            let settings = settings?;
            let main = settings.dkim.iter().find(|key| key.setting == "dkim.key_file");
            let domain = main.map_or(settings.site.from.address.domain(), |key| &key.domain);
            (domain.to_owned(), settings.folder)
        }
    };
    let folder = arguments.dir.clone().unwrap_or_else(|| base.join("dkim"));
    let selector = match &arguments.selector {
        Some(selector) => selector.clone(),
        None => UnixMillis::now().utc().format("v%Y%m").to_string(),
    };
    let keys = plan(arguments.kind, &host(&selector, "--selector")?, &folder);
    if let Some(taken) = keys.iter().find(|key| key.file.exists()) {
        let file = taken.file.display();
        return Err(CommandError::Failed(format!(
            "{file} is there already, and letters may depend on it; choose another --selector"
        )));
    }
    make_folder(&folder)?;
    let mut records = Vec::new();
    for key in &keys {
        let private = PrivateKey::generate(key.kind).map_err(CommandError::Failed)?;
        write_key(&key.file, &private.to_pem().map_err(CommandError::Failed)?)?;
        records.push(Record::new(&domain, &key.selector, &private));
    }
    say("publish:\n");
    records.iter().for_each(say);
    say(format_args!(
        "\nthe section [dkim] of verdicts.toml, in place of the one there:\n\n{}",
        settings_text(&domain, &keys, &base)
    ));
    say("then run \"verdicts check\"; keep the key files out of git, and in the backup");
    Ok(Exit::Done)
}

fn plan(kind: Type, selector: &str, folder: &Path) -> Vec<Planned> {
    let planned = |kind, selector: String| {
        let file = folder.join(format!("{selector}.pem"));
        Planned { kind, selector, file }
    };
    match kind {
        Type::Rsa => vec![planned(KeyKind::Rsa, selector.to_owned())],
        Type::Ed25519 => vec![planned(KeyKind::Ed25519, selector.to_owned())],
        // Two names: old verifiers give up on a name that has a second key of a kind they don't
        // know (RFC 8463 §5).
        Type::Both => vec![
            planned(KeyKind::Rsa, selector.to_owned()),
            planned(KeyKind::Ed25519, format!("{selector}-ed25519")),
        ],
    }
}

fn settings_text(domain: &str, keys: &[Planned], base: &Path) -> String {
    // Paths in the settings start at their folder.
    let named = |key: &Planned| match key.file.strip_prefix(base) {
        Ok(inside) => inside.display().to_string(),
        Err(_) => std::path::absolute(&key.file).unwrap_or_else(|_| key.file.clone()).display().to_string(),
    };
    let mut text = String::new();
    for (at, key) in keys.iter().enumerate() {
        text.push_str(&match at {
            0 => format!(
                "[dkim]\ndomain = \"{domain}\"\nselector = \"{}\"\nkey_file = \"{}\"\n",
                key.selector,
                named(key)
            ),
            _ => format!("also = \"{}:{}\"\n", key.selector, named(key)),
        });
    }
    text
}

fn record(settings: &Settings, as_json: bool) -> CommandResult {
    let signer = Signer::load(&settings.dkim)?;
    if settings.dkim.is_empty() {
        return Err(CommandError::Failed(
            "[dkim] names no key; run \"verdicts dkim generate\", or ask your relay's provider for its records".to_owned(),
        ));
    }
    if as_json {
        let rows: Vec<_> = signer
            .records()
            .map(|record| json!({ "name": record.name, "type": "TXT", "value": record.value, "strings": record.strings() }))
            .collect();
        say_json(&rows)?;
        return Ok(Exit::Done);
    }
    signer.records().for_each(say);
    Ok(Exit::Done)
}

/// A domain or a selector, which is one name or more of a domain.
fn host(text: &str, option: &str) -> Result<String, CommandError> {
    // The address parser knows what a domain is; a selector gets one to stand in.
    let whole = if option == "--domain" { text.to_owned() } else { format!("{text}.example.com") };
    match EmailAddress::parse(&format!("x@{whole}")) {
        Ok(_) if text.is_ascii() => Ok(text.to_ascii_lowercase()),
        _ => Err(CommandError::Usage(format!(
            "{option} {text:?} is not a name of the DNS; write it as example.com or s1"
        ))),
    }
}

fn make_folder(folder: &Path) -> Result<(), CommandError> {
    private::folder(folder)
        .map_err(|error| CommandError::Failed(format!("{} can't be made: {error}", folder.display())))
}

/// Writes a new file for its owner's eyes only.
fn write_key(file: &Path, pem: &str) -> Result<(), CommandError> {
    let opened = private::file(file, Existing::Refuse);
    let written = opened.and_then(|mut file| {
        file.write_all(pem.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| CommandError::Failed(format!("{} can't be written: {error}", file.display())))
}
