//! From the stencil to the octets of one reader, whatever their name and the content.

use super::*;

#[test]
fn a_letter_of_one_as_it_goes_over_the_wire() {
    let letter = rendered(&composed(&[sample("tessera-vs-mockingbird")], 5));
    let octets = String::from_utf8(filled(&letter, Some("Ann"))).unwrap();
    insta::assert_snapshot!("one_wire", octets.replace("\r\n", "\n"));
}

#[test]
fn content_that_looks_like_a_mark_a_tag_or_a_template_is_printed_as_it_is() {
    let hostile =
        "[[0:unsubscribe_url]] {{ slots.addressee }} <script>alert(1)</script> </mj-text> & \"=20\" [[1:x]]";
    let mut comparison = sample("lanternfish-vs-pull-oracle");
    comparison.tools[0].name = hostile.into();
    comparison.tools[0].reviews[0].quote = hostile.into();
    comparison.title = hostile.into();
    let letter = rendered(&composed(&[comparison], 5));
    let (text, html) = parts(&filled(&letter, Some("Ann")));
    assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(hostile), "{text}");
    let escaped =
        hostile.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    assert!(html.contains(&escaped));
    assert!(!html.contains("<script"));
    assert_eq!(html.matches("/unsubscribe/").count(), 1, "only the footer's link");
    assert_eq!(text.matches("/unsubscribe/").count(), 1);
}

#[test]
fn hostile_names_are_harmless() {
    let letter = rendered(&composed(&[sample("lanternfish-vs-pull-oracle")], 5));
    let long = "Wolfeschlegelsteinhausenbergerdorff ".repeat(40);
    let names = [
        "<script>alert(1)</script>",
        "Ann\r\nBcc: eve@example.com\r\n\r\nboo",
        "Ann \"the =20 [[0:unsubscribe_url]]\" Lee, <x@example.com>",
        "🚀 Zoë 日本語",
        "\u{202E}\u{05D3}\u{05D5}\u{05D3}",
        "=?utf-8?Q?x?=",
        &long,
    ];
    for name in names {
        let octets = filled(&letter, Some(name));
        assert_wire(&octets);
        let (text, html) = parts(&octets);
        assert!(!html.contains("<script"), "{name}");
        assert!(!text.contains('\u{202E}'));
        let message = MessageParser::default().parse(&octets).unwrap();
        let to = message.to().unwrap().first().unwrap();
        assert_eq!(to.address(), Some("ann@example.com"), "{name}");
        assert_eq!(message.to().unwrap().iter().count(), 1, "{name}");
        assert!(message.header(HeaderName::Bcc).is_none());
        let shown = to.name().unwrap();
        let wanted: String = name.chars().filter(|c| *c != '\u{202E}').collect();
        let wanted = wanted.split_whitespace().collect::<Vec<_>>().join(" ");
        let wanted: String = wanted.chars().take(120).collect();
        assert_eq!(shown, wanted.trim(), "{name}");
        assert!(text.lines().any(|l| l.starts_with("Hello ")), "{text}");
    }
    let (text, html) = parts(&filled(&letter, None));
    assert!(text.contains("\nHello,\n"));
    assert!(html.contains("Hello. "));
}

#[test]
fn the_headers_of_a_bulk_letter() {
    let octets = filled(&rendered(&composed(&[sample("brook-vs-steno-9")], 5)), Some("Ann"));
    let message = MessageParser::default().parse(&octets).unwrap();
    let raw = |name: &str| message.header_raw(name).map(|v| v.replace("\r\n", "").trim().to_owned());
    assert_eq!(
        raw("List-Unsubscribe").unwrap(),
        "<https://verdicts.example/unsubscribe/k1.u42.AbC-dEf_gHiJkLmNoPqRsT>, \
         <mailto:desk@verdicts.example?subject=unsubscribe%20k1.u42.AbC-dEf_gHiJkLmNoPqRsT>"
    );
    assert_eq!(raw("List-Unsubscribe-Post").unwrap(), "List-Unsubscribe=One-Click");
    assert_eq!(raw("List-Id").unwrap(), "Weekly Verdicts <weekly.verdicts.example>");
    assert_eq!(raw("Message-ID").unwrap(), "<00112233445566778899aabbccddeeff@verdicts.example>");
    assert_eq!(raw("Date").unwrap(), "Tue, 17 Nov 2026 09:00:00 +0000");
    assert_eq!(raw("MIME-Version").unwrap(), "1.0");
    assert_eq!(raw("Reply-To").unwrap(), "desk@verdicts.example");
    for once in ["From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Id"] {
        let count = message.headers_raw().filter(|(name, _)| name.eq_ignore_ascii_case(once)).count();
        assert_eq!(count, 1, "{once}");
    }
    assert!(!matches!(message.header("Subject"), None | Some(HeaderValue::Empty)));
}

