//! Every page made of samples, before anybody asks for it: a template that names what is not there is found at the start.
//!
//! The samples are what handlers have shown, each page as full and as empty as it gets; the site's own lines are added here. In
//! binaries for development a page that is shown with something else ends the test that showed it ([`is_like`]).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use tera::Context;

use super::Pages;
use crate::templates::Problem;

type Samples = BTreeMap<String, Vec<serde_json::Map<String, serde_json::Value>>>;

/// By page.
static SAMPLES: LazyLock<Samples> =
    LazyLock::new(|| serde_json::from_str(include_str!("rehearsal.json")).expect("a test reads it"));

impl Pages {
    /// What is wrong with the pages that only shows when they are made, in every language; each thing once.
    pub fn rehearse(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = Vec::new();
        for (name, samples) in SAMPLES.iter() {
            for sample in samples {
                for language in self.texts.languages() {
                    let mut context = Context::new();
                    context.insert("site", "Weekly & Verdicts");
                    context.insert("postal_address", "1 Sample Street");
                    for (name, value) in sample {
                        context.insert(name.clone(), value);
                    }
                    let made = self.render(language, name, &context);
                    let problem = made.err().map(|error| Problem::of_tera(&self.files, &error));
                    problems.extend(problem.filter(|one| !problems.contains(one)));
                }
            }
        }
        problems
    }
}

/// Whether a page is shown with all that one of its samples has.
pub(super) fn is_like(name: &str, context: &Context) -> bool {
    let has_all =
        |sample: &serde_json::Map<_, _>| sample.keys().all(|key: &String| context.contains_key(key));
    SAMPLES.get(name).is_some_and(|samples| samples.iter().any(has_all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::{Kind, embedded};
    use crate::texts::Texts;

    #[test]
    fn every_page_is_rehearsed_and_ours_are_sound() {
        let pages = Pages::load(Texts::embedded("en").unwrap().into(), None).unwrap();
        assert_eq!(pages.rehearse(), []);
        // Those are parts of others.
        let parts = ["base.html", "join_form.html"];
        for file in embedded(Kind::Pages).iter().filter(|file| file.name.ends_with(".html")) {
            let is_known = SAMPLES.contains_key(&file.name) || parts.contains(&file.name.as_str());
            assert!(is_known, "{} has no sample in src/web/rehearsal.json", file.name);
        }
    }
}
