//! Keyed values: link tokens, message ids and suppression hashes.
//!
//! Every value is an HMAC-SHA-256 under the site's secret key, with its purpose inside the MAC, so
//! that a token made for one thing proves nothing about another. A link token is
//! `k<key>.<purpose letter><subscriber>.<mac>` in URL-safe characters. Unsubscribe tokens have no
//! expiry: a link in a letter from years ago still has to work. A bounce token is
//! `<key>-<issue>-<subscriber>-<mac>` in characters that survive a mail server's change of case.
//!
//! Long because what makes a value and what verifies it stand beside each other, under one keyring.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::delivery::notice::NoticeId;
use crate::domain::issue::issues::IssueNumber;
use crate::domain::reader::address::EmailAddress;
use crate::domain::reader::subscriber::{LinkEpoch, SubscriberId};
use crate::domain::time::UnixMillis;

/// Octets of the MAC that a token carries: 128 bits, beyond guessing and short enough for a link.
const MAC_OCTETS: usize = 16;
/// Octets of the MAC in a bounce token: 80 bits, 16 characters, since a local part has room for 64
/// octets in all.
const BOUNCE_MAC_OCTETS: usize = 10;
/// The longest local part of a bounce address, in octets. It leaves 39 for a token behind the plus:
/// enough for issue 999999 and subscriber 999999999999.
pub const BOUNCE_LOCAL_MAX: usize = 24;
/// RFC 4648 §6, in lower case.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Octets of a key.
pub const KEY_OCTETS: usize = 32;

/// What a link token lets its bearer do. A token of one purpose is not a token of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    Unsubscribe,
    Preferences,
    /// Makes an address that asked for the letter a reader's. The store knows until when.
    Confirm,
    Vote,
    /// Takes a leaving back; see [`Keyring::undo_token`].
    Undo,
    /// Makes a new address a reader's; see [`Keyring::change_token`].
    AddressChange,
}

impl Purpose {
    fn letter(self) -> char {
        match self {
            Self::Unsubscribe => 'u',
            Self::Preferences => 'p',
            Self::Confirm => 'c',
            Self::Vote => 'v',
            Self::Undo => 'z',
            Self::AddressChange => 'a',
        }
    }
}

/// What the link in a confirmation was sent for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfirmLink {
    pub subscriber: SubscriberId,
    /// The number of the wish, and the mark of the address. None: a link of a release that bound
    /// its links to neither.
    pub wish: Option<(i64, String)>,
}

impl ConfirmLink {
    pub fn request(&self) -> Option<i64> {
        self.wish.as_ref().map(|(request, _)| *request)
    }
}

/// The site's secret keys: the first makes tokens, the rest still verify. `Debug` prints no
/// octet of them.
#[derive(Clone)]
pub struct Keyring {
    keys: Vec<(u32, [u8; KEY_OCTETS])>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error(
        "line {0} of the key file is not `<number> <64 hex digits>`; restore the file from a backup or run \"verdicts init\""
    )]
    Line(usize),
    #[error("the key file has no key; restore it from a backup or run \"verdicts init\"")]
    Empty,
}

