//! All statements of the store, for the test that looks at the plan of each.

use crate::store::db::dialect::Engine;
use crate::store::db::statement::Statement;
use crate::store::db::store::Store;
use crate::store::db::{restore_guard, store, tx};
use crate::store::issue::{
    comparisons, enqueue, issues, public, retention, schedule, subject_test, variants, wording,
};
use crate::store::queue::{
    deliveries, notices, paced_claim, rate_state, reclaim, record, run, speed, worker_lease,
};
use crate::store::reader::{
    address_change, erasure, import, personal_data, preferences, rate_limits, signup, subscribers,
    unsubscribe, votes,
};

static ALL: &[&[&Statement]] = &[
    store::STATEMENTS,
    tx::STATEMENTS,
    restore_guard::STATEMENTS,
    deliveries::STATEMENTS,
    notices::STATEMENTS,
    paced_claim::STATEMENTS,
    rate_state::STATEMENTS,
    reclaim::STATEMENTS,
    record::STATEMENTS,
    run::STATEMENTS,
    speed::STATEMENTS,
    worker_lease::STATEMENTS,
    address_change::STATEMENTS,
    erasure::STATEMENTS,
    import::STATEMENTS,
    personal_data::STATEMENTS,
    preferences::STATEMENTS,
    rate_limits::STATEMENTS,
    signup::STATEMENTS,
    subscribers::STATEMENTS,
    unsubscribe::STATEMENTS,
    votes::STATEMENTS,
    comparisons::STATEMENTS,
    enqueue::STATEMENTS,
    issues::STATEMENTS,
    public::STATEMENTS,
    retention::STATEMENTS,
    schedule::STATEMENTS,
    subject_test::STATEMENTS,
    variants::STATEMENTS,
    wording::STATEMENTS,
];

/// A statement as the test of the plans sees it.
#[doc(hidden)]
pub struct PlannedStatement {
    /// Where it is declared, and as what.
    pub name: &'static str,
    pub text: &'static str,
    /// Which table it may walk, and why.
    pub may_scan: Option<(&'static str, &'static str)>,
}

impl Store {
    /// Each statement that this store may run.
    #[doc(hidden)]
    pub fn statements(&self) -> Vec<PlannedStatement> {
        let engine = self.inner.engine;
        let all = ALL.iter().copied().flatten();
        all.filter(|one| engine == Engine::Postgres || !one.is_postgres_only)
            .map(|one| PlannedStatement { name: one.name, text: one.on(engine), may_scan: one.may_scan })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else {
                found.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }

    /// A statement that the list above does not have would escape the test of the plans, and so
    /// would text that is run without being declared.
    #[test]
    fn every_statement_of_the_store_is_listed() {
        let mut found = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store"), &mut found);
        let is_one_of = |path: &Path, names: &[&str]| names.iter().any(|name| path.ends_with(name));
        found.retain(|(path, _)| !is_one_of(path, &["db/statement.rs", "plans.rs"]));
        let mut declaring = 0;
        for (path, text) in &found {
            let file = path.display();
            assert!(!text.contains("Statement::new("), "{file} declares one without `statements!`");
            if text.lines().any(|line| line == "statements! {") {
                declaring += 1;
                let listed = format!("\n    {}::STATEMENTS,\n", path.file_stem().unwrap().to_str().unwrap());
                assert!(include_str!("plans.rs").contains(&listed), "plans::ALL lacks {file}");
            }
            // What opens, migrates and copies a database runs where no table is yet.
            if !is_one_of(path, &["db/open.rs", "db/schema.rs", "db/backup.rs"]) {
                assert_runs_what_is_declared(&path.display().to_string(), text);
            }
        }
        assert_eq!(declaring, ALL.len());
    }

    /// Or tells an engine how to work.
    fn assert_runs_what_is_declared(file: &str, text: &str) {
        for call in ["sqlx::query(", "sqlx::raw_sql("] {
            for (at, _) in text.match_indices(call) {
                let argument = text[at + call.len()..].lines().next().unwrap_or_default();
                let known = ["\"PRAGMA ", "\"ANALYZE ", "statement.on("];
                assert!(known.iter().any(|known| argument.starts_with(known)), "{file} runs {argument}");
            }
        }
    }

    #[test]
    fn no_mark_is_left_in_a_text() {
        for one in ALL.iter().copied().flatten() {
            for engine in [Engine::Sqlite, Engine::Postgres] {
                assert!(
                    !one.on(engine).contains(['{', '}']),
                    "{} on {engine:?}: {}",
                    one.name,
                    one.on(engine)
                );
            }
        }
    }
}
