use proptest::prelude::*;

use super::*;

fn schedule(cron: &str, zone: &str) -> Schedule {
    Schedule::parse(cron, zone.parse().unwrap()).unwrap()
}

fn at(text: &str) -> UnixMillis {
    UnixMillis::from_utc(text.parse().unwrap())
}

/// The next `n` slots as (key's local time, instant).
fn slots(schedule: &Schedule, from: &str, n: usize) -> Vec<(String, String)> {
    let mut now = at(from);
    (0..n)
        .map(|_| {
            let slot = schedule.next_after(now).unwrap();
            now = slot.at;
            (slot.key.split(' ').next().unwrap().to_owned(), slot.at.to_string())
        })
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(key, at)| ((*key).to_owned(), (*at).to_owned())).collect()
}

#[test]
fn a_weekly_letter_keeps_its_local_hour_through_both_changes() {
    let weekly = schedule("0 0 9 * * Tue", "America/New_York");
    assert_eq!(
        slots(&weekly, "2026-03-02T00:00:00Z", 2),
        pairs(&[
            ("2026-03-03T09:00:00", "2026-03-03T14:00:00Z"),
            ("2026-03-10T09:00:00", "2026-03-10T13:00:00Z"),
        ])
    );
    let slot = weekly.next_after(at("2026-11-12T00:00:00Z")).unwrap();
    assert_eq!(slot.key, "2026-11-17T09:00:00 America/New_York");
    assert_eq!(slot.at, at("2026-11-17T14:00:00Z"));
}

#[test]
fn a_time_in_the_gap_is_due_at_its_end() {
    for (zone, from, key, due, next) in [
        (
            "America/New_York",
            "2026-03-08T00:00:00Z",
            "2026-03-08T02:30:00",
            "2026-03-08T07:00:00Z",
            "2026-03-09T06:30:00Z",
        ),
        (
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-29T02:30:00",
            "2026-03-29T01:00:00Z",
            "2026-03-30T00:30:00Z",
        ),
        // Half an hour: 02:00 to 02:30, so 02:30 exists and is the end itself.
        (
            "Australia/Lord_Howe",
            "2026-10-03T00:00:00Z",
            "2026-10-04T02:30:00",
            "2026-10-03T15:30:00Z",
            "2026-10-04T15:30:00Z",
        ),
    ] {
        let daily = schedule("30 2 * * *", zone);
        let slots = slots(&daily, from, 2);
        assert_eq!(slots[0], (key.to_owned(), due.to_owned()), "{zone}");
        assert_eq!(slots[1].1, next, "{zone}");
    }
    let quarter = schedule("15 2 * * *", "Australia/Lord_Howe");
    assert_eq!(
        slots(&quarter, "2026-10-03T00:00:00Z", 1),
        pairs(&[("2026-10-04T02:15:00", "2026-10-03T15:30:00Z")])
    );
}

#[test]
fn a_time_that_comes_twice_is_due_once_and_the_first_time() {
    for (zone, cron, from, first, next) in [
        (
            "America/New_York",
            "30 1 * * *",
            "2026-11-01T00:00:00Z",
            "2026-11-01T05:30:00Z",
            "2026-11-02T06:30:00Z",
        ),
        (
            "Europe/Berlin",
            "30 2 * * *",
            "2026-10-24T12:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-26T01:30:00Z",
        ),
        (
            "Australia/Lord_Howe",
            "45 1 * * *",
            "2026-04-04T00:00:00Z",
            "2026-04-04T14:45:00Z",
            "2026-04-05T15:15:00Z",
        ),
    ] {
        let daily = schedule(cron, zone);
        let slots = slots(&daily, from, 2);
        assert_eq!((slots[0].1.as_str(), slots[1].1.as_str()), (first, next), "{zone}");
        // In the second pass the slot lies behind us, though the wall shows its time once more.
        let (first, next) = (at(first), at(next));
        let second_pass = first.plus(Duration::from_secs(3_000));
        assert_eq!(daily.next_after(second_pass).unwrap().at, next, "{zone}");
        assert_eq!(daily.latest_at_or_before(second_pass, UnixMillis(0)).unwrap().at, first, "{zone}");
    }
}

#[test]
fn in_the_second_pass_the_whole_first_pass_lies_behind() {
    let half_hours = schedule("*/30 * * * *", "America/New_York");
    // 01:10 for the second time; the last slot was 01:30 of the first pass.
    let now = at("2026-11-01T06:10:00Z");
    let latest = half_hours.latest_at_or_before(now, UnixMillis(0)).unwrap();
    assert_eq!(latest.key, "2026-11-01T01:30:00 America/New_York");
    assert_eq!(half_hours.next_after(now).unwrap().key, "2026-11-01T02:00:00 America/New_York");
}

#[test]
fn a_day_that_never_was_is_due_when_the_next_begins() {
    // Apia went from the end of 29 December 2011 straight to the 31st.
    let fridays = schedule("0 9 * * Fri", "Pacific/Apia");
    assert_eq!(
        slots(&fridays, "2011-12-29T12:00:00Z", 2),
        pairs(&[
            ("2011-12-30T09:00:00", "2011-12-30T10:00:00Z"),
            ("2012-01-06T09:00:00", "2012-01-05T19:00:00Z"),
        ])
    );
}

