//! mrml against the reference: what `mjml` (npm, pinned in `tests/npm`) makes of the same MJML. Every letter and notice is rendered
//! by both, and whatever differs for a mail program fails here, unless it stands in [`KNOWN`] with the reason why it may.
//!
//! The reference validates strictly, so a tag or an attribute that MJML does not have fails here as well.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use verdicts::letter::render::mjml;

use crate::support::mail::mails;
use crate::support::mail::markup;

/// Where mrml differs and no reader can tell: what it writes, what the reference writes in its place, and why it is no matter. Both
/// are parts of tokens as [`markup::tokens`] spells them. What does matter is not here but mended in the templates, with a
/// comment that names it.
const KNOWN: [(&str, &str, &str); 3] = [
    (
        " vertical-align=\"middle\">",
        ">",
        "the cell around a button: no attribute of HTML, so nobody reads it (valign would be one), and the cell has one line",
    ),
    (
        "role=\"presentation\" style=\"border-collapse: separate\" width=\"100%\">",
        "role=\"presentation\" width=\"100%\">",
        "the table around a column that has a border: it has no border itself, and no space between its cells",
    ),
    (
        "class=\"cell second-outlook\"",
        "class=\"cell-outlook second-outlook\"",
        "of two classes mrml marks only the last as Outlook's; our rules for .cell stand in @media, which Outlook leaves out",
    ),
];

#[test]
fn what_mrml_makes_of_our_templates_is_what_the_reference_makes() {
    let mails: Vec<_> = mails::letters().into_iter().chain(mails::notices()).collect();
    let theirs = by_reference(mails.iter().map(|mail| (mail.name.as_str(), mail.mjml.as_str())));
    let (mut differing, mut met) = (String::new(), [false; KNOWN.len()]);
    for mail in &mails {
        let ours = mjml::to_html(&mail.mjml).expect("ours render");
        let mut ours = markup::tokens(&ours);
        let mut theirs = markup::tokens(&theirs[&mail.name]);
        for ((known, instead, _), met) in KNOWN.iter().zip(&mut met) {
            *met |= ours.iter().any(|token| token.contains(known));
            ours.iter_mut().chain(&mut theirs).for_each(|token| *token = token.replace(known, instead));
        }
        let found = markup::differences(&ours, &theirs);
        if !found.is_empty() {
            differing.push_str(&format!("\n{}: - mrml, + the reference\n{}", mail.name, found.join("\n")));
        }
    }
    // All of them are of a kind more often than not: the first show it.
    assert!(differing.is_empty(), "{}", differing.chars().take(4_000).collect::<String>());
    for ((known, ..), met) in KNOWN.iter().zip(met) {
        assert!(met, "mrml does not write {known:?} any more; take it off the list");
    }
}

/// What the reference makes of each.
///
/// # Panics
/// If it is not installed, or refuses one.
fn by_reference<'a>(mails: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    let installed = Path::new("target/npm/node_modules/mjml/package.json");
    assert!(installed.exists(), "mjml is missing; tests/run installs it into target/npm");
    let mut node = Command::new("node")
        .arg("tests/reference/mjml.mjs")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node is missing; tests/run installs it");
    let mails: BTreeMap<&str, &str> = mails.collect();
    let mut stdin = node.stdin.take().expect("it is piped");
    stdin.write_all(serde_json::to_string(&mails).expect("it is JSON").as_bytes()).expect("node reads");
    drop(stdin);
    let ran = node.wait_with_output().expect("node ends");
    assert!(ran.status.success(), "the reference refuses {}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).expect("it answers in JSON")
}
