//! The tables under `[relay]`: limits of domains, the ramp of a new sender, and more relays.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::raw::Raw;
use super::{ConfigError, DomainLimit, MoreRelay};
use crate::domain::relay::RelayUrl;

type Read<T> = std::result::Result<T, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    rate: Option<String>,
    connections: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct More {
    url: Option<String>,
    url_file: Option<String>,
    weight: Option<u32>,
}

/// `relay.domains`, by domain in lower case and in its form on the wire.
pub(super) fn domains(raw: &Raw) -> Result<BTreeMap<String, DomainLimit>, ConfigError> {
    let limits = raw.take_if_set("relay.domains", |text| {
        let mut limits = BTreeMap::new();
        for (name, limit) in table::<BTreeMap<String, Limit>>(text)? {
            limits.insert(domain(&name)?, read_limit(&name, &limit)?);
        }
        Ok(limits)
    })?;
    Ok(limits.unwrap_or_default())
}

fn read_limit(name: &str, limit: &Limit) -> Read<DomainLimit> {
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
pub(super) fn warmup(raw: &Raw) -> Result<Vec<u32>, ConfigError> {
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
pub(super) fn more(raw: &Raw, first: &RelayUrl, folder: &Path) -> Result<Vec<MoreRelay>, ConfigError> {
    let more = raw.take_if_set("relay.more", |text| {
        let more: Vec<More> = table(text)?;
        if matches!(first, RelayUrl::Outbox(_)) && !more.is_empty() {
            return Err(
                "relay.url is an outbox, which nothing is shared out with; set it to an smtp URL".to_owned()
            );
        }
        more.iter().enumerate().map(|(index, more)| read_more(index + 1, more, folder)).collect()
    })?;
    Ok(more.unwrap_or_default())
}

fn read_more(number: usize, more: &More, folder: &Path) -> Read<MoreRelay> {
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

/// Reads one value of TOML. Its own words name fields and types; a value that may be a secret is not among them.
pub(super) fn table<T: DeserializeOwned>(text: &str) -> Read<T> {
    #[derive(Deserialize)]
    struct Of<T> {
        value: T,
    }
    toml::from_str::<Of<T>>(&format!("value = {text}")).map(|of| of.value).map_err(|error| {
        let words = error.message().lines().next().unwrap_or_default();
        format!("it has the wrong form: {words}; \"verdicts init\" writes a file that shows it")
    })
}
