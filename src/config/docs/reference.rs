//! `docs/configuration.md`: every setting with its form, default, examples and variable.
//!
//! Written from the table of keys; a test holds the file to it, and writes it with `UPDATE=1`.

use super::wrap::wrap;
use crate::config::key::{Initial, Key, Shape};
use crate::config::keys::{KEYS, SECTIONS};

const HEAD: &str = "\
<!-- Written from the table of settings in src/config/keys.rs. Change it there, then run:
     UPDATE=1 cargo test --lib config::docs::reference -->

# Settings

Settings stand in `verdicts.toml`, in sections; `verdicts init` writes the file with every key in it.
Each command reads the one in the current folder, or the one that `--config FILE` names. Paths are
relative to the folder that it lies in. A key that is not listed here is refused by name, with its
line; so is a value that does not fit. `verdicts check` looks at what the settings lead to.

**Environment.** Any key also comes from the environment and then counts more than the file: the
variable is `VERDICTS__`, the section, `__` and the key, in capitals. Texts stand there without
quotes, tables and lists as they would after the `=` in the file. With the four required keys in the
environment there need be no file at all.

**Secrets.** The two keys that may hold a password have a sibling that ends in `_file` and names a
file to read it from. Set one of the two; where the file has one and the environment the other, the
environment counts. A password is in no error message and in no log.

**Spans of time** are whole numbers with `s`, `m`, `h`, `d` or `w`: `90s`, `12h`, `1h30m`, `7d`.
**Rates** are a whole number and `/s`, `/m`, `/h` or `/d`: `100/s`, `10000/h`.
";

/// The whole text of `docs/configuration.md`.
pub fn reference() -> String {
    let mut out = HEAD.to_owned();
    contents(&mut out);
    for (section, about) in SECTIONS {
        out.push_str(&format!("\n## [{section}]\n\n{about}\n"));
        keys_of(section).for_each(|key| page(&mut out, section, key));
    }
    out
}

fn keys_of(section: &str) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(move |key| key.section() == section)
}

fn contents(out: &mut String) {
    out.push_str("\n| section | keys |\n|:--|:--|\n");
    for (section, _) in SECTIONS {
        let links: Vec<_> =
            keys_of(section).map(|key| format!("[{}](#{})", key.own_name(), anchor(key))).collect();
        out.push_str(&format!("| [{section}](#{section}) | {} |\n", links.join(", ")));
    }
}

/// What GitHub and others make of a heading's text: dots are left out.
fn anchor(key: &Key) -> String {
    key.name.replace('.', "")
}

fn page(out: &mut String, section: &str, key: &Key) {
    out.push_str(&format!("\n### {}\n\n", key.name));
    wrap(out, "", key.doc);
    if !key.more.is_empty() {
        out.push('\n');
        wrap(out, "", key.more);
    }
    out.push_str("\n| | |\n|:--|:--|\n");
    let mut row = |name: &str, text: &str| {
        // A stroke would end the cell.
        out.push_str(&format!("| {name} | {} |\n", text.replace('|', "\\|")));
    };
    row("Value", &value(key));
    match key.initial {
        Initial::Required(_) => row("Default", "none: it has to be set"),
        Initial::Default(default) => row("Default", &format!("`{default}`")),
        Initial::Absent(_) => row("Default", "absent"),
    }
    row("Environment", &format!("`{}`", assignment(key)));
    row("From a file", &from_file(key));
    out.push_str(&format!("\n```toml\n[{section}]\n"));
    for (index, example) in examples(key).iter().enumerate() {
        let mark = if index == 0 { "" } else { "# or: " };
        out.push_str(&format!("{mark}{} = {example}\n", key.own_name()));
    }
    out.push_str("```\n");
}

/// What may stand behind the `=`.
fn value(key: &Key) -> String {
    let form = match key.shape {
        Shape::Number { least, most } => format!("a whole number from {least} to {most}"),
        Shape::Flag => "true or false".to_owned(),
        Shape::Text | Shape::Secret | Shape::Table => key.form.to_owned(),
    };
    let secret = if key.shape == Shape::Secret { "; never shown whole" } else { "" };
    if key.limit.is_empty() { format!("{form}{secret}") } else { format!("{form}; {}{secret}", key.limit) }
}

fn from_file(key: &Key) -> String {
    let sibling = |name: &str| KEYS.iter().find(|key| key.name == name);
    if let Some(file) = sibling(&format!("{}_file", key.name)) {
        return format!("yes, with [{}](#{})", file.name, anchor(file));
    }
    match key.name.strip_suffix("_file").and_then(sibling) {
        Some(of) => format!("it names the file for [{}](#{})", of.name, anchor(of)),
        None => "no".to_owned(),
    }
}

