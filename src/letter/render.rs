//! The letter's shape: tera fills the templates, MJML becomes HTML that mail programs understand,
//! once per issue.
//!
//! Order matters: tera first (structure), then mrml, then [`Stencil`] cuts at
//! the marks. mrml does not validate, so the templates are checked by `tests/letter/made/mod.rs`.
//!
//! [`Stencil`]: crate::mail::Stencil

pub mod mjml;
pub(super) mod text_part;
pub(super) mod theme;

use std::path::Path;

use tera::{Context, Tera};

use super::compose::Composition;

use super::english;
use crate::domain::site::Site;
use crate::domain::theme::Theme;
use crate::mail::{Letter, Marks, Piece, StencilSlot};
use crate::templates::{self, File, FolderError, Kind, Origin, Problem};
use crate::texts::{Phrases, Texts, TextsError};
use theme::Look;

/// Gmail hides what is beyond 102 KB; the links that fill the slots need a little.
pub const HTML_MAX: usize = 90_000;
/// Room for what a reader's own name and the links of the footer add to the HTML.
const SLOTS_MAX: usize = 2_000;
/// Room for what a vote link adds to its mark: the base URL and the token.
const VOTE_MAX: usize = 120;
/// The letter's templates and the texts of its sentences: the embedded ones, with a folder's files
/// in their place where it has them.
pub struct Templates {
    tera: Tera,
    files: Vec<File>,
    look: Look,
    texts: Texts,
}

#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Texts(#[from] TextsError),
    #[error("{0}; \"verdicts templates check\" shows all")]
    Problem(Problem),
    #[error("templates/letter/letter.mjml is not MJML: {0}; mend the template, or one that it includes")]
    Mjml(mjml::Flaw),
    #[error(
        "the letter's HTML has {0} octets even with the least detail, the limit is 90000; lower schedule.max_comparisons"
    )]
    TooLarge(usize),
}

impl Templates {
    /// # Errors
    /// [`RenderError::Problem`] if a template does not parse, with file, line and column.
    pub fn embedded() -> Result<Self, RenderError> {
        Self::from_files(templates::embedded(Kind::Letter), Texts::of_letters(None)?)
    }

    /// The embedded templates with those of `folder` (`letter.mjml`, `letter.txt`, …) in their
    /// place, and its own besides.
    ///
    /// # Errors
    /// [`RenderError`] if the folder can't be read, a template does not parse, or one has a problem
    /// that [`templates::scan`] knows.
    pub fn with_folder(folder: &Path) -> Result<Self, RenderError> {
        Self::of(templates::in_folder(Kind::Letter, folder)?, Texts::of_letters(None)?)
    }

    /// The letter's templates of an operator's whole folder.
    ///
    /// # Errors
    /// As [`Templates::with_folder`].
    pub fn of_dir(dir: Option<&Path>) -> Result<Self, RenderError> {
        Self::of(templates::files(Kind::Letter, dir)?, Texts::of_letters(dir)?)
    }

    fn of(files: Vec<File>, texts: Texts) -> Result<Self, RenderError> {
        let made = Self::from_files(files, texts)?;
        let own = made.files.iter().filter(|file| file.is_own);
        match own.flat_map(|file| templates::scan(Kind::Letter, file)).next() {
            Some(problem) => Err(RenderError::Problem(problem)),
            None => Ok(made),
        }
    }

    fn from_files(files: Vec<File>, texts: Texts) -> Result<Self, RenderError> {
        let contents = files.iter().map(|file| (file.name.clone(), file.text.clone())).collect();
        let tera =
            Self::parsed(contents).map_err(|error| RenderError::Problem(Problem::of_tera(&files, &error)))?;
        Ok(Self { tera, files, look: Look::of(&Theme::default()), texts })
    }

    fn parsed(files: Vec<(String, String)>) -> tera::TeraResult<Tera> {
        let mut tera = Tera::default();
        tera.autoescape_on(vec![".mjml", ".html"]);
        text_part::teach(&mut tera);
        tera.add_raw_templates(files)?;
        Ok(tera)
    }

    /// The same templates in another look.
    #[must_use]
    pub fn with_theme(mut self, theme: &Theme) -> Self {
        self.look = Look::of(theme);
        self
    }

