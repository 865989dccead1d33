//! Signatures that others verify: dkimpy and OpenDKIM, before and after a trip through Postfix.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use verdicts::config::DkimKey;
use verdicts::domain::relay::RelayUrl;
use verdicts::domain::token::Keyring;
use verdicts::domain::{EmailAddress, UnixMillis};
use verdicts::mail::dkim::{KeyKind, PrivateKey, Record};
use verdicts::mail::{Outcome, Relay, SessionOptions, Signer};

use crate::support::house::{House, header, outbox};
use crate::support::programs::postfix::Postfix;
use crate::support::programs::verifiers::{Verdicts, Verifiers};

const AT: UnixMillis = UnixMillis(1_790_000_000_000);

/// A signer with an RSA key "r" and an Ed25519 key "e" of example.com, and who verifies it.
fn both() -> (Signer, Verifiers) {
    let signer = signer();
    let verifiers = Verifiers::knowing(signer.records());
    (signer, verifiers)
}

fn signer() -> Signer {
    let folder = tempfile::tempdir().unwrap();
    let keys: Vec<_> = [("r", KeyKind::Rsa), ("e", KeyKind::Ed25519)]
        .map(|(selector, kind)| {
            let key_file = folder.path().join(selector);
            fs::write(&key_file, PrivateKey::generate(kind).unwrap().to_pem().unwrap()).unwrap();
            key("example.com", selector, key_file)
        })
        .to_vec();
    Signer::load(&keys).unwrap()
}

fn key(domain: &str, selector: &str, key_file: std::path::PathBuf) -> DkimKey {
    DkimKey { domain: domain.to_owned(), selector: selector.to_owned(), key_file, setting: "dkim.key_file" }
}

fn verdicts_of(names: &[&str], passed: bool) -> Verdicts {
    names.iter().map(|name| ((*name).to_owned(), passed)).collect()
}

fn letter(more_headers: &str, body: &str) -> Vec<u8> {
    format!(
        "Date: Tue, 17 Nov 2026 14:00:00 +0000\r\nFrom: Weekly Verdicts <letters@example.com>\r\n\
         Subject: Which one ships?\r\nTo: Ann <ann@example.org>\r\nMessage-ID: <1@example.com>\r\n{more_headers}\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}"
    )
    .into_bytes()
}

fn signed(signer: &Signer, letter: &[u8]) -> Vec<u8> {
    let mut signed = letter.to_vec();
    signer.sign(AT, &mut signed);
    assert!(signed.ends_with(letter), "signing puts headers in front and touches nothing else");
    signed
}

#[test]
fn the_same_letter_gets_the_same_signatures() {
    let signer = signer();
    let letter = letter("", "Hello.\r\n");
    assert_eq!(signed(&signer, &letter), signed(&signer, &letter));
    let text = String::from_utf8(signed(&signer, &letter)).unwrap();
    assert_eq!(text.matches("t=1790000000;").count(), 2);
    assert!(!text.contains("l="), "the whole body is signed");
}

/// Makes keys with the command, and takes the settings from what it prints.
fn furnish_keys(house: &House) {
    let ran = house.must(&["dkim", "generate", "--selector", "s1"]);
    let (_, settings) = ran.out.split_once("[dkim]\n").unwrap();
    let (settings, _) = settings.split_once("\n\n").unwrap();
    let text = fs::read_to_string(house.path("verdicts.toml")).unwrap();
    house.write("verdicts.toml", &format!("{text}\n[dkim]\n{settings}\n"));
}

fn verifiers_of(house: &House) -> Verifiers {
    let ran = house.must(&["dkim", "record", "--json"]);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&ran.out).unwrap();
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    let records: Vec<_> =
        rows.iter().map(|row| Record { name: text(row, "name"), value: text(row, "value") }).collect();
    Verifiers::knowing(records.iter())
}

