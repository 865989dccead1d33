//! What handlers have shown, each page as full and as empty as it gets; the site's own lines are
//! not among it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use tera::Context;

pub type Samples = BTreeMap<String, Vec<serde_json::Map<String, serde_json::Value>>>;

/// By page.
pub static SAMPLES: LazyLock<Samples> =
    LazyLock::new(|| serde_json::from_str(include_str!("samples.json")).expect("a test reads it"));

/// Whether a page is shown with all that one of its samples has.
pub fn is_like(name: &str, context: &Context) -> bool {
    let has_all =
        |sample: &serde_json::Map<_, _>| sample.keys().all(|key: &String| context.contains_key(key));
    SAMPLES.get(name).is_some_and(|samples| samples.iter().any(has_all))
}