    /// What the sentences of the letter are made of.
    pub fn phrases(&self) -> Phrases<'_> {
        Phrases { texts: &self.texts, language: self.texts.site_language() }
    }

    /// One letter for all readers, with marks where they differ, in as much detail as fits into
    /// [`HTML_MAX`]; what had to be left out is said in the log.
    ///
    /// # Errors
    /// [`RenderError`] if a template fails, or if the letter is too large even in the least detail.
    pub fn render(&self, composition: &Composition) -> Result<Letter, RenderError> {
        let marks = self.marks(composition)?;
        let mut size = 0;
        for step in 0..=Composition::STEPS.len() {
            let reduced = composition.reduced(step);
            let html = self.html(&reduced, Some(marks))?;
            size =
                html.len() + SLOTS_MAX + VOTE_MAX * html.matches(&marks.mark(StencilSlot::VoteUrl)).count();
            if size <= HTML_MAX {
                let text = self.text(composition, Some(marks))?;
                let left_out = &Composition::STEPS[..step];
                if !left_out.is_empty() {
                    tracing::warn!(
                        issue = composition.number,
                        octets = html.len(),
                        "the letter is too large for Gmail as a whole; left out: {}",
                        left_out.join("; ")
                    );
                }
                return Ok(Letter { subject: composition.subject.clone(), html, text, marks });
            }
        }
        Err(RenderError::TooLarge(size))
    }

    /// Marks that stand in nothing the letter would be without marks.
    fn marks(&self, composition: &Composition) -> Result<Marks, RenderError> {
        let html = self.html(composition, None)?;
        let text = self.text(composition, None)?;
        Ok(Marks::clear_of(&[&html, &text]))
    }

    /// The letter as MJML, before the renderer: what `letter.mjml` and its partials make of the
    /// content, in full detail and with nothing in the slots.
    ///
    /// # Errors
    /// [`RenderError::Problem`] if a template fails.
    pub fn mjml(&self, composition: &Composition) -> Result<String, RenderError> {
        self.fill("letter.mjml", composition, None)
    }

    fn html(&self, composition: &Composition, marks: Option<Marks>) -> Result<String, RenderError> {
        let mjml = self.fill("letter.mjml", composition, marks)?;
        mjml::to_html(&mjml).map_err(|flaw| {
            let problem = flaw.at.and_then(|at| self.origin(composition, marks)?.problem(at, &flaw.words));
            problem.map_or(RenderError::Mjml(flaw), RenderError::Problem)
        })
    }

    /// Where each part of the letter's MJML comes from.
    fn origin(&self, composition: &Composition, marks: Option<Marks>) -> Option<Origin<'_>> {
        let tera = Self::parsed(Origin::marked(&self.files)).ok()?;
        let context = self.context(composition, marks).ok()?;
        Some(Origin::new(&self.files, tera.render("letter.mjml", &context).ok()?))
    }

    fn text(&self, composition: &Composition, marks: Option<Marks>) -> Result<String, RenderError> {
        Ok(text_part::trimmed(&self.fill("letter.txt", composition, marks)?))
    }

    fn fill(&self, name: &str, letter: &Composition, marks: Option<Marks>) -> Result<String, RenderError> {
        let rendered = self.context(letter, marks).and_then(|context| self.tera.render(name, &context));
        rendered.map_err(|error| RenderError::Problem(Problem::of_tera(&self.files, &error)))
    }

    fn context(&self, letter: &Composition, marks: Option<Marks>) -> tera::TeraResult<Context> {
        let visible = english::all_visible(letter).map_err(tera::Error::message)?;
        let mut context = Context::from_serialize(&visible)?;
        let slots: std::collections::BTreeMap<&str, String> = StencilSlot::ALL
            .into_iter()
            .map(|slot| (slot.as_str(), marks.map(|m| m.mark(slot)).unwrap_or_default()))
            .collect();
        context.insert("slots", &slots);
        context.insert("theme", &self.look);
        Ok(context)
    }
}

/// Renders with the embedded templates; see [`Templates::render`].
///
/// # Errors
/// [`RenderError`], as there.
pub fn render(composition: &Composition, _site: &Site) -> Result<Letter, RenderError> {
    Templates::embedded()?.render(composition)
}

/// The letter's HTML as the public archive shows it: no name, no reader's links. For a letter that
/// is enqueued, ask its stencil (`Stencil::web_html`).
pub fn web_page(letter: &Letter, site: &Site) -> String {
    let mut page = String::with_capacity(letter.html.len());
    let mut hidden = false;
    for piece in letter.marks.split(&letter.html) {
        match piece {
            Piece::Slot(StencilSlot::ReaderOnly) => hidden = true,
            Piece::Slot(StencilSlot::ReaderEnd) => hidden = false,
            Piece::Text(text) if !hidden => page.push_str(text),
            Piece::Slot(StencilSlot::UnsubscribeUrl | StencilSlot::PreferencesUrl | StencilSlot::VoteUrl)
                if !hidden =>
            {
                page.push_str(&site.base_url);
                page.push('/');
            }
            _ => {}
        }
    }
    page
}
