//! The theme as templates print it: the one place that their colours, fonts and corners come from.

use serde::Serialize;

use crate::domain::theme::{Logo, Palette, Theme};
use crate::letter::english;

/// `theme` in every template of letters and notices.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(in crate::letter) struct Look {
    light: Palette,
    dark: Palette,
    heading: String,
    body: String,
    /// The one family that Outlook on Windows is told.
    heading_outlook: String,
    body_outlook: String,
    /// Pixels.
    radius: u8,
    radius_small: u8,
    logo: Option<Logo>,
}

impl Look {
    pub(in crate::letter) fn of(theme: &Theme) -> Self {
        Self {
            light: theme.light(),
            dark: theme.dark(),
            heading: theme.heading.clone(),
            body: theme.body.clone(),
            heading_outlook: Theme::for_outlook(&theme.heading).to_owned(),
            body_outlook: Theme::for_outlook(&theme.body).to_owned(),
            radius: theme.radius,
            radius_small: theme.radius_small(),
            logo: theme.logo.clone().map(|logo| Logo { alt: english::visible(&logo.alt), ..logo }),
        }
    }
}
