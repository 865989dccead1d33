//! A statement: declared once, beside the functions that run it, and rendered once for each engine.
//!
//! A file of the store declares its statements with [`statements!`], which also lists them for the
//! test of the query plans. What a text may hold that differs between the engines is told in
//! `dialect`.

use std::sync::OnceLock;

use crate::store::db::dialect::Engine;

/// A statement that waits for its parameters.
pub(in crate::store) type Query = sqlx::query::Query<'static, sqlx::Any, sqlx::any::AnyArguments>;

/// A mark, and the text in its place.
type Fragment = (&'static str, &'static str);

/// Declares the statements of a file, `NAME = "SQL";` each, or `NAME = "SQL", may_scan("table",
/// "why");` and the like with what [`Statement`] can be told. Lists them as `STATEMENTS`.
macro_rules! statements {
    ($($(#[$doc:meta])* $vis:vis $name:ident = $text:literal $(, $told:ident($($word:expr),*))*;)+) => {
        $(
            $(#[$doc])*
            $vis static $name: Statement =
                Statement::new(concat!(module_path!(), "::", stringify!($name)), $text)$(.$told($($word),*))*;
        )+

        /// All of this file, for the test of the query plans.
        pub(in crate::store) static STATEMENTS: &[&Statement] = &[$(&$name),+];
    };
}
pub(in crate::store) use statements;

pub(in crate::store) struct Statement {
    /// Where it is declared, and as what.
    pub(in crate::store) name: &'static str,
    text: &'static str,
    fragments: &'static [Fragment],
    on_postgres: &'static [Fragment],
    /// There is no such statement on SQLite, where one writer at a time needs no lock of rows.
    pub(in crate::store) is_postgres_only: bool,
    /// What it may walk although that grows, and why.
    pub(in crate::store) may_scan: Option<(&'static str, &'static str)>,
    rendered: [OnceLock<String>; 2],
}

impl Statement {
    pub(in crate::store) const fn new(name: &'static str, text: &'static str) -> Self {
        Self {
            name,
            text,
            fragments: &[],
            on_postgres: &[],
            is_postgres_only: false,
            may_scan: None,
            rendered: [OnceLock::new(), OnceLock::new()],
        }
    }

    /// Puts what several statements share in place of marks.
    pub(in crate::store) const fn with(mut self, fragments: &'static [Fragment]) -> Self {
        self.fragments = fragments;
        self
    }

    /// Puts text in place of marks on Postgres, and nothing on SQLite.
    pub(in crate::store) const fn on_postgres(mut self, fragments: &'static [Fragment]) -> Self {
        self.on_postgres = fragments;
        self
    }

    /// For Postgres alone.
    pub(in crate::store) const fn postgres_only(mut self) -> Self {
        self.is_postgres_only = true;
        self
    }

    /// Tells the test of the query plans that walking this table is right here, and why. A name as
    /// SQLite's plan has it, with the index if it goes by one: `q USING INDEX notice_sending`.
    pub(in crate::store) const fn may_scan(mut self, table: &'static str, why: &'static str) -> Self {
        self.may_scan = Some((table, why));
        self
    }

    /// The text for an engine.
    pub(in crate::store) fn on(&'static self, engine: Engine) -> &'static str {
        #[cfg(test)]
        ASKED.with_borrow_mut(|asked| asked.push(self.name));
        self.rendered[engine as usize].get_or_init(|| {
            let mut text = self.text.to_owned();
            for (mark, fragment) in self.fragments {
                text = text.replace(mark, fragment);
            }
            for (mark, fragment) in self.on_postgres {
                text = text.replace(mark, if engine == Engine::Postgres { fragment } else { "" });
            }
            engine.render(&text)
        })
    }
}

#[cfg(test)]
thread_local! {
    /// The names of all statements that this thread has asked for, in their order.
    pub(in crate::store) static ASKED: std::cell::RefCell<Vec<&'static str>> = const { std::cell::RefCell::new(Vec::new()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_rendered_once_for_each_engine() {
        static LOOK: Statement = Statement::new("look", "SELECT {columns} FROM t q {alive} {skip locked}")
            .with(&[("{columns}", "{greatest}(a, 0)")])
            .on_postgres(&[("{alive}", "WHERE alive")]);
        assert_eq!(LOOK.on(Engine::Sqlite), "SELECT MAX(a, 0) FROM t q  ");
        let text = LOOK.on(Engine::Postgres);
        assert_eq!(text, "SELECT GREATEST(a, 0) FROM t q WHERE alive FOR UPDATE OF q SKIP LOCKED");
        assert!(std::ptr::eq(text, LOOK.on(Engine::Postgres)));
    }
}
