//! `[relay]`: the SMTP server that takes the letters, others beside it, and how fast they
//! may get them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use serde::Deserialize;

use crate::config::error::ConfigError;
use crate::config::raw::Raw;
use crate::config::value::{Read, from_either, is_dotted, number, path, table};
use crate::domain::rate::Rate;
use crate::domain::relay::{RelayUrl, SmtpUrl};

#[derive(Clone, Debug)]
pub struct RelaySettings {
    pub url: RelayUrl,
    /// 1 to 500.
    pub connections: usize,
    /// Letters over one session: 1 to 1,000,000.
    pub session_letters: u32,
    /// None: as fast as the relay takes it.
    pub rate: Option<Rate>,
    /// By recipient domain, in lower case.
    pub domains: BTreeMap<String, DomainLimit>,
    /// The ceiling of each day of a warm-up; empty: none.
    pub warmup: Vec<u32>,
    /// The share of `url` among the relays: 1 to 100.
    pub weight: u32,
    pub more: Vec<MoreRelay>,
    /// PEM, in addition to the machine's own authorities.
    pub ca_file: Option<PathBuf>,
    pub helo: Option<String>,
}

/// What a single recipient domain may get; at least one of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DomainLimit {
    pub rate: Option<Rate>,
    /// 1 to 500.
    pub connections: Option<usize>,
}

/// Another relay, beside `relay.url`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MoreRelay {
    pub url: SmtpUrl,
    /// 1 to 100.
    pub weight: u32,
}

pub(in crate::config) fn relay(raw: &Raw, folder: &Path) -> Result<RelaySettings, ConfigError> {
    let url = from_either(raw, "relay.url", "relay.url_file", folder, |text| {
        Ok(match RelayUrl::parse(text)? {
            RelayUrl::Outbox(path) => RelayUrl::Outbox(folder.join(path)),
            smtp => smtp,
        })
    })?;
    Ok(RelaySettings {
        domains: domains(raw)?,
        warmup: warmup(raw)?,
        weight: raw.take("relay.weight", |text| number(text, 1, 100))?.try_into().unwrap_or(1),
        more: more(raw, &url, folder)?,
        url,
        connections: raw.take("relay.connections", |text| number(text, 1, 500))?,
        session_letters: raw
            .take("relay.session_letters", |text| number(text, 1, 1_000_000))?
            .try_into()
            .unwrap_or(1_000),
        rate: raw.take_if_set("relay.rate", Rate::from_str)?,
        ca_file: raw.take_if_set("relay.ca_file", |text| path(text, folder))?,
        helo: raw.take_if_set("relay.helo", host_name)?,
    })
}

/// A name for EHLO (RFC 5321 §4.1.1.1): a domain, or an address in brackets.
fn host_name(text: &str) -> Read<String> {
    let literal = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let is_address =
        literal.is_some_and(|ip| ip.strip_prefix("IPv6:").unwrap_or(ip).parse::<std::net::IpAddr>().is_ok());
    if is_address || is_dotted(text) {
        return Ok(text.to_owned());
    }
    Err("it is not a host name; write it as mail.example.com or [192.0.2.1]".to_owned())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DomainLimitToml {
    rate: Option<String>,
    connections: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoreRelayToml {
    url: Option<String>,
    url_file: Option<String>,
    weight: Option<u32>,
}

/// `relay.domains`, by domain in lower case and in its form on the wire.
fn domains(raw: &Raw) -> Result<BTreeMap<String, DomainLimit>, ConfigError> {
    let limits = raw.take_if_set("relay.domains", |text| {
        let mut limits = BTreeMap::new();
        for (name, limit) in table::<BTreeMap<String, DomainLimitToml>>(text)? {
            limits.insert(domain(&name)?, read_limit(&name, &limit)?);
        }
        Ok(limits)
    })?;
    Ok(limits.unwrap_or_default())
}

fn read_limit(name: &str, limit: &DomainLimitToml) -> Read<DomainLimit> {
    let rate = limit.rate.as_deref().map(str::parse).transpose().map_err(|why| format!("{name:?}: {why}"))?;
    match limit.connections {
        Some(0 | 501..) => Err(format!("{name:?}: connections is out of range; use 1 to 500")),
        None if rate.is_none() => Err(format!("{name:?} has no limit; give it a rate or connections")),
        connections => Ok(DomainLimit { rate, connections }),
    }
}

fn domain(name: &str) -> Read<String> {
    let refuse = || format!("{name:?} is not a domain; write what stands after the @, as \"example.com\"");
    let ascii = idna::domain_to_ascii(name).map_err(|_| refuse())?;
    match ascii.is_empty() || ascii.contains(['@', ' ', '*']) || !ascii.contains('.') {
        true => Err(refuse()),
        false => Ok(ascii),
    }
}

/// `relay.warmup`: the ceiling of each day; empty: none.
fn warmup(raw: &Raw) -> Result<Vec<u32>, ConfigError> {
    let days = raw.take_if_set("relay.warmup", |text| {
        let days: Vec<u32> = table(text)?;
        match days.contains(&0) {
            true => Err("a day with 0 letters would be the last one; use 1 or more".to_owned()),
            false => Ok(days),
        }
    })?;
    Ok(days.unwrap_or_default())
}

/// `relay.more`; only beside a relay that is no outbox.
fn more(raw: &Raw, first: &RelayUrl, folder: &Path) -> Result<Vec<MoreRelay>, ConfigError> {
    let more = raw.take_if_set("relay.more", |text| {
        let more: Vec<MoreRelayToml> = table(text)?;
        if matches!(first, RelayUrl::Outbox(_)) && !more.is_empty() {
            return Err(
                "relay.url is an outbox, which nothing is shared out with; set it to an smtp URL".to_owned()
            );
        }
        more.iter().enumerate().map(|(index, more)| read_more(index + 1, more, folder)).collect()
    })?;
    Ok(more.unwrap_or_default())
}

fn read_more(number: usize, more: &MoreRelayToml, folder: &Path) -> Read<MoreRelay> {
    let text = match (&more.url, &more.url_file) {
        (Some(url), None) => url.clone(),
        (None, Some(file)) => std::fs::read_to_string(folder.join(file))
            .map_err(|error| format!("url_file = {file:?} of relay {number} can't be read ({error})"))?,
        _ => return Err(format!("relay {number} needs a url or a url_file, and one of the two")),
    };
    let weight = more.weight.unwrap_or(1);
    if !(1..=100).contains(&weight) {
        return Err(format!("the weight of relay {number} is out of range; use 1 to 100"));
    }
    match RelayUrl::parse(text.trim()) {
        Ok(RelayUrl::Smtp(url)) => Ok(MoreRelay { url, weight }),
        Ok(RelayUrl::Outbox(_)) => Err(format!("relay {number} is an outbox; name an SMTP server")),
        Err(why) => Err(format!("the url of relay {number}: {why}")),
    }
}
