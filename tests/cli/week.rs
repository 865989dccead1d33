//! The story of a week: comparison files and a list of readers in, letters out of a real Postfix.

use std::collections::{BTreeMap, BTreeSet};

use mail_parser::MessageParser;

use crate::support::house::{self, House, QUOTES, header, outbox, reader};
use crate::support::programs::postfix;
use crate::support::sink::Sink;

const READERS: usize = 1000;

/// Both tools, both figures, both prices and all eight quotes, in HTML and in text; and the headers of a good letter.
fn assert_letter_is_whole(letter: &[u8]) {
    let parsed = MessageParser::default().parse(letter).expect("a letter parses");
    let html = parsed.body_html(0).expect("an HTML part").replace("&#x27;", "'").replace("&#39;", "'");
    let text = parsed.body_text(0).expect("a text part");
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for needle in ["Pocketbase Nano", "Stackforge", "100%", "75%", "Free", "$19/mo", "64%"] {
        assert!(html.contains(needle), "{needle} is not in the HTML");
        assert!(text.contains(needle), "{needle} is not in the text");
    }
    for quote in QUOTES {
        assert!(one_line.contains(quote), "the text lacks the quote {quote}\n{text}");
        let escaped =
            quote.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        assert!(html.contains(&escaped) || html.contains(quote), "the HTML lacks the quote {quote}");
    }
    for name in ["List-Unsubscribe", "List-Id", "Message-ID", "Date", "MIME-Version", "Feedback-ID"] {
        assert!(header(letter, name).is_some(), "a letter without {name}");
    }
    assert_eq!(header(letter, "List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));
    assert!(letter.split(|b| *b == b'\n').all(|line| line.len() <= 998));
}

#[test]
fn a_quiet_week_sends_nothing_and_says_so() {
    let house = House::new("outbox:outbox", "");
    let file = house.write("readers.csv", "email\nann@example.com\n");
    house.must(&["subscribers", "import", file.to_str().unwrap()]);
    let ran = house.run(&["send"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("quiet week"), "{}", ran.err);
    assert!(outbox(&house.path("outbox")).is_empty());
}

/// P1: one issue, and one letter for each reader, whoever sends beside. A peer counts: in an outbox a second copy would take
/// the place of the first.
#[test]
fn fifty_sends_at_once_make_one_issue() {
    let sink = Sink::start();
    let house = House::new(&sink.url(), "");
    house.furnish(40);
    let sends: Vec<_> = (0..50).map(|_| house.start(&["send"])).collect();
    for mut send in sends {
        let code = send.0.wait().unwrap().code();
        assert!(matches!(code, Some(0 | 3)), "a send ended with {code:?}");
    }
    assert_eq!(house.must(&["issue", "list", "--json"]).out.matches("\"number\"").count(), 1);
    assert_eq!(house.status()["sent"], 40);
    let mut copies = BTreeMap::<String, usize>::new();
    for (to, _) in sink.letters() {
        *copies.entry(to).or_default() += 1;
    }
    assert_eq!(copies, (0..40).map(|n| (reader(n), 1)).collect(), "nobody is missed, nobody gets two");
    let ids: BTreeSet<_> = sink.letters().into_iter().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), 40, "each letter has an id of its own");
}

#[test]
fn a_bad_file_is_listed_and_the_good_ones_go_in() {
    let house = House::new("outbox:outbox", "");
    let good = house::comparison("good", chrono::Utc::now());
    std::fs::create_dir(house.path("week")).unwrap();
    house.write("week/good.json", &good);
    house.write("week/bad.json", &good.replace("\"ship\"", "\"sail\"").replace("\"good\"", "\"bad\""));
    let ran = house.run(&["comparisons", "import", "week"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("1 added") && ran.out.contains("1 bad"), "{}", ran.out);
    assert!(ran.err.contains("bad.json:") && ran.err.contains("tools[0].reviews[0].verdict"), "{}", ran.err);

    let again = house.must(&["comparisons", "import", "week/good.json"]);
    assert!(again.out.contains("1 unchanged"), "{}", again.out);
    house.write("week/good.json", &good.replace("Stackforge in one line", "Stackforge in a word"));
    let changed = house.must(&["comparisons", "import", "week/good.json"]);
    assert!(
        changed.out.contains("1 updated") && changed.err.contains("updated good"),
        "{}{}",
        changed.out,
        changed.err
    );
}

#[test]
fn settings_that_are_wrong_are_refused_with_two() {
    let house = House::new("outbox:outbox", "[schedule]\ncorn = \"0 0 9 * * Tue\"\n");
    let ran = house.run(&["status"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("corn"), "{}", ran.err);
    assert_eq!(house.run(&["no-such-command"]).code, 2);
}

#[test]
fn the_demo_does_the_whole_job_from_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let demo = || {
        std::process::Command::new(house::BINARY)
            .current_dir(folder.path())
            .args(["demo", "--once"])
            .output()
            .unwrap()
    };
    let ran = demo();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let letters = outbox(&folder.path().join("demo/outbox"));
    assert!(letters.len() >= 5);
    assert!(demo().status.success(), "a demo can be run again");
    assert_eq!(
        outbox(&folder.path().join("demo/outbox")).len(),
        letters.len(),
        "and sends nobody a second letter"
    );
}

mod needs_postfix {
    use super::*;

    /// P1 and P4: one letter for each reader, also when somebody sends again.
    #[test]
    fn a_week_reaches_every_reader_once() {
        let postfix = postfix::Postfix::start();
        let house = House::new(&postfix.url(), "");
        house.furnish(READERS);

        let draft = house.must(&["send", "--dry-run"]);
        assert!(draft.out.contains("lead"), "{}", draft.out);
        assert!(postfix.letters().is_empty(), "a dry run sends nothing");

        house.must(&["send"]);
        let status = house.status();
        assert_eq!(status["sent"], READERS, "{status}");
        assert_eq!(status["state"], "finished");

        let letters = postfix.wait_for(READERS);
        assert_eq!(letters.len(), READERS, "nobody is missed, nobody gets two");
        let recipients: BTreeSet<_> = letters.iter().map(|l| header(l, "Delivered-To").unwrap()).collect();
        assert_eq!(recipients, (0..READERS).map(reader).collect());
        for letter in &letters {
            assert_letter_is_whole(letter);
        }

        let again = house.run(&["send"]);
        assert_eq!(again.code, 3, "a second send finds nothing new: {}{}", again.out, again.err);
        assert_eq!(postfix.letters().len(), READERS);
    }
}
