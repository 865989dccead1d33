//! `[theme]`: how letters and notices look. What could end a style or load something is refused
//! here, since the templates print it as it is.

use crate::config::error::ConfigError;
use crate::config::raw::Raw;
use crate::config::value::number;
use crate::domain::colour::Colour;
use crate::domain::theme::{Logo, Theme};

pub(in crate::config) fn theme(raw: &Raw) -> Result<Theme, ConfigError> {
    Ok(Theme {
        accent: raw.take("theme.accent", Colour::parse)?,
        accent_dark: raw.take_if_set("theme.accent_dark", Colour::parse)?,
        logo: logo(raw)?,
        heading: raw.take("theme.heading_font", fonts)?,
        body: raw.take("theme.body_font", fonts)?,
        radius: raw.take("theme.radius", |text| number(text, 0, 24))?.try_into().unwrap_or(0),
    })
}

fn logo(raw: &Raw) -> Result<Option<Logo>, ConfigError> {
    let width = raw.take_if_set("theme.logo_width", |text| number(text, 16, 320))?;
    let height = raw.take_if_set("theme.logo_height", |text| number(text, 16, 120))?;
    let alt = raw.take_if_set("theme.logo_alt", line)?;
    let Some(url) = raw.take_if_set("theme.logo", image)? else { return Ok(None) };
    let both =
        "it needs theme.logo_width and theme.logo_height, or the text would jump when it loads; set both";
    let (Some(width), Some(height)) = (width, height) else {
        return Err(raw.wrong("theme.logo", both.to_owned()));
    };
    let pixels = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    let alt = match alt {
        Some(alt) => alt,
        None => raw.take("site.name", line)?,
    };
    Ok(Some(Logo { url, width: pixels(width), height: pixels(height), alt }))
}

fn line(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("it is empty; write what the image says".to_owned()),
        line if line.chars().any(char::is_control) => {
            Err("it has a control character; take it out".to_owned())
        }
        line => Ok(line.to_owned()),
    }
}

fn image(text: &str) -> Result<String, String> {
    let is_plain = text.bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>\\`".contains(&b));
    match url::Url::parse(text) {
        Ok(url) if url.scheme() == "https" && url.host().is_some() && is_plain => Ok(text.to_owned()),
        _ => Err(format!("{text:?} is not an https link to an image; mail programs show no others")),
    }
}

/// Names of fonts between commas: letters, digits, blanks and hyphens, in single quotes
/// where one likes.
fn fonts(text: &str) -> Result<String, String> {
    let is_name = |family: &str| {
        let family = family.trim();
        let bare = family.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(family);
        !bare.is_empty() && bare.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ' || c == '-')
    };
    if text.len() > 200 || !text.split(',').all(is_name) {
        return Err(format!(
            "{text:?} is not a list of fonts; write names between commas, in single quotes if they have blanks, for example \
             \"Georgia, 'Times New Roman', serif\""
        ));
    }
    Ok(text.trim().to_owned())
}
