//! What text needs to stand in XML.

/// Escaped for text and for attributes in double quotes, without the characters that XML 1.0 (§2.2)
/// has no place for.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}' => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn any_text_is_wellformed() {
        let hostile = "</title><x a=\"1\">&amp; ]]> \u{0}\u{8}\u{FFFE}é";
        let escaped = super::text(hostile);
        let document = format!("<t a=\"{escaped}\">{escaped}</t>");
        let parsed = roxmltree::Document::parse(&document).unwrap();
        let back = "</title><x a=\"1\">&amp; ]]> é";
        assert_eq!(parsed.root_element().text(), Some(back));
        assert_eq!(parsed.root_element().attribute("a"), Some(back));
    }
}
