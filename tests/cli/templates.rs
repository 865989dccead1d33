//! Templates and texts of an operator's own: each kind of mistake in each kind of file is found before anybody sees it.

use std::fs;

use crate::support::house::House;
use crate::support::site::Site;

/// A house whose templates lie in `own/`, as exported.
fn furnished() -> House {
    let mut house = House::new("outbox:outbox", "");
    house.must(&["templates", "export", "own"]);
    house.set("VERDICTS__TEMPLATES__DIR", "own");
    house
}

fn read(house: &House, name: &str) -> String {
    fs::read_to_string(house.path(name)).unwrap()
}

/// Writes `broken` in place of a file, wants `templates check` to say `says`, and puts the file back.
fn refused(house: &House, file: &str, broken: &str, says: &str) {
    let name = format!("own/{file}");
    let before = fs::read_to_string(house.path(&name)).ok();
    house.write(&name, broken);
    let ran = house.run(&["templates", "check"]);
    assert_eq!(ran.code, 1, "{file} → {says}: {}{}", ran.out, ran.err);
    let line = ran.out.lines().find(|line| line.contains(says));
    assert!(line.is_some(), "{file} → {says}: {}{}", ran.out, ran.err);
    match before {
        Some(before) => drop(house.write(&name, &before)),
        None => fs::remove_file(house.path(&name)).unwrap(),
    }
}

#[test]
fn what_is_exported_is_sound_and_makes_the_same_letters() {
    let mut house = House::new("outbox:outbox", "");
    house.furnish(1);
    house.must(&["issue", "preview", "1", "--out", "before"]);
    let out = house.must(&["templates", "export", "own"]).out;
    for kind in ["letter", "notices", "pages", "texts"] {
        assert!(out.contains(&format!("templates are in own/{kind}, 0 were there already")), "{out}");
    }
    house.set("VERDICTS__TEMPLATES__DIR", "own");
    house.must(&["templates", "check"]);
    house.must(&["issue", "preview", "1", "--out", "after"]);
    assert_eq!(read(&house, "before/letter.html"), read(&house, "after/letter.html"));
    // What is there is left alone.
    house.write("own/texts/en/frame.toml", "mine");
    let out = house.must(&["templates", "export", "own"]).out;
    assert!(out.contains("0 templates are in own/texts, 9 were there already"), "{out}");
    assert_eq!(read(&house, "own/texts/en/frame.toml"), "mine");
}

#[test]
fn a_folder_with_the_letter_alone_goes_on_working() {
    let mut house = House::new("outbox:outbox", "");
    house.furnish(1);
    house.must(&["templates", "export", "own"]);
    for kind in ["notices", "pages", "texts"] {
        fs::remove_dir_all(house.path("own").join(kind)).unwrap();
    }
    let masthead = read(&house, "own/letter/masthead.mjml");
    house.write(
        "own/letter/masthead.mjml",
        &masthead.replace("{{ site.name }}", "{{ site.name }} of our own"),
    );
    house.set("VERDICTS__TEMPLATES__DIR", "own");
    house.must(&["templates", "check"]);
    house.must(&["issue", "preview", "1", "--out", "after"]);
    assert!(read(&house, "after/letter.html").contains("Weekly Verdicts of our own"));
}

