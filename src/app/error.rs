//! What keeps a command from being built.

use std::path::PathBuf;

use crate::letter::NoticeError;
use crate::letter::render::RenderError;
use crate::mail::{ConnectError, DkimError};
use crate::store::StoreError;
use crate::texts::TextsError;
use crate::web::PagesError;

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("secret.key_file = {path:?}: {reason}")]
    Key { path: PathBuf, reason: String },
    #[error("templates.dir = {folder:?}: {reason}")]
    Templates { folder: PathBuf, reason: String },
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error(transparent)]
    Relay(#[from] ConnectError),
    #[error(transparent)]
    Dkim(#[from] DkimError),
    #[error(transparent)]
    Notices(#[from] NoticeError),
    #[error(transparent)]
    Pages(#[from] PagesError),
    #[error(transparent)]
    Texts(#[from] TextsError),
}
