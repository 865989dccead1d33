//! Values put in the places of a text.

/// English, German and most of their neighbours have two forms.
pub(super) fn form(count: &str) -> &'static str {
    if count == "1" { "one" } else { "other" }
}

/// Puts values in for `{name}`. One pass, so that a value with braces in it stays what it is.
pub(super) fn filled(text: &str, with: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let value = after.split_once('}').and_then(|(name, after)| {
            with.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value, after))
        });
        match value {
            Some((value, after)) => {
                out.push_str(value);
                rest = after;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::read::placeholders;

    #[test]
    fn values_are_put_in_once() {
        let with = [("a", "{b}"), ("b", "x")];
        assert_eq!(filled("{a} and {b}, {c} {", &with), "{b} and x, {c} {");
        assert_eq!(placeholders("{b} {a} {b}"), ["a", "b"]);
    }
}