#[test]
fn a_stored_stencil_fills_the_same_octets() {
    let letter = rendered(&composed(&samples(NOW), 3));
    let stencil = Stencil::build(&letter, &site(), ISSUE).unwrap();
    let stored = Stencil::from_text(&stencil.to_text()).unwrap();
    let (mut before, mut after) = (Vec::new(), b"left over".to_vec());
    stencil.fill(&reader(&ann(), Some("Ann")), &mut before);
    stored.fill(&reader(&ann(), Some("Ann")), &mut after);
    assert_eq!(before, after);
    assert_eq!(stored.subject(), letter.subject);
    assert!(stored.size().abs_diff(before.len()) < 2_000);
    for (text, needle) in
        [("", "can't be read"), (&stencil.to_text().replace("stencil-1", "stencil-9"), "stencil-9")]
    {
        let error = Stencil::from_text(text).unwrap_err().to_string();
        assert!(error.contains(needle), "{error}");
    }
}

#[test]
fn every_slot_has_a_value_for_every_reader() {
    let mut composition = composed(&[sample("brook-vs-steno-9")], 5);
    composition.intro = "Something to read.".to_owned();
    let letter = rendered(&composition);
    let fill = |name, topics| {
        let mut out = Vec::new();
        let email = ann();
        let reader = Recipient { topics, ..reader(&email, name) };
        Stencil::build(&letter, &site(), ISSUE).unwrap().fill(&reader, &mut out);
        assert_wire(&out);
        parts(&out)
    };
    let (text, html) = fill(None, None);
    assert!(text.contains("Hello,") && text.contains("You read:         everything\n"), "{text}");
    assert!(html.contains("Hello. ") && html.contains("You read: everything."));
    let (text, html) = fill(Some("Ann"), Some("Coding & <i>agents</i>, \"Köder\""));
    assert!(
        text.contains("Hello Ann,") && text.contains("You read:         Coding & <i>agents</i>, \"Köder\"\n")
    );
    assert!(html.contains("You read: Coding &amp; &lt;i&gt;agents&lt;/i&gt;, &quot;Köder&quot;."), "{html}");
    let many = "A topic with a long name, ".repeat(40);
    let (text, _) = fill(None, Some(&many));
    assert!(text.lines().all(|line| line.chars().count() < 240), "a list of topics has an end");
    let (text, html) = fill(Some("Ann\r\nBcc: x"), Some("One\r\n\r\nTwo"));
    assert!(text.contains("One Two") && html.contains("One Two"));
}

#[test]
fn a_slot_that_nobody_fills_is_refused_when_the_template_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let load = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        render::Templates::with_folder(folder.path()).map(|_| ()).map_err(|error| error.to_string())
    };
    for slot in StencilSlot::ALL.map(StencilSlot::as_str) {
        assert_eq!(load("letter.txt", &format!("One\n{{{{ slots.{slot} }}}}")), Ok(()), "{slot}");
        for name in ["letter.txt", "footer.mjml"] {
            let error = load(name, &format!("<p>\n  {{{{ slots.{slot}s }}}}</p>")).unwrap_err();
            let place = folder.path().join(name);
            assert!(error.contains(&format!("{}:2:6: ", place.display())), "{error}");
            assert!(
                error.contains(&format!("there is no slot \"{slot}s\"; there are addressee,")),
                "{error}"
            );
            std::fs::remove_file(place).unwrap();
        }
    }
}

#[test]
fn the_archive_shows_no_reader() {
    let letter = rendered(&composed(&samples(NOW), 3));
    let stencil = Stencil::build(&letter, &site(), ISSUE).unwrap();
    for page in [stencil.web_html(), stencil.web_text(), render::web_page(&letter, &site())] {
        for absent in
            ["/unsubscribe/", "/preferences/", "Hello", "[[", "You get this letter", "You read", "=_verdicts"]
        {
            assert!(!page.contains(absent), "{absent}");
        }
        assert!(page.contains("1 Test Street"));
    }
    assert_eq!(stencil.web_html(), render::web_page(&letter, &site()));
}
