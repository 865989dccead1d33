//! A file of texts, read: each text with its key, its placeholders and where it stands.

use crate::templates::{File, Problem};

/// The names in braces of a text, in order.
pub fn placeholders(text: &str) -> Vec<&str> {
    let mut names: Vec<_> =
        text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A text with its key and where it stands in its file.
pub(super) struct TextEntry {
    pub key: String,
    pub text: String,
    /// An octet.
    pub at: usize,
}

/// The texts of a file of this part.
pub(super) fn read(file: &File, part: &str) -> Result<Vec<TextEntry>, Problem> {
    let root = toml::de::DeTable::parse(&file.text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start).min(file.text.len());
        Problem::at(file, at, format!("is not TOML: {}", error.message().replace('\n', " ")))
    })?;
    let mut entries = Vec::new();
    flatten(file, part, root.get_ref(), &mut entries)?;
    Ok(entries)
}

fn flatten(
    file: &File,
    prefix: &str,
    table: &toml::de::DeTable<'_>,
    out: &mut Vec<TextEntry>,
) -> Result<(), Problem> {
    for (name, value) in table {
        let key = format!("{prefix}.{}", name.get_ref());
        match value.get_ref() {
            toml::de::DeValue::String(text) => {
                out.push(TextEntry { key, text: text.to_string(), at: name.span().start });
            }
            toml::de::DeValue::Table(inner) => flatten(file, &key, inner, out)?,
            other => {
                let words =
                    format!("{} is a {}, not a text; put it in quotes", name.get_ref(), other.type_str());
                return Err(Problem::at(file, value.span().start, words));
            }
        }
    }
    Ok(())
}