impl Keyring {
    /// Reads a key file: one `<number> <64 hex digits>` a line, the newest first; blank lines and
    /// `#` comments are skipped.
    ///
    /// # Errors
    /// [`KeyError`] names the line that is not a key, or says that there is none.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = line
                .split_once(' ')
                .and_then(|(number, hex)| Some((number.parse().ok()?, unhex(hex.trim())?)))
                .ok_or(KeyError::Line(index + 1))?;
            keys.push(key);
        }
        if keys.is_empty() { Err(KeyError::Empty) } else { Ok(Self { keys }) }
    }

    /// The text of a key file with one key.
    pub fn file_text(number: u32, key: &[u8; KEY_OCTETS]) -> String {
        let hex = hex(key);
        format!(
            "# Signs the links in letters. Keep it secret, keep a backup, keep it out of git.\n{number} {hex}\n"
        )
    }

    fn keyed(key: &[u8; KEY_OCTETS], context: &str, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        mac.update(context.as_bytes());
        for part in parts {
            // The length keeps ("ab","c") and ("a","bc") apart.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }

    fn mac(key: &[u8; KEY_OCTETS], context: &str, parts: &[&[u8]]) -> [u8; 32] {
        Self::keyed(key, context, parts).finalize().into_bytes().into()
    }

    /// The token that a reader's link carries.
    pub fn link_token(&self, purpose: Purpose, subscriber: SubscriberId) -> String {
        let (number, key) = &self.keys[0];
        let mac = Self::mac(key, "verdicts link", &[&[purpose.letter() as u8], &subscriber.0.to_be_bytes()]);
        format!(
            "k{number}.{}{}.{}",
            purpose.letter(),
            subscriber.0,
            URL_SAFE_NO_PAD.encode(&mac[..MAC_OCTETS])
        )
    }

    /// Whose token this is, if it is one of ours for this purpose. Compared in constant time.
    pub fn verify_link_token(&self, purpose: Purpose, token: &str) -> Option<SubscriberId> {
        let LinkParts { key, what, mac } = LinkParts::of(purpose, token)?;
        let subscriber: i64 = number(what)?;
        let parts = [&[purpose.letter() as u8][..], &subscriber.to_be_bytes()];
        self.proves(key, "verdicts link", &parts, &mac).then_some(SubscriberId(subscriber))
    }

    /// Whether the MAC is the one that the key of this number makes. Compared in constant time.
    fn proves(&self, number: u32, context: &str, parts: &[&[u8]], mac: &[u8]) -> bool {
        let key = self.keys.iter().find(|(own, _)| *own == number);
        key.is_some_and(|(_, key)| Self::keyed(key, context, parts).verify_truncated_left(mac).is_ok())
    }

    /// The token of the link to a reader's own page. Links of before there were epochs are those of
    /// the first.
    pub fn preferences_token(&self, subscriber: SubscriberId, epoch: LinkEpoch) -> String {
        match epoch {
            LinkEpoch(0) => self.link_token(Purpose::Preferences, subscriber),
            LinkEpoch(epoch) => {
                self.bound_token(Purpose::Preferences, &format!("{}-{epoch}", subscriber.0), b"")
            }
        }
    }

    /// Whose page, and of which epoch, if the token is one of ours. It opens nothing unless that is
    /// still the reader's.
    pub fn verify_preferences_token(&self, token: &str) -> Option<(SubscriberId, LinkEpoch)> {
        if let Some(subscriber) = self.verify_link_token(Purpose::Preferences, token) {
            return Some((subscriber, LinkEpoch(0)));
        }
        let what = self.verify_bound_token(Purpose::Preferences, token, |_| Some(Vec::new()))?;
        let (who, epoch) = what.split_once('-')?;
        Some((SubscriberId(number(who)?), LinkEpoch(number(epoch)?)))
    }

    /// The token that confirms one wish of a subscriber for letters to one address.
    pub fn confirm_token(&self, subscriber: SubscriberId, request: i64, email: &EmailAddress) -> String {
        let what = format!("{}-{request}-{}", subscriber.0, self.address_mark(email));
        self.bound_token(Purpose::Confirm, &what, b"")
    }

    /// What a token confirms, if it is one of ours.
    pub fn verify_confirm_token(&self, token: &str) -> Option<ConfirmLink> {
        if let Some(subscriber) = self.verify_link_token(Purpose::Confirm, token) {
            return Some(ConfirmLink { subscriber, wish: None });
        }
        let what = self.verify_bound_token(Purpose::Confirm, token, |_| Some(Vec::new()))?;
        let [who, request, mark] = parts(what, '-')?;
        let wish = Some((number(request)?, mark.to_owned()));
        Some(ConfirmLink { subscriber: SubscriberId(number(who)?), wish })
    }

    /// Whether a link was sent to this address. Nobody can tell of those before there was a mark.
    pub fn was_sent_to(&self, link: &ConfirmLink, email: &EmailAddress) -> bool {
        link.wish.as_ref().is_none_or(|(_, mark)| *mark == self.address_mark(email))
    }

    /// Tells addresses apart and says nothing about any.
    fn address_mark(&self, email: &EmailAddress) -> String {
        let (_, key) = self.keys.last().unwrap_or(&self.keys[0]);
        hex(&Self::mac(key, "verdicts address", &[email.expose().as_bytes()])[..8])
    }

    /// The token on the page after a leaving, which takes that very leaving back. Whoever verifies
    /// it knows until when.
    pub fn undo_token(&self, subscriber: SubscriberId, left_at: UnixMillis) -> String {
        self.bound_token(Purpose::Undo, &format!("{}-{}", subscriber.0, left_at.0), b"")
    }

    /// Whose leaving, and of when, if the token is one of ours.
    pub fn verify_undo_token(&self, token: &str) -> Option<(SubscriberId, UnixMillis)> {
        let what = self.verify_bound_token(Purpose::Undo, token, |_| Some(Vec::new()))?;
        let (who, when) = what.split_once('-')?;
        Some((SubscriberId(number(who)?), UnixMillis(number(when)?)))
    }

    /// The token that confirms a change of address: bound to the change, the reader and
    /// the new address.
    pub fn change_token(&self, change: i64, subscriber: SubscriberId, email: &EmailAddress) -> String {
        self.bound_token(Purpose::AddressChange, &change.to_string(), &change_binding(subscriber, email))
    }

    /// The change that a token says it is for; nothing is proved by that.
    pub fn claimed_change(token: &str) -> Option<i64> {
        number(LinkParts::of(Purpose::AddressChange, token)?.what)
    }

    /// Whether the token was made for this change of this reader to this address. Compared
    /// in constant time.
    pub fn verify_change_token(&self, token: &str, subscriber: SubscriberId, email: &EmailAddress) -> bool {
        let binding = |_: &str| Some(change_binding(subscriber, email));
        self.verify_bound_token(Purpose::AddressChange, token, binding).is_some()
    }

    /// `k<key>.<letter><what>.<mac>`, with `binding` inside the MAC and not in the token.
    fn bound_token(&self, purpose: Purpose, what: &str, binding: &[u8]) -> String {
        let (number, key) = &self.keys[0];
        let mac =
            Self::mac(key, "verdicts bound link", &[&[purpose.letter() as u8], what.as_bytes(), binding]);
        format!("k{number}.{}{what}.{}", purpose.letter(), URL_SAFE_NO_PAD.encode(&mac[..MAC_OCTETS]))
    }

    fn verify_bound_token<'a>(
        &self,
        purpose: Purpose,
        token: &'a str,
        binding: impl Fn(&str) -> Option<Vec<u8>>,
    ) -> Option<&'a str> {
        let LinkParts { key, what, mac } = LinkParts::of(purpose, token)?;
        let parts = [&[purpose.letter() as u8][..], what.as_bytes(), &binding(what)?];
        self.proves(key, "verdicts bound link", &parts, &mac).then_some(what)
    }

    /// The text of a key file with `key` in front of these: it makes tokens from now on, and all
    /// others still verify.
    pub fn rotated_file_text(&self, key: &[u8; KEY_OCTETS]) -> String {
        let number = self.keys.iter().map(|(number, _)| *number).max().unwrap_or(0).saturating_add(1);
        let mut text = Self::file_text(number, key);
        text.push_str(
            "# Older ones. Never remove the last: suppressed addresses and Message-IDs are computed with it.\n",
        );
        for (number, key) in &self.keys {
            text.push_str(&format!("{number} {}\n", hex(key)));
        }
        text
    }

    /// The number of the key that makes tokens, and how many there are.
    pub fn newest(&self) -> (u32, usize) {
        (self.keys[0].0, self.keys.len())
    }

    /// The tag that a letter's envelope sender carries, so that its bounce leads back to
    /// the delivery (VERP).
    pub fn bounce_token(&self, issue: IssueNumber, subscriber: SubscriberId) -> String {
        let (number, key) = &self.keys[0];
        let mac = Self::mac(key, "verdicts bounce", &[&issue.0.to_be_bytes(), &subscriber.0.to_be_bytes()]);
        format!("{number}-{issue}-{}-{}", subscriber.0, base32(&mac[..BOUNCE_MAC_OCTETS]))
    }

    /// Which delivery this tag was made for, if it is one of ours. Upper and lower case are the
    /// same, since a mail server on the way may fold them. Compared in constant time.
    pub fn verify_bounce_token(&self, token: &str) -> Option<(IssueNumber, SubscriberId)> {
        let [key, issue, who, mac] = parts(token, '-')?;
        let (key, issue, subscriber): (u32, i64, i64) = (number(key)?, number(issue)?, number(who)?);
        let mac = unbase32(mac).filter(|mac| mac.len() == BOUNCE_MAC_OCTETS)?;
        let parts = [&issue.to_be_bytes()[..], &subscriber.to_be_bytes()];
        let is_ours = self.proves(key, "verdicts bounce", &parts, &mac);
        is_ours.then_some((IssueNumber(issue), SubscriberId(subscriber)))
    }

    /// The envelope sender of a letter: `bounces@…` with the delivery's tag. Without a tag if the
    /// two don't fit into a local part, which takes numbers beyond any list.
    pub fn bounce_address(
        &self,
        bounces: &EmailAddress,
        issue: IssueNumber,
        subscriber: SubscriberId,
    ) -> EmailAddress {
        let token = self.bounce_token(issue, subscriber);
        let (local, domain) = bounces.expose().rsplit_once('@').unwrap_or_default();
        EmailAddress::parse(&format!("{local}+{token}@{domain}")).unwrap_or_else(|_| bounces.clone())
    }

    /// The left part of a letter's Message-ID: the same for every attempt, and no way back
    /// to the reader.
    pub fn message_id(&self, issue: IssueNumber, subscriber: SubscriberId) -> String {
        let (_, key) = self.keys.last().unwrap_or(&self.keys[0]);
        let mac =
            Self::mac(key, "verdicts message-id", &[&issue.0.to_be_bytes(), &subscriber.0.to_be_bytes()]);
        hex(&mac[..MAC_OCTETS])
    }

    /// A reader's lot among the readers of an issue: who is drawn for a test of it. The same each
    /// time it is asked for, and another one for the next issue.
    pub fn lot(&self, issue: IssueNumber, subscriber: SubscriberId) -> u64 {
        let (_, key) = self.keys.last().unwrap_or(&self.keys[0]);
        let mac = Self::mac(key, "verdicts lot", &[&issue.0.to_be_bytes(), &subscriber.0.to_be_bytes()]);
        u64::from_be_bytes(mac[..8].try_into().expect("a MAC has 32 octets"))
    }

    /// What a form of ours carries: when it was made, and a little chance, so that no two are the
    /// same. Proves that whoever sends the form off has asked for it before.
    pub fn form_stamp(&self, now: UnixMillis, chance: u32) -> String {
        let (number, key) = &self.keys[0];
        let mac = Self::mac(key, "verdicts form", &[&now.0.to_be_bytes(), &chance.to_be_bytes()]);
        format!("k{number}.{}.{chance:08x}.{}", now.0, URL_SAFE_NO_PAD.encode(&mac[..MAC_OCTETS]))
    }

    /// When the form was made that carries this stamp, if it is one of ours. Compared
    /// in constant time.
    pub fn verify_form_stamp(&self, stamp: &str) -> Option<UnixMillis> {
        let [key, at, chance, mac] = parts(stamp, '.')?;
        let (key, mac) = (key_number(key)?, link_mac(mac)?);
        // Always as long, so that every copy of a page is.
        let value = u32::from_str_radix(chance, 16).ok().filter(|value| format!("{value:08x}") == chance)?;
        let at: i64 = number(at)?;
        let parts = [&at.to_be_bytes()[..], &value.to_be_bytes()];
        self.proves(key, "verdicts form", &parts, &mac).then_some(UnixMillis(at))
    }

    /// The same for a notice.
    pub fn notice_message_id(&self, notice: NoticeId) -> String {
        let (_, key) = self.keys.last().unwrap_or(&self.keys[0]);
        hex(&Self::mac(key, "verdicts notice", &[&notice.0.to_be_bytes()])[..MAC_OCTETS])
    }

    /// The name under which something is counted (an address, an IP) that nobody may read
    /// from the count.
    pub fn count_key(&self, what: &str, whose: &str) -> String {
        // The oldest key: a new one must not forgive what is used up.
        let (_, key) = self.keys.last().unwrap_or(&self.keys[0]);
        hex(&Self::mac(key, "verdicts count", &[what.as_bytes(), whose.as_bytes()])[..MAC_OCTETS])
    }

    /// The keyed hash under which an address is suppressed. Made with the *oldest* key in the
    /// ring, which therefore has to stay there: a suppression can't be computed again once the
    /// address is gone.
    pub fn suppression_hash(&self, email: &EmailAddress) -> String {
        let (_, key) = self.keys.last().unwrap_or(&self.keys[0]);
        let mac = Self::mac(key, "verdicts suppression", &[email.expose().to_lowercase().as_bytes()]);
        hex(&mac)
    }
}

