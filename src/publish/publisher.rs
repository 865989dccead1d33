//! What a run works with, and how it fails.

use std::sync::Arc;

use crate::config::Settings;
use crate::domain::issue::IssueNumber;
use crate::domain::token::Keyring;
use crate::letter::lint::Finding;
use crate::letter::render::{RenderError, Templates};
use crate::mail::StencilError;
use crate::store::{Store, StoreError};

/// What a run needs: the settings, the store, the site's keys and its templates.
#[derive(Clone)]
pub struct Publisher {
    pub settings: Arc<Settings>,
    pub store: Store,
    pub keyring: Keyring,
    pub templates: Arc<Templates>,
}

/// How often a letter is made anew because somebody chose what none of its variants is for.
pub(super) const TRIES: u32 = 8;

#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error(transparent)]
    Stencil(#[from] StencilError),
    #[error(
        "the letter has {errors} error{} and was not sent: {first}; \"verdicts issue lint {number}\" shows all",
        if *.errors == 1 { "" } else { "s" }
    )]
    Flawed { number: IssueNumber, errors: usize, first: Finding },
    #[error(
        "readers changed their choices {TRIES} times while the letter was made; nothing was sent, send again"
    )]
    Restless,
}
