//! The one place that makes files and folders which nobody but their owner may read: the database,
//! its copies, letters, keys, marks, locks, lists and reports, whatever the umask is.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// What becomes of a file that is there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Existing {
    /// It stays, and the call fails with `AlreadyExists`.
    Refuse,
    /// It goes: what is left of an earlier attempt.
    Replace,
    /// It is emptied, and narrowed to its owner if it is a plain file.
    Empty,
    /// It is opened as it is.
    Keep,
}

/// Opens a file for writing; a new one is its owner's alone from the first moment on.
///
/// # Errors
/// What the system says.
pub fn file(path: &Path, existing: Existing) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    match existing {
        Existing::Refuse => options.create_new(true).open(path),
        Existing::Replace => match options.create_new(true).open(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                std::fs::remove_file(path)?;
                options.open(path)
            }
            opened => opened,
        },
        Existing::Keep => options.create(true).truncate(false).open(path),
        Existing::Empty => {
            let file = options.create(true).truncate(true).open(path)?;
            let meta = file.metadata()?;
            if meta.is_file() && meta.permissions().mode() & 0o077 != 0 {
                file.set_permissions(Permissions::from_mode(0o600))?;
            }
            Ok(file)
        }
    }
}

/// Makes a folder, and those above it that are missing, for their owner alone; one that is there
/// stays as it is.
///
/// # Errors
/// What the system says.
pub fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Whether others than its owner may do anything with it; no, if it is not there.
pub fn is_open_to_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}
