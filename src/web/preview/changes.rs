//! Whether a file has changed: names, times and sizes, compared a few times a second. Nothing of
//! the system's own is asked to tell, since editors save in many ways (in place, by a new file
//! under the old name) and shared folders tell nobody.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::source::PreviewSource;

/// How deep folders are looked into; templates need two.
const DEPTH: usize = 4;

/// Sends a new stamp whenever there is one, for as long as somebody listens.
pub(super) async fn watch(source: Arc<dyn PreviewSource>, sender: watch::Sender<String>, every: Duration) {
    while !sender.is_closed() {
        tokio::time::sleep(every).await;
        let now = stamp(&source.watched());
        sender.send_if_modified(|before| {
            let is_new = *before != now;
            *before = now;
            is_new
        });
    }
}

/// What these files and folders are like now; another text means that one of them is another.
pub(super) fn stamp(paths: &[PathBuf]) -> String {
    let mut found = Vec::new();
    for path in paths {
        look(path, DEPTH, &mut found);
    }
    found.sort();
    let digest = Sha256::digest(found.join("\n").as_bytes());
    digest[..8].iter().map(|octet| format!("{octet:02x}")).collect()
}

fn look(path: &Path, depth: usize, found: &mut Vec<String>) {
    let Ok(meta) = std::fs::metadata(path) else { return };
    if meta.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        for entry in entries.filter(|_| depth > 0) {
            look(&entry.path(), depth - 1, found);
        }
        return;
    }
    let changed = meta.modified().ok().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    found.push(format!("{} {} {}", path.display(), meta.len(), changed.unwrap_or_default().as_nanos()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_in_a_folder_is_another_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().to_owned(), folder.path().join("absent")];
        let empty = stamp(&paths);
        std::fs::create_dir(folder.path().join("letter")).unwrap();
        assert_eq!(stamp(&paths), empty, "a folder is not a file");
        let file = folder.path().join("letter/a.mjml");
        std::fs::write(&file, "a").unwrap();
        let one = stamp(&paths);
        assert_ne!(one, empty);
        assert_eq!(stamp(&paths), one);
        std::fs::write(&file, "ab").unwrap();
        assert_ne!(stamp(&paths), one);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(stamp(&paths), empty);
    }
}