#[test]
fn mistakes_in_the_letter() {
    let house = furnished();
    let footer = read(&house, "own/letter/footer.mjml");
    let text = read(&house, "own/letter/letter.txt");
    let f = |front: &str| format!("{front}{footer}");
    let image = "<mj-section><mj-column><mj-image src=\"https://verdicts.example/a.png\" width=\"9px\" /></mj-column></mj-section>\n";
    let wide = format!(
        "<mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section>",
        "wide ".repeat(20_000)
    );
    for (broken, says) in [
        (f("{% if %}"), "own/letter/footer.mjml:1:7: "),
        (f("\n{{ nothing.at_all }}"), "own/letter/footer.mjml:2:4: Variable `nothing` is not defined"),
        (f("{{ site.nope }}"), "own/letter/footer.mjml:1:9: Field `nope` is not defined"),
        (f("{{ issue_url | zilch }}"), "own/letter/footer.mjml:1:16: Unknown filter `zilch`"),
        (f("{% include \"no.mjml\" %}"), "own/letter/footer.mjml:1:12: "),
        (f("<mj-buton>x</mj-buton>\n"), "own/letter/footer.mjml:1:1: there is no <mj-buton>"),
        (
            f("<mj-spacer hieght=\"8px\" />"),
            "own/letter/footer.mjml:1:12: <mj-spacer> has no attribute hieght",
        ),
        (f("\n  {{ slots.adress }}"), "own/letter/footer.mjml:2:6: there is no slot \"adress\""),
        (
            f("<mj-section><mj-column>\n</mj-section>\n"),
            "own/letter/footer.mjml:1:13: <mj-column> is closed by </mj-section>",
        ),
        (f("\n<mj-section><mj-column>"), "own/letter/footer.mjml:2:13: <mj-column> is closed by </mj-body>"),
        (f("<mj-section><mj-column></mj-column></mj-section></mj-text>"), "own/letter/footer.mjml:1:49: "),
        (f("<mj-section><mj-text color=red>x</mj-text></mj-section>"), "own/letter/footer.mjml:1:13: "),
        (footer.replace("slots.unsubscribe_url", "slots.preferences_url"), "unsubscribe_url"),
        (f(image), "own/letter/footer.mjml:1:24: <mj-image> has no alt"),
        (f(&wide), "90000"),
    ] {
        refused(&house, "letter/footer.mjml", &broken, says);
    }
    refused(
        &house,
        "letter/letter.txt",
        &text.replace("slots.unsubscribe_url", "slots.vote_url"),
        "unsubscribe_url",
    );
    refused(
        &house,
        "letter/letter.txt",
        &format!("{{{{ comparisons[0].tools[0].quotes[0].text }}}}{text}"),
        "own/letter/letter.txt:1:",
    );
    house.write("own/letter/extra.mjml", "<mj-spacer height=\"8px\" />");
    house.must(&["templates", "check"]);
}

#[test]
fn nothing_starts_with_a_mistake_and_all_of_them_are_shown() {
    let house = furnished();
    house.write("own/letter/extra.mjml", "<mj-spacr height=\"8px\" />");
    house.write("own/pages/later.html", "{{ nothing }}");
    house.write("own/texts/de/frame.toml", "skip = \"Weiter\"");
    for command in [&["send"][..], &["serve"], &["worker"], &["issue", "draft"], &["status"]] {
        let ran = house.run(command);
        assert_eq!(ran.code, 2, "{command:?}: {}{}", ran.out, ran.err);
        assert!(
            ran.err.contains("templates.dir = \"own\"") || ran.err.contains("own\": own/letter"),
            "{}",
            ran.err
        );
        assert!(ran.err.contains("own/letter/extra.mjml:1:1: there is no <mj-spacr>"), "{}", ran.err);
        assert!(ran.err.contains("\"verdicts templates check\" shows all"), "{}", ran.err);
    }
    let ran = house.run(&["templates", "check"]);
    assert!(ran.out.contains("own/letter/extra.mjml:1:1"), "{}", ran.out);
    assert!(ran.out.contains("own/texts/de/frame.toml:1:"), "{}", ran.out);
    assert!(ran.err.contains("problems in own"), "{}", ran.err);
}

#[test]
fn a_folder_that_is_none_of_templates_is_a_bad_setting() {
    let mut house = House::new("outbox:outbox", "");
    fs::create_dir(house.path("empty")).unwrap();
    for (dir, says) in [
        ("absent", "verdicts templates export"),
        ("empty", "there is none of letter/, notices/, pages/, texts/"),
    ] {
        house.set("VERDICTS__TEMPLATES__DIR", dir);
        for command in [&["templates", "check"][..], &["send"]] {
            let ran = house.run(command);
            assert_eq!(ran.code, 2, "{command:?}: {}{}", ran.out, ran.err);
            assert!(ran.err.contains(says), "{}", ran.err);
        }
    }
}

