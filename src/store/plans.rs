//! The statements whose plans a test looks at.

use crate::store::db::store::Store;
use crate::store::issue::{comparisons, issues, public, retention, subject_test, variants};
use crate::store::queue::{deliveries, notices};
use crate::store::reader::{rate_limits, signup, subscribers, unsubscribe};

impl Store {
    /// The statements whose plan a test looks at.
    #[doc(hidden)]
    pub fn hot_queries(&self) -> Vec<(&'static str, String)> {
        let texts = &self.inner.texts;
        let rendered = [
            ("turn", &texts.turn),
            ("failed", &texts.failed),
            ("back", &texts.back),
            ("stay out", &texts.stay_out),
            ("feature", &texts.feature),
            ("retry", &texts.retry),
            ("paces", &texts.paces),
            ("peek", &texts.peek),
            ("claim these", &texts.claim_these),
            ("park", &texts.park),
            ("leavers", &texts.leavers),
            ("leavers end", &texts.end),
            ("leavers are suppressed", &texts.suppress_leavers),
            ("leavings", &texts.note_leaving),
            ("cancel what is open of leavers", &texts.cancel_leavers),
            ("notices of leavers", &texts.forget_for_readers),
            ("claim a notice", &texts.claim_notice),
            ("forget proof", &texts.forget_proof),
            ("forget who was asked", &texts.forget_asked),
            ("forget pending", &texts.forget_pending),
            ("forget who never confirmed", &texts.forget_person),
            ("carried", &texts.carried),
            ("vote totals", &texts.vote_totals),
            ("fence votes", &texts.fence_votes),
            ("drop votes", &texts.drop_votes),
            ("draw for a test", &texts.draw),
            ("figures of a test", &texts.subject_figures),
        ];
        let plain = [
            ("candidates", comparisons::CANDIDATES),
            ("cancel what is open of a subscriber", subscribers::CANCEL_OPEN),
            ("forget a subscriber's words", subscribers::FORGET_WORDS),
            ("revive", unsubscribe::REVIVE),
            ("fan out", issues::FAN_OUT),
            ("letters of an issue", variants::VARIANTS),
            ("by choice", variants::BY_CHOICE),
            ("unforeseen", variants::UNFORESEEN),
            ("waiting", variants::WAITING),
            ("cancel what is open of an issue", issues::CANCEL_OPEN),
            ("left the house", issues::LEFT_THE_HOUSE),
            ("tally", issues::TALLY),
            ("deliveries", issues::DELIVERIES),
            ("next due", deliveries::NEXT_DUE),
            ("release who waits for a winner", subject_test::RELEASE),
            ("who waits for a winner", subject_test::WAITING_FOR_WINNER),
            ("a test to decide", subject_test::DUE),
            ("who may be drawn for a test", subject_test::ELIGIBLE),
            ("done", deliveries::DONE),
            ("ripe", retention::RIPE),
            ("take out", retention::TAKE_OUT),
            ("next notice", notices::NEXT),
            ("old pending", signup::OLD_PENDING),
            ("who signs up", signup::KNOWN),
            ("where a confirmation stands", signup::STANDING),
            ("the proof confirmed", signup::CONFIRM_PROOF),
            ("notices to a person", notices::TO),
            ("allowances that are over", rate_limits::OVER),
            ("old notices", notices::OLD),
            ("forget notices", notices::FORGET),
        ];
        let mut all: Vec<_> = rendered.iter().map(|(name, text)| (*name, text.as_str().to_owned())).collect();
        all.extend(plain.iter().map(|(name, text)| (*name, (*text).to_owned())));
        all.push(("figures", public::figures_text()));
        all.push(("lists version", public::lists_version_text()));
        all.push(("reclaim", deliveries::reclaim_text(self.inner.engine)));
        all
    }
}
