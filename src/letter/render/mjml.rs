//! MJML becomes HTML: the one place that asks the renderer, for letters and notices alike.

use std::fmt;

use crate::templates;

/// Why MJML can't be rendered, in words for whoever wrote the template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flaw {
    /// The octet of the MJML, where it is known.
    pub at: Option<usize>,
    pub words: String,
    /// How the line begins in which that is.
    line: String,
}

impl Flaw {
    fn new(mjml: &str, at: Option<usize>, words: String) -> Self {
        let at = at.filter(|at| mjml.is_char_boundary(*at));
        Self { at, words, line: at.map(|at| templates::line(mjml, at)).unwrap_or_default() }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)?;
        if self.line.is_empty() { Ok(()) } else { write!(f, ": \"{}\"", self.line) }
    }
}

/// mjml 5.4 joins what is for Outlook with what follows that is for Outlook, too; mrml 6 does not,
/// and a letter of five comparisons is 4 KB larger for it.
const BETWEEN: &str = "<![endif]--><!--[if mso | IE]>";

/// Renders MJML. The renderer does not validate, so what it would pass in silence is refused here.
///
/// # Errors
/// What is wrong and where.
pub fn to_html(mjml: &str) -> Result<String, Flaw> {
    if let Some((at, words)) = unbalanced(mjml) {
        return Err(Flaw::new(mjml, Some(at), words));
    }
    let parsed = mrml::parse(mjml).map_err(|error| {
        let words = error.to_string();
        match std::error::Error::source(&error).map(ToString::to_string) {
            Some(cause) => Flaw::new(mjml, place_of_cause(mjml, &cause), cause),
            None => Flaw::new(mjml, place(mjml, &words), words),
        }
    })?;
    // No fonts from elsewhere: a letter must load nothing that tells anybody it was opened.
    let options = mrml::prelude::render::RenderOptions { fonts: Default::default(), ..Default::default() };
    let html = parsed.element.render(&options).map_err(|error| Flaw::new(mjml, None, error.to_string()))?;
    Ok(html.replace(BETWEEN, ""))
}

/// mrml says where by octets (`… at position 12:34 …`, `12..34`).
fn place(mjml: &str, words: &str) -> Option<usize> {
    let mut numbers =
        words.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse::<usize>().ok());
    numbers.find(|at| mjml.is_char_boundary(*at))
}

/// Its parser says where by line and column (`… at 3:14 cause …`).
fn place_of_cause(mjml: &str, words: &str) -> Option<usize> {
    let (_, behind) = words.split_once(" at ")?;
    let (line, column) = behind.split(' ').next()?.split_once(':')?;
    let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
    let begins: usize = mjml.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let rest = mjml.get(begins..)?;
    let ends = rest.char_indices().nth(column.checked_sub(1)?).map_or(rest.len(), |(at, _)| at);
    Some(begins + ends)
}

/// The first MJML tag that another one closes, or nobody: the renderer closes what comes next in
/// its place, in silence.
fn unbalanced(mjml: &str) -> Option<(usize, String)> {
    let mut open: Vec<(&str, usize)> = Vec::new();
    for (at, _) in mjml.match_indices('<') {
        let tag = mjml[at + 1..].split('>').next().unwrap_or("");
        let is_end = tag.starts_with('/');
        let name = tag.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next();
        let Some(name) = name.filter(|name| name.starts_with("mj")) else { continue };
        match (is_end, open.last()) {
            (false, _) if tag.ends_with('/') => {}
            (false, _) => open.push((name, at)),
            (true, Some((opened, _))) if *opened == name => {
                open.pop();
            }
            (true, Some((opened, from))) => {
                // One that closes nothing open is too many; else the innermost has not been closed.
                let is_awaited = open.iter().any(|(opened, _)| *opened == name);
                let at = if is_awaited { *from } else { at };
                return Some((at, format!("<{opened}> is closed by </{name}>")));
            }
            (true, None) => return Some((at, format!("</{name}> closes what was never opened"))),
        }
    }
    open.pop().map(|(opened, from)| (from, format!("<{opened}> is never closed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_do_not_match_are_named_with_their_place() {
        for (mjml, want) in [
            ("<mj-a><mj-b/></mj-a>", None),
            ("<mj-a>\n<mj-b></mj-a>", Some((7, "<mj-b> is closed by </mj-a>"))),
            ("<mj-a></mj-b></mj-a>", Some((6, "<mj-a> is closed by </mj-b>"))),
            ("<mj-a>", Some((0, "<mj-a> is never closed"))),
            ("</mj-a>", Some((0, "</mj-a> closes what was never opened"))),
        ] {
            assert_eq!(unbalanced(mjml).as_ref().map(|(at, words)| (*at, words.as_str())), want, "{mjml}");
        }
    }
}
