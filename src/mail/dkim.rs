//! DKIM (RFC 6376, RFC 8463): a filled letter gets one signature for each key, all in one pass.
//!
//! What is signed: the body whole (no `l=`) and as it is (`c=relaxed/simple`: its lines are
//! quoted-printable, so a relay finds nothing in them to tidy up, and hashing them costs half),
//! and the headers of [`SIGNED`] in relaxed canonical form. From, To and Subject stand in `h=`
//! once more than they stand in the letter, and those that a letter does not have stand there as
//! well: who adds another one on the way breaks the signature. The body is hashed once and the
//! headers are canonicalised once, however many keys there are. What it does not do: look anything
//! up in the DNS.

mod key;

use std::fmt;
use std::path::PathBuf;

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::{Algorithm, HashAlgorithm};
use mail_auth::common::headers::{HeaderStream, Writable as _};
use mail_auth::dkim::{Canonicalization, Signature};
use memchr::memmem;

pub use key::{KeyKind, PrivateKey};

use crate::config::DkimKey;
use crate::domain::UnixMillis;

/// What a signature covers. A name that stands here once more than in the letter is "oversigned"
/// (RFC 6376 §8.15).
pub const SIGNED: [&str; 15] = [
    "From",
    "From",
    "To",
    "To",
    "Subject",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Id",
    "Feedback-ID",
];

/// The longest string in a TXT record (RFC 1035 §3.3).
const TXT_STRING: usize = 255;

#[derive(Debug, thiserror::Error)]
pub enum DkimError {
    #[error(
        "{setting} = {file:?} can't be read: {error}; run \"verdicts dkim generate\", or name the right file"
    )]
    Unreadable { setting: &'static str, file: PathBuf, error: std::io::Error },
    #[error("{setting} = {file:?}: {problem}")]
    Key { setting: &'static str, file: PathBuf, problem: String },
}

/// The keys of the settings, read and tried, ready to sign. Prints no octet of them.
pub struct Signer {
    keys: Vec<LoadedKey>,
}

struct LoadedKey {
    template: Signature,
    private: PrivateKey,
    record: Record,
}

/// What the DNS has to say so that others can verify.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// `selector._domainkey.domain`, without a dot at the end.
    pub name: String,
    /// The text in one piece.
    pub value: String,
}

impl Signer {
    /// Reads the key files. Each key signs once, and the record that it prints has to verify that.
    ///
    /// # Errors
    /// [`DkimError`] names the setting and its file, what is wrong with it, and the remedy.
    pub fn load(keys: &[DkimKey]) -> Result<Self, DkimError> {
        Ok(Self { keys: keys.iter().map(LoadedKey::load).collect::<Result<_, _>>()? })
    }

    /// Writes the signatures in front of `letter`, a whole RFC 5322 message with CRLF line ends.
    /// The same letter at the same moment gets the same octets: both algorithms are deterministic.
    pub fn sign(&self, at: UnixMillis, letter: &mut Vec<u8>) {
        let mut head = Vec::with_capacity(1024 * self.keys.len());
        self.headers(at, letter, &mut head);
        // One move of the letter within its own space: a microsecond, against some hundred
        // for the signature.
        letter.splice(0..0, head);
    }

    fn headers(&self, at: UnixMillis, letter: &[u8], out: &mut Vec<u8>) {
        let Some(first) = self.keys.first() else { return };
        let (_, headers, signed, _) = first.template.canonicalize(Headers { rest: letter });
        let body_hash = body_hash(letter);
        let mut data = Vec::with_capacity(4096);
        headers.write(&mut data);
        let headers_end = data.len();
        for key in &self.keys {
            let mut signature = key.template.clone();
            signature.h.clone_from(&signed);
            signature.bh = body_hash.as_ref().to_vec();
            signature.t = u64::try_from(at.0 / 1000).unwrap_or(0);
            data.truncate(headers_end);
            signature.write(&mut data, false);
            // It has signed when it was loaded, and nothing about it has changed since.
            signature.b = key.private.sign(&data).expect("a key that has signed signs again");
            signature.write(out, true);
        }
    }

    /// Whether a signature takes longer than to hand the letter to another thread and back: RSA's
    /// does (0.3 ms), Ed25519's does not (0.04 ms).
    pub fn is_slow(&self) -> bool {
        self.keys.iter().any(|key| key.private.kind() == KeyKind::Rsa)
    }

    /// The records to publish, in the order of the settings.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.keys.iter().map(|key| &key.record)
    }
}

impl LoadedKey {
    fn load(settings: &DkimKey) -> Result<Self, DkimError> {
        let (setting, file) = (settings.setting, settings.key_file.clone());
        let pem = match std::fs::read_to_string(&file) {
            Ok(pem) => pem,
            Err(error) => return Err(DkimError::Unreadable { setting, file, error }),
        };
        let refuse = |problem: String| DkimError::Key { setting, file: file.clone(), problem };
        let private = PrivateKey::from_pem(&pem).map_err(refuse)?;
        let record = Record::new(&settings.domain, &settings.selector, &private);
        let tried = private.sign(b"a trial").filter(|signature| record.verifies(b"a trial", signature));
        if tried.is_none() {
            let problem =
                "it does not sign what its own record verifies; run \"verdicts dkim generate\" for another";
            return Err(refuse(problem.to_owned()));
        }
        let template = Signature {
            v: 1,
            a: match private.kind() {
                KeyKind::Rsa => Algorithm::RsaSha256,
                KeyKind::Ed25519 => Algorithm::Ed25519Sha256,
            },
            d: settings.domain.clone(),
            s: settings.selector.clone(),
            h: SIGNED.map(str::to_owned).to_vec(),
            ch: Canonicalization::Relaxed,
            cb: Canonicalization::Simple,
            ..Signature::default()
        };
        Ok(Self { template, private, record })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.record.name)).finish()
    }
}

