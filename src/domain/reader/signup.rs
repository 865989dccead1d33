//! Sign-up: what counts as one person asking, how often anybody may, and what is kept as proof
//! that they did.

use std::net::IpAddr;
use std::time::Duration;

use crate::domain::delivery::rate::Rate;
use crate::domain::reader::address::EmailAddress;
use crate::domain::reader::mailbox::{mailbox, networks};
use crate::domain::reader::subscriber::SubscriberId;
use crate::domain::time::UnixMillis;
use crate::domain::token::Keyring;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long the link in a confirmation works.
pub const LINK_VALID: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long an address that nobody confirms is kept; the notices say so.
pub const PENDING_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long a form may lie open before it is sent off.
pub const STAMP_VALID: Duration = DAY;
/// Leading zero bits of a proof of work: some ten thousand hashes, a second at most in a
/// browser of today.
pub const WORK_BITS: u32 = 14;

/// At most `most` of something in a span that begins with the first of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// What is counted and whose, as a keyed hash ([`Keyring::count_key`]).
    pub key: String,
    pub most: u32,
    pub span: Duration,
    /// What it may not have more of than there is left, so that the loudest is refused first: the
    /// key of another allowance, and how much that is in all.
    pub rest_of: Option<(String, u32)>,
}

impl Allowance {
    pub fn new(keyring: &Keyring, what: &str, whose: &str, most: u32, span: Duration) -> Self {
        Self { key: keyring.count_key(what, whose), most: most.max(1), span, rest_of: None }
    }

    /// The same for nobody: as much work, and no limit of anybody's.
    #[must_use]
    pub fn of_nobody(&self) -> Self {
        Self { key: "nobody".to_owned(), most: u32::MAX, ..self.clone() }
    }

    fn of_rate(keyring: &Keyring, what: &str, whose: &str, rate: Rate) -> Self {
        Self::new(keyring, what, whose, rate.letters, rate.per)
    }
}

/// How often somebody may sign up, by the settings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignupLimits {
    /// From one address of IPv4, or one /64 of IPv6; wider networks have a larger share.
    pub per_network: Rate,
    /// Everybody together.
    pub total: Rate,
}

/// How much less a form without our stamp may do: it could be anybody's script.
const UNSTAMPED_SHARE: u32 = 4;

impl SignupLimits {
    /// What is asked of whoever asks, before anything is looked up. It tells nothing about an
    /// address, so a refusal may.
    pub fn of_asker(&self, keyring: &Keyring, ip: IpAddr, stamped: bool) -> Vec<Allowance> {
        let mut limits = of_networks(keyring, "sign-ups", ip, self.per_network, self.total);
        if !stamped {
            let less = |rate: Rate| Rate { letters: (rate.letters / UNSTAMPED_SHARE).max(1), ..rate };
            let (own, all) = (less(self.per_network), less(self.total));
            limits.extend(of_networks(keyring, "unstamped sign-ups", ip, own, all));
        }
        limits
    }
}

/// One client's networks and everybody. While there is plenty left for everybody, a network may
/// have what is its own; the less there is, the sooner the network that had most is refused, and
/// one that had nothing yet is the last.
fn of_networks(keyring: &Keyring, what: &str, ip: IpAddr, own: Rate, all: Rate) -> Vec<Allowance> {
    let total = Allowance::of_rate(keyring, what, "all", all);
    let what = format!("{what} of a network");
    let mut limits: Vec<_> = networks(ip)
        .into_iter()
        .map(|(network, times)| {
            let share = Rate { letters: own.letters.saturating_mul(times), ..own };
            let rest_of = Some((total.key.clone(), total.most));
            Allowance { rest_of, ..Allowance::of_rate(keyring, &what, &network, share) }
        })
        .collect();
    limits.push(total);
    limits
}

