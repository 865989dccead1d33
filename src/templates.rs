//! Templates and texts as files: ours inside the binary, an operator's in a folder, and what is
//! wrong with them.
//!
//! A folder has up to four folders in it, one of each [`Kind`]. A file there takes the place of the
//! built-in one of its name; what is not there is built in. tera says where a template does not
//! parse. MJML says nothing: the renderer passes what it does not know in silence, so a misspelt
//! `<mj-buton>` would be a button that is not there. [`scan()`] reads the files for that.

mod attributes;
mod embedded;
mod file;
mod origin;
mod problem;
mod scan;

use std::path::Path;

use embedded::PARTS;

pub use embedded::embedded;
pub(crate) use file::line;
pub use file::{File, FolderError, Kind};
pub(crate) use origin::Origin;
pub use problem::Problem;
pub use scan::scan;

/// What the notices have of the letter: its look.
const SHARED: [&str; 1] = ["head.mjml"];

/// The files of a kind: the built-in ones with those of the operator's folder in their place, and
/// its own besides. Notices come with what they share with the letter.
///
/// # Errors
/// The file or folder that can't be read. A folder of this kind need not be there, but the one it
/// would be in has to.
pub fn files(kind: Kind, dir: Option<&Path>) -> Result<Vec<File>, FolderError> {
    let Some(dir) = dir else { return with_shared(kind, embedded(kind), || Ok(embedded(Kind::Letter))) };
    std::fs::read_dir(dir).map_err(|error| FolderError { file: dir.to_owned(), error })?;
    let folder = |kind: Kind| Some(dir.join(kind.folder())).filter(|folder| folder.exists());
    let own = |kind: Kind| match folder(kind) {
        Some(folder) => in_folder(kind, &folder),
        None => Ok(embedded(kind)),
    };
    with_shared(kind, own(kind)?, || own(Kind::Letter))
}

fn with_shared(
    kind: Kind,
    mut files: Vec<File>,
    letter: impl FnOnce() -> Result<Vec<File>, FolderError>,
) -> Result<Vec<File>, FolderError> {
    if kind == Kind::Notices {
        for shared in letter()? {
            if SHARED.contains(&shared.name.as_str()) && !files.iter().any(|file| file.name == shared.name) {
                files.push(shared);
            }
        }
    }
    Ok(files)
}

/// The files of a kind with those of its own folder in their place.
///
/// # Errors
/// The file or folder that can't be read.
pub fn in_folder(kind: Kind, folder: &Path) -> Result<Vec<File>, FolderError> {
    let mut files = embedded(kind);
    for own in own_files(kind, folder, "")? {
        match files.iter_mut().find(|file| file.name == own.name) {
            Some(file) => *file = own,
            None => files.push(own),
        }
    }
    Ok(files)
}

/// The operator's files of a kind, in the order of their names. Texts lie one folder deeper. Parts
/// may, as they do in the project; of two with one name, the one that lies outside comes later and
/// so counts.
fn own_files(kind: Kind, folder: &Path, front: &str) -> Result<Vec<File>, FolderError> {
    let fail = |file: &Path, error| FolderError { file: file.to_owned(), error };
    let (mut deeper, mut files) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).map_err(|error| fail(folder, error))? {
        let path = entry.map_err(|error| fail(folder, error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.starts_with('.') {
            continue;
        }
        let is_ours = kind.ends().iter().any(|end| name.ends_with(&format!(".{end}")));
        if path.is_dir() {
            match kind {
                Kind::Texts if front.is_empty() => {
                    deeper.extend(own_files(kind, &path, &format!("{name}/"))?);
                }
                Kind::Letter | Kind::Notices | Kind::Pages if name == PARTS => {
                    deeper.extend(own_files(kind, &path, "")?);
                }
                _ => {}
            }
        } else if is_ours {
            let text = std::fs::read_to_string(&path).map_err(|error| fail(&path, error))?;
            files.push(File { name: format!("{front}{name}"), text, path, is_own: true });
        }
    }
    deeper.append(&mut files);
    deeper.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(deeper)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn problems_name_the_line_and_the_column() {
        let text = "<mj-section>\n  <mj-buton hrfe=\"{{ slots.unsubscribe_ulr }}\">slots.x</mj-buton>\n  <img src=\"a\"><mj-text colour=\"red\">\n";
        let file = File {
            name: "a.mjml".to_owned(),
            text: text.to_owned(),
            path: PathBuf::from("a.mjml"),
            is_own: true,
        };
        let found: Vec<String> = scan(Kind::Letter, &file).iter().map(ToString::to_string).collect();
        let wanted = [
            "a.mjml:2:3: there is no <mj-buton> in MJML; did you mean <mj-button>?",
            "a.mjml:2:22: there is no slot \"unsubscribe_ulr\"",
            "a.mjml:2:55: there is no <mj-buton>",
            "a.mjml:3:3: <img> has no alt",
            "a.mjml:3:25: <mj-text> has no attribute colour in MJML; did you mean color?",
        ];
        assert_eq!(found.len(), wanted.len(), "{found:?}");
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(found.starts_with(wanted), "{found} for {wanted}");
        }
    }

    /// Operators have them side by side, as they are exported; in the project they lie apart.
    #[test]
    fn a_part_is_known_by_its_name_alone() {
        let dir = tempfile::tempdir().unwrap();
        let letter = dir.path().join("letter");
        std::fs::create_dir_all(letter.join("parts")).unwrap();
        let masthead = || {
            let all = files(Kind::Letter, Some(dir.path())).unwrap();
            let found: Vec<File> = all.into_iter().filter(|file| file.name == "masthead.mjml").collect();
            assert_eq!(found.len(), 1);
            found.into_iter().next().unwrap()
        };
        let built_in = masthead();
        assert_eq!(
            (built_in.path, built_in.is_own),
            (PathBuf::from("templates/letter/parts/masthead.mjml"), false)
        );
        std::fs::write(letter.join("parts/masthead.mjml"), "apart").unwrap();
        assert_eq!(masthead().text, "apart");
        std::fs::write(letter.join("masthead.mjml"), "side by side").unwrap();
        assert_eq!(masthead().text, "side by side");
    }

    #[test]
    fn ours_are_without_problems() {
        for kind in Kind::ALL {
            for file in files(kind, None).unwrap() {
                assert_eq!(scan(kind, &file), [], "{}", file.path.display());
            }
        }
    }
}
