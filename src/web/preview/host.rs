//! Which names in `Host` are this machine's own.

use std::net::IpAddr;

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guests {
    /// Programs on this machine.
    Loopback,
    /// Whoever can reach the address.
    Anybody,
}

/// Whether a request for this host is meant for us. A page of somebody else can have its own name
/// resolved to this machine, but then its name stands here; an address is nobody's name.
pub(super) fn is_ours(host: &str, guests: Guests) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, port)) if is_port(port) => name,
            _ => return false,
        },
        None => match host.split_once(':') {
            Some((name, port)) if is_port(&format!(":{port}")) => name,
            Some(_) => return false,
            None => host,
        },
    };
    if name.eq_ignore_ascii_case("localhost") {
        return true;
    }
    match name.parse::<IpAddr>() {
        Ok(address) => guests == Guests::Anybody || address.is_loopback(),
        Err(_) => false,
    }
}

fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for host in
            ["127.0.0.1", "127.0.0.1:8090", "localhost:1", "LocalHost", "[::1]:8090", "[::1]", "127.9.9.9:1"]
        {
            assert!(is_ours(host, Guests::Loopback), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8090",
            "localhost.evil.example:8090",
            "127.0.0.1.evil.example",
            "127.0.0.1:8090:1",
            "192.0.2.1:8090",
            "[::1",
            "[::1]x",
            "[2001:db8::1]:80",
            "localhost:port",
        ] {
            assert!(!is_ours(host, Guests::Loopback), "{host}");
        }
        assert!(is_ours("192.0.2.1:8090", Guests::Anybody));
        assert!(!is_ours("evil.example:8090", Guests::Anybody), "a name is never believed");
    }
}
