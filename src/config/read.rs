//! From texts to types: what each setting may be.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use chrono_tz::Tz;

use super::database::DatabaseUrl;
use super::error::{ConfigError, Place};
use super::pace;
use super::raw::Raw;
use super::span::parse_span;
use super::{
    DatabaseSettings, DeliverySettings, RelaySettings, ScheduleSettings, SecretSettings, Settings,
    SubjectTestSettings,
};
use crate::domain::EmailAddress;
use crate::domain::relay::RelayUrl;
use crate::domain::schedule::Schedule;
use crate::domain::site::{Mailbox, Site};
use crate::domain::token::BOUNCE_LOCAL_MAX;

type Result<T> = std::result::Result<T, ConfigError>;

pub(super) fn settings(raw: &Raw, folder: &Path) -> Result<Settings> {
    let site = site(raw)?;
    Ok(Settings {
        dkim: super::dkim::keys(raw, &site, folder)?,
        bounce_address: raw.take_if_set("site.bounce_address", bounce_address)?,
        site,
        database: DatabaseSettings { url: database_url(raw, folder)? },
        schedule: schedule(raw)?,
        relay: relay(raw, folder)?,
        delivery: delivery(raw)?,
        web: super::serving::web(raw)?,
        signup: super::signup::signup(raw)?,
        subject_test: subject_test(raw)?,
        secret: SecretSettings { key_file: raw.take("secret.key_file", |text| path(text, folder))? },
        theme: super::look::theme(raw)?,
        templates: raw.take_if_set("templates.dir", |text| path(text, folder))?,
        folder: folder.to_owned(),
    })
}

fn site(raw: &Raw) -> Result<Site> {
    let base_url = raw.take("site.base_url", base_url)?;
    let host = url::Url::parse(&base_url).ok().and_then(|url| url.domain().map(str::to_owned));
    let list_id = raw.take_if_set("site.list_id", list_id)?;
    Ok(Site {
        name: raw.take("site.name", line)?,
        from: raw.take("site.from", Mailbox::parse)?,
        reply_to: raw.take_if_set("site.reply_to", Mailbox::parse)?,
        postal_address: raw.take("site.postal_address", line)?,
        list_id: list_id.unwrap_or_else(|| format!("weekly.{}", host.as_deref().unwrap_or("localhost"))),
        language: raw.take("site.language", language)?,
        base_url,
    })
}

fn schedule(raw: &Raw) -> Result<ScheduleSettings> {
    let timezone: Tz = raw.take("schedule.timezone", |text| {
        text.parse().map_err(|_| {
            "it is not a time zone of the IANA list; write it as Europe/Berlin or UTC".to_owned()
        })
    })?;
    let min_comparisons = raw.take("schedule.min_comparisons", |text| number(text, 1, 50))?;
    let max_comparisons = raw.take("schedule.max_comparisons", |text| match number(text, 1, 50)? {
        most if most < min_comparisons => Err(format!(
            "it is below schedule.min_comparisons, which is {min_comparisons}; raise it or lower that"
        )),
        most => Ok(most),
    })?;
    Ok(ScheduleSettings {
        rule: raw.take("schedule.cron", |text| Schedule::parse(text, timezone))?,
        cron: raw.take("schedule.cron", |text| Ok(text.to_owned()))?,
        timezone,
        catch_up: raw.take("schedule.catch_up", parse_span)?,
        lookback: raw
            .take("schedule.lookback", |text| at_least(text, Duration::from_secs(60), "a minute"))?,
        min_comparisons,
        max_comparisons,
    })
}

fn relay(raw: &Raw, folder: &Path) -> Result<RelaySettings> {
    let url = from_either(raw, "relay.url", "relay.url_file", folder, |text| {
        Ok(match RelayUrl::parse(text)? {
            RelayUrl::Outbox(path) => RelayUrl::Outbox(folder.join(path)),
            smtp => smtp,
        })
    })?;
    Ok(RelaySettings {
        domains: pace::domains(raw)?,
        warmup: pace::warmup(raw)?,
        weight: raw.take("relay.weight", |text| number(text, 1, 100))?.try_into().unwrap_or(1),
        more: pace::more(raw, &url, folder)?,
        url,
        connections: raw.take("relay.connections", |text| number(text, 1, 500))?,
        session_letters: raw
            .take("relay.session_letters", |text| number(text, 1, 1_000_000))?
            .try_into()
            .unwrap_or(1_000),
        rate: raw.take_if_set("relay.rate", FromStr::from_str)?,
        ca_file: raw.take_if_set("relay.ca_file", |text| path(text, folder))?,
        helo: raw.take_if_set("relay.helo", host_name)?,
    })
}

fn delivery(raw: &Raw) -> Result<DeliverySettings> {
    let first_retry =
        raw.take("delivery.first_retry", |text| at_least(text, Duration::from_secs(1), "a second"))?;
    let max_age = raw.take("delivery.max_age", |text| match parse_span(text)? {
        age if age < first_retry => {
            Err("it is below delivery.first_retry, so nothing would be tried again; raise it, 2d is usual"
                .to_owned())
        }
        age => Ok(age),
    })?;
    let keep = raw.take("delivery.keep", |text| match parse_span(text)? {
        keep if keep < max_age => Err(
            "it is below delivery.max_age, so letters would be forgotten while they are tried; 90d is usual"
                .to_owned(),
        ),
        keep => Ok(keep),
    })?;
    let linger = raw.take("delivery.linger", |text| at_least(text, Duration::from_secs(1), "a second"))?;
    let reader_hours = raw.take("delivery.reader_hours", flag)?;
    Ok(DeliverySettings { first_retry, max_age, keep, linger, reader_hours })
}

