//! Points at which a test ends the process, as a power cut would. They exist with the cargo feature
//! `fault-points` only, which nothing but `tests/delivery/promises.rs` and `tests/cli/subjects.rs`
//! build; without it a point is no code at all.
//!
//! `VERDICTS_FAULT=after-dot:7` ends the process when it passes the point `after-dot` for the
//! seventh time.

/// Where in the life of a letter the process may end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Point {
    /// A claim is committed; no connection has its letter yet.
    Claim,
    /// A session stands; no letter has gone over it.
    Connect,
    /// MAIL, or the group of commands it leads, is about to be written.
    Mail,
    /// MAIL is answered.
    Rcpt,
    /// RCPT is answered.
    Data,
    /// The relay waits for the letter.
    BeforeDot,
    /// The letter and its dot have left us; the answer is not read.
    AfterDot,
    /// The relay's answer is read, and nowhere but in memory.
    Answer,
    /// Results are about to be written down.
    BeforeCommit,
    /// Results are written down; nobody was told.
    AfterCommit,
    /// The winner of a test of two subjects is about to be committed, and with it who waits for it
    /// released.
    BeforeDecision,
    /// That is committed; no letter of theirs is claimed.
    AfterDecision,
}

/// Passes a point.
#[cfg(not(feature = "fault-points"))]
#[inline(always)]
pub fn point(_: Point) {}

/// Passes the point [`Point::AfterDot`] if `written` has the end of a letter in it. A letter's own
/// dots are doubled, so it can have none.
#[cfg(not(feature = "fault-points"))]
#[inline(always)]
pub fn written(_: &[u8]) {}

#[cfg(feature = "fault-points")]
pub use armed::{point, written};

#[cfg(feature = "fault-points")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::Point;

    /// Read once: which point, and how many passages are left.
    static PLAN: OnceLock<Option<(Point, AtomicU32)>> = OnceLock::new();

    const NAMES: [(&str, Point); 12] = [
        ("claim", Point::Claim),
        ("connect", Point::Connect),
        ("mail", Point::Mail),
        ("rcpt", Point::Rcpt),
        ("data", Point::Data),
        ("before-dot", Point::BeforeDot),
        ("after-dot", Point::AfterDot),
        ("answer", Point::Answer),
        ("before-commit", Point::BeforeCommit),
        ("after-commit", Point::AfterCommit),
        ("before-decision", Point::BeforeDecision),
        ("after-decision", Point::AfterDecision),
    ];

    fn plan() -> Option<(Point, AtomicU32)> {
        let text = std::env::var("VERDICTS_FAULT").ok()?;
        let (name, countdown) = text.split_once(':').expect("VERDICTS_FAULT is POINT:COUNTDOWN");
        let point = NAMES.iter().find(|(known, _)| *known == name);
        let (_, point) = point.unwrap_or_else(|| panic!("VERDICTS_FAULT names no point: {name}"));
        Some((*point, AtomicU32::new(countdown.parse().expect("a countdown is a number"))))
    }

    /// Passes a point: the process ends here, with no clean-up at all, if the plan says so.
    pub fn point(at: Point) {
        let Some((point, left)) = PLAN.get_or_init(plan) else { return };
        if *point == at && left.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }

    /// Passes the point after the dot if the end of a letter was `written`.
    pub fn written(written: &[u8]) {
        if written.windows(5).any(|octets| octets == b"\r\n.\r\n") {
            point(Point::AfterDot);
        }
    }
}
