//! `[web]`: where the pages are served, and whose word counts there.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;

use crate::config::error::ConfigError;
use crate::config::raw::Raw;
use crate::config::value::{at_least, number, table};

#[derive(Clone, Debug)]
pub struct WebSettings {
    pub listen: SocketAddr,
    /// Whose word on a client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// At least a second.
    pub timeout: Duration,
    /// 8 to 100000.
    pub connections: usize,
}

pub(in crate::config) fn web(raw: &Raw) -> Result<WebSettings, ConfigError> {
    let listen = raw.take("web.listen", |text| {
        text.parse()
            .map_err(|_| "it is not an address and a port; write 127.0.0.1:8080 or [::]:8080".to_owned())
    })?;
    let trusted_proxies = raw.take_if_set("web.trusted_proxies", |text| {
        table::<Vec<String>>(text)?.iter().map(|net| network(net)).collect()
    })?;
    Ok(WebSettings {
        listen,
        trusted_proxies: trusted_proxies.unwrap_or_default(),
        timeout: raw.take("web.timeout", |text| at_least(text, Duration::from_secs(1), "a second"))?,
        connections: raw.take("web.connections", |text| number(text, 8, 100_000))?,
    })
}

/// `10.0.0.0/8`, or a single address.
fn network(text: &str) -> Result<IpNet, String> {
    let single = text.parse::<IpAddr>().map(IpNet::from);
    single.or_else(|_| text.parse()).map_err(|_| {
        format!("{text:?} is neither an address nor a network; write \"10.0.0.0/8\" or \"192.0.2.1\"")
    })
}
