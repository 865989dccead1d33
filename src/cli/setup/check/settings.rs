//! What the settings and their files alone tell: keys, sender, links, signatures, schedule.

use std::path::Path;

use super::report::{CheckGrade, CheckReport};
use crate::app;
use crate::config::{Settings, aligned};
use crate::domain::UnixMillis;
use crate::domain::relay::RelayUrl;
use crate::domain::schedule::Schedule;
use crate::mail::Signer;
use crate::private;

pub(super) fn key(settings: &Settings, found: &mut CheckReport) {
    let path = &settings.secret.key_file;
    if let Err(error) = app::read_keyring(settings) {
        return found.add(CheckGrade::Bad, "key", error.to_string());
    }
    if private::is_open_to_others(path) {
        return open_to_others("key", path, found);
    }
    found.add(CheckGrade::Good, "key", "readable by its owner alone");
}

fn open_to_others(subject: &'static str, path: &Path, found: &mut CheckReport) {
    let (mode, path) = (if path.is_dir() { 700 } else { 600 }, path.display());
    found.add(CheckGrade::Warn, subject, format!("others can read {path}; run: chmod {mode} {path}"));
}

/// What holds addresses, letters and marks: made by older versions or copied, it may be open to others.
pub(super) fn files(settings: &Settings, found: &mut CheckReport) {
    let open = |path: &Path| private::is_open_to_others(path);
    if let Some(database) = settings.database.url.sqlite_file() {
        for suffix in ["", "-wal", "-shm", ".ledger-mark", ".worker.lock", ".notices.lock"] {
            let mut path = database.as_os_str().to_owned();
            path.push(suffix);
            let path = Path::new(&path);
            if open(path) {
                open_to_others("database", path, found);
            }
        }
    }
    if let RelayUrl::Outbox(folder) = &settings.relay.url
        && open(folder)
    {
        open_to_others("outbox", folder, found);
    }
}

pub(super) fn site(settings: &Settings, found: &mut CheckReport) {
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

/// Each key loads, signs, and its record verifies that; looks nothing up in the DNS.
pub(super) fn dkim(settings: &Settings, found: &mut CheckReport) {
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
        if private::is_open_to_others(&key.key_file) {
            open_to_others("dkim", &key.key_file, found);
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

pub(super) fn schedule(settings: &Settings, found: &mut CheckReport) {
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
