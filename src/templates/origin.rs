//! From a place in rendered MJML back to the file it was written in.
//!
//! MJML's errors are about what tera made of all templates together. So the templates are rendered
//! once more with a mark behind the name of each MJML tag that says where it stands, and the place
//! is looked up there.

use super::file::File;
use super::problem::Problem;

/// Stands around a mark; no file that tera and MJML accept has it.
const EDGE: char = '\u{1}';

/// Rendered MJML with marks in it.
pub struct Origin<'a> {
    files: &'a [File],
    marked: String,
}

impl<'a> Origin<'a> {
    /// The files with marks in their MJML, to be rendered in place of them.
    pub fn marked(files: &[File]) -> Vec<(String, String)> {
        let mark = |(index, file): (usize, &File)| {
            let mut text = String::with_capacity(file.text.len() * 2);
            let mut done = 0;
            for (at, _) in file.text.match_indices('<') {
                let name = at + 1 + usize::from(file.text[at + 1..].starts_with('/'));
                let rest = &file.text[name..];
                let length =
                    rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
                if rest.starts_with("mj") {
                    text.push_str(&file.text[done..name + length]);
                    text.push_str(&format!("{EDGE}{index}:{at}:{}{EDGE}", name + length - at));
                    done = name + length;
                }
            }
            text.push_str(&file.text[done..]);
            (file.name.clone(), text)
        };
        files.iter().enumerate().map(mark).collect()
    }

    /// What the marked files were rendered to.
    pub fn new(files: &'a [File], marked: String) -> Self {
        Self { files, marked }
    }

    /// A problem at an octet of the same MJML without marks, at the last tag that begins there or
    /// before.
    pub fn problem(&self, at: usize, words: &str) -> Option<Problem> {
        let (mut clean, mut last) = (0, None);
        for (index, piece) in self.marked.split(EDGE).enumerate() {
            if index % 2 == 0 {
                clean += piece.len();
                continue;
            }
            let mut numbers = piece.split(':').filter_map(|number| number.parse::<usize>().ok());
            let (Some(file), Some(from), Some(length)) = (numbers.next(), numbers.next(), numbers.next())
            else {
                continue;
            };
            if clean.saturating_sub(length) > at {
                break;
            }
            last = Some((file, from));
        }
        let (file, from) = last?;
        Some(Problem::at(self.files.get(file)?, from, words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn a_place_in_what_was_rendered_leads_back_to_its_file() {
        let file = |name: &str, text: &str| File {
            name: name.to_owned(),
            text: text.to_owned(),
            path: PathBuf::from(name),
            is_own: true,
        };
        let files = [file("a", "<mjml>\n{b}</mjml>"), file("b", "  é<mj-text>x</mj-text>\n")];
        let marked = Origin::marked(&files);
        let all = marked[0].1.replace("{b}", &marked[1].1.repeat(2));
        let clean = files[0].text.replace("{b}", &files[1].text.repeat(2));
        let origin = Origin::new(&files, all);
        let said = |at: usize| origin.problem(at, "!").map(|problem| problem.to_string());
        for (text, want) in [
            ("<mjml", "a:1:1: !"),
            ("<mj-text", "b:1:4: !"),
            ("x</mj", "b:1:4: !"),
            ("</mj-text", "b:1:14: !"),
            ("</mjml", "a:2:4: !"),
        ] {
            assert_eq!(said(clean.find(text).unwrap()).as_deref(), Some(want), "{text}");
        }
        assert_eq!(said(clean.rfind("<mj-text").unwrap()).as_deref(), Some("b:1:4: !"));
    }
}