/// As they stand in the settings file; at least one.
fn examples(key: &Key) -> Vec<&'static str> {
    match key.initial {
        _ if !key.examples.is_empty() => key.examples.to_vec(),
        Initial::Required(value) | Initial::Default(value) | Initial::Absent(value) => vec![value],
    }
}

/// The first example as a shell sets it: `VERDICTS__RELAY__CONNECTIONS=4`.
fn assignment(key: &Key) -> String {
    let value = from_environment(key, examples(key)[0]);
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_./:@%+-".contains(c);
    match value {
        value if value.chars().all(is_bare) => format!("{}={value}", key.variable()),
        value if value.contains('\'') => format!("{}=\"{value}\"", key.variable()),
        value => format!("{}='{value}'", key.variable()),
    }
}

/// A value of the settings file as a variable has it: a text has no quotes there.
fn from_environment(key: &Key, toml: &'static str) -> &'static str {
    match key.shape {
        Shape::Text | Shape::Secret => toml.trim_matches('"'),
        Shape::Number { .. } | Shape::Flag | Shape::Table => toml,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{ConfigError, FILE_NAME, Settings, init_file};

    const FILE: &str = "docs/configuration.md";

    #[test]
    fn the_reference_is_what_the_table_says() {
        let wanted = reference();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(FILE, &wanted).unwrap();
        }
        let stands = std::fs::read_to_string(FILE).unwrap_or_default();
        let same = stands.lines().zip(wanted.lines()).take_while(|(a, b)| a == b).count();
        assert!(
            stands == wanted,
            "{FILE} is not what src/config/keys.rs says, from line {} on ({:?}); write it anew with: \
             UPDATE=1 cargo test --lib config::docs::reference",
            same + 1,
            wanted.lines().nth(same).unwrap_or_default()
        );
    }

    #[test]
    fn every_link_leads_to_a_heading_of_its_own() {
        let text = reference();
        let mut headings: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("## ").or(line.strip_prefix("### ")))
            .map(|heading| heading.replace(['.', '[', ']'], ""))
            .collect();
        headings.sort();
        let all = headings.len();
        headings.dedup();
        assert_eq!(headings.len(), all);
        for (at, _) in text.match_indices("](#") {
            let target = text[at + 3..].split(')').next().unwrap();
            assert!(headings.iter().any(|heading| heading == target), "{target}");
        }
    }

    #[test]
    fn every_key_says_what_a_value_looks_like() {
        for key in KEYS {
            let says_it_all = matches!(key.shape, Shape::Number { .. } | Shape::Flag);
            assert_eq!(key.form.is_empty(), says_it_all, "{}", key.name);
        }
    }

    /// Loads a file in which every key is set that may be, with `name` set to `value`
    /// by the environment.
    fn with(folder: &Path, key: &Key, value: &str) -> Result<Settings, ConfigError> {
        let smtp = ("VERDICTS__RELAY__URL".to_owned(), "smtp://127.0.0.1:25".to_owned());
        let env = [smtp].into_iter().filter(|_| key.section() != "relay" || !key.name.contains("url"));
        Settings::load(Some(&folder.join(FILE_NAME)), env.chain([(key.variable(), value.to_owned())]))
    }

    fn folder_with_every_key() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let text: String = init_file()
            .lines()
            .filter(|line| !line.contains("url_file") && !line.starts_with("# more"))
            .map(|line| match line.strip_prefix("# ").filter(|rest| rest.contains(" = ")) {
                Some(rest) => format!("{rest}\n"),
                None => format!("{line}\n"),
            })
            .collect();
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        folder
    }

    #[test]
    fn every_example_is_taken() {
        let folder = folder_with_every_key();
        for key in KEYS.iter().filter(|key| !key.name.ends_with(".url_file")) {
            for example in examples(key) {
                let taken = with(folder.path(), key, from_environment(key, example));
                assert!(taken.is_ok(), "{} = {example}: {}", key.name, taken.unwrap_err());
            }
        }
    }

    #[test]
    fn numbers_go_as_far_as_the_table_says() {
        let folder = folder_with_every_key();
        for key in KEYS {
            let Shape::Number { least, most } = key.shape else { continue };
            let taken = |number: usize| with(folder.path(), key, &number.to_string());
            // What another key bounds as well is refused for that, and with that key's name.
            let in_range = |number| match taken(number) {
                Ok(_) => true,
                Err(error) => !error.to_string().contains("out of range"),
            };
            assert!(in_range(least) && in_range(most) && !in_range(most + 1), "{}", key.name);
            assert!(least == 0 || !in_range(least - 1), "{}", key.name);
        }
    }
}
