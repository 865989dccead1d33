//! HTML as a list of tokens in which everything that makes no difference to a mail program is spelt the same: the order of
//! attributes and declarations, blanks, entities, and how conditional comments are cut. Tags in comments for Outlook are tokens
//! too, with the comment's condition before them: half of the tables of a letter stand there.

/// One line for each tag, text (after a `"`, so that none looks like a tag) and rule of a style sheet.
pub fn tokens(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut condition = String::new();
    let mut rest = html;
    while !rest.is_empty() {
        let (token, after) = next(rest);
        rest = after;
        if let Some(inside) = token.strip_prefix("<!--[if") {
            let (of, inside) = inside.split_once(']').unwrap_or((inside, ""));
            condition = format!("[{}] ", blanks(of));
            // `<!--[if !mso]><!-->` hides its own end from those who read comments, and the rest from Outlook.
            let inside = inside.strip_prefix('>').unwrap_or(inside);
            let Some(inside) = inside.strip_suffix("<![endif]-->") else { continue };
            found.extend(tokens(inside).into_iter().map(|token| format!("{condition}{token}")));
            condition.clear();
        } else if token.starts_with("<!--<![endif]") {
            condition.clear();
        } else if let Some(token) = spelt(token) {
            if token.starts_with("<style") {
                let (css, after) = rest.split_once("</style>").unwrap_or((rest, ""));
                rest = after;
                found.push(format!("{condition}{token}"));
                found.extend(rules(css).into_iter().map(|rule| format!("{condition}  {rule}")));
            } else {
                found.push(format!("{condition}{token}"));
            }
        }
    }
    found
}

/// A tag, a comment or a text, and what follows.
fn next(html: &str) -> (&str, &str) {
    let end = if html.starts_with("<!--[if") && !html[..html.find('>').unwrap_or(0) + 1].contains("!mso") {
        html.find("<![endif]-->").map(|at| at + "<![endif]-->".len())
    } else if html.starts_with("<!--") {
        html.find("-->").map(|at| at + "-->".len())
    } else if html.starts_with('<') {
        tag_end(html)
    } else {
        html.find('<')
    };
    html.split_at(end.unwrap_or(html.len()))
}

/// Behind the `>` that ends a tag and stands in no value.
fn tag_end(html: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in html.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (None, '>') => return Some(at + 1),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

fn spelt(token: &str) -> Option<String> {
    let Some(tag) = token.strip_prefix('<').filter(|_| !token.starts_with("<!--")) else {
        let text = blanks(&decoded(token));
        return (!text.is_empty()).then(|| format!("\"{text}"));
    };
    let tag = tag.trim_end_matches('>').trim_end_matches('/');
    let name: String = tag.chars().take_while(|c| !c.is_whitespace()).collect();
    let mut attributes: Vec<String> = attributes(&tag[name.len()..])
        .into_iter()
        .filter(|(attribute, value)| !(value.is_empty() && ["class", "style"].contains(attribute)))
        .map(|(attribute, value)| {
            let value = match attribute {
                "style" => sorted(value.split(';').map(declaration)).join("; "),
                "class" => sorted(value.split_whitespace().map(str::to_owned)).join(" "),
                _ => decoded(value),
            };
            format!(" {attribute}=\"{value}\"")
        })
        .collect();
    attributes.sort();
    Some(format!("<{}{}>", name.to_lowercase(), attributes.concat()))
}

fn attributes(mut text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    loop {
        text = text.trim_start();
        let end = text.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(text.len());
        if end == 0 {
            return found;
        }
        let (name, after) = text.split_at(end);
        text = after;
        let Some(after) = text.strip_prefix('=') else {
            found.push((name, ""));
            continue;
        };
        let (value, after) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
            _ => after.split_at(after.find(char::is_whitespace).unwrap_or(after.len())),
        };
        found.push((name, value));
        text = after;
    }
}

fn declaration(text: &str) -> String {
    let (property, value) = text.split_once(':').unwrap_or((text, ""));
    if value.is_empty() { blanks(property) } else { format!("{}: {}", blanks(property), blanks(value)) }
}

/// By property, and those of one property as they stand: a later one wins.
fn sorted(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut items: Vec<String> = items.filter(|item| !item.is_empty()).collect();
    items.sort_by(|a, b| a.split(':').next().cmp(&b.split(':').next()));
    items
}

/// One line for each opening, declaration and end of a style sheet, in their order, which matters.
fn rules(css: &str) -> Vec<String> {
    let mut found = Vec::new();
    for piece in css.split_inclusive(['{', '}', ';']) {
        let words = piece.trim_end_matches(['{', '}', ';']);
        if piece.ends_with('{') {
            found.push(format!("{} {{", blanks(words)));
            continue;
        }
        if !words.trim().is_empty() {
            found.push(declaration(words));
        }
        if piece.ends_with('}') {
            found.push("}".to_owned());
        }
    }
    found
}

fn blanks(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// With the entities that our templates and both renderers use as characters.
pub fn decoded(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let (name, behind) = after.split_once(';').unwrap_or(("", after));
        let number = name.strip_prefix('#').and_then(|n| match n.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => n.parse().ok(),
        });
        let known = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "nbsp" => Some('\u{a0}'),
            _ => number.and_then(char::from_u32),
        };
        decoded.push(known.unwrap_or('&'));
        rest = if known.is_some() { behind } else { after };
    }
    decoded + rest
}

/// Lines of `a` that are not in `b` (`-`) and the other way round (`+`), each stretch after the line it follows.
pub fn differences(a: &[String], b: &[String]) -> Vec<String> {
    let mut longest = vec![vec![0_u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i][j] = match a[i] == b[j] {
                true => longest[i + 1][j + 1] + 1,
                false => longest[i + 1][j].max(longest[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut found, mut told) = (0, 0, Vec::new(), None);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            (i, j, told) = (i + 1, j + 1, Some(&a[i]));
            continue;
        }
        found.extend(told.take().map(|line| format!("  {line}")));
        if j == b.len() || i < a.len() && longest[i + 1][j] >= longest[i][j + 1] {
            found.push(format!("- {}", a[i]));
            i += 1;
        } else {
            found.push(format!("+ {}", b[j]));
            j += 1;
        }
    }
    found
}