#[test]
fn mistakes_in_notices() {
    let house = furnished();
    let confirm = read(&house, "own/notices/confirm.mjml");
    let text = read(&house, "own/notices/welcome.txt");
    let line = |front: &str| confirm.replacen("{% block body %}", &format!("{{% block body %}}{front}"), 1);
    let column =
        confirm.lines().nth(3).unwrap().find("{% block body %}").unwrap() + "{% block body %}".len() + 1;
    for (broken, says) in [
        (line("{% if %}"), format!("own/notices/confirm.mjml:4:{}: ", column + 6)),
        (
            line("{{ nobody }}"),
            format!("own/notices/confirm.mjml:4:{}: Variable `nobody` is not defined", column + 3),
        ),
        (line("<mj-txet>x</mj-txet>"), format!("own/notices/confirm.mjml:4:{column}: there is no <mj-txet>")),
        (
            line("<mj-text colour=\"red\">x</mj-text>"),
            format!("own/notices/confirm.mjml:4:{}: <mj-text> has no attribute colour", column + 9),
        ),
        (
            line("<mj-text>x</mj-button>"),
            format!("own/notices/confirm.mjml:4:{}: <mj-text> is closed by </mj-button>", column + 10),
        ),
        (
            line("<mj-image src=\"https://verdicts.example/a.png\" />"),
            format!("own/notices/confirm.mjml:4:{column}: <mj-image> has no alt"),
        ),
        (line("{{ text(key=\"join.notice.nothing\") }}"), "own/notices/confirm.mjml:4:".to_owned()),
        (
            confirm.replace("{% include \"button.mjml\" %}", "").replace("{{ link }}", "#"),
            "confirm.mjml has no link to follow".to_owned(),
        ),
    ] {
        refused(&house, "notices/confirm.mjml", &broken, &says);
    }
    refused(
        &house,
        "notices/welcome.txt",
        &text.replace("{{ unsubscribe }}", ""),
        "notices/welcome: error: the text part has no unsubscribe link",
    );
    // Full of data it is sound, empty it is not: there may be no issue yet.
    let eager = text.replacen("{% block body %}", "{% block body %}{{ latest.url }}", 1);
    refused(
        &house,
        "notices/welcome.txt",
        &eager,
        "own/notices/welcome.txt:2:27: Field `url` is not defined",
    );
    // The look that notices have of the letter is the operator's as well.
    let head = read(&house, "own/letter/head.mjml");
    refused(&house, "letter/head.mjml", &format!("{head}{{{{ nothing }}}}"), "own/letter/head.mjml:");
}

#[test]
fn mistakes_in_pages() {
    let house = furnished();
    let archive = read(&house, "own/pages/issues.html");
    let block = "{% block main %}";
    let line = archive[..archive.find(block).unwrap()].matches('\n').count() + 1;
    let with = |front: &str| archive.replacen(block, &format!("{block}{front}"), 1);
    for (broken, says) in [
        (with("{% endfor %}"), format!("own/pages/issues.html:{line}:20: ")),
        (with("{{ nobody }}"), format!("own/pages/issues.html:{line}:20: Variable `nobody` is not defined")),
        (with("{{ text(key=\"read.nothing\") }}"), format!("own/pages/issues.html:{line}:")),
        (with("{{ asset(name=\"none.css\") }}"), format!("own/pages/issues.html:{line}:")),
        (with("<img src=\"/a.png\">"), format!("own/pages/issues.html:{line}:17: <img> has no alt")),
        (with("<p style=\"color:red\">"), format!("own/pages/issues.html:{line}:20: style= is blocked")),
        // Only where there is an issue.
        (archive.replace("{{ issue.subject }}", "{{ issue.subjet }}"), "own/pages/issues.html:".to_owned()),
    ] {
        refused(&house, "pages/issues.html", &broken, &says);
    }
}

#[test]
fn mistakes_in_texts() {
    let house = furnished();
    let frame = read(&house, "own/texts/de/frame.toml");
    let join = read(&house, "own/texts/en/join.toml");
    let (skip, line) = {
        let at = frame.lines().position(|line| line.starts_with("skip =")).unwrap();
        (frame.lines().nth(at).unwrap().to_owned(), at + 1)
    };
    let with = |new: &str| frame.replace(&skip, new);
    for (broken, says) in [
        (with("skip = no"), format!("own/texts/de/frame.toml:{line}:8: is not TOML")),
        (with("skip = 3"), format!("own/texts/de/frame.toml:{line}:8: skip is a integer, not a text")),
        (with(""), "skip is missing; the built-in text is \"Skip to the content\"".to_owned()),
        (
            with("skpi = \"x\""),
            format!("own/texts/de/frame.toml:{line}:1: skpi: nothing says this text; did you mean skip?"),
        ),
        (
            with("skip = \"{name}\""),
            format!("own/texts/de/frame.toml:{line}:1: skip: nothing fills {{name}}"),
        ),
        (with("skip = \"\""), format!("own/texts/de/frame.toml:{line}:1: skip is empty")),
        (with("skip = \"<b>x</b>\""), format!("own/texts/de/frame.toml:{line}:1: skip has markup in it")),
        (with("skip = \"x }\""), format!("own/texts/de/frame.toml:{line}:1: skip has a brace alone")),
    ] {
        refused(&house, "texts/de/frame.toml", &broken, &says);
    }
    let without = join.replace("{site}", "us");
    refused(&house, "texts/en/join.toml", &without, "does not say {site}; the built-in text is");
    refused(&house, "texts/en/zzz.toml", "a = \"b\"", "own/texts/en/zzz.toml:1:1: nobody reads this file");
    fs::create_dir(house.path("own/texts/fr")).unwrap();
    refused(&house, "texts/fr/frame.toml", &frame, "own/texts/fr/join.toml:1:1: the file is missing");
}

