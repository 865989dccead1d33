//! The relay that is a folder: each letter becomes one `.eml` file.
//!
//! A file appears whole or not at all, and a second attempt of the same letter replaces the first.
//! The files are not fsynced: the outbox is for reading and for tests, and a power cut may cost its
//! newest letters. A crash of the process costs none; at most it leaves one hidden `.tmp` file per
//! letter in flight, which the next attempt replaces.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::domain::delivery::Reply;
use crate::private::{self, Existing};

/// A folder that takes letters.
#[derive(Clone, Debug)]
pub struct Outbox {
    folder: PathBuf,
}

/// Why a letter could not be put into the outbox. Never the reader's fault.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    #[error("the disk under the outbox {} is full; free some space", .0.display())]
    Full(PathBuf),
    #[error("the outbox {} can't be written ({error}); check the folder and its permissions", .folder.display())]
    Unwritable { folder: PathBuf, error: io::Error },
    #[error("{0:?} is no name for a letter in the outbox; use letters, digits, '.', '_' and '-'")]
    Name(String),
}

impl Outbox {
    /// An outbox in `folder`, which is created with the first letter if it is not there.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes `letter` as `name`, a temporary file renamed into its place, so that a reader of the
    /// folder never sees half a letter. The same name replaces the letter: give every attempt of
    /// one letter the same.
    ///
    /// # Errors
    /// [`OutboxError`]; the letter is then not in the outbox under its name.
    pub async fn put(&self, name: &str, letter: Vec<u8>) -> Result<Reply, OutboxError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.starts_with('.') || name.len() > 200 || !name.chars().all(plain) {
            return Err(OutboxError::Name(name.to_owned()));
        }
        let (folder, file) = (self.folder.clone(), name.to_owned());
        let written = tokio::task::spawn_blocking(move || write(&folder, &file, &letter)).await;
        match written.map_err(io::Error::other).and_then(|result| result) {
            Ok(()) => Ok(Reply { code: 250, enhanced: None, text: format!("written to {name}") }),
            Err(error) if is_full(&error) => Err(OutboxError::Full(self.folder.clone())),
            Err(error) => Err(OutboxError::Unwritable { folder: self.folder.clone(), error }),
        }
    }
}

fn write(folder: &Path, name: &str, letter: &[u8]) -> io::Result<()> {
    let temporary = folder.join(format!(".{name}.tmp"));
    let mut file = match private::file(&temporary, Existing::Replace) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            private::folder(folder)?;
            private::file(&temporary, Existing::Replace)?
        }
        other => other?,
    };
    let done = file.write_all(letter).and_then(|()| fs::rename(&temporary, folder.join(name)));
    if done.is_err() {
        // On a full disk the half-written file would hold the space that the next try needs.
        let _ = fs::remove_file(&temporary);
    }
    done
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_attempt_replaces_the_first_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let outbox = Outbox::new(dir.path().join("out"));
        outbox.put("1-2-abc.eml", b"first".to_vec()).await.unwrap();
        outbox.put("1-2-abc.eml", b"second".to_vec()).await.unwrap();
        let names: Vec<_> =
            fs::read_dir(outbox.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["1-2-abc.eml"]);
        assert_eq!(fs::read(outbox.folder().join("1-2-abc.eml")).unwrap(), b"second");
    }

    #[tokio::test]
    async fn a_name_can_not_leave_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let outbox = Outbox::new(dir.path());
        for name in ["", "../x.eml", ".hidden", "a/b.eml", "a\\b"] {
            assert!(matches!(outbox.put(name, Vec::new()).await, Err(OutboxError::Name(_))), "{name}");
        }
    }

    #[tokio::test]
    async fn a_folder_that_is_none_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let outbox = Outbox::new(dir.path().join("file"));
        let error = outbox.put("a.eml", Vec::new()).await.unwrap_err();
        assert!(
            matches!(error, OutboxError::Unwritable { .. }) && error.to_string().contains("file"),
            "{error}"
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_recognised() {
        let error = fs::File::options()
            .write(true)
            .open("/dev/full")
            .and_then(|mut full| full.write_all(b"x"))
            .unwrap_err();
        assert!(is_full(&error), "{error:?}");
    }
}