fn change_binding(subscriber: SubscriberId, email: &EmailAddress) -> Vec<u8> {
    [&subscriber.0.to_be_bytes()[..], email.expose().to_lowercase().as_bytes()].concat()
}

/// By a table: an import writes 32 octets for each row.
fn hex(octets: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    octets.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]).collect()
}

/// Groups of five bits; the tokens' lengths leave no rest.
fn base32(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() * 8 / 5);
    let (mut bits, mut held) = (0_u32, 0);
    for octet in octets {
        bits = (bits << 8) | u32::from(*octet);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(char::from(BASE32[(bits >> held) as usize & 31]));
        }
    }
    text
}

fn unbase32(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut held) = (0_u32, 0);
    for c in text.bytes() {
        let value = BASE32.iter().position(|known| *known == c.to_ascii_lowercase())?;
        bits = (bits << 5) | u32::try_from(value).ok()?;
        held += 5;
        if held >= 8 {
            held -= 8;
            octets.push((bits >> held) as u8);
        }
    }
    Some(octets)
}

/// The parts of a token between its `mark`s, if there are exactly so many.
fn parts<const N: usize>(token: &str, mark: char) -> Option<[&str; N]> {
    token.splitn(N + 1, mark).collect::<Vec<_>>().try_into().ok()
}

