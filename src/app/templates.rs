//! Whether an operator's templates and texts can be used: everything in the folder, held up to what
//! it will have to say.

use std::path::Path;
use std::sync::Arc;

use super::error::AppError;
use super::sample::{plain, sample};
use crate::config::Settings;
use crate::domain::UnixMillis;
use crate::domain::issue::IssueNumber;
use crate::domain::notice::NoticeKind;
use crate::domain::token::Keyring;
use crate::letter::lint::{Expected, Grade, Message, lint};
use crate::letter::render::Templates;
use crate::letter::{Latest, NoticeError, NoticeWriter};
use crate::mail::Signer;
use crate::publish;
use crate::templates::{self, File, FolderError, Kind};
use crate::texts::{self, Texts};
use crate::web::{Pages, PagesError};

/// What a look at all templates brought, a line each.
#[derive(Default)]
pub struct Checked {
    /// With file, line and column wherever there is one. With any of them nothing starts.
    pub problems: Vec<String>,
    /// What the linter warns of.
    pub warnings: Vec<String>,
}

/// Looks at the templates of `settings.templates`, or at the built-in ones: each file as it stands,
/// then letters, notices and pages made with all of them of full and of empty data.
///
/// # Errors
/// [`AppError::Templates`] if the folder can't be read, or is none of templates.
pub fn check(settings: &Settings, keyring: &Keyring, now: UnixMillis) -> Result<Checked, AppError> {
    let dir = settings.templates.as_deref();
    let unreadable = |error: FolderError| refused(dir, error.to_string());
    if let Some(dir) = dir {
        is_folder_of_templates(dir)?;
    }
    let mut checked = Checked::default();
    let files = |kind| templates::files(kind, dir).map_err(unreadable);
    for kind in [Kind::Letter, Kind::Notices, Kind::Pages] {
        // What notices share with the letter is looked at there.
        let own = files(kind)?.into_iter().filter(|file| file.is_own && is_in(kind, dir, file));
        let found: Vec<File> = own.collect();
        checked
            .problems
            .extend(found.iter().flat_map(|file| templates::scan(kind, file)).map(|one| one.to_string()));
    }
    checked.problems.extend(texts::check(&files(Kind::Texts)?).into_iter().map(|one| one.to_string()));
    if checked.problems.is_empty() {
        let made_of_samples = [letters, notices, pages];
        made_of_samples.into_iter().for_each(|check| check(settings, keyring, now, &mut checked));
    }
    Ok(checked)
}

/// As [`check`], for the start of a command: the first problem stops it.
///
/// # Errors
/// [`AppError::Templates`] names the problem and how many more there are.
pub fn must_be_sound(settings: &Settings, keyring: &Keyring, now: UnixMillis) -> Result<(), AppError> {
    let mut problems = check(settings, keyring, now)?.problems.into_iter();
    let Some(first) = problems.next() else { return Ok(()) };
    let more = match problems.len() {
        0 => "mend it, and see \"verdicts templates check\"".to_owned(),
        more => format!("and {more} more: \"verdicts templates check\" shows all"),
    };
    Err(refused(settings.templates.as_deref(), format!("{first}; {more}")))
}

fn refused(dir: Option<&Path>, reason: String) -> AppError {
    AppError::Templates { folder: dir.unwrap_or(Path::new("")).to_owned(), reason }
}

fn is_folder_of_templates(dir: &Path) -> Result<(), AppError> {
    let fail = |reason: String| Err(refused(Some(dir), reason));
    if let Err(error) = std::fs::read_dir(dir) {
        return fail(format!(
            "{error}; \"verdicts templates export {}\" writes the built-in ones there",
            dir.display()
        ));
    }
    match Kind::ALL.iter().any(|kind| dir.join(kind.folder()).is_dir()) {
        true => Ok(()),
        false => fail(format!(
            "there is none of {} in it; name the folder that \"verdicts templates export\" wrote",
            Kind::ALL.map(|kind| format!("{}/", kind.folder())).join(", ")
        )),
    }
}