#[test]
fn generate_never_overwrites_and_keeps_keys_to_their_owner() {
    let house = House::new("outbox:outbox", "");
    let ran = house.must(&["dkim", "generate", "--selector", "s1"]);
    for name in ["dkim/s1.pem", "dkim/s1-ed25519.pem"] {
        let mode = fs::metadata(house.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(ran.out.contains("s1._domainkey.verdicts.example. IN TXT ( \"v=DKIM1; k=rsa; p="), "{}", ran.out);
    assert!(ran.out.contains("k=ed25519"), "{}", ran.out);
    assert!(!ran.out.contains("PRIVATE"));
    for string in ran.out.split('"').skip(1).step_by(2) {
        assert!(string.len() <= 255, "{string}");
    }
    let before = fs::read(house.path("dkim/s1.pem")).unwrap();
    let again = house.run(&["dkim", "generate", "--selector", "s1"]);
    assert!(again.code == 1 && again.err.contains("is there already"), "{again:?}");
    let again = house.run(&["dkim", "generate", "--selector", "s1-ed25519", "--type", "rsa"]);
    assert!(again.code == 1 && again.err.contains("is there already"), "{again:?}");
    assert_eq!(fs::read(house.path("dkim/s1.pem")).unwrap(), before);

    let bad = house.run(&["dkim", "generate", "--selector", "../x"]);
    assert!(bad.code == 2 && bad.err.contains("--selector"), "{bad:?}");
    let bad = house.run(&["dkim", "generate", "--domain", "no domain"]);
    assert!(bad.code == 2 && bad.err.contains("--domain"), "{bad:?}");
    let none = house.run(&["dkim", "record"]);
    assert!(none.code == 1 && none.err.contains("verdicts dkim generate"), "{none:?}");

    let one = house.must(&["dkim", "generate", "--domain", "example.org", "--type", "ed25519", "--dir", "k"]);
    assert!(one.out.contains("._domainkey.example.org.") && !one.out.contains("also"), "{}", one.out);
}

#[test]
fn check_says_what_is_wrong_with_a_key() {
    let house = House::new("outbox:outbox", "");
    furnish_keys(&house);
    let checked = house.must(&["check"]);
    assert!(checked.out.contains("s1._domainkey.verdicts.example. IN TXT ( \"v=DKIM1;"), "{}", checked.out);
    let file = house.path("dkim/s1.pem");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let checked = house.must(&["check"]);
    let warning =
        checked.out.lines().find(|line| line.contains("chmod 600") && line.contains("s1.pem")).unwrap();
    assert!(warning.starts_with("warn"), "{warning}");

    let secret = fs::read_to_string(&file).unwrap();
    fs::write(&file, secret.replace("END PRIVATE KEY", "END")).unwrap();
    let checked = house.run(&["check"]);
    let line = checked.out.lines().find(|line| line.starts_with("BAD")).unwrap().to_owned();
    assert!(checked.code == 1 && line.contains("dkim.key_file") && line.contains("s1.pem"), "{line}");
    house.furnish(1);
    let ran = house.run(&["send"]);
    assert!(ran.code == 1 && ran.err.contains("dkim.key_file"), "no letter leaves unsigned: {ran:?}");
    let inside = secret.lines().nth(3).unwrap();
    assert!(!format!("{checked:?}{ran:?}").contains(inside), "a key is never printed");
    assert!(outbox(&house.path("outbox")).is_empty());
}

mod needs_postfix {
    use super::*;

    #[test]
    fn letters_arrive_through_postfix_with_their_signatures_and_their_bounce_tags() {
        let postfix = Postfix::start();
        let house = House::new(&postfix.url(), "");
        let text = fs::read_to_string(house.path("verdicts.toml")).unwrap();
        let with_bounces =
            text.replace("[database]", "bounce_address = \"bounces@verdicts.example\"\n[database]");
        house.write("verdicts.toml", &with_bounces);
        furnish_keys(&house);
        house.furnish(5);
        let name = "Jürgen Łukasz ".repeat(5);
        let file = house.write("more.csv", &format!("email,name\njuergen@example.com,{name}\n"));
        house.must(&["subscribers", "import", file.to_str().unwrap()]);
        house.must(&["send"]);
        let arrived = postfix.wait_for(6);
        assert_eq!(arrived.len(), 6);
        let verifiers = verifiers_of(&house);
        let keyring = Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap();
        let mut readers = Vec::new();
        for stored in &arrived {
            // A Maildir has the line ends of the machine.
            let letter = String::from_utf8(stored.clone()).unwrap().replace('\n', "\r\n");
            assert_eq!(verifiers.judge(letter.as_bytes()), verdicts_of(&["s1", "s1-ed25519"], true));
            let sender = header(stored, "Return-Path").unwrap();
            let token = sender.strip_prefix("<bounces+").and_then(|s| s.strip_suffix("@verdicts.example>"));
            let (issue, reader) = keyring.verify_bounce_token(token.expect(&sender)).expect("a tag of ours");
            assert_eq!(issue.0, 1);
            readers.push(reader);
        }
        readers.sort_unstable();
        readers.dedup();
        assert_eq!(readers.len(), 6, "each reader has a tag of their own");
    }

    #[test]
    fn without_a_bounce_address_letters_come_from_who_writes_them() {
        let postfix = Postfix::start();
        let house = House::new(&postfix.url(), "");
        let text = fs::read_to_string(house.path("verdicts.toml")).unwrap();
        // Answers may go elsewhere; what comes back from a mail server goes to the sender.
        house.write(
            "verdicts.toml",
            &text.replace("[database]", "reply_to = \"desk@verdicts.example\"\n[database]"),
        );
        house.furnish(3);
        house.must(&["send"]);
        let arrived = postfix.wait_for(3);
        assert_eq!(arrived.len(), 3);
        for letter in &arrived {
            assert_eq!(header(letter, "Return-Path").as_deref(), Some("<letters@verdicts.example>"));
            assert!(header(letter, "From").unwrap().ends_with("<letters@verdicts.example>"));
        }
    }

    #[tokio::test]
    async fn doubled_dots_on_the_way_break_nothing() {
        let postfix = Postfix::start();
        let (signer, verifiers) = both();
        let letter = signed(&signer, &letter("", ".\r\n..\r\n...\r\n.x\r\n\r\n.\r\nend.\r\n"));
        let RelayUrl::Smtp(url) = RelayUrl::parse(&postfix.url()).unwrap() else { panic!("smtp") };
        let mut session = Relay::new(&url, SessionOptions::default()).unwrap().open().await.unwrap();
        let address = |text| EmailAddress::parse(text).unwrap();
        let outcome =
            session.deliver(&address("letters@example.com"), &address("ann@example.org"), &letter).await;
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        session.close().await;
        let arrived = postfix.wait_for(1);
        let arrived = String::from_utf8(arrived[0].clone()).unwrap().replace('\n', "\r\n");
        assert!(arrived.ends_with("\r\n\r\n.\r\n..\r\n...\r\n.x\r\n\r\n.\r\nend.\r\n"), "{arrived}");
        assert_eq!(verifiers.judge(arrived.as_bytes()), verdicts_of(&["r", "e"], true));
    }
}

mod needs_verifiers {
    use super::*;

    #[test]
    fn two_verifiers_take_both_signatures_of_every_kind_of_letter() {
        let (signer, verifiers) = both();
        let name = "=?utf-8?q?J=C3=BCrgen_=C5=81ukasz?=";
        let folded = format!(
            "List-Unsubscribe: <https://example.com/unsubscribe/{0}>,\r\n <mailto:letters@example.com?subject={0}>\r\n\
             List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nReply-To: {name}\r\n\t{name}\r\n  <e@example.com>\r\n\
             List-Id: Weekly   Verdicts \t <weekly.example.com>\r\nFeedback-ID: a:b:c:d\r\nX-Other: \r\n",
            "t".repeat(300)
        );
        let big = "A line of the letter, neither short nor long, over and over again.  \r\n".repeat(20_000);
        for (what, letter) in [
            ("plain", letter("", "Hello.\r\n")),
            ("folded", letter(&folded, "Hello.\r\n")),
            ("no body", letter("", "")),
            ("dots and blanks", letter("", ".\r\n..\r\n...two\r\n.x \t y\t\r\n\r\n \r\n\r\n\r\n")),
            ("1.4 MB", letter(&folded, &big)),
        ] {
            let signed = signed(&signer, &letter);
            assert_eq!(verifiers.judge(&signed), verdicts_of(&["r", "e"], true), "{what}");
            for line in signed.split(|octet| *octet == b'\n').take(20) {
                assert!(line.len() <= 999, "{what}");
            }
        }
    }

    #[test]
    fn whoever_changes_a_letter_breaks_both_signatures() {
        let (signer, verifiers) = both();
        let headers = "List-Unsubscribe: <https://example.com/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\
                       List-Id: <weekly.example.com>\r\nFeedback-ID: a:b:c:d\r\nPrecedence: bulk\r\n";
        let signed = String::from_utf8(signed(&signer, &letter(headers, "Ship it.\r\n"))).unwrap();
        assert_eq!(verifiers.judge(signed.as_bytes()), verdicts_of(&["r", "e"], true));
        for (from, to) in [
            ("Ship it.", "Skip it."),
            ("Ship it.\r\n", "Ship it.\r\nAnd buy this.\r\n"),
            ("Which one ships?", "Which one sinks?"),
            ("<letters@example.com>", "<latters@example.com>"),
            ("<ann@", "<amm@"),
            ("14:00:00", "14:00:01"),
            ("<1@example.com>", "<2@example.com>"),
            ("https://example.com/u", "https://example.net/u"),
            ("One-Click", "Two-Clicks"),
            ("<weekly.", "<daily."),
            ("a:b:c:d", "a:b:c:e"),
            ("text/plain", "text/html"),
        ] {
            assert!(signed.contains(from), "{from:?}");
            // The last one: the same words may stand in the signature.
            let at = signed.rfind(from).unwrap();
            let changed = format!("{}{to}{}", &signed[..at], &signed[at + from.len()..]);
            assert_eq!(
                verifiers.judge(changed.as_bytes()),
                verdicts_of(&["r", "e"], false),
                "{from:?} became {to:?}"
            );
        }
        // Oversigned: another one of what mail programs show, in front of the signed one or behind it, and one that was not there.
        for added in ["From: x@example.com", "To: x@example.com", "Subject: x", "Reply-To: x@example.com"] {
            for before in ["DKIM-Signature:", "MIME-Version: 1.0\r\nContent"] {
                let changed = signed.replacen(before, &format!("{added}\r\n{before}"), 1);
                assert_ne!(changed, signed);
                assert_eq!(
                    verifiers.judge(changed.as_bytes()),
                    verdicts_of(&["r", "e"], false),
                    "{added} at {before}"
                );
            }
        }
        let changed =
            signed.replace("Precedence: bulk", "Precedence: list").replace("Which one", "Which  one");
        assert_eq!(
            verifiers.judge(changed.as_bytes()),
            verdicts_of(&["r", "e"], true),
            "what relays may do, they may: blanks, and headers that say nothing"
        );
    }

    #[test]
    fn keys_of_openssl_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let openssl = |arguments: &[&str]| {
            let ran = Command::new("openssl").args(arguments).current_dir(folder.path()).output();
            let ran = ran.expect("openssl is missing: apt-get install openssl");
            assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        };
        openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "pkcs8"]);
        openssl(&["rsa", "-in", "pkcs8", "-traditional", "-out", "pkcs1"]);
        openssl(&["genpkey", "-algorithm", "ED25519", "-out", "ed"]);
        openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", "short"]);
        openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "ec"]);
        openssl(&["pkey", "-in", "pkcs8", "-pubout", "-out", "public"]);
        openssl(&["pkey", "-in", "pkcs8", "-aes256", "-passout", "pass:x", "-out", "locked"]);
        let keys = ["pkcs8", "pkcs1", "ed"].map(|name| key("example.com", name, at(name)));
        let signer = Signer::load(&keys).unwrap();
        let verifiers = Verifiers::knowing(signer.records());
        let signed = signed(&signer, &letter("", "Hello.\r\n"));
        assert_eq!(verifiers.judge(&signed), verdicts_of(&["pkcs8", "pkcs1", "ed"], true));
        let records: Vec<&Record> = signer.records().collect();
        assert_eq!(records[0].value, records[1].value, "the same key in another file");

        for (name, words) in [
            ("short", "fewer than 2048 bits"),
            ("ec", "no sound RSA or Ed25519 key"),
            ("public", "the public key"),
            ("locked", "encrypted"),
            ("absent", "can't be read"),
        ] {
            let error = Signer::load(&[key("example.com", "s", at(name))]).unwrap_err().to_string();
            let named = error.contains("dkim.key_file = ") && error.contains(name) && error.contains(words);
            assert!(named && error.contains(';') && !error.contains('\n'), "{error}");
        }
        assert!(!format!("{signer:?}").contains("MII"));
    }

    #[test]
    fn the_outbox_and_a_test_letter_are_signed_too() {
        let house = House::new("outbox:outbox", "");
        furnish_keys(&house);
        house.furnish(2);
        house.must(&["issue", "test", "1", "--to", "me@example.com"]);
        house.must(&["send"]);
        let letters = outbox(&house.path("outbox"));
        assert_eq!(letters.len(), 3);
        let verifiers = verifiers_of(&house);
        for letter in letters {
            assert_eq!(verifiers.judge(&letter), verdicts_of(&["s1", "s1-ed25519"], true));
        }
    }

    /// A rotation signs with the next selector and the one before, and a second domain may have a selector of the same name.
    #[test]
    fn keys_of_two_selectors_and_of_two_domains_all_sign() {
        let house = House::new("outbox:outbox", "");
        for (selector, domain, kind, dir) in [
            ("v2", "verdicts.example", "rsa", "dkim"),
            ("v1", "verdicts.example", "ed25519", "dkim"),
            ("v2", "example.org", "rsa", "other"),
            ("e", "mail.example.org", "ed25519", "other"),
        ] {
            let key = ["--selector", selector, "--domain", domain, "--type", kind, "--dir", dir];
            house.must(&[&["dkim", "generate"][..], &key].concat());
        }
        let text = fs::read_to_string(house.path("verdicts.toml")).unwrap();
        let keys = "selector = \"v2\"\nkey_file = \"dkim/v2.pem\"\n\
            also = \"v1:dkim/v1.pem, v2@example.org:other/v2.pem, e@mail.example.org:other/e.pem\"\n";
        house.write("verdicts.toml", &format!("{text}\n[dkim]\n{keys}"));
        house.furnish(2);
        house.must(&["send"]);
        let letters = outbox(&house.path("outbox"));
        assert_eq!(letters.len(), 2);
        let verifiers = verifiers_of(&house);
        for letter in letters {
            assert_eq!(verifiers.judge(&letter), verdicts_of(&["v2", "v1", "v2", "e"], true));
            // Each under the name of its own domain, where the verifiers looked for its key.
            let text = String::from_utf8(letter).unwrap();
            let signatures: Vec<_> = text.split("DKIM-Signature:").skip(1).collect();
            for (signature, names) in signatures.iter().zip([
                ["d=verdicts.example;", "s=v2;"],
                ["d=verdicts.example;", "s=v1;"],
                ["d=example.org;", "s=v2;"],
                ["d=mail.example.org;", "s=e;"],
            ]) {
                assert!(names.iter().all(|name| signature.contains(name)), "{names:?}\n{signature}");
            }
        }
    }
}
