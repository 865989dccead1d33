use std::time::Duration;

use super::*;
use crate::domain::EmailAddress;
use crate::domain::delivery::Variant;
use crate::domain::issue::IssueNumber;
use crate::domain::subscriber::{LinkEpoch, SubscriberId};

const PATIENCE: Patience =
    Patience { first_retry: Duration::from_secs(60), max_age: Duration::from_secs(3600) };
const YOUNG: UnixMillis = UnixMillis(1_000);
const OLD: UnixMillis = UnixMillis(3_600_000);

fn claimed() -> Claimed {
    Claimed {
        issue: IssueNumber(1),
        subscriber: SubscriberId(1),
        email: EmailAddress::parse("ann@example.com").unwrap(),
        epoch: LinkEpoch::default(),
        name: None,
        attempt: 1,
        enqueued_at: UnixMillis(0),
        variant: Variant::default(),
        choice: None,
    }
}

fn reply(code: u16, enhanced: &str) -> Reply {
    Reply { code, enhanced: (!enhanced.is_empty()).then(|| enhanced.to_owned()), text: "words".to_owned() }
}

fn decided(stage: Stage, code: u16, enhanced: &str, now: UnixMillis) -> Decision {
    decide(Outcome::Refused { stage, reply: reply(code, enhanced) }, &claimed(), &PATIENCE, now)
}

/// The decision in a word each for the row and the run.
fn gist(decision: &Decision) -> (&'static str, &'static str) {
    let row = match decision.transition {
        Transition::Sent { .. } => "sent",
        Transition::Deferred { unknown: false, .. } => "deferred",
        Transition::Deferred { unknown: true, .. } => "unknown",
        Transition::Failed { .. } => "failed",
        Transition::Returned { .. } => "returned",
    };
    let run = match decision.signal {
        Signal::None => "",
        Signal::TooFast => "slower",
        Signal::Cleared => "cleared",
        Signal::Suspicion(_) => "suspicion",
        Signal::Dropped(_) => "dropped",
        Signal::Certain(_) => "paused",
    };
    (row, run)
}

const HARD: (&str, &str) = ("failed", "");
const SOFT: (&str, &str) = ("deferred", "");
const CROWDED: (&str, &str) = ("deferred", "slower");
const PERHAPS: (&str, &str) = ("deferred", "suspicion");
const OURS: (&str, &str) = ("returned", "paused");

// A table: a reply and what it means, a line each.
#[test]
fn every_refusal_of_a_recipient_has_its_line_in_the_table() {
    for (code, enhanced, expected) in [
        (550, "5.1.1", HARD),
        (550, "5.1.2", HARD),
        (501, "5.1.3", HARD),
        (550, "5.1.4", HARD),
        (550, "5.1.6", HARD),
        (556, "5.1.10", HARD),
        (550, "5.2.1", HARD),
        (552, "5.2.3", HARD),
        (550, "5.4.1", HARD),
        (550, "5.4.4", HARD),
        (554, "5.4.6", HARD),
        (553, "5.6.7", HARD),
        (550, "5.1.0", HARD),
        (550, "5.2.0", HARD),
        (550, "5.0.0", HARD),
        (550, "5.5.0", HARD),
        (550, "5.3.0", HARD),
        (552, "5.2.2", SOFT),
        (552, "", SOFT),
        (552, "5.0.0", SOFT),
        (450, "", SOFT),
        (450, "4.2.0", SOFT),
        (451, "4.7.1", CROWDED),
        (452, "4.2.2", SOFT),
        (452, "4.3.1", SOFT),
        (452, "", CROWDED),
        (452, "4.5.3", CROWDED),
        (421, "", CROWDED),
        (421, "4.7.0", CROWDED),
        (421, "4.7.28", CROWDED),
        (421, "4.3.2", SOFT),
        (450, "4.2.1", CROWDED),
        (455, "", SOFT),
        (550, "5.7.1", PERHAPS),
        (554, "5.7.1", PERHAPS),
        (550, "5.7.25", PERHAPS),
        (571, "", PERHAPS),
        (554, "", PERHAPS),
        (554, "5.0.0", PERHAPS),
        (552, "5.3.4", PERHAPS),
        (554, "5.6.0", PERHAPS),
        (554, "5.6.1", PERHAPS),
        (500, "", PERHAPS),
        (502, "", PERHAPS),
        (503, "", PERHAPS),
        (504, "", PERHAPS),
        (555, "", PERHAPS),
        (503, "5.5.1", PERHAPS),
        (530, "", OURS),
        (530, "5.7.0", OURS),
        (534, "5.7.9", OURS),
        (535, "5.7.8", OURS),
        (538, "5.7.11", OURS),
        (550, "5.1.7", OURS),
        (550, "5.1.8", OURS),
        (550, "", HARD),
        (551, "", HARD),
        (553, "", HARD),
        (501, "", HARD),
        (521, "", HARD),
        (556, "", HARD),
        (599, "", HARD),
    ] {
        let decision = decided(Stage::Rcpt, code, enhanced, YOUNG);
        assert_eq!(gist(&decision), expected, "{code} {enhanced} at RCPT");
    }
}

