//! `[dkim]`: which keys sign, and whether their domain may speak for the sender's.

use std::path::{Path, PathBuf};

use crate::config::error::ConfigError;
use crate::config::raw::Raw;
use crate::config::value::{is_dotted, path};
use crate::domain::site::Site;

/// One key that signs letters. The file is read later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DkimKey {
    /// ASCII, lower case.
    pub domain: String,
    pub selector: String,
    pub key_file: PathBuf,
    /// Which setting names it, for errors about the file.
    pub setting: &'static str,
}

/// The main key first, then those of `dkim.also`.
pub(in crate::config) fn keys(raw: &Raw, site: &Site, folder: &Path) -> Result<Vec<DkimKey>, ConfigError> {
    let sender = site.from.address.domain();
    let domain = raw
        .take_if_set("dkim.domain", |text| signing_domain(text, sender))?
        .unwrap_or_else(|| sender.to_owned());
    let selector = raw.take_if_set("dkim.selector", name)?;
    let key_file = raw.take_if_set("dkim.key_file", |text| path(text, folder))?;
    let also = raw.take_if_set("dkim.also", |text| {
        text.split(',').map(|entry| one(entry.trim(), &domain, folder).ok_or_else(shape)).collect()
    })?;
    let mut keys = match (selector, key_file) {
        (None, None) => Vec::new(),
        (Some(selector), Some(key_file)) => {
            vec![DkimKey { domain, selector, key_file, setting: "dkim.key_file" }]
        }
        (Some(_), None) => {
            let problem = "a selector without a key signs nothing; set dkim.key_file as well".to_owned();
            return Err(raw.wrong("dkim.selector", problem));
        }
        (None, Some(_)) => {
            let problem =
                "nobody finds a key without its name in the DNS; set dkim.selector as well".to_owned();
            return Err(raw.wrong("dkim.key_file", problem));
        }
    };
    keys.extend(also.unwrap_or_else(Vec::new));
    Ok(keys)
}

/// Whether a signature of `domain` speaks for `sender`: the same domain, a parent or a part of it.
/// That is what DMARC calls aligned (RFC 7489 §3.1.1), as far as one can tell without the list of
/// public suffixes. Both in lower case.
pub fn aligned(domain: &str, sender: &str) -> bool {
    let within = |inner: &str, outer: &str| inner.strip_suffix(outer).is_some_and(|rest| rest.ends_with('.'));
    domain.contains('.') && (domain == sender || within(sender, domain) || within(domain, sender))
}

fn signing_domain(text: &str, sender: &str) -> Result<String, String> {
    let domain = text.to_ascii_lowercase();
    if is_dotted(&domain) && aligned(&domain, sender) {
        return Ok(domain);
    }
    Err(format!(
        "a signature of this domain says nothing about site.from for DMARC; use {sender} or its parent"
    ))
}

fn name(text: &str) -> Result<String, String> {
    if is_dotted(text) {
        return Ok(text.to_owned());
    }
    Err("it is not a name of the DNS; use letters, digits and hyphens, as v202611".to_owned())
}

/// `SELECTOR:FILE` or `SELECTOR@DOMAIN:FILE`.
fn one(entry: &str, main: &str, folder: &Path) -> Option<DkimKey> {
    let (who, file) = entry.split_once(':')?;
    let (selector, domain) = who.split_once('@').unwrap_or((who, main));
    let is_domain = is_dotted(domain) && domain.contains('.');
    let key_file = path(file.trim(), folder).ok()?;
    (is_dotted(selector) && is_domain).then(|| DkimKey {
        domain: domain.to_ascii_lowercase(),
        selector: selector.to_owned(),
        key_file,
        setting: "dkim.also",
    })
}

fn shape() -> String {
    "it is not a list of keys; write SELECTOR:FILE or SELECTOR@DOMAIN:FILE, separated by commas".to_owned()
}
