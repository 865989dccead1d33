//! What differs between SQLite and Postgres. Everything else is one text for both, and both take
//! `->>`, `ON CONFLICT`, `RETURNING`, `UPDATE … FROM` and `MATERIALIZED`.
//!
//! The marks that a text may hold:
//!
//! - `{each}`: the rows of the JSON array in `$1`, as `e.value`
//! - `{texts}`: the same for an array of plain texts
//! - `{array}`: the function that makes a JSON array
//! - `{greatest}`: the function that gives the greatest of its arguments
//! - `{skip locked}`: the lock of the rows `q` in a claim, which passes over those that are locked
//! - `{lock}`: the lock of the one row that is read

/// The engine behind a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::store) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// The text with this engine's words for its marks.
    pub(in crate::store) fn render(self, text: &str) -> String {
        let words = match self {
            Self::Sqlite => [
                ("{each}", "json_each($1) AS e"),
                ("{texts}", "json_each($1) AS e"),
                ("{array}", "json_array"),
                ("{greatest}", "MAX"),
                ("{skip locked}", ""),
                ("{lock}", ""),
            ],
            Self::Postgres => [
                ("{each}", "json_array_elements($1::json) AS e(value)"),
                ("{texts}", "json_array_elements_text($1::json) AS e(value)"),
                ("{array}", "json_build_array"),
                ("{greatest}", "GREATEST"),
                ("{skip locked}", "FOR UPDATE OF q SKIP LOCKED"),
                ("{lock}", "FOR UPDATE"),
            ],
        };
        words.iter().fold(text.to_owned(), |text, (mark, word)| text.replace(mark, word))
    }
}
