//! A letter in light or dark, whatever the operator's own system likes.
//!
//! A browser asks its system which of the two `@media (prefers-color-scheme: …)` is; here the
//! question is replaced by one that is always, or never, true, and what the letter says of
//! `color-scheme` by the asked-for one.

/// True of every frame, and of none.
const ALWAYS: &str = "(min-width:0px)";
const NEVER: &str = "(max-width:0px)";

/// The HTML as somebody who likes light (or dark) sees it.
pub(super) fn forced(html: &str, dark: bool) -> String {
    let mut out = String::with_capacity(html.len() + 256);
    let mut rest = html;
    while let Some(at) = rest.find("prefers-color-scheme") {
        let (before, behind) = (&rest[..at], &rest[at + "prefers-color-scheme".len()..]);
        let opened = before.rfind('(').filter(|open| before[open + 1..].trim().is_empty());
        let value = behind.split_once(')').map(|(value, _)| value);
        match (opened, value.and_then(|value| wants_dark(value).map(|is_dark| (value.len() + 1, is_dark)))) {
            (Some(open), Some((length, is_dark))) => {
                out.push_str(&before[..open]);
                out.push_str(if is_dark == dark { ALWAYS } else { NEVER });
                rest = &behind[length..];
            }
            _ => {
                out.push_str(before);
                out.push_str("prefers-color-scheme");
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    declared(&out, if dark { "dark" } else { "light" })
}

/// `: dark` → true; none for anything that is no scheme.
fn wants_dark(value: &str) -> Option<bool> {
    match value.trim().strip_prefix(':')?.trim() {
        "dark" => Some(true),
        "light" => Some(false),
        _ => None,
    }
}

/// What the letter declares (`color-scheme: light dark`, in a style or a `<meta>`) becomes the one
/// that is shown.
fn declared(html: &str, scheme: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find("color-scheme") {
        let end = at + "color-scheme".len();
        out.push_str(&rest[..end]);
        let is_whole_word = !rest[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
        rest = &rest[end..];
        if !is_whole_word {
            continue;
        }
        let behind = rest.trim_start();
        let value = if behind.starts_with(':') {
            rest.find(':').map(|colon| colon + 1)
        } else if behind.starts_with('"') {
            let meta = rest.split('>').next().unwrap_or("");
            meta.find("content=\"").map(|content| content + "content=\"".len())
        } else {
            None
        };
        let Some(begins) = value else { continue };
        let length = rest[begins..].find([';', '}', '"', '>']).unwrap_or(0);
        if rest[begins..begins + length]
            .split_whitespace()
            .all(|word| matches!(word, "light" | "dark" | "only"))
        {
            out.push_str(&rest[..begins]);
            out.push_str(scheme);
            rest = &rest[begins + length..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_query_is_answered_and_the_rest_stays() {
        let html = "<meta name=\"color-scheme\" content=\"light dark\"><style>:root{color-scheme: light dark;supported-color-schemes:light dark}\
            @media (prefers-color-scheme: dark) { a { color: red } } @media screen and ( prefers-color-scheme:light ) and (max-width:480px){b{}}</style>\
            <p>prefers-color-scheme (a color-scheme: text) is a media query</p>";
        assert_eq!(
            forced(html, true),
            "<meta name=\"color-scheme\" content=\"dark\"><style>:root{color-scheme:dark;supported-color-schemes:light dark}\
            @media (min-width:0px) { a { color: red } } @media screen and (max-width:0px) and (max-width:480px){b{}}</style>\
            <p>prefers-color-scheme (a color-scheme: text) is a media query</p>"
        );
        let light = forced(html, false);
        assert!(
            light.contains("@media (max-width:0px) { a") && light.contains("screen and (min-width:0px) and"),
            "{light}"
        );
        assert!(light.contains("content=\"light\"") && light.contains("color-scheme:light;"), "{light}");
        assert_eq!(forced("<p>é prefers-color-scheme</p>", true), "<p>é prefers-color-scheme</p>");
    }
}