/// How many notices forms may cause to one mailbox, whichever form it is and whoever fills it in:
/// one in ten minutes and three a day. Reaching it is never said, since it would tell that somebody
/// has asked before.
pub fn of_mailbox(keyring: &Keyring, email: &EmailAddress) -> Vec<Allowance> {
    let mailbox = mailbox(email);
    vec![
        Allowance::new(keyring, "notices in ten minutes", &mailbox, 1, MINUTE * 10),
        Allowance::new(keyring, "notices in a day", &mailbox, 3, DAY),
    ]
}

/// "You are subscribed already" is said once a day.
pub fn of_already(keyring: &Keyring, email: &EmailAddress) -> Allowance {
    Allowance::new(keyring, "already subscribed", &mailbox(email), 1, DAY)
}

/// How often a reader may ask for another address: three times a day. It is about nobody else, so
/// it may be said.
fn of_reader(keyring: &Keyring, reader: SubscriberId) -> Allowance {
    Allowance::new(keyring, "changes of address of a reader", &reader.0.to_string(), 3, DAY)
}

/// What is kept of the IP that a consent came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IpProof {
    /// The network: /24 of IPv4, /48 of IPv6.
    Truncated,
    /// A keyed hash: shows that two consents came from the same place, and nothing else.
    Hashed,
    None,
}

impl IpProof {
    pub fn of(self, keyring: &Keyring, ip: IpAddr) -> Option<String> {
        match (self, ip.to_canonical()) {
            (Self::None, _) => None,
            (Self::Hashed, ip) => Some(keyring.count_key("consent", &ip.to_string())),
            (Self::Truncated, IpAddr::V4(ip)) => {
                let [a, b, c, _] = ip.octets();
                Some(format!("{a}.{b}.{c}.0/24"))
            }
            (Self::Truncated, IpAddr::V6(ip)) => {
                let [a, b, c, ..] = ip.segments();
                Some(format!("{a:x}:{b:x}:{c:x}::/48"))
            }
        }
    }
}

/// What proves a consent besides its moments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// The address of the form: `https://verdicts.example/`.
    pub form: String,
    /// The name of the text beside the button, its language, and the words as they stood there.
    pub text_id: String,
    pub language: String,
    pub text: String,
    pub ip: Option<String>,
}

/// A consent as the store has it, for the reader's own data and for who has to prove it.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Consent {
    pub asked_at: UnixMillis,
    pub confirmed_at: Option<UnixMillis>,
    pub form: String,
    pub text_id: String,
    pub language: String,
    pub text: String,
    pub ip: Option<String>,
}

/// Somebody who asks for the letter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignUp {
    pub email: EmailAddress,
    /// [`Keyring::suppression_hash`] of it.
    pub hash: String,
    pub evidence: Evidence,
    /// Limits of the asker, the mailbox, and the notice to a reader.
    pub of_asker: Vec<Allowance>,
    pub of_mailbox: Vec<Allowance>,
    pub of_already: Allowance,
}

/// A reader who asks for their letters to go to another address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewAddress {
    pub subscriber: SubscriberId,
    pub email: EmailAddress,
    /// [`Keyring::suppression_hash`] of it.
    pub hash: String,
    /// Limits of the asker's networks, the reader, the mailbox, and the notice to another reader.
    pub of_asker: Vec<Allowance>,
    pub of_reader: Allowance,
    pub of_mailbox: Vec<Allowance>,
    pub of_already: Allowance,
}

impl NewAddress {
    pub fn new(
        keyring: &Keyring,
        of_asker: Vec<Allowance>,
        subscriber: SubscriberId,
        email: &EmailAddress,
    ) -> Self {
        Self {
            subscriber,
            email: email.clone(),
            hash: keyring.suppression_hash(email),
            of_asker,
            of_reader: of_reader(keyring, subscriber),
            of_mailbox: of_mailbox(keyring, email),
            of_already: of_already(keyring, email),
        }
    }
}

/// What a sign-up is answered with. Which notice was queued, if any, is told to nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignedUp {
    Heard,
    /// A limit of the asker is used up until then; nothing was written.
    Limited {
        until: UnixMillis,
    },
}

