//! The linter: each rule against a letter that breaks it and nothing else, and a run that does not start with such a letter.

use verdicts::letter::lint::{Expected, Finding, Grade, lint};
use verdicts::mail::encode::quoted_printable;

use crate::support::house::House;

const HEAD: &str = "Date: Tue, 17 Nov 2026 14:00:00 +0000\r\nFrom: Weekly Verdicts <letters@verdicts.example>\r\n\
    Subject: Alpha over Beta\r\nTo: Ann <ann@example.com>\r\nMessage-ID: <0123@verdicts.example>\r\n\
    List-Unsubscribe: <https://verdicts.example/unsubscribe/t>,\r\n <mailto:letters@verdicts.example?subject=unsubscribe>\r\n\
    List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Id: <weekly.verdicts.example>\r\n\
    Feedback-ID: issue-1:weekly:letter:verdicts.example\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/alternative; boundary=\"=_x\"\r\n";

const TEXT: &str =
    "Alpha over Beta\n\nLeave: https://verdicts.example/unsubscribe/t\n1 Sample Street, Exampleville\n";

const HTML: &str = r##"<!doctype html><html lang="en"><head><meta charset=utf-8><title>Alpha over Beta</title><style>
.ink { color: #222222; }
@media (prefers-color-scheme: dark) { .page { background: #111111 !important; } .ink, a { color: #eeeeee !important; } }
</style></head><body><table role="presentation" class="page" bgcolor="#ffffff"><tr><td class="ink">
<h2>Alpha over Beta</h2><h3>Why</h3><p>It ships.</p>
<img src="https://verdicts.example/logo.png" alt="The logo" width="80" height="20">
<table><tr><th scope="col">Who</th></tr><tr><td>Ann</td></tr></table>
<a class="out" href="https://verdicts.example/unsubscribe/t">Leave</a> <p>1 Sample Street, Exampleville</p>
</td></tr></table></body></html>
"##;

fn letter(head: &str, text: &str, html: &str) -> Vec<u8> {
    let mut letter = format!("{head}\r\n").into_bytes();
    for (kind, body) in [("plain", text), ("html", html)] {
        letter.extend(
            format!(
                "--=_x\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
            )
            .into_bytes(),
        );
        quoted_printable(body, &mut letter);
        letter.extend(b"\r\n");
    }
    letter.extend(b"--=_x--\r\n");
    letter
}

fn judge(letter: &[u8]) -> Vec<Finding> {
    lint(letter, Expected { postal_address: Some("1 Sample Street, Exampleville"), is_notice: false })
}

fn rules(findings: &[Finding]) -> Vec<(Grade, &str)> {
    findings.iter().map(|one| (one.grade, one.rule)).collect()
}

#[test]
fn a_good_letter_passes_without_a_word() {
    assert_eq!(judge(&letter(HEAD, TEXT, HTML)), []);
}

#[test]
fn every_rule_about_headers_finds_what_breaks_it() {
    use Grade::{Error, Hint, Warning};
    for (from, to, grade, rule) in [
        ("MIME-Version: 1.0\r\n", "", Error, "header"),
        ("Feedback-ID: issue-1:weekly:letter:verdicts.example", "Feedback-ID:", Error, "header"),
        ("MIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nSubject: Again\r\n", Error, "header"),
        ("Tue, 17 Nov 2026 14:00:00 +0000", "yesterday", Error, "header"),
        ("<0123@verdicts.example>", "0123", Error, "header"),
        ("MIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nX Y: z\r\n", Error, "header"),
        ("<https://verdicts.example/unsubscribe/t>,\r\n ", "", Error, "one-click"),
        (",\r\n <mailto:letters@verdicts.example?subject=unsubscribe>", "", Warning, "one-click"),
        ("One-Click", "Two-Clicks", Error, "one-click"),
        ("Alpha over Beta", "Alpha, click here to buy", Hint, "spam-words"),
        ("Alpha over Beta", "ALPHA DESTROYS BETA", Hint, "spam-words"),
        (
            "Alpha over Beta",
            "Alpha over Beta and a good many other words that no phone has any room for",
            Hint,
            "subject",
        ),
    ] {
        let found = judge(&letter(&HEAD.replacen(from, to, 1), TEXT, HTML));
        assert!(rules(&found).contains(&(grade, rule)), "{from:?} → {to:?}: {found:?}");
    }
}

#[test]
fn every_rule_about_the_html_finds_what_breaks_it() {
    use Grade::{Error, Warning};
    for (from, to, grade, rule) in [
        ("<html lang=\"en\">", "<html>", Error, "lang"),
        ("<title>Alpha over Beta</title>", "", Error, "title"),
        ("<meta charset=utf-8>", "", Warning, "charset"),
        ("alt=\"The logo\" ", "", Error, "alt"),
        ("width=\"80\" height=\"20\"", "width=\"1\" height=\"1\"", Error, "pixel"),
        ("width=\"80\" ", "", Warning, "image-size"),
        ("https://verdicts.example/logo.png", "/logo.png", Error, "link"),
        ("href=\"https://verdicts.example/unsubscribe/t\"", "href=\"unsubscribe\"", Error, "link"),
        ("href=\"https:", "href=\"http:", Error, "link"),
        (">Leave<", "><", Error, "link"),
        (
            "<table role=\"presentation\"",
            "<table",
            Warning,
            "nothing: the head inside makes it a table of data",
        ),
        ("<th scope=\"col\">", "<th>", Warning, "table"),
        ("<th scope=\"col\">Who</th>", "<td>Who</td>", Error, "table"),
        ("<h3>Why</h3>", "<h4>Why</h4>", Warning, "headings"),
        ("<p>It ships.</p>", "<form action=\"https://verdicts.example/\"></form>", Error, "element"),
        ("<p>It ships.</p>", "<script>alert(1)</script>", Error, "element"),
        ("<p>It", "<p onclick=\"x()\">It", Error, "element"),
        ("<p>It ships.</p>", "<mj-text>It ships.</mj-text>", Error, "mjml"),
        ("<p>It ships.</p>", "<p>{{ name }}</p>", Warning, "placeholder"),
        ("<p>It ships.</p>", "<p>[[0:unsubscribe_url]]</p>", Warning, "placeholder"),
        ("<p>It ships.</p>", "<p>Lorem ipsum</p>", Error, "placeholder"),
        ("<p>It", "<p style=\"background-image: url(https://x.example/y)\">It", Error, "remote"),
        (".ink { color", "@import url(https://x.example/y.css); .ink { color", Error, "remote"),
        ("color: #222222", "color: #888888", Error, "contrast"),
        ("color: #eeeeee", "color: #444444", Error, "contrast"),
        ("<p>It", "<p style=\"position: fixed\">It", Warning, "support"),
        ("<p>It", "<p style=\"width: 2rem\">It", Warning, "support"),
        ("<p>It ships.</p>", "<svg></svg>", Warning, "support"),
        ("1 Sample Street", "", Error, "postal-address"),
        ("/unsubscribe/t", "/goodbye", Error, "way-out"),
        ("It ships.", &"It ships. ".repeat(9_000), Error, "size"),
        ("<h2>", "<h2 id=\"x\"><i id=\"x\"></i>", Warning, "id"),
    ] {
        let found = judge(&letter(HEAD, TEXT, &HTML.replacen(from, to, 1)));
        match rule.strip_prefix("nothing") {
            Some(why) => assert_eq!(found, [], "{why}"),
            None => assert!(rules(&found).contains(&(grade, rule)), "{from:?} → {to:?}: {found:?}"),
        }
    }
}

#[test]
fn every_rule_about_octets_and_text_finds_what_breaks_it() {
    use Grade::{Error, Warning};
    let good = letter(HEAD, TEXT, HTML);
    let changed = |from: &str, to: &str| {
        let text = String::from_utf8(good.clone()).unwrap();
        assert!(text.contains(from), "{from}");
        judge(text.replacen(from, to, 1).as_bytes())
    };
    for (found, grade, rule) in [
        (changed("It ships.</p>\r\n", "It ships.</p>\n"), Error, "line-ends"),
        (changed("Alpha over Beta\r\n\r\n", "Alpha\rBeta\r\n\r\n"), Error, "line-ends"),
        (changed("It ships.", &"x".repeat(80)), Error, "line-length"),
        (changed("Feedback-ID: ", &format!("Feedback-ID: {}", "x".repeat(1000))), Error, "line-length"),
        (changed("It ships.", "Ça va"), Error, "ascii"),
        (changed("Content-Type: text/plain", "Content-Type: text/html"), Error, "parts"),
        (judge(&letter(HEAD, "", HTML)), Error, "parts"),
        (judge(&letter(HEAD, &format!("{TEXT}{}\n", "wide ".repeat(20)), HTML)), Warning, "text-width"),
        (judge(&letter(HEAD, &TEXT.replace("/unsubscribe/t", "/"), HTML)), Error, "way-out"),
    ] {
        assert!(rules(&found).contains(&(grade, rule)), "{rule}: {found:?}");
    }
}

#[test]
fn our_own_letter_passes_and_one_that_does_not_stops_the_run() {
    let house = House::new("outbox:outbox", "");
    house.furnish(3);
    let ran = house.must(&["issue", "lint", "1", "--json"]);
    let said: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(said["errors"], 0);
    for finding in said["findings"].as_array().unwrap() {
        // A test's links lead to this machine.
        assert_eq!((&finding["grade"], &finding["rule"]), (&"hint".into(), &"link".into()), "{finding}");
    }
    // The operator's own templates, and a colour in them that nobody can read in the dark.
    let out = house.must(&["templates", "export", "own"]).out;
    assert!(out.contains("templates are in own/letter, 0 were there already"), "{out}");
    let mut house = house;
    house.set("VERDICTS__TEMPLATES__DIR", "own");
    assert!(house.must(&["templates", "check"]).out.contains("pass the linter"));
    let head = std::fs::read_to_string(house.path("own/letter/head.mjml")).unwrap();
    let dark = head.replace(
        ".ink div { color: {{ theme.dark.ink }} !important; }",
        ".ink div { color: #333333 !important; }",
    );
    assert_ne!(head, dark);
    house.write("own/letter/head.mjml", &dark);
    for (command, code) in [(&["send"][..], 2), (&["templates", "check"], 1), (&["issue", "draft"], 2)] {
        let ran = house.run(command);
        assert_eq!(ran.code, code, "{command:?}: {}{}", ran.out, ran.err);
        assert!((ran.out + &ran.err).contains("in dark mode"), "{command:?}: {}", ran.err);
    }
    assert!(!house.path("outbox").exists(), "nobody got it");
    house.write("own/letter/head.mjml", &head);
    house.must(&["send"]);
    assert_eq!(house.status()["sent"], 3);
}
