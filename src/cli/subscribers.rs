//! `verdicts subscribers …`: files of people in and out, and one person at a time.

mod intake;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::exit::{CommandError, CommandResult, Exit};
use crate::domain::signup::Consent;
use crate::domain::subscriber::{NewSubscriber, Subscriber, SubscriberId, SubscriberStatus};
use crate::domain::token::Keyring;
use crate::domain::{EmailAddress, UnixMillis};
use crate::store::{NoticeRow, Store, SubscriberChange};
use crate::subscribers::{CsvWriter, Options, clean_name};

/// Subscribers an export reads at a time.
const PAGE: i64 = 1_000;

/// What readers wrote on leaving that `stats` shows, the newest first.
const WORDS_SHOWN: i64 = 50;

#[derive(clap::Subcommand, Debug)]
pub enum SubscribersCommand {
    /// Take in a CSV of people, also as Mailchimp, Substack, Ghost, beehiiv, Buttondown and listmonk export it
    ///
    /// The first line names the columns; `email` is required, and name, status, timezone, created_at and source are known.
    /// Known addresses stay as they are and suppressed ones stay out. A bad row is reported and the rest goes in (exit 1).
    #[command(after_help = "Examples:\n  verdicts subscribers import readers.csv\n  \
                            verdicts subscribers import waitlist.csv --status pending --source waitlist-2026\n  \
                            verdicts subscribers import old.csv --report bad-rows.csv")]
    Import {
        /// The CSV, UTF-8; `-` reads standard input
        file: PathBuf,
        /// Status of the rows (without it: what the file says, and active where it says nothing). Whoever the file says has
        /// unsubscribed, bounced or complained stays so
        #[arg(long)]
        status: Option<SubscriberStatus>,
        /// Where the consent came from, for rows that don't say it themselves [default: import:FILE]
        #[arg(long)]
        source: Option<String>,
        /// Write every bad row's line, field and reason to this file, as CSV
        #[arg(long)]
        report: Option<PathBuf>,
        /// Print the summary as JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the subscribers as CSV, which `import` reads again
    #[command(after_help = "Example:\n  verdicts subscribers export --status active --out readers.csv")]
    Export {
        /// Only those with this status
        #[arg(long)]
        status: Option<SubscriberStatus>,
        /// The file to write, readable by you alone [default: standard output]
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Add one person
    #[command(after_help = "Example:\n  verdicts subscribers add ann@example.com --name \"Ann Lee\"")]
    Add {
        email: String,
        #[arg(long)]
        name: Option<String>,
        /// pending gets no letter until the person confirms
        #[arg(long, default_value = "active")]
        status: SubscriberStatus,
    },
    /// Show what is known about one address
    Show {
        email: String,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print everything that is kept on one person, as JSON: what their own page lets them download
    #[command(after_help = "Example:\n  verdicts subscribers data ann@example.com > ann.json")]
    Data { email: String },
    /// Unsubscribe one address, at once and for good
    Unsubscribe { email: String },
    /// Delete a person; the address stays out by a keyed hash alone
    #[command(after_help = "Example:\n  verdicts subscribers erase ann@example.com --yes")]
    Erase {
        email: String,
        /// Really delete: nothing brings the data back
        #[arg(long)]
        yes: bool,
    },
    /// Count subscribers by status, and why readers left
    Stats {
        /// Print the figures as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs one command. `json` asks for JSON where a command reports.
///
/// # Errors
/// [`CommandError`] with one line for the operator.
pub async fn run(command: SubscribersCommand, store: &Store, keyring: &Keyring, json: bool) -> CommandResult {
    let now = UnixMillis::now();
    match command {
        SubscribersCommand::Import { file, status, source, report, json: own } => {
            let source = source.unwrap_or_else(|| default_source(&file));
            let options = Options { status, source, now };
            intake::take_in(store, keyring, &file, options, report.as_deref(), json || own).await
        }
        SubscribersCommand::Export { status, out } => export(store, status, out.as_deref()).await,
        SubscribersCommand::Add { email, name, status } => {
            add(store, keyring, &email, name.as_deref(), status, now).await
        }
        SubscribersCommand::Show { email, json: own } => {
            let email = address(&email)?;
            let suppressed = store.is_suppressed(&keyring.suppression_hash(&email)).await?;
            let person = store.subscriber(&email).await?;
            let (consents, notices) = match &person {
                Some(person) => (store.consents(person.id).await?, store.notices_to(person.id).await?),
                None => Default::default(),
            };
            show(person, &consents, &notices, suppressed, json || own)
        }
        SubscribersCommand::Data { email } => {
            let email = address(&email)?;
            let person = find(store, &email).await?;
            let all = store.everything_about(person.id, &keyring.suppression_hash(&email)).await?;
            println!("{:#}", all.unwrap_or_default());
            Ok(Exit::Done)
        }
        SubscribersCommand::Unsubscribe { email } => {
            let email = address(&email)?;
            let person = find(store, &email).await?;
            let cancelled = store.unsubscribe(person.id, &keyring.suppression_hash(&email), now).await?;
            println!("unsubscribed; {} queued letters cancelled", cancelled.unwrap_or(0));
            Ok(Exit::Done)
        }
        SubscribersCommand::Erase { email, yes } => erase(store, keyring, &email, yes, now).await,
        SubscribersCommand::Stats { json: own } => stats(store, json || own).await,
    }
}

fn address(text: &str) -> Result<EmailAddress, CommandError> {
    EmailAddress::parse(text).map_err(|error| CommandError::Usage(error.to_string()))
}

async fn find(store: &Store, email: &EmailAddress) -> Result<Subscriber, CommandError> {
    store.subscriber(email).await?.ok_or_else(|| {
        CommandError::Failed(format!(
            "no subscriber has the address {email}; check it with \"verdicts subscribers export\""
        ))
    })
}

fn default_source(file: &Path) -> String {
    match file.file_name().filter(|_| file != Path::new("-")) {
        Some(name) => format!("import:{}", name.to_string_lossy()),
        None => "import:standard input".to_owned(),
    }
}

fn named(file: &Path, error: &dyn std::fmt::Display) -> CommandError {
    CommandError::Failed(format!("{}: {error}", file.display()))
}

async fn export(store: &Store, status: Option<SubscriberStatus>, out: Option<&Path>) -> CommandResult {
    let Some(path) = out else {
        write_all(store, status, BufWriter::new(std::io::stdout())).await?;
        return Ok(Exit::Done);
    };
    // Written beside and renamed, so that nobody takes half a list for the whole.
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let file = private(&partial).map_err(|error| named(&partial, &error))?;
    let written = write_all(store, status, BufWriter::new(file)).await;
    let done = match written {
        Ok(count) => std::fs::rename(&partial, path).map(|()| count).map_err(|error| named(path, &error)),
        Err(error) => Err(error),
    };
    if done.is_err() {
        // What is left of it is people's addresses; the error that matters is the first one.
        let _ = std::fs::remove_file(&partial);
    }
    eprintln!("{} subscribers written to {}", done?, path.display());
    Ok(Exit::Done)
}

/// A new file that only its owner can read.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

async fn write_all(
    store: &Store,
    status: Option<SubscriberStatus>,
    out: impl Write,
) -> Result<u64, CommandError> {
    let (mut writer, mut after, mut count) = (CsvWriter::new(out)?, SubscriberId(0), 0);
    loop {
        let page = store.subscribers_after(after, status, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        count += page.len() as u64;
        for person in &page {
            writer.write(person)?;
        }
    }
    writer.finish()?.flush()?;
    Ok(count)
}

async fn add(
    store: &Store,
    keyring: &Keyring,
    email: &str,
    name: Option<&str>,
    status: SubscriberStatus,
    now: UnixMillis,
) -> CommandResult {
    let email = address(email)?;
    let hash = keyring.suppression_hash(&email);
    let name = name.and_then(clean_name);
    let person =
        NewSubscriber { email, name, status, timezone: None, created_at: now, source: "operator".to_owned() };
    match store.add_subscribers(&[person], &[hash]).await?.first() {
        Some(SubscriberChange::Added) => {
            println!("added, {status}");
            Ok(Exit::Done)
        }
        Some(SubscriberChange::Suppressed) => Err(CommandError::Failed(
            "the address is suppressed and gets no mail; only the person's own new sign-up changes that"
                .to_owned(),
        )),
        Some(SubscriberChange::Duplicate) | None => {
            println!("known already; nothing changed");
            Ok(Exit::Done)
        }
    }
}

/// Prints the address in full: the operator has just typed it.
fn show(
    person: Option<Subscriber>,
    consents: &[Consent],
    notices: &[NoticeRow],
    suppressed: bool,
    json: bool,
) -> CommandResult {
    let Some(person) = person else {
        if json {
            println!("{}", json!({"subscriber": null, "suppressed": suppressed}));
            return Ok(Exit::Incomplete);
        }
        let also = if suppressed { "; the address is suppressed and stays out" } else { "" };
        return Err(CommandError::Failed(format!("no subscriber has this address{also}")));
    };
    let moment = |at: Option<UnixMillis>| at.map(|at| at.to_string());
    if json {
        println!(
            "{}",
            json!({"id": person.id, "email": person.email.expose(), "name": person.name, "status": person.status,
                   "timezone": person.timezone, "source": person.source, "created_at": person.created_at.to_string(),
                   "activated_at": moment(person.activated_at), "ended_at": moment(person.ended_at), "suppressed": suppressed,
                   "consents": consents.iter().map(consent_json).collect::<Vec<_>>(),
                   "notices": notices.iter().map(notice_json).collect::<Vec<_>>()})
        );
        return Ok(Exit::Done);
    }
    let dash = |text: Option<String>| text.unwrap_or_else(|| "—".to_owned());
    println!("email       {}", person.email.expose());
    println!("name        {}", dash(person.name));
    println!("status      {}", person.status);
    println!("suppressed  {}", if suppressed { "yes" } else { "no" });
    println!("timezone    {}", dash(person.timezone));
    println!("source      {}", person.source);
    println!("joined      {}", person.created_at);
    println!("activated   {}", dash(moment(person.activated_at)));
    println!("ended       {}", dash(moment(person.ended_at)));
    for consent in consents {
        let confirmed =
            consent.confirmed_at.map_or("not confirmed".to_owned(), |at| format!("confirmed {at}"));
        let ip = consent.ip.as_deref().unwrap_or("no IP kept");
        println!("consent     asked {}, {confirmed}, at {} ({ip})", consent.asked_at, consent.form);
        println!("            {} [{}]: {}", consent.text_id, consent.language, consent.text);
    }
    for notice in notices {
        let last = notice.note.as_deref().or(notice.reply.as_deref()).unwrap_or("");
        println!("notice      {} of {}: {} {last}", notice.kind, notice.created_at, notice.state);
    }
    Ok(Exit::Done)
}

fn notice_json(notice: &NoticeRow) -> serde_json::Value {
    json!({"kind": notice.kind.as_str(), "state": notice.state, "attempts": notice.attempts,
           "created_at": notice.created_at.to_string(), "reply": notice.reply, "note": notice.note})
}

fn consent_json(consent: &Consent) -> serde_json::Value {
    json!({"asked_at": consent.asked_at.to_string(), "confirmed_at": consent.confirmed_at.map(|at| at.to_string()),
           "form": consent.form, "text_id": consent.text_id, "language": consent.language, "text": consent.text,
           "ip": consent.ip})
}

async fn erase(store: &Store, keyring: &Keyring, email: &str, yes: bool, now: UnixMillis) -> CommandResult {
    let email = address(email)?;
    let person = find(store, &email).await?;
    if !yes {
        return Err(CommandError::Usage(format!(
            "this deletes {email} ({}) and nothing brings it back; add --yes to do it",
            person.status
        )));
    }
    store.erase(person.id, &keyring.suppression_hash(&email), now).await?;
    println!("erased; the address stays suppressed by its keyed hash");
    Ok(Exit::Done)
}

async fn stats(store: &Store, json: bool) -> CommandResult {
    let counts = store.count_subscribers().await?;
    let suppressed = store.count_suppressed().await?;
    let left = store.reasons(WORDS_SHOWN).await?;
    let count = |status: SubscriberStatus| counts.get(status.as_str()).copied().unwrap_or(0);
    if json {
        let mut figures = serde_json::Map::new();
        for status in SubscriberStatus::ALL {
            figures.insert(status.as_str().to_owned(), count(status).into());
        }
        figures.insert("suppressed".to_owned(), suppressed.into());
        let words: Vec<_> =
            left.words.iter().map(|(at, words)| json!({"left_at": at.to_string(), "words": words})).collect();
        figures.insert("reasons".to_owned(), json!(left.counts));
        figures.insert("words".to_owned(), words.into());
        println!("{}", serde_json::Value::Object(figures));
        return Ok(Exit::Done);
    }
    for status in SubscriberStatus::ALL {
        println!("{:<13}{:>10}", status.as_str(), count(status));
    }
    println!("{:<13}{suppressed:>10}", "suppressed");
    if !left.counts.is_empty() {
        println!("\nleft by their own hand, and why:");
    }
    for (reason, n) in &left.counts {
        println!("{reason:<13}{n:>10}");
    }
    for (at, words) in &left.words {
        println!("{at}  {words}");
    }
    Ok(Exit::Done)
}
