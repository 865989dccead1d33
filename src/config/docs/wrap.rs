//! Paragraphs as lines, for the settings file and for the reference.

/// The longest line, in characters.
const WIDTH: usize = 100;

/// Writes `text` as lines that begin with `before`. None of them begins with what Markdown would
/// take for a heading or a list.
pub(super) fn wrap(out: &mut String, before: &str, text: &str) {
    let mut width = 0;
    for word in text.split_whitespace() {
        let longer = width + 1 + word.chars().count();
        let begins_no_line = matches!(word, "#" | "-" | "+" | "*" | ">");
        if width > 0 && (longer <= WIDTH || begins_no_line) {
            out.push(' ');
            width = longer;
        } else {
            if width > 0 {
                out.push('\n');
            }
            out.push_str(before);
            width = before.len() + word.chars().count();
        }
        out.push_str(word);
    }
    out.push('\n');
}