#[test]
fn several_times_of_one_gap_are_one_slot_whoever_asks() {
    let often = schedule("*/10 * * * *", "America/New_York");
    let end = at("2026-03-08T07:00:00Z");
    let next = often.next_after(end.minus(Duration::from_millis(1))).unwrap();
    assert_eq!((next.key.as_str(), next.at), ("2026-03-08T03:00:00 America/New_York", end));
    assert_eq!(often.latest_at_or_before(end, UnixMillis(0)), Some(next));
    assert_eq!(often.next_after(end).unwrap().at, at("2026-03-08T07:10:00Z"));
}

#[test]
fn bounds_are_strict_on_one_side_and_inclusive_on_the_other() {
    let weekly = schedule("0 9 * * Tue", "UTC");
    let due = at("2026-11-17T09:00:00Z");
    assert!(weekly.next_after(due).unwrap().at > due);
    assert_eq!(weekly.next_after(due.minus(Duration::from_millis(1))).unwrap().at, due);
    assert_eq!(weekly.latest_at_or_before(due, UnixMillis(0)).unwrap().at, due);
    assert_eq!(weekly.latest_at_or_before(due.plus(Duration::from_secs(5)), due), None);
}

#[test]
fn a_slot_that_is_too_late_is_not_run() {
    let slot = schedule("0 9 * * Tue", "UTC").next_after(at("2026-11-16T00:00:00Z")).unwrap();
    let hours = |h: u64| Duration::from_secs(h * 3_600);
    assert_eq!(decide(&slot, slot.at, Duration::ZERO), Due::Run);
    assert_eq!(decide(&slot, slot.at.plus(hours(12)), hours(12)), Due::Run);
    assert_eq!(
        decide(&slot, slot.at.plus(hours(12)).plus(Duration::from_millis(1)), hours(12)),
        Due::TooLate
    );
}

#[test]
fn five_six_and_seven_fields_say_the_same() {
    let texts = ["0 9 * * Tue", "0 0 9 * * Tue", "0 0 9 * * Tue *", " 0  9 * * tuesday "];
    for text in texts {
        let slot = schedule(text, "UTC").next_after(at("2026-11-16T00:00:00Z")).unwrap();
        assert_eq!(slot.at, at("2026-11-17T09:00:00Z"), "{text}");
    }
    // Day and weekday together: the first Tuesday of a month.
    let first = schedule("0 9 1-7 * Tue", "UTC");
    assert_eq!(first.next_after(at("2026-11-04T00:00:00Z")).unwrap().at, at("2026-12-01T09:00:00Z"));
}

#[test]
fn what_cannot_be_meant_is_refused_with_the_remedy() {
    for (text, remedy) in [
        ("", "five fields"),
        ("@weekly", "five fields"),
        ("0 9 * * 2", "use names"),
        ("0 0 9 * * 1-5", "use names"),
        ("0 9 * * Tux", "\"Tux\""),
        ("0 25 * * Tue", "\"25\""),
        ("0 9 30 Feb *", "no date ever"),
        ("*/0 9 * * Tue", "use 1 or more"),
    ] {
        let error = Schedule::parse(text, Tz::UTC).unwrap_err();
        assert!(error.contains(remedy), "{text}: {error}");
    }
}

#[test]
fn a_schedule_with_a_last_year_ends() {
    let once = schedule("0 0 9 17 11 * 2026", "UTC");
    assert_eq!(once.next_after(at("2026-11-17T09:00:00Z")), None);
    assert_eq!(once.next_after(UnixMillis(i64::MAX)), None);
    assert_eq!(once.latest_at_or_before(UnixMillis(i64::MIN), UnixMillis(i64::MIN)), None);
    assert!(once.latest_at_or_before(UnixMillis(i64::MAX), UnixMillis(0)).is_some());
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let crons = [
        "0 9 * * Tue",
        "30 2 * * *",
        "*/10 * * * *",
        "15 0-3 * * *",
        "30 59 23 31 * *",
        "0 1,2 * * Sun",
        "0 0 29 2 *",
    ];
    let zones = [
        Tz::America__New_York,
        Tz::Europe__Berlin,
        Tz::Australia__Lord_Howe,
        Tz::Pacific__Apia,
        Tz::Africa__Casablanca,
        Tz::UTC,
    ];
    (prop::sample::select(crons.to_vec()), prop::sample::select(zones.to_vec()))
        .prop_map(|(cron, zone)| Schedule::parse(cron, zone).unwrap())
}

proptest! {
    #[test]
    fn slots_go_forward_are_never_past_and_have_keys_of_their_own(
        schedule in any_schedule(),
        start in 1_293_840_000_000_i64..2_524_608_000_000,
    ) {
        let mut now = UnixMillis(start);
        let mut last_key = String::new();
        for _ in 0..40 {
            let Some(slot) = schedule.next_after(now) else { break };
            prop_assert!(slot.at > now);
            // Keys order as their local times do, so greater means new.
            prop_assert!(slot.key > last_key, "{} after {last_key}", slot.key);
            prop_assert_eq!(schedule.latest_at_or_before(slot.at, now), Some(slot.clone()));
            let before = UnixMillis(slot.at.0 - 1);
            prop_assert_eq!(schedule.latest_at_or_before(before, now), None);
            prop_assert_eq!(schedule.next_after(before), Some(slot.clone()));
            now = slot.at;
            last_key = slot.key;
        }
    }

    #[test]
    fn no_text_panics(text in "[0-9*/,?LW a-zA-Z-]{0,24}") {
        let _ = Schedule::parse(&text, Tz::UTC);
    }
}
