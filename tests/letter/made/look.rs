//! The HTML and what templates and the theme make of it.

use super::*;

#[test]
fn html_stands_on_its_own() {
    let html = rendered(&composed(&samples(NOW), 5)).html;
    for needed in [
        "<html lang=\"en\"",
        "<title>",
        "color-scheme",
        "role=\"presentation\"",
        "scope=\"col\"",
        "scope=\"row\"",
    ] {
        assert!(html.contains(needed), "{needed}");
    }
    for absent in ["<img", "fonts.googleapis", "url(", "<script", "mj-", "undefined"] {
        let hit = html.find(absent).map(|at| &html[at.saturating_sub(40)..(at + 40).min(html.len())]);
        assert!(hit.is_none() || absent == "mj-" && !html.contains("<mj-"), "{absent}: {hit:?}");
    }
    assert!(html.matches("<table").count() == html.matches("</table>").count());
}

#[test]
fn whatever_the_accent_no_word_is_hard_to_read() {
    let composition = composed(&samples(NOW), 2);
    let logo = Logo {
        url: "https://verdicts.example/logo.png".into(),
        width: 160,
        height: 40,
        alt: "Weekly Verdicts".into(),
    };
    for accent in ["#0a6b49", "#ffcc00", "#14213d", "#c8102e", "#ffffff", "#000000", "#808080", "#7fff00"] {
        let theme = Theme {
            accent: Colour::parse(accent).unwrap(),
            accent_dark: (accent == "#808080").then(|| Colour::parse("#303030").unwrap()),
            logo: Some(logo.clone()),
            radius: 0,
            ..Theme::default()
        };
        let letter = render::Templates::embedded().unwrap().with_theme(&theme).render(&composition).unwrap();
        let expected = Expected { postal_address: Some("1 Test Street, Testville"), ..Expected::default() };
        let found = lint(&filled(&letter, Some("Ann")), expected);
        assert!(found.iter().all(|finding| finding.grade == Grade::Hint), "{accent}: {found:?}");
        assert!(letter.html.contains(accent), "{accent} is the button's");
        assert!(
            letter.html.contains("<img src=\"https://verdicts.example/logo.png\" alt=\"Weekly Verdicts\"")
        );
    }
}

/// A colour, a font or a corner that a template writes down would not follow the theme.
#[test]
fn templates_take_every_colour_and_font_from_the_theme() {
    for folder in
        ["templates/letter", "templates/letter/parts", "templates/notices", "templates/notices/parts"]
    {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for file in files.filter(|path| path.is_file()) {
            let text = std::fs::read_to_string(&file).unwrap().replace("&#", "");
            let hex = text
                .match_indices('#')
                .find(|(at, _)| text[at + 1..].chars().take(6).filter(char::is_ascii_hexdigit).count() == 6);
            assert!(hex.is_none(), "{}: {hex:?}", file.display());
            assert!(!text.contains("Georgia") && !text.contains("Helvetica"), "{}", file.display());
        }
    }
}

#[test]
fn a_template_without_an_unsubscribe_link_is_refused() {
    let letter = Letter {
        subject: "x".into(),
        html: "<p>x</p>".into(),
        text: "x".into(),
        marks: Marks::clear_of(&[]),
    };
    let error = Stencil::build(&letter, &site(), ISSUE).unwrap_err().to_string();
    assert!(error.contains("unsubscribe_url"), "{error}");
}

#[test]
fn templates_from_a_folder_take_the_place_of_the_embedded_ones() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("letter.txt"), "Ours: {{ subject }} {{ slots.unsubscribe_url }}")
        .unwrap();
    let templates = render::Templates::with_folder(folder.path()).unwrap();
    let letter = templates.render(&composed(&samples(NOW), 1)).unwrap();
    assert!(letter.text.starts_with("Ours: "));
    std::fs::write(folder.path().join("letter.txt"), "{{ nothing }}").unwrap();
    let error = render::Templates::with_folder(folder.path())
        .and_then(|t| t.render(&composed(&samples(NOW), 1)))
        .unwrap_err()
        .to_string();
    assert!(error.contains("letter.txt:1:") && error.contains("nothing"), "{error}");
}
