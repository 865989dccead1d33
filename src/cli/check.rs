//! `verdicts check`: every way this set-up could fail to deliver, checked before it does.

use std::os::unix::fs::PermissionsExt as _;

use clap::Args;
use serde_json::json;

use super::exit::{CommandResult, Exit};
use super::terminal::{say, say_json};
use crate::app::{self, App};
use crate::config::{Settings, aligned};
use crate::domain::UnixMillis;
use crate::domain::relay::RelayUrl;
use crate::domain::schedule::Schedule;
use crate::mail::Signer;

/// Every way this set-up could fail to deliver, checked before it does.
#[derive(Args)]
#[command(
    after_help = "The relay is asked for its greeting, TLS and login; no letter is sent.\n\nExample:\n  verdicts check && verdicts send --dry-run"
)]
pub struct Check {
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CheckGrade {
    Good,
    /// Works, and an operator should know.
    Warn,
    /// Would fail to deliver.
    Bad,
}

struct CheckItem {
    grade: CheckGrade,
    subject: &'static str,
    words: String,
}

struct CheckReport(Vec<CheckItem>);

impl CheckReport {
    fn add(&mut self, grade: CheckGrade, subject: &'static str, words: impl Into<String>) {
        self.0.push(CheckItem { grade, subject, words: words.into() });
    }
}

pub async fn run(arguments: &Check, settings: Settings) -> CommandResult {
    let mut found = CheckReport(Vec::new());
    found.add(CheckGrade::Good, "settings", "every key is known and valid");
    check_key(&settings, &mut found);
    check_site(&settings, &mut found);
    check_dkim(&settings, &mut found);
    for note in settings.theme.notes() {
        found.add(CheckGrade::Warn, "theme", note);
    }
    match App::open(settings.clone()).await {
        Ok(app) => {
            check_store(&app, &mut found).await;
            check_notices(&app, &mut found).await;
            check_relay(&app, &mut found).await;
            check_schedule(&app.settings, &mut found);
            app.store.close().await;
        }
        Err(error) => found.add(CheckGrade::Bad, "database", error.to_string()),
    }
    report(&found, arguments.json)?;
    let bad = found.0.iter().any(|finding| finding.grade == CheckGrade::Bad);
    Ok(if bad { Exit::Incomplete } else { Exit::Done })
}

fn check_key(settings: &Settings, found: &mut CheckReport) {
    let path = &settings.secret.key_file;
    if let Err(error) = app::read_keyring(settings) {
        return found.add(CheckGrade::Bad, "key", error.to_string());
    }
    let mode = std::fs::metadata(path).map_or(0, |meta| meta.permissions().mode() & 0o077);
    match mode {
        0 => found.add(CheckGrade::Good, "key", "readable by its owner alone"),
        _ => found.add(
            CheckGrade::Warn,
            "key",
            format!("others can read {0}; run: chmod 600 {0}", path.display()),
        ),
    }
}

/// Each key loads, signs, and its record verifies that; looks nothing up in the DNS.
fn check_dkim(settings: &Settings, found: &mut CheckReport) {
    if settings.dkim.is_empty() {
        let (grade, words) = match settings.relay.url {
            RelayUrl::Outbox(_) => (CheckGrade::Good, "no key; letters in a folder need none"),
            RelayUrl::Smtp(_) => (
                CheckGrade::Warn,
                "letters leave unsigned; run \"verdicts dkim generate\", unless the relay signs for site.from",
            ),
        };
        return found.add(grade, "dkim", words);
    }
    for key in &settings.dkim {
        let signer = match Signer::load(std::slice::from_ref(key)) {
            Ok(signer) => signer,
            Err(error) => {
                found.add(CheckGrade::Bad, "dkim", error.to_string());
                continue;
            }
        };
        for record in signer.records() {
            found.add(CheckGrade::Good, "dkim", format!("signs and verifies; the DNS has to say: {record}"));
        }
        let mode = std::fs::metadata(&key.key_file).map_or(0, |meta| meta.permissions().mode() & 0o077);
        if mode != 0 {
            let file = key.key_file.display();
            found.add(CheckGrade::Warn, "dkim", format!("others can read {file}; run: chmod 600 {file}"));
        }
    }
    let sender = settings.site.from.address.domain();
    if !settings.dkim.iter().any(|key| aligned(&key.domain, sender)) {
        found.add(
            CheckGrade::Bad,
            "dkim",
            format!("no key signs for {sender}, the domain of site.from, so DMARC fails; set dkim.key_file"),
        );
    }
}

fn check_site(settings: &Settings, found: &mut CheckReport) {
    let site = &settings.site;
    if site.base_url.starts_with("https://") {
        found.add(CheckGrade::Good, "links", format!("lead to {}", site.base_url));
    } else {
        found.add(
            CheckGrade::Warn,
            "links",
            format!(
                "site.base_url = \"{}\" is not https; mail programs show no one-click unsubscribe for it",
                site.base_url
            ),
        );
    }
    if is_sample(site.from.address.domain()) {
        let words = format!(
            "site.from is still the sample's ({}); put your own domain there",
            site.from.address.domain()
        );
        found.add(CheckGrade::Warn, "sender", words);
    }
    if site.postal_address.contains("Example") {
        found.add(
            CheckGrade::Warn,
            "address",
            "site.postal_address is still the sample's; every letter shows it",
        );
    }
    let host = url_host(&site.base_url);
    let domain = site.from.address.domain();
    if !host.ends_with(domain) && !domain.ends_with(&host) {
        found.add(
            CheckGrade::Warn,
            "sender",
            format!("site.from is at {domain} and links lead to {host}; readers trust one domain more"),
        );
    }
}

/// Domains that RFC 2606 keeps for examples: no relay delivers a reply to them.
fn is_sample(domain: &str) -> bool {
    ["example.com", "example.org", "example.net"].contains(&domain)
}

fn url_host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default().to_owned()
}

