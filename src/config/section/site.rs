//! `[site]`: who sends the letter.

use crate::config::error::ConfigError;
use crate::config::raw::Raw;
use crate::config::value::{Read, is_dotted, line};
use crate::domain::address::EmailAddress;
use crate::domain::site::{Mailbox, Site};
use crate::domain::token::BOUNCE_LOCAL_MAX;

pub(in crate::config) fn site(raw: &Raw) -> Result<Site, ConfigError> {
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

/// Where bounces go; none for the From address.
pub(in crate::config) fn bounce(raw: &Raw) -> Result<Option<EmailAddress>, ConfigError> {
    raw.take_if_set("site.bounce_address", bounce_address)
}

/// An address whose local part leaves room for a tag: 64 octets hold both (RFC 5321 §4.5.3.1.1).
fn bounce_address(text: &str) -> Read<EmailAddress> {
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

fn base_url(text: &str) -> Read<String> {
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
fn list_id(text: &str) -> Read<String> {
    let text = text.trim_start_matches('<').trim_end_matches('>');
    if is_dotted(text) && text.contains('.') {
        return Ok(text.to_owned());
    }
    Err("it is not a list's name; write it as weekly.example.com, without blanks".to_owned())
}

/// The primary tag of a language (RFC 5646 §2.2.1). Which ones have texts is known further up.
fn language(text: &str) -> Read<String> {
    if (2..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase()) {
        return Ok(text.to_owned());
    }
    Err("it is not the tag of a language; write en or de".to_owned())
}
