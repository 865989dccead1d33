//! By what limits are counted: the mailbox that an address most likely leads to, and the networks
//! that a client is part of.
//!
//! For counting alone. Two mailboxes taken for one share a limit, and nothing else: mail goes to
//! the address as it was typed.

use std::net::IpAddr;

use crate::domain::reader::address::EmailAddress;

/// How one provider reads the part before the `@`.
struct Provider {
    /// Names of one and the same mailbox; the first stands for all.
    domains: &'static [&'static str],
    /// Characters that mean nothing to it.
    ignores: &'static str,
    /// What begins a tag there, beside the plus.
    tags: &'static str,
}

const PROVIDERS: [Provider; 5] = [
    Provider { domains: &["gmail.com", "googlemail.com"], ignores: ".", tags: "" },
    Provider {
        domains: &["proton.me", "protonmail.com", "protonmail.ch", "pm.me"],
        ignores: ".-_",
        tags: "",
    },
    Provider { domains: &["icloud.com", "me.com", "mac.com"], ignores: "", tags: "" },
    Provider {
        domains: &["yandex.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua", "ya.ru"],
        ignores: ".-",
        tags: "",
    },
    Provider { domains: &["fastmail.com", "fastmail.fm"], ignores: "", tags: "" },
];

/// Each has mailboxes of its own; a hyphen begins a tag in all of them.
const YAHOO: Provider = Provider { domains: &[], ignores: "", tags: "-" };

/// The mailbox of an address: at Gmail `Ann.Lee+news` is `annlee`, so that tags, dots and other
/// names of a provider get nobody a second helping.
pub fn mailbox(email: &EmailAddress) -> String {
    let (local, domain) = email.expose().rsplit_once('@').unwrap_or_default();
    let local = local.to_lowercase();
    // There whatever is sent to a domain of one's own, `ann.fastmail.com`, reaches the user `ann`.
    let own = ["fastmail.com", "fastmail.fm"]
        .into_iter()
        .find_map(|host| domain.strip_suffix(host)?.strip_suffix('.').map(|user| (user, host)));
    let (local, domain) = own.unwrap_or((&local, domain));
    let is_yahoo = domain.starts_with("yahoo.") || ["ymail.com", "rocketmail.com"].contains(&domain);
    let provider = match PROVIDERS.iter().find(|provider| provider.domains.contains(&domain)) {
        Some(provider) => Some(provider),
        None => is_yahoo.then_some(&YAHOO),
    };
    let (ignores, tags) = provider.map_or(("", ""), |provider| (provider.ignores, provider.tags));
    let name = local.split(|c| c == '+' || tags.contains(c)).next().unwrap_or(local);
    let name: String = name.chars().filter(|c| !ignores.contains(*c)).collect();
    let domain = provider.and_then(|provider| provider.domains.first()).unwrap_or(&domain);
    format!("{name}@{domain}")
}

/// The networks of a client, from its own to the widest, each with how many times the limit of one
/// client it has: an address of IPv4, and its /24; of IPv6 the /64 that a household or a machine
/// has for itself, and the /56 and /48 that a customer of a provider has.
pub fn networks(ip: IpAddr) -> Vec<(String, u32)> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            vec![(ip.to_string(), 1), (format!("{a}.{b}.{c}.0/24"), 8)]
        }
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            let wider = d & 0xff00;
            vec![
                (format!("{a:x}:{b:x}:{c:x}:{d:x}::/64"), 1),
                (format!("{a:x}:{b:x}:{c:x}:{wider:x}::/56"), 4),
                (format!("{a:x}:{b:x}:{c:x}::/48"), 16),
            ]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(local: &str, domain: &str) -> String {
        mailbox(&EmailAddress::parse(&[local, domain].join("@")).unwrap())
    }

    #[test]
    fn spellings_of_one_mailbox_are_one() {
        for (one, other) in [
            (("ann", "example.com"), ("Ann", "EXAMPLE.com")),
            (("ann", "example.com"), ("ann+1", "example.com")),
            (("annlee", "gmail.com"), ("a.n.n.Lee+x", "googlemail.com")),
            (("annlee", "proton.me"), ("ann-l_e.e+x", "pm.me")),
            (("ann", "icloud.com"), ("Ann+x", "me.com")),
            (("ann.lee", "yandex.com"), ("ann-lee", "ya.ru")),
            (("ann", "yahoo.com"), ("ann-shop", "yahoo.com")),
            (("ann", "yahoo.co.uk"), ("ann-shop", "yahoo.co.uk")),
            (("ann", "fastmail.com"), ("shop", "ann.fastmail.com")),
            (("kim", "example.com"), ("\u{212a}im", "example.com")),
        ] {
            assert_eq!(of(one.0, one.1), of(other.0, other.1), "{one:?}");
        }
        for (one, other) in [
            (("a.b", "example.com"), ("ab", "example.com")),
            (("a-b", "example.com"), ("a", "example.com")),
            (("ann", "yahoo.com"), ("ann", "yahoo.fr")),
            (("ann", "fastmail.com"), ("ann", "notfastmail.com")),
        ] {
            assert_ne!(of(one.0, one.1), of(other.0, other.1), "{one:?}");
        }
    }

    #[test]
    fn a_household_is_one_asker_and_a_provider_a_wider_one() {
        let names = |ip: &str| -> Vec<String> {
            networks(ip.parse().unwrap()).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names("192.0.2.77"), ["192.0.2.77", "192.0.2.0/24"]);
        assert_eq!(names("::ffff:192.0.2.77"), names("192.0.2.77"));
        let own = names("2001:db8:1:23ff:4:5:6:7");
        assert_eq!(own, ["2001:db8:1:23ff::/64", "2001:db8:1:2300::/56", "2001:db8:1::/48"]);
        assert_eq!(own, names("2001:db8:1:23ff:ffff::1"));
        assert_eq!(own[1..], names("2001:db8:1:2301::1")[1..], "another /64 of the same /56");
        assert_eq!(own[2..], names("2001:db8:1:ff01::1")[2..], "another /56 of the same /48");
    }
}
