//! Private keys: out of PEM files, into PEM files, and what they sign. None of them
//! is ever printed.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const REMEDY: &str = "\"verdicts dkim generate\" makes one that fits";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyKind {
    /// RSA with 2048 bits or more (RFC 8301), SHA-256.
    Rsa,
    /// RFC 8463.
    Ed25519,
}

impl KeyKind {
    /// As `k=` in a record has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }
}

/// A key that signs.
pub enum PrivateKey {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl PrivateKey {
    /// Makes a key: RSA of 2048 bits, which every verifier takes and one TXT record
    /// holds, or Ed25519.
    ///
    /// # Errors
    /// One line, when the system gives no random numbers.
    pub fn generate(kind: KeyKind) -> Result<Self, String> {
        let failed = |_| "no key could be made: the system gives no random numbers".to_owned();
        Ok(match kind {
            KeyKind::Rsa => Self::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?)),
            KeyKind::Ed25519 => Self::Ed25519(Box::new(Ed25519KeyPair::generate().map_err(failed)?)),
        })
    }

    /// Reads a PEM file: PKCS#8 (RSA or Ed25519) or PKCS#1 (RSA), not encrypted.
    ///
    /// # Errors
    /// One line that says what the file holds instead, and the remedy.
    pub fn from_pem(pem: &str) -> Result<Self, String> {
        let (label, der) = block(pem)?;
        match label {
            "PRIVATE KEY" => {
                if let Ok(key) = Ed25519KeyPair::from_pkcs8(&der) {
                    return Ok(Self::Ed25519(Box::new(key)));
                }
                RsaKeyPair::from_pkcs8(&der).map(|key| Self::Rsa(Box::new(key))).map_err(unfit)
            }
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der).map(|key| Self::Rsa(Box::new(key))).map_err(unfit),
            "PUBLIC KEY" | "RSA PUBLIC KEY" => {
                Err("it holds the public key, which signs nothing; name the file of the private key".to_owned())
            }
            "ENCRYPTED PRIVATE KEY" => Err(
                "its key is encrypted; write it without a passphrase (\"openssl pkey -in … -out …\") and protect the file"
                    .to_owned(),
            ),
            other => Err(format!("it holds a {other}, not a private key of RSA or Ed25519; {REMEDY}")),
        }
    }

    /// The key as a PKCS#8 PEM file. The one place where it leaves memory.
    ///
    /// # Errors
    /// One line, when the key can't be encoded.
    pub fn to_pem(&self) -> Result<String, String> {
        let failed = |_| "the key can't be encoded".to_owned();
        let der = match self {
            Self::Rsa(key) => {
                let der: Pkcs8V1Der<'_> = key.as_der().map_err(failed)?;
                der.as_ref().to_vec()
            }
            Self::Ed25519(key) => key.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
        };
        let text = STANDARD.encode(der);
        let mut pem = "-----BEGIN PRIVATE KEY-----\n".to_owned();
        for at in (0..text.len()).step_by(64) {
            pem.push_str(&text[at..text.len().min(at + 64)]);
            pem.push('\n');
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Ok(pem)
    }

    pub fn kind(&self) -> KeyKind {
        match self {
            Self::Rsa(_) => KeyKind::Rsa,
            Self::Ed25519(_) => KeyKind::Ed25519,
        }
    }

    /// The public key as a record carries it: SubjectPublicKeyInfo for RSA (RFC 6376 §3.6.1, as
    /// everyone reads it), the 32 octets themselves for Ed25519 (RFC 8463 §4.2).
    pub(super) fn public(&self) -> Vec<u8> {
        match self {
            Self::Rsa(key) => {
                let der: Result<PublicKeyX509Der<'_>, _> = key.public_key().as_der();
                der.map(|der| der.as_ref().to_vec()).unwrap_or_default()
            }
            Self::Ed25519(key) => key.public_key().as_ref().to_vec(),
        }
    }

    /// The signature over canonical `data`; none when the library fails.
    pub(super) fn sign(&self, data: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), data, &mut signature).ok()?;
                Some(signature)
            }
            // RFC 8463 §3: the hash is what is signed.
            Self::Ed25519(key) => {
                let hash = digest::digest(&digest::SHA256, data);
                key.try_sign(hash.as_ref()).ok().map(|signature| signature.as_ref().to_vec())
            }
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.kind().as_str())
    }
}

/// The first PEM block (RFC 7468): its label and its octets.
fn block(pem: &str) -> Result<(&str, Vec<u8>), String> {
    let broken = || format!("it is not a whole PEM file; restore it, or {REMEDY}");
    let (_, rest) = pem.split_once("-----BEGIN ").ok_or_else(|| format!("it is not a PEM file; {REMEDY}"))?;
    let (label, rest) = rest.split_once("-----").ok_or_else(broken)?;
    let (text, _) = rest.split_once(&format!("-----END {label}-----")).ok_or_else(broken)?;
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        return Ok(("ENCRYPTED PRIVATE KEY", Vec::new()));
    }
    let text: String = text.split_whitespace().collect();
    match label {
        // What is no key of ours need not be decoded to be named.
        "PRIVATE KEY" | "RSA PRIVATE KEY" => Ok((label, STANDARD.decode(text).map_err(|_| broken())?)),
        other => Ok((other, Vec::new())),
    }
}

fn unfit(error: aws_lc_rs::error::KeyRejected) -> String {
    match error.to_string().as_str() {
        "TooSmall" => {
            format!("its RSA key has fewer than 2048 bits, which mailbox providers refuse; {REMEDY}")
        }
        why => format!("it holds no sound RSA or Ed25519 key ({why}); {REMEDY}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_file() {
        for kind in [KeyKind::Rsa, KeyKind::Ed25519] {
            let key = PrivateKey::generate(kind).unwrap();
            let pem = key.to_pem().unwrap();
            let again = PrivateKey::from_pem(&pem).unwrap();
            assert_eq!((again.kind(), again.public()), (kind, key.public()));
            assert_eq!(again.sign(b"x"), key.sign(b"x"), "both algorithms are deterministic");
            assert_eq!(format!("{key:?}"), format!("PrivateKey({})", kind.as_str()));
        }
    }

    #[test]
    fn what_is_no_key_is_named_with_its_remedy() {
        let public = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let old =
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAA\n-----END RSA PRIVATE KEY-----\n";
        let cut = "-----BEGIN PRIVATE KEY-----\nAAAA\n";
        let junk = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let ec = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
        for (pem, words) in [
            ("", "not a PEM file"),
            (public, "the public key"),
            (encrypted, "encrypted"),
            (old, "encrypted"),
            (cut, "not a whole PEM file"),
            (junk, "no sound RSA or Ed25519 key"),
            (ec, "EC PRIVATE KEY"),
        ] {
            let error = PrivateKey::from_pem(pem).unwrap_err();
            assert!(error.contains(words) && error.contains(';') && !error.contains("AAAA"), "{error}");
        }
    }
}
