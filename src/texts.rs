//! Every sentence that pages and notices say, by language and key:
//! `templates/texts/<language>/<part>.toml`.
//!
//! A translation is one more folder. The first word of a key is the file it stands in (`join.title`
//! is `title` in `join.toml`), the rest is its place in there. A text is plain: no HTML, `{name}`
//! where something is put in. A text that depends on a count is a pair of `one` and `other`, and is
//! asked for with `count`. `tests/letter/texts.rs` holds the languages to the same keys and
//! placeholders, and the templates to keys that exist.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tera::{Kwargs, State, Tera, TeraResult};

use crate::templates::{self, File, FolderError, Kind, Problem};

mod check;
mod fill;
mod phrases;
mod read;

pub use check::check;
pub use phrases::Phrases;
pub use read::placeholders;

use fill::{filled, form};
use read::read;

/// What letters are written in: the templates of `letter/` are.
const LETTERS_LANGUAGE: &str = "en";
/// The files that letters read: their own, and what they say in the words of the pages.
const LETTERS: [&str; 2] = ["en/letter.toml", "en/read.toml"];

/// A language of [`Texts`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Language(usize);

/// The texts of every language this binary ships.
pub struct Texts {
    /// In the order of their tags; a [`Language`] is the place in here.
    languages: Vec<(String, BTreeMap<String, String>)>,
    site: Language,
}

#[derive(Debug, thiserror::Error)]
pub enum TextsError {
    #[error("site.language = {asked:?}: there are no texts in it; choose one of {shipped}")]
    NotShipped { asked: String, shipped: String },
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("{0}; \"verdicts templates check\" shows all")]
    Problem(Problem),
}

impl Texts {
    /// The texts of this binary; `site` is the language of whoever asks for none of them.
    ///
    /// # Errors
    /// [`TextsError::NotShipped`] with the languages there are, if `site` is none of them.
    pub fn embedded(site: &str) -> Result<Self, TextsError> {
        Self::of_dir(site, None)
    }

    /// As [`Texts::embedded`], with the files of an operator's folder in place of the built-in
    /// ones, and languages of its own.
    ///
    /// # Errors
    /// As there, and the first thing that [`check()`] finds.
    pub fn of_dir(site: &str, dir: Option<&Path>) -> Result<Self, TextsError> {
        let files = templates::files(Kind::Texts, dir)?;
        if let Some(problem) = check(&files).into_iter().next() {
            return Err(TextsError::Problem(problem));
        }
        Self::of_files(site, &files)
    }

    /// The texts that letters are made of, from the same files: English alone, and nothing that
    /// only pages and notices say, so that what is wrong with those keeps no letter from being
    /// made.
    ///
    /// # Errors
    /// As [`Texts::of_dir`].
    pub fn of_letters(dir: Option<&Path>) -> Result<Self, TextsError> {
        let mut files = templates::files(Kind::Texts, dir)?;
        files.retain(|file| LETTERS.contains(&file.name.as_str()));
        if let Some(problem) = check::check_each(&files).into_iter().next() {
            return Err(TextsError::Problem(problem));
        }
        Self::of_files(LETTERS_LANGUAGE, &files)
    }

    fn of_files(site: &str, files: &[File]) -> Result<Self, TextsError> {
        let mut languages: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for file in files {
            let Some((tag, part)) = file.name.strip_suffix(".toml").and_then(|name| name.split_once('/'))
            else {
                continue;
            };
            let entries = read(file, part).map_err(TextsError::Problem)?;
            let texts = entries.into_iter().map(|entry| (entry.key, entry.text));
            languages.entry(tag.to_owned()).or_default().extend(texts);
        }
        let languages: Vec<_> = languages.into_iter().collect();
        let place = languages.iter().position(|(tag, _)| tag == site);
        let Some(place) = place else {
            let shipped = languages.iter().map(|(tag, _)| tag.as_str()).collect::<Vec<_>>().join(", ");
            return Err(TextsError::NotShipped { asked: site.to_owned(), shipped });
        };
        Ok(Self { languages, site: Language(place) })
    }

    /// The language of notices, and of readers whose own is not shipped.
    pub fn site_language(&self) -> Language {
        self.site
    }

