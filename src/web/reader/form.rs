//! What a person typed into a form.

use axum::Form;

/// The fields of a form, in order; a name may come several times.
pub type Fields = Form<Vec<(String, String)>>;

/// What a person typed, on one line: no control characters, at most `limit` characters; nothing
/// left is nothing.
pub fn line(text: &str, limit: usize) -> Option<String> {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(limit).collect();
    let clean = clean.trim();
    (!clean.is_empty()).then(|| clean.to_owned())
}

/// The first value of a field; none when the form does not have it.
pub fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn what_was_typed_is_one_short_line_or_none() {
        assert_eq!(line("  Ann\r\nBcc: x  ", 80).as_deref(), Some("Ann  Bcc: x"));
        assert_eq!(line(" \t ", 80), None);
        assert_eq!(line(&"é".repeat(300), 80).unwrap().chars().count(), 80);
    }
}
