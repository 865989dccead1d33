//! What is wrong with a field, and how the field is called.

/// One thing that is wrong with a parsed comparison: the field's path and the problem.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct FieldProblem {
    pub path: Vec<Step>,
    pub text: String,
}

/// A step on the way to a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

pub(super) fn path_text(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.push_str(&format!(".{key}")),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}