#[test]
fn a_refusal_of_the_sender_is_about_us_and_never_about_a_reader() {
    for code in 500..600 {
        for enhanced in ["", "5.0.0", "5.1.0", "5.1.1", "5.1.8", "5.7.1", "5.2.1", "5.4.1"] {
            let (row, run) = gist(&decided(Stage::Mail, code, enhanced, YOUNG));
            assert!(row != "failed", "{code} {enhanced} at MAIL failed a reader");
            assert!(!run.is_empty() || code == 552, "{code} {enhanced} at MAIL went unnoticed");
        }
    }
    assert_eq!(gist(&decided(Stage::Mail, 550, "5.7.1", YOUNG)), OURS);
    assert_eq!(gist(&decided(Stage::Mail, 554, "", YOUNG)), OURS);
    assert_eq!(gist(&decided(Stage::Mail, 451, "4.3.0", YOUNG)), SOFT);
    assert_eq!(gist(&decided(Stage::Mail, 552, "5.3.4", YOUNG)), PERHAPS);
}

#[test]
fn a_refusal_of_the_letter_is_hard_only_if_it_names_the_mailbox() {
    for stage in [Stage::Data, Stage::Dot] {
        for (code, enhanced, expected) in [
            (550, "5.1.1", HARD),
            (550, "5.2.1", HARD),
            (552, "5.2.2", SOFT),
            (552, "", SOFT),
            (451, "4.3.0", SOFT),
            (550, "5.7.1", PERHAPS),
            (554, "5.7.1", PERHAPS),
            (554, "", PERHAPS),
            (550, "", PERHAPS),
            (554, "5.6.0", PERHAPS),
            (552, "5.3.4", PERHAPS),
            (503, "", PERHAPS),
            (530, "5.7.0", OURS),
        ] {
            assert_eq!(
                gist(&decided(stage, code, enhanced, YOUNG)),
                expected,
                "{code} {enhanced} at {stage}"
            );
        }
    }
    assert_eq!(gist(&decided(Stage::Local, 550, "5.6.7", YOUNG)), HARD);
    assert_eq!(gist(&decided(Stage::Local, 550, "5.3.4", YOUNG)), PERHAPS);
    assert_eq!(gist(&decided(Stage::Local, 550, "5.6.0", YOUNG)), PERHAPS);
}

#[test]
fn soft_refusals_end_with_age_and_keep_the_last_words() {
    for (code, enhanced) in [(451, "4.3.0"), (552, "5.2.2"), (554, "5.7.1")] {
        let decision = decided(Stage::Rcpt, code, enhanced, OLD);
        let Transition::Failed { reply: Some(last), note } = decision.transition else { panic!("{code}") };
        assert_eq!((last.code, note.contains("too old")), (code, true));
    }
    assert_eq!(
        gist(&decided(Stage::Mail, 530, "5.7.0", OLD)),
        OURS,
        "ours is not the letter's fault at any age"
    );
}