async fn check_store(app: &App, found: &mut CheckReport) {
    match app.store.ping().await {
        Ok(()) => found.add(CheckGrade::Good, "database", "answers, and its schema is this binary's"),
        Err(error) => return found.add(CheckGrade::Bad, "database", error.to_string()),
    }
    match app.store.count_subscribers().await {
        Ok(counts) => {
            let active = counts.get("active").copied().unwrap_or(0);
            let grade = if active == 0 { CheckGrade::Warn } else { CheckGrade::Good };
            found.add(grade, "readers", format!("{active} would get the next letter"));
        }
        Err(error) => found.add(CheckGrade::Bad, "readers", error.to_string()),
    }
    match crate::publish::draft(&app.publisher(), UnixMillis::now()).await {
        Ok(draft) => match &draft.edition {
            Some(edition) => found.add(
                CheckGrade::Good,
                "letter",
                format!("issue {}: {}", draft.number, edition.composition.subject),
            ),
            None => found.add(
                CheckGrade::Warn,
                "letter",
                crate::publish::quiet_words(&app.publisher(), &draft.selection),
            ),
        },
        Err(error) => found.add(CheckGrade::Bad, "letter", error.to_string()),
    }
}

/// What readers get because of something they did.
async fn check_notices(app: &App, found: &mut CheckReport) {
    let (web, site) = (&app.settings.web, &app.settings.site);
    if site.base_url.starts_with("https://") && web.trusted_proxies.is_empty() {
        let words = "web.trusted_proxies is empty: behind a proxy all visitors count as one, and signup.per_network is for all \
                     of them together; name the proxy, for example [\"127.0.0.1\"]";
        found.add(CheckGrade::Warn, "sign-up", words);
    }
    if let Err(error) = app.notice_writer() {
        return found.add(CheckGrade::Bad, "notices", error.to_string());
    }
    match app.store.count_notices().await {
        Ok(counts) => {
            let failed = counts.iter().find(|(state, _)| state == "failed").map_or(0, |(_, n)| *n);
            if failed > 0 {
                let words = format!(
                    "{failed} failed in the last 30 days; \"verdicts subscribers show EMAIL\" has the reason"
                );
                found.add(CheckGrade::Warn, "notices", words);
            }
        }
        Err(error) => found.add(CheckGrade::Bad, "notices", error.to_string()),
    }
}

async fn check_relay(app: &App, found: &mut CheckReport) {
    let url = &app.settings.relay.url;
    let answer = match app.mailer() {
        Ok(mailer) => mailer.probe().await,
        Err(error) => Err(error.to_string()),
    };
    match answer {
        Ok(words) => found.add(CheckGrade::Good, "relay", format!("{url}: {words}")),
        Err(reason) => found.add(CheckGrade::Bad, "relay", format!("relay.url = \"{url}\": {reason}")),
    }
}

fn check_schedule(settings: &Settings, found: &mut CheckReport) {
    let schedule: &Schedule = &settings.schedule.rule;
    match schedule.next_after(UnixMillis::now()) {
        Some(slot) => found.add(
            CheckGrade::Good,
            "schedule",
            format!("the next letter is due {} ({})", slot.key, slot.at),
        ),
        None => found.add(CheckGrade::Bad, "schedule", "schedule.cron never comes due again; choose another"),
    }
}

fn report(found: &CheckReport, as_json: bool) -> Result<(), super::exit::CommandError> {
    let word = |grade| match grade {
        CheckGrade::Good => "good",
        CheckGrade::Warn => "warn",
        CheckGrade::Bad => "BAD",
    };
    if as_json {
        let rows: Vec<_> = found
            .0
            .iter()
            .map(|f| json!({ "grade": word(f.grade).to_lowercase(), "subject": f.subject, "words": f.words }))
            .collect();
        return say_json(&rows);
    }
    for finding in &found.0 {
        say(format_args!("{:4}  {:9} {}", word(finding.grade), finding.subject, finding.words));
    }
    Ok(())
}
