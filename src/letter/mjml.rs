//! MJML becomes HTML: the one place that asks the renderer, for letters and notices alike.

use super::templates;

/// mjml 5.4 joins what is for Outlook with what follows that is for Outlook, too; mrml 6 does not, and a letter of five
/// comparisons is 4 KB larger for it.
const BETWEEN: &str = "<![endif]--><!--[if mso | IE]>";

/// Renders MJML. The renderer does not validate, so what it would pass in silence is refused here.
///
/// # Errors
/// What is wrong and the line it stands in, in words for whoever wrote the template.
pub fn to_html(mjml: &str) -> Result<String, String> {
    if let Some(problem) = templates::unbalanced(mjml) {
        return Err(problem);
    }
    let parsed = mrml::parse(mjml).map_err(|error| located(mjml, &error.to_string()))?;
    // No fonts from elsewhere: a letter must load nothing that tells anybody it was opened.
    let options = mrml::prelude::render::RenderOptions { fonts: Default::default(), ..Default::default() };
    let html = parsed.element.render(&options).map_err(|error| error.to_string())?;
    Ok(html.replace(BETWEEN, ""))
}

/// mrml says where by octets (`… at position 12:34 …`, `12..34`) of what tera made of the templates: the line as it stands there
/// finds the place in the template.
fn located(mjml: &str, words: &str) -> String {
    let numbers =
        words.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse::<usize>().ok());
    let Some(at) = numbers.into_iter().find(|at| mjml.is_char_boundary(*at)) else { return words.to_owned() };
    format!("{words}: \"{}\"", templates::line(mjml, at))
}