#[test]
fn a_greylist_is_no_wish_for_fewer_and_a_refusal_of_mail_is_about_no_domain() {
    let mut grey = reply(451, "4.7.1");
    grey.text = "Greylisted, come back in five minutes".to_owned();
    let outcome = Outcome::Refused { stage: Stage::Rcpt, reply: grey };
    assert_eq!(gist(&decide(outcome, &claimed(), &PATIENCE, YOUNG)), SOFT);
    assert_eq!(gist(&decided(Stage::Mail, 421, "4.7.0", YOUNG)), SOFT);
}

#[test]
fn a_dropped_line_is_unknown_only_after_the_dot() {
    let dropped = |after_dot, now| {
        gist(&decide(Outcome::LineDropped { after_dot, why: "reset".to_owned() }, &claimed(), &PATIENCE, now))
            .0
    };
    assert_eq!(
        [dropped(false, YOUNG), dropped(true, YOUNG), dropped(true, OLD)],
        ["deferred", "unknown", "failed"]
    );
}

#[test]
fn suspicions_pause_only_in_a_row() {
    let mut pause_rule = PauseRule::new(10);
    for _ in 0..3 {
        for _ in 1..SUSPICIONS {
            assert_eq!(pause_rule.weigh(Signal::Suspicion("policy".to_owned())), None);
            assert_eq!(pause_rule.weigh(Signal::None), None, "a reader's refusal neither clears nor adds");
        }
        assert_eq!(pause_rule.weigh(Signal::Cleared), None);
    }
    for _ in 1..SUSPICIONS {
        pause_rule.weigh(Signal::Suspicion("policy".to_owned()));
    }
    let words = pause_rule.weigh(Signal::Suspicion("policy".to_owned())).unwrap();
    assert!(words.starts_with("policy") && words.contains("5 times in a row"), "{words}");
    assert_eq!(PauseRule::new(10).weigh(Signal::Certain("auth".to_owned())).as_deref(), Some("auth"));
}

#[test]
fn a_relay_that_starts_again_may_drop_all_its_lines_and_one_that_goes_on_dropping_is_told_of() {
    let dropped = || Signal::Dropped("broke off".to_owned());
    let mut pause_rule = PauseRule::new(10);
    for _ in 0..3 {
        assert!((0..20).all(|_| pause_rule.weigh(dropped()).is_none()));
        pause_rule.weigh(Signal::Cleared);
    }
    let words = (0..25).find_map(|_| pause_rule.weigh(dropped())).unwrap();
    assert!(words.contains("25 times in a row"), "{words}");
}

#[test]
fn no_session_is_about_us_and_worth_another_try_only_if_it_may_pass() {
    let relay = || "mail.example.com:587".to_owned();
    let refused = |stage, code| ConnectError::Refused { relay: relay(), stage, reply: reply(code, "") };
    for (error, retry) in [
        (ConnectError::Unreachable { relay: relay(), why: "refused".to_owned() }, true),
        (refused(Stage::Greeting, 421), true),
        (refused(Stage::Auth, 454), true),
        (refused(Stage::Greeting, 554), false),
        (refused(Stage::Auth, 535), false),
        (refused(Stage::StartTls, 502), false),
        (ConnectError::NoStartTls { relay: relay() }, false),
        (ConnectError::NoAuth { relay: relay() }, false),
        (ConnectError::Tls { relay: relay(), why: "expired".to_owned() }, false),
        (ConnectError::PlainBeyondLoopback { relay: relay() }, false),
    ] {
        let (signal, again) = decide_open(&error);
        assert_eq!(again, retry, "{error}");
        assert_eq!(matches!(signal, Signal::Certain(_)), !retry, "{error}");
    }
}

#[test]
fn a_full_outbox_is_ours() {
    let decision = decide_outbox(&OutboxError::Full("outbox".into()), YOUNG);
    assert_eq!(gist(&decision), OURS);
}
