//! What differs between SQLite and Postgres. Everything else in this room is one text for both.
//!
//! A text may hold marks: `{each}` stands for the rows of the JSON array in `$1`, as `e.value`, and `{texts}` is the same for an
//! array of plain texts; `{array}` makes a JSON array; `{skip locked}` is the row lock of a claim, `{lock}` the lock of the one
//! row that is read; `{given}` is what a turn returns of a row. Both take `->>`, `ON CONFLICT`, `RETURNING`, `UPDATE … FROM` and `MATERIALIZED`.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{
    choices, comparisons, consent, intake, issues, leaving, notices, pace_rows, pacing, queue, retention,
    subjects, votes,
};

/// The engine behind a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    fn render(self, text: &str) -> Text {
        let (each, texts, array, skip_locked, lock) = match self {
            Self::Sqlite => ("json_each($1) AS e", "json_each($1) AS e", "json_array", "", ""),
            Self::Postgres => (
                "json_array_elements($1::json) AS e(value)",
                "json_array_elements_text($1::json) AS e(value)",
                "json_build_array",
                "FOR UPDATE OF q SKIP LOCKED",
                "FOR UPDATE",
            ),
        };
        Text(
            text.replace("{given}", queue::GIVEN)
                .replace("{each}", each)
                .replace("{array}", array)
                .replace("{texts}", texts)
                .replace("{skip locked}", skip_locked)
                .replace("{lock}", lock)
                .into(),
        )
    }
}

/// A statement rendered for this engine.
#[derive(Clone)]
pub(super) struct Text(Arc<str>);

impl Text {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl SqlSafeStr for &Text {
    fn into_sql_str(self) -> SqlStr {
        // Safe: rendered from constants of this room; whatever comes from outside is a parameter.
        AssertSqlSafe(self.0.clone()).into_sql_str()
    }
}

/// The statements with a mark in them, rendered once when the store opens.
pub(super) struct Texts {
    pub(super) turn: Text,
    pub(super) failed: Text,
    pub(super) back: Text,
    pub(super) back_subscribers: Text,
    pub(super) retry: Text,
    pub(super) stay_out: Text,
    pub(super) add: Text,
    pub(super) suppress: Text,
    pub(super) feature_taken: Text,
    pub(super) feature: Text,
    pub(super) list_comparisons: Text,
    pub(super) paces: Text,
    pub(super) pace: Text,
    pub(super) peek: Text,
    pub(super) claim_these: Text,
    pub(super) park: Text,
    pub(super) leavers: Text,
    pub(super) end: Text,
    pub(super) suppress_leavers: Text,
    pub(super) note_leaving: Text,
    pub(super) cancel_leavers: Text,
    pub(super) forget_for_readers: Text,
    pub(super) put_topics: Text,
    pub(super) put_hours: Text,
    pub(super) claim_notice: Text,
    pub(super) forget_proof: Text,
    pub(super) forget_asked: Text,
    pub(super) forget_pending: Text,
    pub(super) forget_person: Text,
    pub(super) carried: Text,
    pub(super) lock_reader: Text,
    pub(super) vote_totals: Text,
    pub(super) fence_votes: Text,
    pub(super) drop_votes: Text,
    pub(super) draw: Text,
    pub(super) subject_figures: Text,
    pub(super) lock_issue: Text,
}

impl Texts {
    pub(super) fn new(engine: Engine) -> Self {
        Self {
            turn: engine.render(queue::TURN),
            failed: engine.render(queue::FAILED),
            back: engine.render(queue::BACK),
            back_subscribers: engine.render(queue::BACK_SUBSCRIBERS),
            retry: engine.render(retention::RETRY),
            stay_out: engine.render(intake::STAY_OUT),
            add: engine.render(intake::ADD),
            suppress: engine.render(intake::SUPPRESS),
            feature_taken: engine.render(issues::FEATURE_TAKEN),
            feature: engine.render(issues::FEATURE),
            list_comparisons: engine.render(issues::LIST_COMPARISONS),
            paces: engine.render(pace_rows::PACES),
            pace: engine.render(pace_rows::PACE),
            peek: engine.render(pacing::PEEK),
            claim_these: engine.render(pacing::CLAIM_THESE),
            park: engine.render(pacing::PARK),
            leavers: engine.render(leaving::LEAVERS),
            end: engine.render(leaving::END),
            suppress_leavers: engine.render(leaving::SUPPRESS_LEAVERS),
            note_leaving: engine.render(leaving::NOTE_LEAVING),
            cancel_leavers: engine.render(leaving::CANCEL_LEAVERS),
            forget_for_readers: engine.render(notices::FORGET_FOR_READERS),
            put_topics: engine.render(choices::PUT_TOPICS),
            put_hours: engine.render(choices::PUT_HOURS),
            claim_notice: engine.render(notices::CLAIM),
            forget_proof: engine.render(consent::FORGET_PROOF),
            forget_asked: engine.render(consent::FORGET_ASKED),
            forget_pending: engine.render(consent::FORGET_PENDING),
            forget_person: engine.render(consent::FORGET_PERSON),
            carried: engine.render(comparisons::CARRIED),
            lock_reader: engine.render(votes::LOCK_READER),
            vote_totals: engine.render(votes::TOTALS),
            fence_votes: engine.render(votes::FENCE),
            drop_votes: engine.render(votes::DROP),
            draw: engine.render(subjects::DRAW),
            subject_figures: engine.render(subjects::FIGURES),
            lock_issue: engine.render(subjects::LOCK_ISSUE),
        }
    }
}
