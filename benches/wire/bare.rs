//! The bare signatures: what signing costs if nothing but the signature itself is made, and the keys for it.

use std::hint::black_box;
use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use verdicts::mail::dkim::{KeyKind, PrivateKey};

/// A new key, written to a file of its own in `folder`; its PEM.
pub fn key(kind: KeyKind, folder: &Path) -> String {
    let pem = PrivateKey::generate(kind).and_then(|key| key.to_pem()).expect("a key");
    std::fs::write(folder.join(kind.as_str()), &pem).expect("a file");
    pem
}

/// What makes one bare signature.
pub fn signature(kind: KeyKind, pem: &str) -> Box<dyn FnMut()> {
    match kind {
        KeyKind::Rsa => {
            let key = RsaKeyPair::from_pkcs8(&der(pem)).expect("a key");
            let (data, mut signature) = ([7; 1500], vec![0; key.public_modulus_len()]);
            let random = SystemRandom::new();
            Box::new(move || {
                key.sign(&RSA_PKCS1_SHA256, &random, black_box(&data), &mut signature).expect("a signature");
            })
        }
        KeyKind::Ed25519 => {
            let key = Ed25519KeyPair::from_pkcs8(&der(pem)).expect("a key");
            Box::new(move || {
                black_box(key.sign(black_box(&[7; 32])));
            })
        }
    }
}

fn der(pem: &str) -> Vec<u8> {
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    base64::engine::general_purpose::STANDARD.decode(text).expect("PEM")
}
