//! Comparisons and the window that candidates come from.

use super::*;

async fn a_comparison_is_added_updated_and_left_alone(w: World) {
    let mut c = comparison("a-vs-b", NOW);
    assert_eq!(w.store.put_comparison(&c, NOW).await.unwrap(), ComparisonChange::Added);
    assert_eq!(w.store.put_comparison(&c, later(5)).await.unwrap(), ComparisonChange::Unchanged);
    c.title = "A against B".to_owned();
    assert_eq!(w.store.put_comparison(&c, later(9)).await.unwrap(), ComparisonChange::Updated);
    let stored = w.store.comparison("a-vs-b").await.unwrap().unwrap();
    assert_eq!((stored.imported_at, stored.updated_at, stored.featured_in), (NOW, later(9), None));
    assert_eq!(stored.comparison, c);
    assert_eq!(w.store.comparison("x-vs-y").await.unwrap(), None);
}

async fn candidates_are_a_half_open_window_oldest_first(w: World) {
    for (slug, at) in [("at-after", 0), ("newer", 20), ("older", 10), ("at-until", 30), ("too-new", 31)] {
        w.store.put_comparison(&comparison(slug, later(at * 1000)), NOW).await.unwrap();
    }
    let found = w.store.candidates(NOW, later(30_000)).await.unwrap();
    let slugs: Vec<_> = found.iter().map(|c| c.slug.as_str()).collect();
    assert_eq!(slugs, ["older", "newer", "at-until"]);
    let newest = w.store.comparisons(2).await.unwrap();
    let slugs: Vec<_> = newest.iter().map(|c| c.comparison.slug.as_str()).collect();
    assert_eq!(slugs, ["too-new", "at-until"]);
}

contract! {
    a_comparison_is_added_updated_and_left_alone,
    candidates_are_a_half_open_window_oldest_first,
}