/// A style, a page, a text, a notice and a language of the operator's own, as readers see them.
#[test]
fn what_the_folder_says_is_what_readers_see() {
    let site = Site::with(1, "", |house| {
        house.must(&["templates", "export", "own"]);
        house.set("VERDICTS__TEMPLATES__DIR", "own");
        let style = read(house, "own/pages/style.css");
        house.write("own/pages/style.css", &format!("{style}/* ours */"));
        let base = read(house, "own/pages/base.html");
        house.write("own/pages/base.html", &base.replace("<body>", "<body class=\"ours\">"));
        let frame = read(house, "own/texts/en/frame.toml");
        let line = frame.lines().find(|line| line.starts_with("archive =")).unwrap();
        house.write("own/texts/en/frame.toml", &frame.replace(line, "archive = \"Everything so far\""));
        let notice = read(house, "own/notices/notice.txt");
        house.write("own/notices/notice.txt", &format!("From the bottom of our hearts\n{notice}"));
        fs::create_dir(house.path("own/texts/nl")).unwrap();
        for part in ["frame", "join", "leave", "read"] {
            let text = read(house, &format!("own/texts/en/{part}.toml"));
            house.write(
                &format!("own/texts/nl/{part}.toml"),
                &text.replace("Everything so far", "Alles tot nu toe"),
            );
        }
    });
    let page = site.get("/issues").text();
    assert!(page.contains("<body class=\"ours\">") && page.contains("Everything so far"), "{page}");
    let dutch = site.ask("GET", "/issues", "Accept-Language: nl\r\n", b"").text();
    assert!(dutch.contains("lang=\"nl\"") && dutch.contains("Alles tot nu toe"), "{dutch}");
    let style = page.split('"').find(|part| part.starts_with("/assets/style.")).unwrap();
    assert!(site.get(style).text().ends_with("/* ours */"));
    site.post("/subscribe", "email=nora%40example.com");
    let ran = site.house.run(&["issue", "preview", "2"]);
    assert_ne!(ran.code, 2, "{}", ran.err);
}

/// Letters read texts, too: the verdict in the words of the pages, and a file of their own that folders from before lack.
#[test]
fn what_letters_say_is_in_the_folder_too() {
    let house = furnished();
    house.furnish(1);
    house.must(&["issue", "preview", "1", "--out", "before"]);
    let letter = read(&house, "own/texts/en/letter.toml");
    fs::remove_file(house.path("own/texts/en/letter.toml")).unwrap();
    house.must(&["templates", "check"]);
    house.must(&["issue", "preview", "1", "--out", "without"]);
    for form in ["html", "txt"] {
        assert_eq!(
            read(&house, &format!("before/letter.{form}")),
            read(&house, &format!("without/letter.{form}"))
        );
    }
    house.write("own/texts/en/letter.toml", &letter.replace("this week\"", "since the last letter\""));
    let pages = read(&house, "own/texts/en/read.toml");
    house.write("own/texts/en/read.toml", &pages.replace("The panel picks {tool}", "Our panel takes {tool}"));
    house.must(&["issue", "preview", "1", "--out", "after"]);
    let (html, text) = (read(&house, "after/letter.html"), read(&house, "after/letter.txt"));
    assert!(html.contains("since the last letter") && text.contains("since the last letter"), "{text}");
    assert!(html.contains("Our panel takes ") && text.contains("Our panel takes "), "{text}");
    let surplus = format!("answr_none = \"x\"\n{letter}");
    let says = "own/texts/en/letter.toml:1:1: answr_none: nothing says this text; did you mean answer_none?";
    refused(&house, "texts/en/letter.toml", &surplus, says);
    refused(&house, "texts/de/letter.toml", &letter, "own/texts/de/letter.toml:1:1: nobody reads this file");
}