/// A number as we write it, and in no other spelling: digits alone, and no zero before them.
fn number<N: FromStr>(text: &str) -> Option<N> {
    let is_canonical = text == "0" || !text.starts_with('0');
    (is_canonical && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// `k7`.
fn key_number(text: &str) -> Option<u32> {
    number(text.strip_prefix('k')?)
}

fn link_mac(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok().filter(|mac| mac.len() == MAC_OCTETS)
}

/// A link token of one purpose taken apart: `k<key>.<letter><what>.<mac>`. Nothing is proved by it.
struct LinkParts<'a> {
    key: u32,
    what: &'a str,
    mac: Vec<u8>,
}

impl<'a> LinkParts<'a> {
    fn of(purpose: Purpose, token: &'a str) -> Option<Self> {
        let [key, what, mac] = parts(token, '.')?;
        Some(Self { key: key_number(key)?, what: what.strip_prefix(purpose.letter())?, mac: link_mac(mac)? })
    }
}

fn unhex(hex: &str) -> Option<[u8; KEY_OCTETS]> {
    if hex.len() != KEY_OCTETS * 2 || !hex.is_ascii() {
        return None;
    }
    let mut key = [0; KEY_OCTETS];
    for (octet, pair) in key.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(key)
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} keys)", self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(text: &str) -> Keyring {
        Keyring::parse(text).unwrap()
    }

    fn line(number: u32, octet: u8) -> String {
        Keyring::file_text(number, &[octet; KEY_OCTETS])
    }

    #[test]
    fn a_token_proves_its_own_purpose_and_nobody_elses() {
        let ring = ring(&line(1, 7));
        let token = ring.link_token(Purpose::Unsubscribe, SubscriberId(42));
        assert_eq!(ring.verify_link_token(Purpose::Unsubscribe, &token), Some(SubscriberId(42)));
        assert_eq!(ring.verify_link_token(Purpose::Preferences, &token), None);
        assert_eq!(ring.verify_link_token(Purpose::Unsubscribe, &token.replace("u42", "u43")), None);
        assert_eq!(ring.verify_link_token(Purpose::Preferences, &token.replace("u42", "p42")), None);
    }

    #[test]
    fn old_keys_still_verify_and_the_stable_values_stay() {
        let old = ring(&line(1, 7));
        let new = ring(&format!("{}{}", line(2, 9), line(1, 7)));
        let token = old.link_token(Purpose::Unsubscribe, SubscriberId(5));
        assert_eq!(new.verify_link_token(Purpose::Unsubscribe, &token), Some(SubscriberId(5)));
        assert!(new.link_token(Purpose::Unsubscribe, SubscriberId(5)).starts_with("k2."));
        let ann = EmailAddress::parse("ann@example.com").unwrap();
        assert_eq!(old.suppression_hash(&ann), new.suppression_hash(&ann));
        assert_eq!(
            old.message_id(IssueNumber(1), SubscriberId(5)),
            new.message_id(IssueNumber(1), SubscriberId(5)),
            "a key added in the middle of a run does not change the Message-ID of a second attempt"
        );
    }

    #[test]
    fn a_rotated_key_file_makes_new_tokens_and_knows_the_old() {
        let old = ring(&line(1, 7));
        let file = old.rotated_file_text(&[9; KEY_OCTETS]);
        let new = ring(&file);
        assert_eq!(new.newest(), (2, 2));
        assert_eq!(ring(&new.rotated_file_text(&[11; KEY_OCTETS])).newest(), (3, 3));
        let left = UnixMillis(1_794_924_000_000);
        for token in [old.undo_token(SubscriberId(5), left), new.undo_token(SubscriberId(5), left)] {
            assert_eq!(new.verify_undo_token(&token), Some((SubscriberId(5), left)));
        }
        assert_eq!(old.verify_undo_token(&new.undo_token(SubscriberId(5), left)), None);
    }

    #[test]
    fn bound_tokens_are_for_what_they_were_made() {
        let ring = ring(&line(1, 7));
        let (ann, bob) = (SubscriberId(5), SubscriberId(6));
        let address = |text| EmailAddress::parse(text).unwrap();
        let token = ring.change_token(77, ann, &address("new@example.com"));
        assert_eq!(Keyring::claimed_change(&token), Some(77));
        assert!(ring.verify_change_token(&token, ann, &address("NEW@example.com")));
        assert!(!ring.verify_change_token(&token, bob, &address("new@example.com")));
        assert!(!ring.verify_change_token(&token, ann, &address("other@example.com")));
        assert!(!ring.verify_change_token(&token.replace("a77", "a78"), ann, &address("new@example.com")));
        assert!(!ring.verify_change_token(
            &ring.undo_token(ann, UnixMillis(1)),
            ann,
            &address("new@example.com")
        ));
        let undo = ring.undo_token(ann, UnixMillis(1000));
        for changed in [undo.replace("z5-", "z6-"), undo.replace("-1000", "-2000"), undo.replace('z', "u")] {
            assert_eq!(ring.verify_undo_token(&changed), None, "{changed}");
        }
        assert_eq!(ring.verify_link_token(Purpose::Unsubscribe, &undo.replace("z5-1000", "u5")), None);
        assert_eq!(Keyring::claimed_change("k1"), None);
    }

    #[test]
    fn every_token_has_one_spelling() {
        let ring = ring(&line(1, 7));
        let (ann, new) = (SubscriberId(38), EmailAddress::parse("new@example.com").unwrap());
        let links = [Purpose::Unsubscribe, Purpose::Preferences, Purpose::Confirm, Purpose::Vote];
        let spoilt = |token: &str| -> Vec<String> {
            let mut spellings =
                vec![format!("{token}="), format!("{token}."), format!(" {token}"), token.to_uppercase()];
            for (from, to) in
                [("k1.", "k01."), ("k1.", "k+1."), ("38", "+38"), ("38", "038"), ("1-", "01-"), ("1-", "+1-")]
            {
                spellings.push(token.replacen(from, to, 1));
            }
            // The last character holds bits that no octet has.
            let front = &token[..token.len() - 1];
            spellings.extend("ABCDEFGHabcdefgh0123456789-_".chars().map(|c| format!("{front}{c}")));
            spellings.retain(|spelling| spelling != token);
            spellings
        };
        for purpose in links {
            for spelling in spoilt(&ring.link_token(purpose, ann)) {
                assert_eq!(ring.verify_link_token(purpose, &spelling), None, "{spelling}");
            }
        }
        let (undo, change) = (ring.undo_token(ann, UnixMillis(1)), ring.change_token(38, ann, &new));
        let (page, wish) = (ring.preferences_token(ann, LinkEpoch(1)), ring.confirm_token(ann, 38, &new));
        assert_eq!(ring.verify_preferences_token(&page), Some((ann, LinkEpoch(1))));
        let link = ring.verify_confirm_token(&wish).unwrap();
        assert!(link.request() == Some(38) && ring.was_sent_to(&link, &new));
        assert!(!ring.was_sent_to(&link, &EmailAddress::parse("other@example.com").unwrap()));
        for spelling in spoilt(&page) {
            assert_eq!(ring.verify_preferences_token(&spelling), None, "{spelling}");
        }
        for spelling in spoilt(&wish) {
            assert_eq!(ring.verify_confirm_token(&spelling), None, "{spelling}");
        }
        for spelling in spoilt(&undo) {
            assert_eq!(ring.verify_undo_token(&spelling), None, "{spelling}");
        }
        for spelling in spoilt(&change) {
            assert!(!ring.verify_change_token(&spelling, ann, &new), "{spelling}");
        }
        for spelling in spoilt(&ring.form_stamp(UnixMillis(38), 7)) {
            assert_eq!(ring.verify_form_stamp(&spelling), None, "{spelling}");
        }
        for spelling in ["01-12-38-", "1-012-38-", "1-12-038-", "1-+12-38-"] {
            let token = ring.bounce_token(IssueNumber(12), ann).replacen("1-12-38-", spelling, 1);
            assert_eq!(ring.verify_bounce_token(&token), None, "{token}");
        }
    }

    #[test]
    fn a_broken_key_file_is_refused_by_line() {
        assert_eq!(Keyring::parse("# nothing\n").unwrap_err(), KeyError::Empty);
        assert_eq!(Keyring::parse("\n1 abc\n").unwrap_err(), KeyError::Line(2));
    }

    #[test]
    fn a_bounce_leads_back_to_its_delivery() {
        let old = ring(&line(1, 7));
        let new = ring(&format!("{}{}", line(2, 9), line(1, 7)));
        let (issue, reader) = (IssueNumber(12), SubscriberId(34567));
        let token = old.bounce_token(issue, reader);
        assert!(token.starts_with("1-12-34567-"), "{token}");
        assert_eq!(old.verify_bounce_token(&token), Some((issue, reader)));
        assert_eq!(old.verify_bounce_token(&token.to_ascii_uppercase()), Some((issue, reader)));
        assert_eq!(new.verify_bounce_token(&token), Some((issue, reader)), "an old key still verifies");
        assert_eq!(ring(&line(1, 9)).verify_bounce_token(&token), None, "another site's key does not");
        for changed in ["1-13-34567-", "1-12-34568-", "2-12-34567-", "1-12-34567--", "1-+12-34567-"] {
            assert_eq!(new.verify_bounce_token(&token.replace("1-12-34567-", changed)), None, "{changed}");
        }
        assert_eq!(old.verify_bounce_token(&token[..token.len() - 8]), None, "a shorter MAC is none");
        // No other keyed value passes for it.
        assert_eq!(old.verify_bounce_token(&old.link_token(Purpose::Unsubscribe, reader)), None);
    }

    #[test]
    fn the_longest_bounce_address_fits_a_local_part() {
        let bounces = EmailAddress::parse(&format!("{}@example.com", "b".repeat(BOUNCE_LOCAL_MAX))).unwrap();
        let ring = ring(&line(99, 7));
        let address = ring.bounce_address(&bounces, IssueNumber(999_999), SubscriberId(999_999_999_999));
        let (local, _) = address.expose().rsplit_once('@').unwrap();
        assert_eq!(local.len(), 64);
        let (_, token) = local.split_once('+').unwrap();
        assert!(ring.verify_bounce_token(token).is_some());
        let absurd = ring.bounce_address(&bounces, IssueNumber(i64::MAX), SubscriberId(i64::MAX));
        assert_eq!(absurd, bounces);
    }

    proptest::proptest! {
        #[test]
        fn every_bounce_token_comes_back_and_no_other_passes(
            issue in 0i64..i64::MAX, who in 0i64..i64::MAX, at in 0usize..90, c in proptest::char::range('0', 'z')
        ) {
            let ring = ring(&line(1, 7));
            let token = ring.bounce_token(IssueNumber(issue), SubscriberId(who));
            let safe = token.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            proptest::prop_assert!(safe);
            let own = Some((IssueNumber(issue), SubscriberId(who)));
            proptest::prop_assert_eq!(ring.verify_bounce_token(&token), own);
            let mut changed: Vec<char> = token.chars().collect();
            let at = at % changed.len();
            if !changed[at].eq_ignore_ascii_case(&c) {
                changed[at] = c;
                let changed: String = changed.into_iter().collect();
                proptest::prop_assert_eq!(ring.verify_bounce_token(&changed), None);
            }
        }

        #[test]
        fn junk_is_never_a_bounce_token(junk in ".{0,80}") {
            proptest::prop_assert_eq!(ring(&line(1, 7)).verify_bounce_token(&junk), None);
        }

        #[test]
        fn a_stamp_tells_its_time_and_any_change_spoils_it(
            at in 0i64..9_999_999_999_999, chance in 0u32.., place in 0usize..60, c in proptest::char::range('0', 'z')
        ) {
            let ring = ring(&line(1, 7));
            let stamp = ring.form_stamp(UnixMillis(at), chance);
            proptest::prop_assert_eq!(ring.verify_form_stamp(&stamp), Some(UnixMillis(at)));
            let mut changed: Vec<char> = stamp.chars().collect();
            let place = place % changed.len();
            if !changed[place].eq_ignore_ascii_case(&c) {
                changed[place] = c;
                let changed: String = changed.into_iter().collect();
                proptest::prop_assert_eq!(ring.verify_form_stamp(&changed), None);
            }
        }

        #[test]
        fn junk_is_never_a_stamp(junk in ".{0,80}") {
            proptest::prop_assert_eq!(ring(&line(1, 7)).verify_form_stamp(&junk), None);
        }

        #[test]
        fn junk_is_never_a_token(junk in ".{0,80}") {
            let ring = ring(&line(1, 7));
            proptest::prop_assert_eq!(ring.verify_link_token(Purpose::Unsubscribe, &junk), None);
        }

        #[test]
        fn any_changed_character_spoils_a_token(id in 0i64..i64::MAX, at in 0usize..60, c in proptest::char::range('0', 'z')) {
            let ring = ring(&line(1, 7));
            let token = ring.link_token(Purpose::Unsubscribe, SubscriberId(id));
            let at = at % token.len();
            let mut changed: Vec<char> = token.chars().collect();
            if changed[at] != c {
                changed[at] = c;
                let changed: String = changed.into_iter().collect();
                proptest::prop_assert_eq!(ring.verify_link_token(Purpose::Unsubscribe, &changed), None);
            }
        }
    }
}
