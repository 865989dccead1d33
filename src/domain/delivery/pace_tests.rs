use super::*;

const START: UnixMillis = UnixMillis(1_794_924_000_000);

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

fn after(millis: i64) -> UnixMillis {
    UnixMillis(START.0 + millis)
}

/// Letters that go in `span` milliseconds if one asks every `step` and takes all there is.
fn sent(pace: Gcra, tat: &mut i64, span: i64, step: usize) -> usize {
    let mut sent = 0;
    for now in (0..span).step_by(step).map(after) {
        let available = pace.available(*tat, now);
        *tat = pace.take(*tat, available, now);
        sent += available;
    }
    sent
}

#[test]
fn a_second_has_its_letters_and_not_one_more() {
    for (text, whole) in [("100/s", 1_000), ("3000/s", 30_000), ("7/s", 70)] {
        for step in [1, 7, 50] {
            let sent = sent(Gcra::new(rate(text)), &mut moment(START), 10_000, step);
            assert!(sent <= whole + 1 && sent >= whole * 98 / 100, "{text}: {sent} in steps of {step} ms");
        }
    }
}

#[test]
fn a_long_rest_saves_up_a_tenth_of_a_second_only() {
    let pace = Gcra::new(rate("100/s"));
    let later = after(3_600_000);
    let tat = moment(START);
    assert_eq!(pace.available(tat, later), 10);
    let tat = pace.take(tat, 10, later);
    assert_eq!(
        (pace.available(tat, later), pace.next(tat, later)),
        (0, later.plus(Duration::from_millis(10)))
    );
}

#[test]
fn a_slow_rate_goes_one_by_one() {
    let pace = Gcra::new(rate("10/h"));
    let tat = pace.take(moment(START), 1, START);
    assert_eq!((pace.available(tat, after(359_999)), pace.available(tat, after(360_000))), (0, 1));
    assert_eq!(pace.available(tat, after(36_000_000)), 1, "and saves up none");
}

#[test]
fn a_clock_that_was_set_back_and_a_raised_rate_hold_nothing_for_long() {
    let day = 24 * 3_600_000;
    let pace = Gcra::new(rate("100/s"));
    assert_eq!(pace.next(moment(after(day)), START), after(10));
    let mut lane = Lane { factor: FLOOR, slowed_at: after(day), ..Lane::new(after(day)) };
    assert!(lane.ask(rate("100/s"), true, START).unwrap() <= START.plus(HORIZON_SLOWED));
}

#[test]
fn a_lane_gives_each_waiting_letter_a_slot_of_its_own() {
    let mut lane = Lane::new(START);
    assert_eq!(lane.ask(rate("10/s"), true, START), None);
    let slots: Vec<_> = (0..5).map(|_| lane.ask(rate("10/s"), true, START).unwrap().0 - START.0).collect();
    assert_eq!(slots, [100, 200, 300, 400, 500]);
    // And whoever comes at its slot goes, though others wait behind.
    for millis in [100, 200, 300] {
        assert_eq!(lane.ask(rate("10/s"), true, after(millis)), None, "{millis}");
    }
    assert_eq!(lane.ask(rate("10/s"), true, after(300)), Some(after(600)));
}

#[test]
fn a_lane_without_room_waits_and_no_slot_is_further_than_the_horizon() {
    let mut lane = Lane::new(START);
    assert!(lane.ask(rate("10/s"), false, START).is_some());
    assert_eq!(lane.ask(rate("10/s"), true, START), None, "a turned away letter has used nothing up");
    let far = (0..20).filter_map(|_| lane.ask(rate("10/h"), true, START)).max().unwrap();
    assert_eq!(far, START.plus(HORIZON));
}

#[test]
fn who_says_slower_gets_a_rest_and_half_and_recovers_by_itself() {
    let mut lane = Lane::new(START);
    lane.slow(START);
    assert_eq!(lane.factor_at(START), FULL / 2);
    // What was on its way already says so too, and counts as one.
    lane.slow(after(1_000));
    assert_eq!(lane.factor, FULL / 2);
    assert_eq!(lane.ask(UNLIMITED, true, after(1_000)), Some(after(5_000)));
    assert_eq!(lane.ask(UNLIMITED, true, after(5_000)), None);
    lane.slow(after(5_000));
    assert!((FULL / 4..FULL / 4 + 10_000).contains(&lane.factor), "{}", lane.factor);
    let half = lane.factor_at(after(5_000 + 5 * 60_000));
    assert!(half > lane.factor && half < FULL, "{half}");
    assert!(!lane.is_slowed(after(5_000 + 15 * 60_000)));
    for n in 1..100 {
        lane.slow(after(10_000 * n));
    }
    assert!((FLOOR..FULL / 100).contains(&lane.factor), "and never stands still: {}", lane.factor);
}

#[test]
fn a_warm_up_ends_with_its_last_day() {
    let warmup = Warmup(vec![500, 1000]);
    assert_eq!(
        [warmup.left(0, 0), warmup.left(0, 500), warmup.left(1, 501)],
        [Some(500), Some(0), Some(499)]
    );
    assert_eq!(
        (warmup.left(0, 900), warmup.left(2, 9_999), Warmup::default().left(0, 0)),
        (Some(0), None, None)
    );
    assert_eq!((day(START), tomorrow(START)), (20774, UnixMillis(1_794_960_000_000)));
}
