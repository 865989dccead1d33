//! An email address, parsed once where it comes in and masked wherever it is printed.

use std::fmt;

/// Longest address that fits an SMTP path: 256 octets less the angle brackets
/// (RFC 5321 §4.5.3.1.3).
const MAX_ADDRESS: usize = 254;
/// Longest local part (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL: usize = 64;

/// A mailbox `local@domain` in the form that we compare, store and send to.
///
/// The domain is case-folded and in its ASCII (IDNA, UTS 46) form; the local part is
/// kept to the letter, since only its own host may interpret it (RFC 5321 §2.4).
/// `Display` and `Debug` print a mask (`b***@e***.com`): code that really needs the
/// address asks for it with [`EmailAddress::expose`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

/// Why a text is not an address. The text itself is not repeated: it may be a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("the address is empty")]
    Empty,
    #[error("the address has no @; write it as name@example.com")]
    NoAt,
    #[error("the address is longer than 254 octets, which SMTP does not carry")]
    TooLong,
    #[error("the part before the @ is empty, longer than 64 octets, or has characters that need quoting")]
    Local,
    #[error("the domain after the @ is not a valid domain name")]
    Domain,
    #[error(
        "the part before the @ names a way through another server (% or !); write the mailbox itself, name@example.com"
    )]
    Route,
    #[error("the domain after the @ is one that a server keeps for itself; write name@example.com")]
    Private,
}

/// Ends of domains that no mailbox of the public is under (RFC 6761, 6762, 8375, and by custom).
const PRIVATE_ENDS: [&str; 6] = ["localhost", "localdomain", "local", "internal", "arpa", "onion"];

impl EmailAddress {
    /// Parses an address as a person types it: blanks around it are dropped, nothing
    /// else is guessed.
    ///
    /// # Errors
    /// [`AddressError`] says which part is wrong. Quoted local parts and address literals
    /// (`me@[127.0.0.1]`) are refused: no list that people joined by themselves has them,
    /// and forgeries do.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::NoAt)?;
        if !is_local_part(local) {
            return Err(AddressError::Local);
        }
        let domain = ascii_domain(domain).ok_or(AddressError::Domain)?;
        if local.len() + 1 + domain.len() > MAX_ADDRESS {
            return Err(AddressError::TooLong);
        }
        Ok(Self(format!("{local}@{domain}")))
    }

    /// Parses an address that anybody may have written: as [`EmailAddress::parse`], and nothing
    /// that a relay could take for somebody else's mailbox or for one of its own. A relay that
    /// trusts us sends `ann%example.com@localhost` on to Ann, whom no limit and no suppression then
    /// protects.
    ///
    /// # Errors
    /// [`AddressError`] says which part is wrong.
    pub fn from_public(text: &str) -> Result<Self, AddressError> {
        let address = Self::parse(text)?;
        let (local, domain) = address.0.rsplit_once('@').unwrap_or_default();
        if local.contains(['%', '!']) {
            return Err(AddressError::Route);
        }
        let end = domain.rsplit('.').next().unwrap_or(domain);
        // `localhost.example.com` is a name of the relay itself as Postfix comes.
        if PRIVATE_ENDS.contains(&end) || domain.starts_with("localhost.") {
            return Err(AddressError::Private);
        }
        Ok(address)
    }

    /// The address itself, for the relay, the store and an operator who asked for it. Never
    /// for a log.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The part after the `@`, in ASCII and lower case.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// Whether the local part is beyond ASCII, so that only a relay with SMTPUTF8 (RFC 6531)
    /// can carry it.
    pub fn needs_smtputf8(&self) -> bool {
        !self.0.is_ascii()
    }
}

/// A dot-atom (RFC 5322 §3.2.3), with the characters beyond ASCII that RFC 6532 adds.
fn is_local_part(local: &str) -> bool {
    let atom = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+/=?^_`{|}~-".contains(c)
            || (!c.is_ascii() && c.is_alphanumeric())
    };
    !local.is_empty()
        && local.len() <= MAX_LOCAL
        && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom))
}

fn ascii_domain(domain: &str) -> Option<String> {
    let domain = idna::domain_to_ascii_strict(domain).ok()?;
    let labels_fit = domain.split('.').all(|label| !label.is_empty() && label.len() <= 63);
    let has_tld = domain
        .rsplit_once('.')
        .is_some_and(|(_, tld)| tld.len() >= 2 && !tld.bytes().all(|b| b.is_ascii_digit()));
    (labels_fit && (has_tld || domain == "localhost")).then_some(domain)
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or(("", &self.0));
        let (name, tld) = domain.rsplit_once('.').unwrap_or((domain, ""));
        let first = |s: &str| s.chars().next().map(String::from).unwrap_or_default();
        write!(f, "{}***@{}***", first(local), first(name))?;
        if tld.is_empty() { Ok(()) } else { write!(f, ".{tld}") }
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        EmailAddress::parse(text).unwrap().expose().to_owned()
    }

    #[test]
    fn the_domain_is_folded_and_the_local_part_kept() {
        assert_eq!(parsed(" Ann.Lee@EXAMPLE.Com "), "Ann.Lee@example.com");
        assert_eq!(parsed("j@bücher.example"), "j@xn--bcher-kva.example");
        assert_eq!(parsed("tom+news@example.org"), "tom+news@example.org");
    }

    #[test]
    fn what_is_not_an_address_is_refused_with_the_part_that_is_wrong() {
        for (text, why) in [
            ("", AddressError::Empty),
            ("ann", AddressError::NoAt),
            ("@example.com", AddressError::Local),
            ("a..b@example.com", AddressError::Local),
            ("a b@example.com", AddressError::Local),
            ("a\r\nBcc: x@example.com", AddressError::Local),
            ("ann@", AddressError::Domain),
            ("ann@exa mple.com", AddressError::Domain),
            ("ann@[127.0.0.1]", AddressError::Domain),
            ("ann@127.0.0.1", AddressError::Domain),
            ("ann@example", AddressError::Domain),
        ] {
            assert_eq!(EmailAddress::parse(text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn nobody_from_outside_names_a_way_or_a_private_domain() {
        for (text, why) in [
            ("victim%example.com@localhost", AddressError::Route),
            ("victim%example.com@example.org", AddressError::Route),
            ("example.com!victim@localhost", AddressError::Route),
            ("example.com!victim@example.org", AddressError::Route),
            ("root@localhost", AddressError::Private),
            ("root@LocalHost", AddressError::Private),
            ("root@localhost.localdomain", AddressError::Private),
            ("root@localhost.example.com", AddressError::Private),
            ("root@mail.local", AddressError::Private),
            ("root@db.internal", AddressError::Private),
            ("root@1.0.0.127.in-addr.arpa", AddressError::Private),
            ("@example.org,@example.net:victim@example.com", AddressError::Local),
            ("victim@example.com@localhost", AddressError::Local),
            ("\"victim@example.com\"@example.org", AddressError::Local),
            ("root@mail", AddressError::Domain),
            ("root@[127.0.0.1]", AddressError::Domain),
            ("root@[IPv6:::1]", AddressError::Domain),
            ("root@127.0.0.1", AddressError::Domain),
            ("root@localhost.", AddressError::Domain),
        ] {
            assert_eq!(EmailAddress::from_public(text), Err(why), "{text:?}");
        }
        for text in ["o'brien+x@example.com", "ann@local.example", "ann@localhosts.example.com"] {
            assert!(EmailAddress::from_public(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn printing_masks() {
        let address = EmailAddress::parse("bea@example.com").unwrap();
        assert_eq!(format!("{address} {address:?}"), "b***@e***.com b***@e***.com");
    }
}
