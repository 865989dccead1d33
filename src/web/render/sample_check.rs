//! Every page made of samples, before anybody asks for it: a template that names what is not there
//! is found at the start.
//!
//! The samples ([`super::samples`]) are what handlers have shown; the site's own lines are added
//! here. In binaries for development a page that is shown with something else ends the test that
//! showed it ([`super::samples::is_like`]).

use tera::Context;

use super::pages::Pages;
use super::samples::SAMPLES;
use crate::templates::Problem;

impl Pages {
    /// What is wrong with the pages that only shows when they are made, in every language; each
    /// thing once.
    pub fn check_samples(&self) -> Vec<Problem> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::{Kind, embedded};
    use crate::texts::Texts;

    #[test]
    fn every_page_has_a_sample_and_ours_are_sound() {
        let pages = Pages::load(Texts::embedded("en").unwrap().into(), None).unwrap();
        assert_eq!(pages.check_samples(), []);
        // Those are parts of others.
        let parts = ["base.html", "join_form.html"];
        for file in embedded(Kind::Pages).iter().filter(|file| file.name.ends_with(".html")) {
            let is_known = SAMPLES.contains_key(&file.name) || parts.contains(&file.name.as_str());
            assert!(is_known, "{} has no sample in src/web/render/samples.json", file.name);
        }
    }
}
