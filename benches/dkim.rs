//! What signing costs a letter, next to the bare signatures of the same library in the same run.
//!
//! `cargo bench --bench dkim`. The promise: filling in a letter's signatures takes at most 150 µs more than the
//! signature operations themselves. Printed as a table; exits 1 if the promise is broken.

#[path = "wire/bare.rs"]
mod bare;

use std::hint::black_box;
use std::time::Instant;

use verdicts::config::DkimKey;
use verdicts::domain::UnixMillis;
use verdicts::mail::Signer;
use verdicts::mail::dkim::KeyKind;

/// Signatures in one run.
const ROUNDS: u32 = 10;
/// Short runs, and many of them: the best one is one that nobody else's work interrupted.
const RUNS: u32 = 200;

/// Microseconds beyond the bare signatures.
const LIMIT: f64 = 150.0;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut keys = Vec::new();
    for kind in [KeyKind::Rsa, KeyKind::Ed25519] {
        let pem = bare::key(kind, folder.path());
        let key_file = folder.path().join(kind.as_str());
        keys.push((
            best(bare::signature(kind, &pem)),
            DkimKey {
                domain: "example.com".to_owned(),
                selector: kind.as_str().to_owned(),
                key_file,
                setting: "dkim.key_file",
            },
        ));
    }
    let letter = letter();
    let (rsa, ed) = (keys[0].0, keys[1].0);
    println!("a letter of {} KB, {ROUNDS} at a time, the best time; µs a letter", letter.len() / 1024);
    println!("{:10} {:>9} {:>9} {:>9}", "keys", "bare", "signed", "more");
    let mut broken = false;
    for (name, bare, used) in
        [("rsa", rsa, &keys[..1]), ("ed25519", ed, &keys[1..]), ("both", rsa + ed, &keys[..])]
    {
        let used: Vec<_> = used.iter().map(|(_, key)| key.clone()).collect();
        let signer = Signer::load(&used).expect("the keys load");
        let mut buffer = Vec::with_capacity(letter.len() + 4096);
        let mut copy = |sign: bool| {
            buffer.clear();
            buffer.extend_from_slice(&letter);
            if sign {
                signer.sign(UnixMillis(1_790_000_000_000), &mut buffer);
            }
            black_box(&buffer);
        };
        let signed = best(|| copy(true)) - best(|| copy(false));
        println!("{name:10} {bare:9.1} {signed:9.1} {:9.1}", signed - bare);
        broken |= signed - bare > LIMIT;
    }
    if broken {
        println!("over the limit of {LIMIT} µs");
        std::process::exit(1);
    }
}

/// A letter of the usual size: headers as ours are, and 50 KB of quoted-printable.
fn letter() -> Vec<u8> {
    let mut letter = String::from(
        "Date: Tue, 17 Nov 2026 14:00:00 +0000\r\nFrom: Weekly Verdicts <letters@example.com>\r\n\
         Subject: Understudy over Autoreply X, and four more verdicts\r\nTo: Ann <ann@example.org>\r\n\
         Message-ID: <c4fee6df9c4e22d10a3a2013631ea015@example.com>\r\n\
         List-Unsubscribe: <https://example.com/unsubscribe/k1.u0.cgbbFlYCVTKWIkJgJbVYlw>,\r\n \
         <mailto:letters@example.com?subject=unsubscribe%20k1.u0.cgbbFlYCVTKWIkJgJbVYlw>\r\n\
         List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Id: Weekly Verdicts <weekly.example.com>\r\n\
         Feedback-ID: issue-1:weekly.example.com:letter:example.com\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
    );
    while letter.len() < 50 * 1024 {
        letter.push_str(
            "<td style=3D\"padding:8px 12px; font-size:14px\">All four ship it, and say why.<=\r\n",
        );
    }
    letter.into_bytes()
}

/// Microseconds a call, in the best run.
fn best(mut work: impl FnMut()) -> f64 {
    let mut run = || {
        let start = Instant::now();
        (0..ROUNDS).for_each(|_| work());
        start.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS)
    };
    (0..RUNS).map(|_| run()).fold(f64::INFINITY, f64::min)
}
