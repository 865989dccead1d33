//! A colour as letters write it, and how well one can be read on another (WCAG 2.2).

use std::fmt;

/// The least contrast of words on what is behind them (1.4.3, level AA).
pub const TEXT_CONTRAST: f64 = 4.5;

/// What words on a dark ground are read with ease at (1.4.6, level AAA).
const EASY_CONTRAST: f64 = 7.0;

/// Red, green and blue.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Colour(pub [u8; 3]);

impl Colour {
    pub const WHITE: Self = Self([255; 3]);
    pub const BLACK: Self = Self([0; 3]);

    /// `#0a6b49`. Six digits, since some mail programs know no others.
    ///
    /// # Errors
    /// What is wrong with the text, and how it is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits: Vec<u8> = text
            .strip_prefix('#')
            .unwrap_or("")
            .chars()
            .map_while(|c| u8::try_from(c.to_digit(16)?).ok())
            .collect();
        match digits[..] {
            [r1, r2, g1, g2, b1, b2] if text.len() == 7 => {
                Ok(Self([r1 * 16 + r2, g1 * 16 + g2, b1 * 16 + b2]))
            }
            _ => Err(format!(
                "{text:?} is not a colour; write # and six digits from 0 to f, for example \"#0a6b49\""
            )),
        }
    }

    /// "Relative luminance": 0 for black, 1 for white.
    pub fn luminance(self) -> f64 {
        let [r, g, b] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// "Contrast ratio": from 1 to 21, the same both ways.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// This colour with so many percent of `other` in it.
    #[must_use]
    pub fn mixed(self, other: Self, percent: u8) -> Self {
        let percent = u32::from(percent.min(100));
        let part = |n: usize| {
            let sum = u32::from(self.0[n]) * (100 - percent) + u32::from(other.0[n]) * percent;
            u8::try_from((sum + 50) / 100).unwrap_or(u8::MAX)
        };
        Self([part(0), part(1), part(2)])
    }

    /// The same hue for a dark ground: lighter and less strong, as far as it takes to be read on
    /// all of `grounds` with ease.
    #[must_use]
    pub fn lightened(self, grounds: &[Self]) -> Self {
        let [r, g, b] = self.0.map(|part| f64::from(part) / 255.0);
        let (most, least) = (r.max(g).max(b), r.min(g).min(b));
        // Every part as far from grey as it was, in relation to the others.
        let share = |part: f64| if most > least { (part - least) / (most - least) * 2.0 - 1.0 } else { 0.0 };
        let spread = (most - least) / (1.0 - (most + least - 1.0).abs()).max(0.01) * 0.6;
        let start = u32::from(((most + least) * 50.0) as u8);
        let shade = |percent: u32| {
            let light = f64::from(percent) / 100.0;
            let chroma = spread.min(0.6) * (light.min(1.0 - light));
            Self(
                [r, g, b]
                    .map(|part| ((light + share(part) * chroma) * 255.0).round().clamp(0.0, 255.0) as u8),
            )
        };
        let fits = |shade: &Self| grounds.iter().all(|ground| shade.contrast(*ground) >= EASY_CONTRAST);
        (start..=100).map(shade).find(fits).unwrap_or(Self::WHITE)
    }

    /// The nearest shade, on the way to `end`, whose words can be read on all of `grounds`; `end`
    /// itself if none is.
    #[must_use]
    pub fn readable_on(self, grounds: &[Self], end: Self) -> Self {
        let fits = |shade: &Self| grounds.iter().all(|ground| shade.contrast(*ground) >= TEXT_CONTRAST);
        (0..=100).map(|percent| self.mixed(end, percent)).find(fits).unwrap_or(end)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

impl serde::Serialize for Colour {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 0.01
    }

    #[test]
    fn contrast_is_what_the_standard_says() {
        let on_white = |grey| Colour([grey; 3]).contrast(Colour::WHITE);
        assert!(close(Colour::BLACK.contrast(Colour::WHITE), 21.0));
        assert!(close(on_white(0x76), 4.54), "the lightest grey that is allowed on white");
        assert!(close(on_white(0x77), 4.48), "and the first that is not");
    }

    #[test]
    fn colours_are_written_with_six_digits() {
        assert_eq!(Colour::parse("#0A6b49").unwrap().to_string(), "#0a6b49");
        for text in ["#fff", "0a6b49", "#0a6b4", "#0a6b499", "#0a6b4g", "green", "", "#ｆｆ"] {
            assert!(Colour::parse(text).unwrap_err().contains("six digits"), "{text}");
        }
    }

    #[test]
    fn a_shade_that_can_be_read_is_the_nearest_one() {
        let yellow = Colour([255, 204, 0]);
        let shade = yellow.readable_on(&[Colour::WHITE], Colour::BLACK);
        let ratio = shade.contrast(Colour::WHITE);
        assert!((TEXT_CONTRAST..TEXT_CONTRAST + 0.3).contains(&ratio), "{shade} {ratio}");
        let green = Colour([10, 107, 73]);
        assert_eq!(green.readable_on(&[Colour::WHITE], Colour::BLACK), green);
    }
}
