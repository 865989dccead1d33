//! Texts of others made safe for a letter: nothing in them hides, and nothing turns what stands
//! around them.

/// Begins and ends what finds its direction by itself (UAX #9).
const FSI: char = '\u{2068}';
const PDI: char = '\u{2069}';

/// What people see of a text: control characters and the separators of lines become blanks, and
/// what turns the direction of all that follows goes. Some of it is refused when a file is read,
/// but a letter is safe whatever the store holds: mrml takes no control character, and a sentence
/// of ours around a name stays readable.
pub fn visible(text: &str) -> String {
    let kept = isolates_are_paired(text);
    let turns = |c: char| {
        matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}' | '\u{2067}') || !kept && matches!(c, FSI | PDI)
    };
    let blank = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().filter(|c| !turns(*c)).map(|c| if blank(c) { ' ' } else { c }).collect()
}

/// Whether what is begun is ended, so that nothing behind the text is turned: our own sentences
/// isolate names.
fn isolates_are_paired(text: &str) -> bool {
    let mut open = 0_usize;
    for c in text.chars() {
        match c {
            FSI => open += 1,
            PDI if open == 0 => return false,
            PDI => open -= 1,
            _ => {}
        }
    }
    open == 0
}

/// The same of every text in a value, for what templates print.
///
/// # Errors
/// If it is no value that JSON can hold.
pub fn all_visible(value: &impl serde::Serialize) -> Result<serde_json::Value, serde_json::Error> {
    use serde_json::Value;
    fn walk(value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(visible(&text)),
            Value::Array(items) => items.into_iter().map(walk).collect(),
            Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, walk(value))).collect(),
            other => other,
        }
    }
    serde_json::to_value(value).map(walk)
}

/// A name for the middle of an English sentence: one that reads from right to left is kept apart
/// from what stands beside it (UAX #9, FSI and PDI), or "67% to 33%" behind it would read
/// backwards.
pub fn isolated(name: &str) -> String {
    let is_rtl = |c: char| matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}');
    if !name.chars().any(is_rtl) {
        return name.to_owned();
    }
    let inside: String = name.chars().filter(|c| !matches!(*c, FSI | PDI)).collect();
    format!("{FSI}{inside}{PDI}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_right_to_left_stands_apart() {
        assert_eq!(isolated("قلم"), "\u{2068}قلم\u{2069}");
        assert_eq!(isolated("قل\u{2069}م"), isolated("قلم"), "nothing inside ends it early");
        assert_eq!(isolated("Quarry"), "Quarry");
        assert_eq!(visible(&isolated("قلم")), isolated("قلم"));
        assert_eq!(visible("a\u{2069}b\u{2068}c\u{202E}d"), "abcd");
    }
}
