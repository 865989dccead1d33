//! What a spam filter says of the letters and notices: Debian's rspamd with its own rules, and a name server that has our records.

use std::fs;
use std::sync::Arc;

use verdicts::config::DkimKey;
use verdicts::domain::UnixMillis;
use verdicts::domain::site::{Mailbox, Site};
use verdicts::letter::Latest;
use verdicts::mail::Signer;
use verdicts::mail::dkim::{KeyKind, PrivateKey};

use crate::support::mail::cases;
use crate::support::mail::mails;
use crate::support::programs::rspamd::{DOMAIN, Rspamd, Symbol};

/// The most that any rule may count against a mail because of what stands in it.
const LIMIT: f64 = 0.5;

const TWICE: &str =
    "the case tells of last week's votes on the comparison that it features, and so links to it twice";

/// What counts more and is not ours to mend: in which mail (empty: in all), which rule, and why.
///
/// rspamd sums, over the links of the text part, how often they stand in both parts.
const NOT_OURS: [(&str, &str, &str); 4] = [
    ("long", "URI_COUNT_ODD", TWICE),
    ("rtl", "URI_COUNT_ODD", TWICE),
    ("emoji", "URI_COUNT_ODD", TWICE),
    ("emoji", "R_MIXED_CHARSET", "two tools whose names mix scripts are in the subject"),
];

#[test]
fn rspamd_takes_the_signatures_and_minds_nothing() {
    let (site, signer) = (site(), signer());
    let latest = Latest { url: format!("{}/issues/12", site.base_url), ..mails::latest() };
    let rspamd = Rspamd::knowing(signer.records());
    // Signatures and dates are judged by the clock of today.
    let now = UnixMillis::now();
    let mut mails = mails::notices_of(&site, &latest, &signer, now);
    for mut letter in mails::letters_of(&site, now) {
        signer.sign(now, &mut letter.octets);
        mails.push(letter);
    }
    let (mut minded, mut met) = (Vec::new(), [false; NOT_OURS.len()]);
    for mail in &mails {
        let symbols = rspamd.judge(&mail.octets);
        for needed in ["R_DKIM_ALLOW", "R_SPF_ALLOW", "DMARC_POLICY_ALLOW"] {
            let found = symbols.iter().any(|symbol| symbol.name == needed);
            assert!(found, "{}: no {needed} in {symbols:?}", mail.name);
        }
        for Symbol { name, score, why } in symbols.into_iter().filter(|symbol| symbol.score > LIMIT) {
            let is_this =
                |(of, rule, _): &(&str, &str, &str)| (of.is_empty() || *of == mail.name) && *rule == name;
            match NOT_OURS.iter().position(is_this) {
                Some(known) => met[known] = true,
                None => minded.push(format!("{}: {name} {score}: {why}", mail.name)),
            }
        }
    }
    assert!(minded.is_empty(), "{}", minded.join("\n"));
    for ((of, rule, _), met) in NOT_OURS.iter().zip(met) {
        assert!(met, "rspamd does not say {rule} of {of:?} any more; take it off the list");
    }
}

/// Below `.org`: rspamd takes a link into a domain that ends in nothing it knows, as `.example`, for an obscured one.
fn site() -> Site {
    Site {
        base_url: format!("https://{DOMAIN}"),
        from: Mailbox::parse(&format!("Weekly Verdicts <letters@{DOMAIN}>")).expect("it is an address"),
        reply_to: Some(Mailbox::parse(&format!("desk@{DOMAIN}")).expect("it is an address")),
        list_id: format!("weekly.{DOMAIN}"),
        ..cases::site()
    }
}

/// With both kinds of keys.
fn signer() -> Arc<Signer> {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = [("r", KeyKind::Rsa), ("e", KeyKind::Ed25519)].map(|(selector, kind)| {
        let key_file = folder.path().join(selector);
        let pem = PrivateKey::generate(kind).and_then(|key| key.to_pem()).expect("a key is made");
        fs::write(&key_file, pem).expect("the folder is ours");
        DkimKey {
            domain: DOMAIN.to_owned(),
            selector: selector.to_owned(),
            key_file,
            setting: "dkim.key_file",
        }
    });
    Arc::new(Signer::load(&keys).expect("the keys load"))
}
