//! The look of letters and notices: what an operator chooses, and every colour that follows
//! from it. Pure.
//!
//! Templates name no colour, font or radius of their own; they print what stands in a [`Palette`]
//! or a [`Theme`].

use serde::Serialize;

use crate::domain::issue::colour::{Colour, TEXT_CONTRAST};

/// What `[theme]` says.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Theme {
    /// Buttons, bars and links.
    #[serde(skip)]
    pub accent: Colour,
    /// The same in dark mode; none: lightened until it can be read there.
    #[serde(skip)]
    pub accent_dark: Option<Colour>,
    /// In place of the site's name in the masthead.
    pub logo: Option<Logo>,
    /// Font families as CSS has them, best first.
    pub heading: String,
    pub body: String,
    /// Pixels; what is small (buttons, marks) has half of it.
    pub radius: u8,
}

/// An image in the masthead. Its `alt` stands there when images are off.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Logo {
    /// https.
    pub url: String,
    /// Pixels, as it is shown.
    pub width: u16,
    pub height: u16,
    pub alt: String,
}

/// Every colour of one mode. Whatever stands on whatever here has the contrast of
/// [`TEXT_CONTRAST`]; a test computes it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Palette {
    /// Behind everything.
    pub page: Colour,
    /// Behind a comparison.
    pub sheet: Colour,
    /// Behind the verdict: a little of the accent.
    pub soft: Colour,
    pub line: Colour,
    /// The part of a bar that is not full.
    pub track: Colour,
    pub ink: Colour,
    pub mute: Colour,
    /// The ground of buttons, as the operator chose it.
    pub accent: Colour,
    /// Words on a button.
    pub on_accent: Colour,
    /// Links, bars and marks: the accent, or the nearest shade of it that can be read.
    pub accent_ink: Colour,
    /// Words on a mark.
    pub on_accent_ink: Colour,
    /// Whatever says skip.
    pub skip: Colour,
}

impl Default for Theme {
    fn default() -> Self {
        Self {
            accent: Colour([0x0a, 0x6b, 0x49]),
            accent_dark: None,
            logo: None,
            heading: "Georgia, 'Times New Roman', serif".to_owned(),
            body: "-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif".to_owned(),
            radius: 12,
        }
    }
}

impl Theme {
    pub fn light(&self) -> Palette {
        let (page, sheet) = (Colour([0xf4, 0xf1, 0xea]), Colour::WHITE);
        let soft = sheet.mixed(self.accent, 9);
        let accent_ink = self.accent.readable_on(&[page, sheet, soft], Colour::BLACK);
        Palette {
            page,
            sheet,
            soft,
            line: Colour([0xe4, 0xdf, 0xd6]),
            track: Colour([0xe4, 0xdf, 0xd6]),
            ink: Colour([0x23, 0x21, 0x1e]),
            mute: Colour([0x5f, 0x5a, 0x53]),
            accent: ground_of(self.accent, sheet, accent_ink),
            on_accent: words_on(ground_of(self.accent, sheet, accent_ink)),
            accent_ink,
            on_accent_ink: words_on(accent_ink),
            skip: Colour([0xa2, 0x3a, 0x20]),
        }
    }

    pub fn dark(&self) -> Palette {
        let (page, sheet) = (Colour([0x15, 0x14, 0x12]), Colour([0x20, 0x1e, 0x1b]));
        // What is seen against the dark is lighter and less strong than on paper.
        let accent = self.accent_dark.unwrap_or_else(|| self.accent.lightened(&[page, sheet]));
        let soft = sheet.mixed(accent, 12);
        let accent_ink = accent.readable_on(&[page, sheet, soft], Colour::WHITE);
        Palette {
            page,
            sheet,
            soft,
            line: Colour([0x3f, 0x3b, 0x35]),
            track: Colour([0x4a, 0x46, 0x3f]),
            ink: Colour([0xee, 0xeb, 0xe5]),
            mute: Colour([0xb8, 0xb2, 0xa8]),
            accent: ground_of(accent, sheet, accent_ink),
            on_accent: words_on(ground_of(accent, sheet, accent_ink)),
            accent_ink,
            on_accent_ink: words_on(accent_ink),
            skip: Colour([0xf0, 0x97, 0x7f]),
        }
    }