/// Where a link that confirms stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Confirmation {
    /// Waits for the button.
    Open,
    /// It is done; or was before.
    Done,
    /// The link is too old; another can be asked for.
    Expired,
    /// There is nothing to confirm (any more): removed, or left since.
    Gone,
}

/// How old a form is that was stamped at `stamped`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FormAge {
    /// Nobody types that fast.
    TooYoung,
    Right,
    TooOld,
}

/// Judges the age of a form at `now`. A stamp from the future is as good as none.
pub fn form_age(stamped: UnixMillis, minimum: Duration, now: UnixMillis) -> FormAge {
    match now.since(stamped) {
        age if age < minimum => FormAge::TooYoung,
        age if age > STAMP_VALID => FormAge::TooOld,
        _ => FormAge::Right,
    }
}

/// Whether `nonce` is work done on `stamp`: SHA-256 of `stamp:nonce` begins with
/// [`WORK_BITS`] zero bits.
pub fn is_work(stamp: &str, nonce: &str) -> bool {
    use sha2::{Digest as _, Sha256};
    if nonce.is_empty() || nonce.len() > 20 || !nonce.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let digest = Sha256::digest(format!("{stamp}:{nonce}"));
    let mut head = [0; 4];
    head.copy_from_slice(&digest[..4]);
    u32::from_be_bytes(head).leading_zeros() >= WORK_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> Keyring {
        Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap()
    }

    #[test]
    fn the_keys_of_limits_tell_nothing_and_outlive_a_new_site_key() {
        let ann = EmailAddress::parse("ann@example.com").unwrap();
        let keys = |ring: &Keyring| -> Vec<String> {
            let networks =
                SignupLimits { per_network: "3/h".parse().unwrap(), total: "9/h".parse().unwrap() };
            let asker = networks.of_asker(ring, "2001:db8::1".parse().unwrap(), false);
            let wish = NewAddress::new(ring, asker, SubscriberId(1), &ann);
            let all = wish.of_asker.iter().chain(&wish.of_mailbox).chain([&wish.of_reader, &wish.of_already]);
            all.map(|allowance| allowance.key.clone()).collect()
        };
        let old = keys(&ring());
        assert!(old.iter().all(|key| key.len() == 32 && !key.contains("ann")));
        assert_eq!(old.iter().collect::<std::collections::HashSet<_>>().len(), 12, "each counts for itself");
        let rotated = Keyring::parse(&ring().rotated_file_text(&[9; 32])).unwrap();
        assert_eq!(keys(&rotated), old, "a new key forgives nobody");
    }

    #[test]
    fn what_is_kept_of_an_ip_is_what_the_settings_say() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let proof = |text: &str| IpProof::Truncated.of(&ring(), ip(text)).unwrap();
        assert_eq!(proof("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(proof("2001:db8:1:2:3:4:5:6"), "2001:db8:1::/48");
        assert_eq!(IpProof::None.of(&ring(), ip("192.0.2.77")), None);
        let hashed = IpProof::Hashed.of(&ring(), ip("192.0.2.77")).unwrap();
        assert!(hashed.len() == 32 && !hashed.contains("192"));
    }

    #[test]
    fn a_form_is_too_young_right_or_too_old() {
        let (made, least) = (UnixMillis(1_000_000), Duration::from_secs(2));
        let age = |seconds: u64| form_age(made, least, made.plus(Duration::from_secs(seconds)));
        assert_eq!([age(0), age(1), age(2)], [FormAge::TooYoung, FormAge::TooYoung, FormAge::Right]);
        assert_eq!([age(86_400), age(86_401)], [FormAge::Right, FormAge::TooOld]);
        assert_eq!(form_age(made, least, UnixMillis(0)), FormAge::TooYoung, "from the future");
    }

    #[test]
    fn work_is_seen() {
        let nonce = (0..10_000_000).map(|n: u32| n.to_string()).find(|n| is_work("stamp", n)).unwrap();
        assert!(!is_work("another", &nonce) && !is_work("stamp", "") && !is_work("stamp", "1x"));
    }
}