    pub fn languages(&self) -> impl Iterator<Item = Language> + '_ {
        (0..self.languages.len()).map(Language)
    }

    /// As it stands in `lang` and `Content-Language`: `en`.
    pub fn tag(&self, language: Language) -> &str {
        &self.languages[language.0].0
    }

    /// The language of a tag (`de`, `de-AT`), if it is shipped.
    pub fn by_tag(&self, tag: &str) -> Option<Language> {
        let primary = tag.split('-').next().unwrap_or(tag);
        self.languages.iter().position(|(own, _)| own.eq_ignore_ascii_case(primary)).map(Language)
    }

    /// What to speak with somebody whose `Accept-Language` is this (RFC 9110 §12.5.4): of the
    /// shipped languages the one with the highest weight, the first named of equals; the site's own
    /// where none is wanted.
    pub fn negotiate(&self, accept: &str) -> Language {
        let mut best = (0, self.site);
        // Nobody reads so many languages; whoever sends more wants to see us busy.
        for range in accept.split(',').take(32) {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let weight = weight(parameters);
            let language = match tag.trim() {
                "*" => Some(self.site),
                tag => self.by_tag(tag),
            };
            if let Some(language) = language.filter(|_| weight > best.0) {
                best = (weight, language);
            }
        }
        best.1
    }

    /// Every key of a language with its text.
    pub fn all(&self, language: Language) -> &BTreeMap<String, String> {
        &self.languages[language.0].1
    }

    /// The text of a key as it stands in the file; the key itself for one that is in no file, which
    /// `tests/letter/texts.rs` looks for.
    pub fn get<'a>(&'a self, language: Language, key: &'a str) -> &'a str {
        self.find(language, key).unwrap_or(key)
    }

    fn find(&self, language: Language, key: &str) -> Option<&str> {
        let own = self.languages[language.0].1.get(key);
        own.or_else(|| self.languages[self.site.0].1.get(key)).map(String::as_str)
    }

    /// The text of a key with its `{placeholders}` filled. With `count` among them, the form for
    /// that many is taken.
    pub fn fill(&self, language: Language, key: &str, with: &[(&str, &str)]) -> String {
        let count = with.iter().find(|(name, _)| *name == "count");
        let form = count.and_then(|(_, count)| self.find(language, &format!("{key}.{}", form(count))));
        filled(form.unwrap_or_else(|| self.get(language, key)), with)
    }

    /// Gives `tera` the function `text(key="…", …)`, which reads the language from the variable
    /// `lang`. Its result is escaped like any other text.
    pub fn teach(self: &Arc<Self>, tera: &mut Tera) {
        let texts = self.clone();
        tera.register_function("text", move |arguments: Kwargs, state: &State<'_>| {
            texts.say(&arguments, state)
        });
    }

    fn say(&self, arguments: &Kwargs, state: &State<'_>) -> TeraResult<String> {
        let key = arguments.must_get::<&str>("key")?;
        let tag = state.get::<String>("lang")?;
        let language = tag.and_then(|tag| self.by_tag(&tag)).unwrap_or(self.site);
        let mut with = Vec::new();
        for (name, value) in arguments.iter() {
            if let Some(name) = name.as_str().filter(|name| *name != "key") {
                with.push((name, value.to_string()));
            }
        }
        let with: Vec<(&str, &str)> = with.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let text = self.fill(language, key, &with);
        if text == key {
            return Err(tera::Error::message(format!("there is no text {key}; add it to templates/texts")));
        }
        Ok(text)
    }
}

/// A weight in thousandths (RFC 9110 §12.4.2): 1000 where none is given, 0 for what is not one.
fn weight(parameters: &str) -> u32 {
    match parameters.trim().strip_prefix("q=") {
        None if parameters.trim().is_empty() => 1000,
        None => 0,
        Some(number) => {
            let number = number.parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0);
            // Between 0 and 1000 by the clamp; a NaN becomes 0.
            (number * 1000.0) as u32
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_readers_where_we_have_it() {
        let texts = Texts::embedded("en").unwrap();
        for (accept, want) in [
            ("", "en"),
            ("de", "de"),
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("DE", "de"),
            ("fr-FR, de;q=0.3, en;q=0.7", "en"),
            ("en;q=0.2, de ;q=0.9", "de"),
            ("fr", "en"),
            ("*, de;q=0.5", "en"),
            ("de;q=0", "en"),
            ("de;q=NaN", "en"),
            (";;;,,,\u{7f}=", "en"),
        ] {
            assert_eq!(texts.tag(texts.negotiate(accept)), want, "{accept}");
        }
        assert_eq!(Texts::embedded("de").map(|t| t.tag(t.negotiate("fr")).to_owned()).unwrap(), "de");
        let refused = Texts::embedded("xx").err().unwrap().to_string();
        assert!(refused.contains("site.language = \"xx\"") && refused.contains("de, en"), "{refused}");
    }
}