    /// What the operator should know of colours that were changed to be read.
    pub fn notes(&self) -> Vec<String> {
        let note = |key: &str, accent: Colour, ink: Colour, mode: &str| {
            (accent != ink).then(|| {
                format!(
                    "theme.{key} {accent} has less than the contrast of {TEXT_CONTRAST} that words need in {mode} mode \
                     (WCAG 2.2, AA): buttons keep it where it can be seen, links and bars are {ink}"
                )
            })
        };
        let (light, dark) = (self.light(), self.dark());
        [
            note("accent", self.accent, light.accent_ink, "light"),
            note("accent_dark", self.accent_dark.unwrap_or(dark.accent_ink), dark.accent_ink, "dark"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Half the radius, for what is small.
    pub fn radius_small(&self) -> u8 {
        self.radius.div_ceil(2)
    }

    /// The first family of each list that Outlook on Windows has: with an unknown one in front it
    /// takes Times New Roman.
    pub fn for_outlook(families: &str) -> &str {
        const KNOWN: [&str; 13] = [
            "Arial",
            "Calibri",
            "Cambria",
            "Consolas",
            "Courier New",
            "Garamond",
            "Georgia",
            "Helvetica",
            "Segoe UI",
            "Tahoma",
            "Times New Roman",
            "Trebuchet MS",
            "Verdana",
        ];
        let name = |family: &'_ str| -> Option<&'static str> {
            let family = family.trim().trim_matches(['"', '\'']);
            KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(family))
        };
        families.split(',').find_map(name).unwrap_or("Arial")
    }
}

/// The ground of a button: the accent, unless nobody would see where the button begins.
fn ground_of(accent: Colour, sheet: Colour, ink: Colour) -> Colour {
    if accent.contrast(sheet) >= 1.25 { accent } else { ink }
}

/// White or ink, whichever can be read; one of white and black always can.
fn words_on(ground: Colour) -> Colour {
    let inks = [Colour::WHITE, Colour([0x14, 0x13, 0x11]), Colour::BLACK];
    inks.into_iter().find(|ink| ink.contrast(ground) >= TEXT_CONTRAST).unwrap_or(Colour::BLACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accents() -> Vec<Colour> {
        let parts = [0, 51, 102, 153, 204, 255];
        let mut all = Vec::new();
        for r in parts {
            for g in parts {
                all.extend(parts.map(|b| Colour([r, g, b])));
            }
        }
        all
    }

    #[test]
    fn whatever_the_accent_every_word_can_be_read_in_both_modes() {
        for accent in accents() {
            for accent_dark in [None, Some(accent)] {
                let theme = Theme { accent, accent_dark, ..Theme::default() };
                for palette in [theme.light(), theme.dark()] {
                    let Palette { page, sheet, soft, ink, mute, accent_ink, skip, .. } = palette;
                    let mut pairs = vec![
                        (palette.on_accent, palette.accent),
                        (palette.on_accent_ink, accent_ink),
                        (skip, sheet),
                        (skip, page),
                    ];
                    for ground in [page, sheet, soft] {
                        pairs.extend([(ink, ground), (mute, ground), (accent_ink, ground)]);
                    }
                    for (words, ground) in pairs {
                        let ratio = words.contrast(ground);
                        assert!(ratio >= TEXT_CONTRAST, "{accent}: {words} on {ground} has {ratio:.2}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_accent_that_can_be_read_is_left_as_it_is() {
        let theme = Theme::default();
        assert_eq!(theme.light().accent_ink, theme.accent);
        assert_eq!(theme.notes(), Vec::<String>::new());
        let yellow = Theme { accent: Colour([255, 204, 0]), ..Theme::default() };
        assert_eq!(yellow.light().accent, yellow.accent, "a button may be yellow");
        assert_eq!(yellow.light().on_accent, Colour([0x14, 0x13, 0x11]));
        let white = Theme { accent: Colour::WHITE, ..Theme::default() };
        assert_eq!(white.light().accent, white.light().accent_ink, "a button on white is not white");
        let notes = yellow.notes();
        assert!(matches!(&notes[..], [one] if one.starts_with("theme.accent #ffcc00 ")), "{notes:?}");
    }

    #[test]
    fn outlook_gets_a_font_that_it_has() {
        assert_eq!(Theme::for_outlook(&Theme::default().body), "Segoe UI");
        assert_eq!(Theme::for_outlook("'Iowan Old Style', Georgia, serif"), "Georgia");
        assert_eq!(Theme::for_outlook("Nothing, serif"), "Arial");
    }
}