impl Record {
    /// The record of a key (RFC 6376 §3.6.1, RFC 8463 §4).
    pub fn new(domain: &str, selector: &str, key: &PrivateKey) -> Self {
        let (kind, public) = (key.kind(), STANDARD.encode(key.public()));
        Self {
            name: format!("{selector}._domainkey.{domain}"),
            value: format!("v=DKIM1; k={}; p={public}", kind.as_str()),
        }
    }

    /// The text cut into the strings of a TXT record, each of at most 255 octets. Who verifies puts
    /// them together again.
    pub fn strings(&self) -> Vec<&str> {
        let cuts = (0..self.value.len()).step_by(TXT_STRING);
        cuts.map(|at| &self.value[at..self.value.len().min(at + TXT_STRING)]).collect()
    }

    /// Whether the public key of this record takes `signature` for one over `data`.
    fn verifies(&self, data: &[u8], signature: &[u8]) -> bool {
        let Some((head, public)) = self.value.split_once("; p=") else { return false };
        let Ok(public) = STANDARD.decode(public) else { return false };
        if head.ends_with(KeyKind::Rsa.as_str()) {
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public).verify(data, signature).is_ok()
        } else {
            let hash = HashAlgorithm::Sha256.hash(data);
            UnparsedPublicKey::new(&ED25519, public).verify(hash.as_ref(), signature).is_ok()
        }
    }
}

/// The record as a line of a zone file.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. IN TXT (", self.name)?;
        for string in self.strings() {
            write!(f, " \"{string}\"")?;
        }
        f.write_str(" )")
    }
}

/// The hash of a letter's body as it is (`simple`, RFC 6376 §3.4.3): the letter's line ends are
/// CRLF and nothing else, so that there is nothing in it to look for but empty lines at its end.
fn body_hash(letter: &[u8]) -> Digest {
    let begin = memmem::find(letter, b"\r\n\r\n").map_or(letter.len(), |at| at + 4);
    let mut body = &letter[begin..];
    while let Some(less) =
        body.strip_suffix(b"\r\n").filter(|less| less.is_empty() || less.ends_with(b"\r\n"))
    {
        body = less;
    }
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(body);
    if !body.ends_with(b"\r\n") {
        hash.update(b"\r\n");
    }
    hash.finish()
}

/// The headers of a letter with CRLF line ends, one field after the other, then its body.
struct Headers<'x> {
    rest: &'x [u8],
}

impl<'x> HeaderStream<'x> for Headers<'x> {
    fn next_header(&mut self) -> Option<(&'x [u8], &'x [u8])> {
        if self.rest.is_empty() || self.rest.starts_with(b"\r\n") {
            return None;
        }
        let mut end = 0;
        loop {
            let line = self.rest[end..].iter().position(|octet| *octet == b'\n');
            end = line.map_or(self.rest.len(), |line| end + line + 1);
            // A line that starts with a blank goes on with the field (RFC 5322 §2.2.3).
            if line.is_none() || !matches!(self.rest.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (field, rest) = self.rest.split_at(end);
        self.rest = rest;
        let colon = field.iter().position(|octet| *octet == b':').unwrap_or(field.len());
        Some((&field[..colon], field.get(colon + 1..).unwrap_or_default()))
    }

    /// Hashed elsewhere, see [`body_hash`].
    fn body(&mut self) -> &'x [u8] {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_cut_where_they_end() {
        let letter = b"From: a\r\nSubject: b\r\n c\r\n\td\r\n\r\nbody: x\r\n";
        let mut headers = Headers { rest: letter };
        assert_eq!(headers.next_header(), Some((&b"From"[..], &b" a\r\n"[..])));
        assert_eq!(headers.next_header(), Some((&b"Subject"[..], &b" b\r\n c\r\n\td\r\n"[..])));
        assert_eq!(headers.next_header(), None);
        assert_eq!(body_hash(letter).as_ref(), digest::digest(&digest::SHA256, b"body: x\r\n").as_ref());
    }

    proptest::proptest! {
        #[test]
        fn a_body_is_canonical_as_the_rfc_has_it(body in "([a.=]|[ \t]|\r\n){0,40}") {
            let letter = format!("A: b\r\n\r\n{body}");
            let mut expected = format!("{body}\r\n");
            while expected.ends_with("\r\n\r\n") {
                expected.truncate(expected.len() - 2);
            }
            let expected = digest::digest(&digest::SHA256, expected.as_bytes());
            let ours = body_hash(letter.as_bytes());
            proptest::prop_assert_eq!(ours.as_ref(), expected.as_ref());
        }
    }

    #[test]
    fn a_long_record_is_cut_into_strings() {
        let record = Record { name: "s._domainkey.example.com".to_owned(), value: "x".repeat(600) };
        assert_eq!(record.strings().iter().map(|s| s.len()).collect::<Vec<_>>(), [255, 255, 90]);
        assert!(record.to_string().starts_with("s._domainkey.example.com. IN TXT ( \"xxx"));
    }
}
