//! What the table of settings knows of each key.

/// What a variable of ours starts with.
pub(super) const PREFIX: &str = "VERDICTS__";

/// A key of `verdicts.toml`.
pub struct Key {
    /// Dotted, as in every message: `relay.url`.
    pub name: &'static str,
    pub shape: Shape,
    pub initial: Initial,
    /// What it means, for the file that `init` writes; one paragraph.
    pub doc: &'static str,
    /// What a value looks like, as the end of "The value is …"; empty where the shape says it all.
    pub form: &'static str,
    /// What narrows the form for this key; empty: nothing.
    pub limit: &'static str,
    /// Values as they stand in the file; empty: the sample of `initial` is the example.
    pub examples: &'static [&'static str],
    /// What else an operator may want to know, for the reference alone.
    pub more: &'static str,
}

/// What a value looks like in TOML; a value from the environment is read as the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    Text,
    /// A whole number, both ends included.
    Number {
        least: usize,
        most: usize,
    },
    /// true or false.
    Flag,
    /// Text that never stands in a message.
    Secret,
    /// A table or list; from the environment as it would stand in the file after the `=`. It may
    /// hold a secret, so it never stands in a message.
    Table,
}

/// What stands for a key that nobody set. Values are TOML as they stand in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Initial {
    /// There is none: whoever runs the site has to say. `init` writes the sample.
    Required(&'static str),
    Default(&'static str),
    /// It may be absent. `init` writes the sample as a comment.
    Absent(&'static str),
}

/// `relay.url` → `VERDICTS__RELAY__URL`.
pub(super) fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.to_ascii_uppercase().replace('.', "__"))
}

impl Key {
    /// The variable of the environment that sets it.
    pub fn variable(&self) -> String {
        variable(self.name)
    }

    /// `relay` of `relay.url`.
    pub fn section(&self) -> &'static str {
        self.name.split_once('.').map_or("", |(section, _)| section)
    }

    /// `url` of `relay.url`.
    pub fn own_name(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(_, own)| own)
    }

    pub(super) const fn new(name: &'static str, shape: Shape, initial: Initial, doc: &'static str) -> Self {
        Self { name, shape, initial, doc, form: "", limit: "", examples: &[], more: "" }
    }

    pub(super) const fn form(mut self, form: &'static str) -> Self {
        self.form = form;
        self
    }

    pub(super) const fn limit(mut self, limit: &'static str) -> Self {
        self.limit = limit;
        self
    }

    pub(super) const fn examples(mut self, examples: &'static [&'static str]) -> Self {
        self.examples = examples;
        self
    }

    pub(super) const fn more(mut self, more: &'static str) -> Self {
        self.more = more;
        self
    }
}
