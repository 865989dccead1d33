//! Slips in the domain of an address: `gmial.com` for `gmail.com`. A hint, never a refusal.

use crate::domain::reader::address::EmailAddress;

/// Where most people's mail is. Short names are left out: too many real ones are a letter away.
const KNOWN: [&str; 26] = [
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "outlook.de",
    "hotmail.com",
    "hotmail.de",
    "hotmail.co.uk",
    "hotmail.fr",
    "yahoo.com",
    "yahoo.de",
    "yahoo.fr",
    "yahoo.co.uk",
    "ymail.com",
    "icloud.com",
    "proton.me",
    "protonmail.com",
    "t-online.de",
    "freenet.de",
    "fastmail.com",
    "comcast.net",
    "verizon.net",
    "btinternet.com",
    "orange.fr",
    "wanadoo.fr",
    "libero.it",
    "posteo.de",
];

/// Real domains that look like slips of the ones above.
const REAL: [&str; 14] = [
    "mail.com",
    "email.com",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "aol.com",
    "live.com",
    "hotmail.it",
    "hotmail.es",
    "outlook.fr",
    "outlook.es",
    "outlook.it",
    "yahoo.it",
    "yahoo.es",
];

/// The address with its domain put right, if the domain looks like a slip of a well-known one: one
/// letter left out, added, wrong, or two in the wrong order; two such slips in a long name.
pub fn suggestion(email: &EmailAddress) -> Option<EmailAddress> {
    let domain = email.domain();
    if KNOWN.contains(&domain) || REAL.contains(&domain) {
        return None;
    }
    let distance = |known: &&str| strsim::osa_distance(domain, known);
    let nearest = KNOWN.into_iter().min_by_key(distance)?;
    let slips = match nearest.len() {
        0..=10 => 1,
        _ => 2,
    };
    if strsim::osa_distance(domain, nearest) > slips {
        return None;
    }
    let (local, _) = email.expose().rsplit_once('@')?;
    EmailAddress::parse(&format!("{local}@{nearest}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(domain: &str) -> Option<String> {
        let email = EmailAddress::parse(&format!("Ann.Lee+x@{domain}")).unwrap();
        suggestion(&email).map(|hint| hint.domain().to_owned())
    }

    #[test]
    fn slips_get_a_hint_and_real_domains_none() {
        for (typed, meant) in [
            ("gmial.com", "gmail.com"),
            ("gmai.com", "gmail.com"),
            ("gmaill.com", "gmail.com"),
            ("GMAIL.CON", "gmail.com"),
            ("gmail.co", "gmail.com"),
            ("yaho.com", "yahoo.com"),
            ("hotmial.com", "hotmail.com"),
            ("outlok.com", "outlook.com"),
            ("protonmial.com", "protonmail.com"),
            ("t-onlin.de", "t-online.de"),
            ("iclould.com", "icloud.com"),
        ] {
            assert_eq!(hint(typed).as_deref(), Some(meant), "{typed}");
        }
        for real in [
            "gmail.com",
            "ymail.com",
            "mail.com",
            "email.com",
            "gmx.de",
            "example.com",
            "verdicts.example",
            "mailbox.org",
            "bücher.example",
        ] {
            assert_eq!(hint(real), None, "{real}");
        }
    }

    #[test]
    fn the_part_before_the_at_stays_as_it_was_typed() {
        let email = EmailAddress::parse(&["Ann.Lee+x", "yaho.com"].join("@")).unwrap();
        assert!(suggestion(&email).unwrap().expose().starts_with("Ann.Lee+x@"));
    }
}