fn is_in(kind: Kind, dir: Option<&Path>, file: &File) -> bool {
    dir.is_some_and(|dir| file.path.starts_with(dir.join(kind.folder())))
}

fn letters(settings: &Settings, keyring: &Keyring, now: UnixMillis, checked: &mut Checked) {
    let made = Templates::of_dir(settings.templates.as_deref()).map_err(|error| plain(&error.to_string()));
    let sampled = made.and_then(|made| {
        publish::sample_check(&made.with_theme(&settings.theme), settings, keyring, now)
            .map_err(|error| plain(&error.to_string()))
    });
    match sampled {
        Ok(warnings) => checked.warnings.extend(warnings.iter().map(ToString::to_string)),
        Err(problem) => checked.problems.push(problem),
    }
}

fn notices(settings: &Settings, keyring: &Keyring, now: UnixMillis, checked: &mut Checked) {
    let dir = settings.templates.as_deref();
    let written = |kind: NoticeKind, latest: Option<&Latest>| -> Result<Vec<u8>, String> {
        let texts = Texts::of_dir(&settings.site.language, dir).map_err(|error| plain(&error.to_string()))?;
        // Keys that sign are looked at elsewhere.
        let signer = Arc::new(Signer::load(&[]).map_err(|error| error.to_string())?);
        NoticeWriter::of_dir(dir, Arc::new(texts), settings.site.clone(), keyring.clone(), signer)
            .and_then(|writer| writer.with_theme(&settings.theme).write(&sample(kind, now), latest))
            .map_err(|error: NoticeError| plain(&error.to_string()))
    };
    let latest = Latest::new(&settings.site, IssueNumber(1), "One subject & another");
    let expected = Expected { postal_address: Some(&settings.site.postal_address), is_notice: true };
    for kind in NoticeKind::ALL {
        for latest in [Some(&latest), None] {
            match written(kind, latest) {
                Ok(wire) => {
                    let place = |words: String| format!("notices/{kind}: {words}");
                    checked.problems.extend(missing_link(kind, &wire).map(place));
                    for finding in lint(&wire, expected) {
                        match finding.grade {
                            Grade::Error => checked.problems.push(place(finding.to_string())),
                            Grade::Warning => checked.warnings.push(place(finding.to_string())),
                            Grade::Hint => {}
                        }
                    }
                }
                Err(problem) => checked.problems.push(problem),
            }
        }
    }
    checked.problems.dedup();
    checked.warnings.dedup();
}

/// A notice without the link that it is sent for.
fn missing_link(kind: NoticeKind, wire: &[u8]) -> Option<String> {
    let path = match kind {
        NoticeKind::Confirm => "/confirm/",
        NoticeKind::AddressChange | NoticeKind::AddressChanged => "/address/",
        NoticeKind::AlreadySubscribed | NoticeKind::Welcome => return None,
    };
    let message = Message::parse(wire);
    let parts = [("mjml", message.html), ("txt", message.text)];
    let without = parts.into_iter().find(|(_, body)| !body.as_deref().unwrap_or_default().contains(path));
    without.map(|(end, _)| format!("{kind}.{end} has no link to follow; put {{{{ link }}}} back"))
}

fn pages(settings: &Settings, _: &Keyring, _: UnixMillis, checked: &mut Checked) {
    let dir = settings.templates.as_deref();
    // What is wrong with the texts has been said.
    let Ok(texts) = Texts::of_dir(&settings.site.language, dir) else { return };
    match Pages::load(Arc::new(texts), dir) {
        Ok(pages) => checked.problems.extend(pages.check_samples().iter().map(ToString::to_string)),
        Err(PagesError::Problem(problem)) => checked.problems.push(problem.to_string()),
        Err(PagesError::Folder(error)) => checked.problems.push(error.to_string()),
    }
}
