//! The attributes that MJML knows, and how the tags of a template are read.
//!
//! The lists are those of the reference (mjml 5.4, `allowedAttributes` of each component).

/// Attributes that every tag takes.
const EVERYWHERE: [&str; 2] = ["css-class", "mj-class"];

/// By tag, parted by blanks. A tag that is not here takes any.
pub(super) const ATTRIBUTES: [(&str, &str); 27] = [
    ("mjml", "dir lang owa"),
    (
        "mj-accordion",
        "border container-background-color font-family icon-align icon-height icon-position icon-unwrapped-alt icon-unwrapped-url icon-width icon-wrapped-alt icon-wrapped-url padding padding-bottom padding-left padding-right padding-top",
    ),
    (
        "mj-accordion-element",
        "background-color border font-family icon-align icon-height icon-position icon-unwrapped-alt icon-unwrapped-url icon-width icon-wrapped-alt icon-wrapped-url",
    ),
    (
        "mj-accordion-text",
        "background-color color font-family font-size font-weight letter-spacing line-height padding padding-bottom padding-left padding-right padding-top",
    ),
    (
        "mj-accordion-title",
        "background-color color font-family font-size font-weight padding padding-bottom padding-left padding-right padding-top",
    ),
    ("mj-body", "background-color width"),
    ("mj-breakpoint", "width"),
    (
        "mj-button",
        "align background-color border border-bottom border-left border-radius border-right border-top color container-background-color font-family font-size font-style font-weight height href inner-padding letter-spacing line-height name padding padding-bottom padding-left padding-right padding-top rel target text-align text-decoration text-transform title vertical-align width",
    ),
    (
        "mj-column",
        "background-color border border-bottom border-left border-radius border-right border-top direction inner-background-color inner-border inner-border-bottom inner-border-left inner-border-radius inner-border-right inner-border-top padding padding-bottom padding-left padding-right padding-top vertical-align width",
    ),
    (
        "mj-divider",
        "align border-color border-style border-width container-background-color padding padding-bottom padding-left padding-right padding-top width",
    ),
    ("mj-group", "background-color direction vertical-align width"),
    ("mj-head", ""),
    (
        "mj-hero",
        "background-color background-height background-position background-url background-width border-radius container-background-color height inner-background-color inner-padding inner-padding-bottom inner-padding-left inner-padding-right inner-padding-top mode padding padding-bottom padding-left padding-right padding-top vertical-align",
    ),
    (
        "mj-image",
        "align alt border border-bottom border-left border-radius border-right border-top container-background-color fluid-on-mobile font-size height href max-height name padding padding-bottom padding-left padding-right padding-top rel sizes src srcset target title usemap width",
    ),
    (
        "mj-navbar",
        "align base-url hamburger ico-align ico-close ico-color ico-font-family ico-font-size ico-line-height ico-open ico-padding ico-padding-bottom ico-padding-left ico-padding-right ico-padding-top ico-text-decoration ico-text-transform padding padding-bottom padding-left padding-right padding-top",
    ),
    (
        "mj-navbar-link",
        "color font-family font-size font-style font-weight href letter-spacing line-height name padding padding-bottom padding-left padding-right padding-top rel target text-decoration text-transform",
    ),
    ("mj-preview", ""),
    ("mj-raw", "position"),
    (
        "mj-section",
        "background-color background-position background-position-x background-position-y background-repeat background-size background-url border border-bottom border-left border-radius border-right border-top direction full-width padding padding-bottom padding-left padding-right padding-top text-align text-padding",
    ),
    (
        "mj-social",
        "align border-radius color container-background-color font-family font-size font-style font-weight icon-height icon-padding icon-size inner-padding line-height mode padding padding-bottom padding-left padding-right padding-top table-layout text-decoration text-padding vertical-align",
    ),
    (
        "mj-social-element",
        "align alt background-color border-radius color font-family font-size font-style font-weight href icon-height icon-padding icon-position icon-size line-height name padding padding-bottom padding-left padding-right padding-top rel sizes src srcset target text-decoration text-padding title vertical-align",
    ),
    (
        "mj-spacer",
        "border border-bottom border-left border-right border-top container-background-color height padding padding-bottom padding-left padding-right padding-top",
    ),
    ("mj-style", "inline"),
    (
        "mj-table",
        "align border cellpadding cellspacing color container-background-color font-family font-size font-weight line-height padding padding-bottom padding-left padding-right padding-top role table-layout vertical-align width",
    ),
    (
        "mj-text",
        "align background-color color container-background-color font-family font-size font-style font-weight height letter-spacing line-height padding padding-bottom padding-left padding-right padding-top text-decoration text-transform vertical-align",
    ),
    ("mj-title", ""),
    (
        "mj-wrapper",
        "background-color background-position background-position-x background-position-y background-repeat background-size background-url border border-bottom border-left border-radius border-right border-top direction full-width gap padding padding-bottom padding-left padding-right padding-top text-align text-padding",
    ),
];

/// Whether MJML has this attribute on this tag.
pub(super) fn is_known(tag: &str, attribute: &str) -> bool {
    let known = ATTRIBUTES.iter().find(|(name, _)| *name == tag);
    EVERYWHERE.contains(&attribute)
        || known.is_none_or(|(_, list)| list.split_whitespace().any(|name| name == attribute))
}

/// The names of the attributes in a tag and where they stand. `at` is behind the tag's own name;
/// what tera does in it is skipped, and so is what stands in quotes.
pub(super) fn in_tag(text: &str, at: usize) -> Vec<(usize, &str)> {
    let (mut found, mut at) = (Vec::new(), at);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty() && !rest.starts_with('>')) {
        if let Some(length) = code_length(rest) {
            at += length;
        } else if let Some(quoted) = rest.strip_prefix(['"', '\'']) {
            at += 1 + value_length(quoted, &rest[..1]);
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | ':' | '_'));
            let name = &rest[..end.unwrap_or(rest.len())];
            if name.is_empty() {
                at += rest.chars().next().map_or(1, char::len_utf8);
            } else {
                if text[at + name.len()..].trim_start().starts_with('=') {
                    found.push((at, name));
                }
                at += name.len();
            }
        }
    }
    found
}

/// Octets of what tera reads at the start of `text`, if it reads anything there.
fn code_length(text: &str) -> Option<usize> {
    let close =
        [("{{", "}}"), ("{%", "%}"), ("{#", "#}")].into_iter().find(|(open, _)| text.starts_with(open))?.1;
    Some(text.find(close).map_or(text.len(), |end| end + close.len()))
}

/// Octets up to and with the quote that ends a value.
fn value_length(text: &str, quote: &str) -> usize {
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(quote) {
            return at + 1;
        }
        at += code_length(rest).unwrap_or_else(|| rest.chars().next().map_or(1, char::len_utf8));
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_past_values_and_code() {
        let text = r#" href="{{ a ~ ">" }}" {% if x %}hrfe="y"{% endif %} padding='1 > 0' plain title = "b">rest no="1""#;
        let names: Vec<&str> = in_tag(text, 0).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["href", "hrfe", "padding", "title"]);
        assert!(is_known("mj-button", "href") && is_known("mj-button", "css-class"));
        assert!(!is_known("mj-button", "hrfe"));
        assert!(is_known("mj-class", "anything"));
        assert_eq!(in_tag("", 0), []);
    }
}
