//! The bare signatures: what signing costs if nothing but the signature itself is made, and the keys for it.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use verdicts::mail::dkim::{KeyKind, PrivateKey};

/// Signatures in one run.
pub const ROUNDS: u32 = 10;
/// Short runs, and many of them: the best one is one that nobody else's work interrupted.
const RUNS: u32 = 200;

/// A new key, written to a file of its own in `folder`; its PEM.
pub fn key(kind: KeyKind, folder: &Path) -> String {
    let pem = PrivateKey::generate(kind).and_then(|key| key.to_pem()).expect("a key");
    std::fs::write(folder.join(kind.as_str()), &pem).expect("a file");
    pem
}

/// Microseconds a signature.
pub fn cost(kind: KeyKind, pem: &str) -> f64 {
    match kind {
        KeyKind::Rsa => {
            let key = RsaKeyPair::from_pkcs8(&der(pem)).expect("a key");
            let (data, mut signature) = ([7; 1500], vec![0; key.public_modulus_len()]);
            let random = SystemRandom::new();
            best(|| {
                key.sign(&RSA_PKCS1_SHA256, &random, black_box(&data), &mut signature).expect("a signature");
            })
        }
        KeyKind::Ed25519 => {
            let key = Ed25519KeyPair::from_pkcs8(&der(pem)).expect("a key");
            best(|| {
                black_box(key.sign(black_box(&[7; 32])));
            })
        }
    }
}

/// Microseconds a call, in the best run.
pub fn best(mut work: impl FnMut()) -> f64 {
    let mut run = || {
        let start = Instant::now();
        (0..ROUNDS).for_each(|_| work());
        start.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS)
    };
    (0..RUNS).map(|_| run()).fold(f64::INFINITY, f64::min)
}

fn der(pem: &str) -> Vec<u8> {
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    base64::engine::general_purpose::STANDARD.decode(text).expect("PEM")
}
