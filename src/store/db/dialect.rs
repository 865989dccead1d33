//! What differs between SQLite and Postgres. Everything else in this room is one text for both.
//!
//! A text may hold marks: `{each}` stands for the rows of the JSON array in `$1`, as `e.value`, and `{texts}` is the same for an
//! array of plain texts; `{array}` makes a JSON array; `{skip locked}` is the row lock of a claim, `{lock}` the lock of the one
//! row that is read; `{given}` is what a turn returns of a row. Both take `->>`, `ON CONFLICT`, `RETURNING`, `UPDATE … FROM` and `MATERIALIZED`.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::store::issue::{comparisons, issues, retention, subject_test, variants};
use crate::store::queue::{deliveries, notices, paced_claim, rate_state};
use crate::store::reader::{import, signup, unsubscribe, votes};

/// The engine behind a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::store) enum Engine {
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
            text.replace("{given}", deliveries::GIVEN)
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
pub(in crate::store) struct Text(Arc<str>);

impl Text {
    pub(in crate::store) fn as_str(&self) -> &str {
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
pub(in crate::store) struct Texts {
    pub(in crate::store) turn: Text,
    pub(in crate::store) failed: Text,
    pub(in crate::store) back: Text,
    pub(in crate::store) back_subscribers: Text,
    pub(in crate::store) retry: Text,
    pub(in crate::store) stay_out: Text,
    pub(in crate::store) add: Text,
    pub(in crate::store) suppress: Text,
    pub(in crate::store) feature_taken: Text,
    pub(in crate::store) feature: Text,
    pub(in crate::store) list_comparisons: Text,
    pub(in crate::store) paces: Text,
    pub(in crate::store) pace: Text,
    pub(in crate::store) peek: Text,
    pub(in crate::store) claim_these: Text,
    pub(in crate::store) park: Text,
    pub(in crate::store) leavers: Text,
    pub(in crate::store) end: Text,
    pub(in crate::store) suppress_leavers: Text,
    pub(in crate::store) note_leaving: Text,
    pub(in crate::store) cancel_leavers: Text,
    pub(in crate::store) forget_for_readers: Text,
    pub(in crate::store) put_topics: Text,
    pub(in crate::store) put_hours: Text,
    pub(in crate::store) claim_notice: Text,
    pub(in crate::store) forget_proof: Text,
    pub(in crate::store) forget_asked: Text,
    pub(in crate::store) forget_pending: Text,
    pub(in crate::store) forget_person: Text,
    pub(in crate::store) carried: Text,
    pub(in crate::store) lock_reader: Text,
    pub(in crate::store) vote_totals: Text,
    pub(in crate::store) fence_votes: Text,
    pub(in crate::store) drop_votes: Text,
    pub(in crate::store) draw: Text,
    pub(in crate::store) subject_figures: Text,
    pub(in crate::store) lock_issue: Text,
}

impl Texts {
    pub(in crate::store) fn new(engine: Engine) -> Self {
        Self {
            turn: engine.render(deliveries::TURN),
            failed: engine.render(deliveries::FAILED),
            back: engine.render(deliveries::BACK),
            back_subscribers: engine.render(deliveries::BACK_SUBSCRIBERS),
            retry: engine.render(retention::RETRY),
            stay_out: engine.render(import::STAY_OUT),
            add: engine.render(import::ADD),
            suppress: engine.render(import::SUPPRESS),
            feature_taken: engine.render(issues::FEATURE_TAKEN),
            feature: engine.render(issues::FEATURE),
            list_comparisons: engine.render(issues::LIST_COMPARISONS),
            paces: engine.render(rate_state::PACES),
            pace: engine.render(rate_state::PACE),
            peek: engine.render(paced_claim::PEEK),
            claim_these: engine.render(paced_claim::CLAIM_THESE),
            park: engine.render(paced_claim::PARK),
            leavers: engine.render(unsubscribe::LEAVERS),
            end: engine.render(unsubscribe::END),
            suppress_leavers: engine.render(unsubscribe::SUPPRESS_LEAVERS),
            note_leaving: engine.render(unsubscribe::NOTE_LEAVING),
            cancel_leavers: engine.render(unsubscribe::CANCEL_LEAVERS),
            forget_for_readers: engine.render(notices::FORGET_FOR_READERS),
            put_topics: engine.render(variants::PUT_TOPICS),
            put_hours: engine.render(variants::PUT_HOURS),
            claim_notice: engine.render(notices::CLAIM),
            forget_proof: engine.render(signup::FORGET_PROOF),
            forget_asked: engine.render(signup::FORGET_ASKED),
            forget_pending: engine.render(signup::FORGET_PENDING),
            forget_person: engine.render(signup::FORGET_PERSON),
            carried: engine.render(comparisons::CARRIED),
            lock_reader: engine.render(votes::LOCK_READER),
            vote_totals: engine.render(votes::TOTALS),
            fence_votes: engine.render(votes::FENCE),
            drop_votes: engine.render(votes::DROP),
            draw: engine.render(subject_test::DRAW),
            subject_figures: engine.render(subject_test::FIGURES),
            lock_issue: engine.render(subject_test::LOCK_ISSUE),
        }
    }
}