fn subject_test(raw: &Raw) -> Result<SubjectTestSettings> {
    Ok(SubjectTestSettings {
        share: raw.take_if_set("subject_test.share", FromStr::from_str)?,
        wait: raw.take("subject_test.wait", |text| at_least(text, Duration::from_secs(1), "a second"))?,
    })
}

fn database_url(raw: &Raw, folder: &Path) -> Result<DatabaseUrl> {
    from_either(raw, "database.url", "database.url_file", folder, |text| DatabaseUrl::parse(text, folder))
}

/// Reads a secret from its key, or from the file that the other key names. The environment has the last word over the
/// file; both in one place are refused, since nobody could say which is meant.
fn from_either<T>(
    raw: &Raw,
    key: &'static str,
    file_key: &'static str,
    folder: &Path,
    read: impl Fn(&str) -> std::result::Result<T, String>,
) -> Result<T> {
    let rank = |key| {
        raw.find(key).map(|given| match given.place {
            Place::Default => 0,
            Place::File { .. } => 1,
            Place::Environment(_) => 2,
        })
    };
    let Some(file_rank) = rank(file_key) else { return raw.take(key, read) };
    match rank(key) {
        Some(own) if own > file_rank => return raw.take(key, read),
        Some(own) if own == file_rank => {
            return Err(raw.wrong(file_key, format!("{key} is set as well; keep one of the two")));
        }
        _ => {}
    }
    raw.take(file_key, |text| {
        let file = path(text, folder)?;
        let secret = std::fs::read_to_string(&file).map_err(|error| {
            format!("the file can't be read ({error}); write the URL into it, or set {key}")
        })?;
        read(secret.trim()).map_err(|problem| format!("the URL in the file: {problem}"))
    })
}

/// An address whose local part leaves room for a tag: 64 octets hold both (RFC 5321 §4.5.3.1.1).
fn bounce_address(text: &str) -> std::result::Result<EmailAddress, String> {
    let address = EmailAddress::parse(text).map_err(|error| format!("{error}; write bounces@example.com"))?;
    let (local, _) = address.expose().rsplit_once('@').unwrap_or_default();
    if local.len() > BOUNCE_LOCAL_MAX || local.contains('+') || !local.is_ascii() {
        return Err(format!(
            "the part before the @ has to leave room for a tag; use up to {BOUNCE_LOCAL_MAX} ASCII characters and no plus, \
             as bounces@example.com"
        ));
    }
    Ok(address)
}

pub(super) fn path(text: &str, folder: &Path) -> std::result::Result<PathBuf, String> {
    if text.is_empty() { Err("it is empty; name a file".to_owned()) } else { Ok(folder.join(text)) }
}

pub(super) fn number(text: &str, least: usize, most: usize) -> std::result::Result<usize, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("it is out of range; use {least} to {most}"))
}

pub(super) fn at_least(text: &str, least: Duration, named: &str) -> std::result::Result<Duration, String> {
    match parse_span(text)? {
        span if span < least => Err(format!("it is too short; use {named} or more")),
        span => Ok(span),
    }
}

/// One line with something in it: a line break here would be a header of its own in the letter.
fn line(text: &str) -> std::result::Result<String, String> {
    match text.trim() {
        "" => Err("it is empty; every letter needs it".to_owned()),
        text if text.chars().any(char::is_control) => {
            Err("it has a line break or control character; write it in one line".to_owned())
        }
        text => Ok(text.to_owned()),
    }
}

fn base_url(text: &str) -> std::result::Result<String, String> {
    const REMEDY: &str = "write the pages' address as https://verdicts.example";
    let url =
        url::Url::parse(text).map_err(|error| format!("it is not an absolute URL ({error}); {REMEDY}"))?;
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(format!("it has no host; {REMEDY}")),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => {
            return Err(format!(
                "http:// is for this machine alone, since links carry a reader's token; {REMEDY}"
            ));
        }
        _ => return Err(format!("its scheme is neither https nor http; {REMEDY}")),
    }
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err(format!("it has a user, a ? or a #, which no link can start with; {REMEDY}"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A `list-id` of RFC 2919 §2: a dotted name, at most 255 octets.
fn list_id(text: &str) -> std::result::Result<String, String> {
    let text = text.trim_start_matches('<').trim_end_matches('>');
    if is_dotted(text) && text.contains('.') {
        return Ok(text.to_owned());
    }
    Err("it is not a list's name; write it as weekly.example.com, without blanks".to_owned())
}

fn flag(text: &str) -> std::result::Result<bool, String> {
    text.parse().map_err(|_| "it is neither true nor false".to_owned())
}

/// The primary tag of a language (RFC 5646 §2.2.1). Which ones have texts is known further up.
fn language(text: &str) -> std::result::Result<String, String> {
    if (2..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase()) {
        return Ok(text.to_owned());
    }
    Err("it is not the tag of a language; write en or de".to_owned())
}

/// A name for EHLO (RFC 5321 §4.1.1.1): a domain, or an address in brackets.
fn host_name(text: &str) -> std::result::Result<String, String> {
    let literal = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let is_address =
        literal.is_some_and(|ip| ip.strip_prefix("IPv6:").unwrap_or(ip).parse::<std::net::IpAddr>().is_ok());
    if is_address || is_dotted(text) {
        return Ok(text.to_owned());
    }
    Err("it is not a host name; write it as mail.example.com or [192.0.2.1]".to_owned())
}

pub(super) fn is_dotted(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    text.len() <= 255 && text.split('.').all(part)
}
