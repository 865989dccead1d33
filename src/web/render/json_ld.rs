//! What a page says about itself to machines: schema.org as JSON-LD.
//!
//! It stands in a `script` element of type `application/ld+json`. That is a data block: a browser
//! decides that there is nothing to run before it asks the content security policy (HTML §4.12.1.1,
//! "prepare the script element"), so the policy needs no exception and there is none.

use serde_json::{Value, json};

use crate::domain::UnixMillis;
use crate::domain::comparison::{Comparison, Stance, Tool, Votes};
use crate::domain::issue::Issue;
use crate::domain::site::Site;

/// A comparison: an article about two applications, each with the panel's reviews and figure.
pub fn of_comparison(comparison: &Comparison, url: &str, modified: UnixMillis, site: &Site) -> String {
    let published = comparison.published();
    block(&json!({
        "@context": "https://schema.org",
        "@type": "Article",
        "headline": comparison.title,
        "description": comparison.question,
        "url": url,
        "mainEntityOfPage": url,
        "datePublished": published.to_string(),
        "dateModified": modified.max(published).to_string(),
        "author": publisher(site),
        "publisher": publisher(site),
        "about": comparison.tools.each_ref().map(application),
    }))
}

/// A letter of the archive.
pub fn of_letter(issue: &Issue, url: &str, site: &Site) -> String {
    block(&json!({
        "@context": "https://schema.org",
        "@type": "Article",
        "headline": issue.subject,
        "description": issue.preheader,
        "url": url,
        "mainEntityOfPage": url,
        "datePublished": issue.created_at.to_string(),
        "author": publisher(site),
        "publisher": publisher(site),
    }))
}

fn publisher(site: &Site) -> Value {
    json!({ "@type": "Organization", "name": site.name, "url": format!("{}/", site.base_url) })
}

fn application(tool: &Tool) -> Value {
    let reviews: Vec<Value> = tool
        .reviews
        .iter()
        .map(|review| {
            let rating = if review.verdict == Stance::Ship { 1 } else { 0 };
            json!({
                "@type": "Review",
                "author": { "@type": "Person", "name": review.reviewer },
                "reviewBody": review.quote,
                "reviewRating": { "@type": "Rating", "ratingValue": rating, "bestRating": 1, "worstRating": 0 },
            })
        })
        .collect();
    let mut application = json!({
        "@type": "SoftwareApplication",
        "name": tool.name,
        "description": tool.description,
        "applicationCategory": tool.category,
    });
    if !reviews.is_empty() {
        application["review"] = reviews.into();
        application["aggregateRating"] = rating(tool.panel());
    }
    application
}

/// The panel's ship % as a rating out of a hundred. Only asked for where there is a review.
fn rating(panel: Votes) -> Value {
    json!({
        "@type": "AggregateRating",
        "ratingValue": panel.percent(),
        "bestRating": 100,
        "worstRating": 0,
        "reviewCount": panel.total(),
    })
}

/// JSON that can't end the element it stands in, whatever is in its strings.
fn block(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_string_ends_the_element() {
        let hostile = "</script><!--<script>alert(1)&\u{2028}";
        let text = block(&json!({ "headline": hostile }));
        assert!(!text.contains(['<', '>', '&', '\u{2028}']), "{text}");
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["headline"], hostile);
    }
}
