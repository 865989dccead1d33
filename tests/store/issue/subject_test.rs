//! What an operator wrote for an issue, and the test of two subjects, as the store keeps them. On both engines.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use verdicts::domain::UnixMillis;
use verdicts::domain::comparison::Stance;
use verdicts::domain::delivery::{Claimed, DeliveryState, Variant};
use verdicts::domain::issue::{IssueNumber, IssueState};
use verdicts::domain::preferences::Topics;
use verdicts::domain::subject::{Arm, ArmFigures, SubjectLine, Terms, Why, Wording};
use verdicts::domain::subscriber::SubscriberId;
use verdicts::domain::token::Keyring;
use verdicts::store::{
    CastVote, Choices, ChosenHour, Enqueue, Enqueued, NewSubjectTest, NewVariant, Served, Store, Subjects,
    WorkerLease,
};

use crate::support::world::*;

const ONE: IssueNumber = IssueNumber(1);
const WAIT: Duration = Duration::from_secs(4 * 3600);

fn line(text: &str) -> SubjectLine {
    SubjectLine::parse(text).unwrap()
}

fn keyring() -> Keyring {
    Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap()
}

/// A variant by the number of its letter, 0 for the whole one.
fn variant(arm: Arm, letter: u32) -> Variant {
    Variant { arm, letter: NonZeroU32::new(letter) }
}

fn letter(arm: Arm, letter: u32) -> NewVariant {
    NewVariant {
        variant: variant(arm, letter),
        subject: format!("Letter {letter}{}", arm.as_str()),
        slugs: vec!["a-vs-b".to_owned()],
        stencil: format!("stencil {letter}{}", arm.as_str()),
    }
}

fn new_test(share: &str) -> NewSubjectTest {
    NewSubjectTest {
        a: "Which one ships?".to_owned(),
        b: "The other subject".to_owned(),
        terms: Terms { share: share.parse().unwrap(), wait: WAIT },
        tools: vec!["a".to_owned(), "b".to_owned()],
        letters: vec![letter(Arm::B, 0), letter(Arm::B, 1)],
        keyring: keyring(),
    }
}

async fn enqueue(store: &Store, share: &str, choices: &Choices) {
    let subjects = Subjects { written: None, test: Some(new_test(share)) };
    let new = Enqueue { choices: choices.clone(), subjects, ..Enqueue::new(ONE, issue(&[])) };
    let started = store.enqueue(&new, NOW).await.unwrap();
    assert!(matches!(started, Enqueued::Started { number: ONE, .. }), "{started:?}");
}

fn later(span: Duration) -> UnixMillis {
    NOW.plus(span)
}

fn minutes(n: u64) -> UnixMillis {
    later(Duration::from_secs(60 * n))
}

/// Claims and sends all that is due; who got which letter.
async fn send_due(store: &Store, me: &WorkerLease, now: UnixMillis) -> BTreeMap<i64, Variant> {
    let claimed = store.record_and_claim(me, &[], 100_000, now).await.unwrap();
    let done: Vec<_> = claimed.iter().map(|one| sent(one.subscriber)).collect();
    store.record_and_claim(me, &done, 0, now).await.unwrap();
    claimed.iter().map(|one| (one.subscriber.0, one.variant)).collect()
}

fn under(drawn: &BTreeMap<i64, Variant>, arm: Arm) -> Vec<i64> {
    drawn.iter().filter(|(_, variant)| variant.arm == arm).map(|(reader, _)| *reader).collect()
}

async fn vote(store: &Store, reader: i64, tool: &str, now: UnixMillis) {
    let vote = CastVote { reader: SubscriberId(reader), tool, published: NOW, stance: Stance::Ship };
    store.vote(&vote, now).await.unwrap();
}

async fn what_is_written_holds_for_the_next_issue_alone(w: World) {
    w.with_readers(2).await;
    let terms = Terms { share: "20%".parse().unwrap(), wait: WAIT };
    let written = Wording {
        subject: Some(line("Ours")),
        preheader: Some(line("And more")),
        against: Some((line("Theirs"), terms)),
    };
    assert!(!w.store.set_wording(IssueNumber(2), Some(&written), NOW).await.unwrap(), "not the next one");
    assert!(w.store.set_wording(ONE, Some(&written), NOW).await.unwrap());
    assert_eq!(
        w.another().await.wording(ONE).await.unwrap(),
        Some(written.clone()),
        "another process sees it"
    );
    let shorter = Wording { subject: Some(line("Ours, shorter")), ..Wording::default() };
    assert!(w.store.set_wording(ONE, Some(&shorter), NOW).await.unwrap());
    assert_eq!(w.store.wording(ONE).await.unwrap(), Some(shorter.clone()), "what is not given is not kept");

    let made_with = |written: Option<&Wording>| Enqueue {
        subjects: Subjects { written: written.cloned(), test: None },
        ..Enqueue::new(ONE, issue(&[]))
    };
    for stale in [None, Some(&written)] {
        let refused = w.store.enqueue(&made_with(stale), NOW).await.unwrap();
        assert_eq!(refused, Enqueued::Outdated, "the letter was made with other words");
        assert_eq!(w.store.issue(ONE).await.unwrap(), None, "nothing was written");
    }
    let started = w.store.enqueue(&made_with(Some(&shorter)), NOW).await.unwrap();
    assert_eq!(started, Enqueued::Started { number: ONE, audience: 2 });
    assert!(!w.store.set_wording(ONE, None, NOW).await.unwrap(), "an issue that is made keeps its name");
    assert_eq!(w.store.wording(IssueNumber(2)).await.unwrap(), None, "and the next one has its own");
    assert_eq!(w.store.subject_test(ONE).await.unwrap(), None);
    assert_eq!(w.store.decide_subject_test(minutes(600)).await.unwrap(), None, "nothing to decide");
}

/// Whom the key draws first of so many readers.
fn first_lots(readers: i64, count: usize) -> BTreeSet<i64> {
    let keyring = keyring();
    let lots: BTreeSet<_> = (1..=readers).map(|n| (keyring.lot(ONE, SubscriberId(n)), n)).collect();
    lots.into_iter().take(count).map(|(_, n)| n).collect()
}

async fn a_share_goes_at_once_in_halves_and_the_rest_waits_for_the_winner(w: World) {
    w.with_readers(300).await;
    enqueue(&w.store, "20%", &Choices::default()).await;
    let me = w.store.enlist(NOW).await.unwrap().unwrap();
    let drawn = send_due(&w.store, &me, NOW).await;
    assert_eq!((under(&drawn, Arm::A).len(), under(&drawn, Arm::B).len()), (30, 30));
    assert_eq!(drawn.keys().copied().collect::<BTreeSet<_>>(), first_lots(300, 60), "the key draws the lots");

    let tally = w.store.tally(ONE).await.unwrap();
    assert!(tally.balances());
    assert_eq!((tally.audience, tally.sent, tally.queued), (300, 60, 240));
    assert_eq!(w.store.waiting_for_hour(ONE, NOW).await.unwrap(), None, "nobody waits for an hour");
    assert_eq!(w.store.next_queued().await.unwrap(), None, "the pace has nothing to wait for");
    let just_before = UnixMillis(later(WAIT).0 - 1);
    assert_eq!(send_due(&w.store, &me, minutes(60 * 24 * 365)).await.len(), 0, "no wait makes them due");
    assert_eq!(w.store.finish_done(minutes(1)).await.unwrap(), [], "the run is not over");

    // Eleven of B and one of A; voting twice, before the letter, or on another tool counts nothing.
    for reader in &under(&drawn, Arm::B)[..11] {
        vote(&w.store, *reader, "a", minutes(5)).await;
        vote(&w.store, *reader, "b", minutes(6)).await;
    }
    let a = under(&drawn, Arm::A);
    vote(&w.store, a[0], "a", minutes(5)).await;
    vote(&w.store, a[1], "a", UnixMillis(NOW.0 - 1)).await;
    vote(&w.store, a[2], "elsewhere", minutes(5)).await;
    let held: Vec<i64> = (1..=300).filter(|n| !drawn.contains_key(n)).collect();
    vote(&w.store, held[0], "a", minutes(5)).await;
    let test = w.store.subject_test(ONE).await.unwrap().unwrap();
    let figures = [ArmFigures { sent: 30, voted: 1 }, ArmFigures { sent: 30, voted: 11 }];
    assert_eq!((test.held, test.figures, test.decided, test.decide_at), (240, figures, None, later(WAIT)));

    assert_eq!(w.store.decide_subject_test(just_before).await.unwrap(), None);
    let decided = w.store.decide_subject_test(later(WAIT)).await.unwrap().unwrap();
    assert_eq!(decided.decided.map(|one| (one.winner, one.why)), Some((Arm::B, Why::Rate)));
    assert_eq!(w.store.decide_subject_test(later(WAIT)).await.unwrap(), None, "once");
    vote(&w.store, a[3], "a", minutes(300)).await;
    let test = w.store.subject_test(ONE).await.unwrap().unwrap();
    assert_eq!((test.held, test.figures, test.decided), (0, figures, decided.decided), "as it was decided");
    assert_eq!(w.store.issue(ONE).await.unwrap().unwrap().subject, "The other subject");
    assert_eq!(w.store.public_stencil(ONE).await.unwrap().as_deref(), Some("stencil 0b"));

    let claimed = w.store.record_and_claim(&me, &[], 1000, later(WAIT)).await.unwrap();
    assert_eq!(claimed.len(), 240);
    for one in &claimed {
        assert_eq!(one.variant, variant(Arm::B, 0), "the rest gets the winner");
        assert_eq!(one.enqueued_at, later(WAIT), "its age and its date count from there");
    }
    let done: Vec<_> = claimed.iter().map(|one| sent(one.subscriber)).collect();
    w.store.record_and_claim(&me, &done, 0, later(WAIT)).await.unwrap();
    assert_eq!(w.store.finish_done(later(WAIT)).await.unwrap(), [ONE]);

    // The archive's letter stays when its deliveries have become counters; nobody's else does.
    while w.store.condense(later(WAIT), 1000).await.unwrap() > 0 {}
    assert_eq!(w.store.variants(ONE).await.unwrap(), [(variant(Arm::B, 0), "stencil 0b".to_owned())]);
    assert_eq!(w.store.public_stencil(ONE).await.unwrap().as_deref(), Some("stencil 0b"));
}

async fn at_a_tie_and_without_votes_the_first_subject_goes_on(w: World) {
    w.with_readers(200).await;
    enqueue(&w.store, "40%", &Choices::default()).await;
    let me = w.store.enlist(NOW).await.unwrap().unwrap();
    let drawn = send_due(&w.store, &me, NOW).await;
    for reader in under(&drawn, Arm::B).iter().take(6).chain(under(&drawn, Arm::A).iter().take(6)) {
        vote(&w.store, *reader, "a", minutes(5)).await;
    }
    let test = w.store.decide_subject_test(later(WAIT)).await.unwrap().unwrap();
    assert_eq!(test.decided.map(|one| (one.winner, one.why)), Some((Arm::A, Why::Tie)));
    assert_eq!(w.store.issue(ONE).await.unwrap().unwrap().subject, "Which one ships?");
    assert_eq!(w.store.public_stencil(ONE).await.unwrap(), w.store.stencil(ONE).await.unwrap());
    let rest = send_due(&w.store, &me, later(WAIT)).await;
    assert_eq!((rest.len(), rest.values().all(|of| *of == Variant::default())), (120, true));
}

async fn a_letter_that_is_tried_again_keeps_its_subject(w: World) {
    w.with_readers(100).await;
    enqueue(&w.store, "50%", &Choices::default()).await;
    let me = w.store.enlist(NOW).await.unwrap().unwrap();
    let key = |claimed: &[Claimed]| -> Vec<_> {
        claimed.iter().map(|one| (one.subscriber, one.variant, one.enqueued_at)).collect()
    };
    let first = w.store.record_and_claim(&me, &[], 100, NOW).await.unwrap();
    // All of them are put off beyond the decision, with nothing sent: too few to mean anything.
    let again = minutes(5 * 60);
    let back: Vec<_> = first.iter().map(|one| deferred(one.subscriber, again, false)).collect();
    w.store.record_and_claim(&me, &back, 0, NOW).await.unwrap();
    let test = w.store.decide_subject_test(later(WAIT)).await.unwrap().unwrap();
    assert_eq!(test.decided.map(|one| (one.winner, one.why)), Some((Arm::A, Why::TooFew)));
    let rest = send_due(&w.store, &me, later(WAIT)).await;
    assert_eq!(rest.len(), 50, "nobody waits for those who are put off");
    assert_eq!(key(&w.store.record_and_claim(&me, &[], 100, again).await.unwrap()), key(&first));
}

async fn too_few_readers_are_not_kept_waiting(w: World) {
    w.with_readers(100).await;
    enqueue(&w.store, "39%", &Choices::default()).await;
    assert_eq!(w.store.subject_test(ONE).await.unwrap(), None, "19 under each say nothing");
    let me = w.store.enlist(NOW).await.unwrap().unwrap();
    let everybody = send_due(&w.store, &me, NOW).await;
    assert_eq!((everybody.len(), everybody.values().all(|of| *of == Variant::default())), (100, true));
}

async fn a_pause_holds_the_decision_and_a_cancellation_ends_it(w: World) {
    w.with_readers(100).await;
    enqueue(&w.store, "50%", &Choices::default()).await;
    let me = w.store.enlist(NOW).await.unwrap().unwrap();
    send_due(&w.store, &me, NOW).await;
    w.store.pause(ONE, "for a test").await.unwrap();
    assert_eq!(w.store.decide_subject_test(later(WAIT)).await.unwrap(), None);
    w.store.resume(ONE).await.unwrap();
    w.store.pause(ONE, "again").await.unwrap();
    assert_eq!(w.store.cancel(ONE, minutes(300)).await.unwrap(), Some(50));
    assert_eq!(w.store.decide_subject_test(minutes(301)).await.unwrap(), None);
    let tally = w.store.tally(ONE).await.unwrap();
    assert!(tally.balances());
    assert_eq!((tally.sent, tally.cancelled, tally.open()), (50, 50, 0));
    let test = w.store.subject_test(ONE).await.unwrap().unwrap();
    assert_eq!((test.held, test.decided), (0, None));
    assert_eq!(w.store.issue(ONE).await.unwrap().unwrap().state, IssueState::Cancelled);
}

async fn who_leaves_while_waiting_gets_nothing_and_who_comes_back_waits_on(w: World) {
    w.with_readers(100).await;
    enqueue(&w.store, "50%", &Choices::default()).await;
    let me = w.store.enlist(NOW).await.unwrap().unwrap();
    let drawn = send_due(&w.store, &me, NOW).await;
    let held: Vec<i64> = (1..=100).filter(|n| !drawn.contains_key(n)).collect();
    let leave = async |reader: i64| {
        let cancelled =
            w.store.unsubscribe(SubscriberId(reader), &hash(reader as usize), minutes(1)).await.unwrap();
        assert_eq!(cancelled, Some(1));
    };
    let come_back = async |reader: i64, at| {
        let id = SubscriberId(reader);
        assert!(w.store.undo_unsubscribe(id, &hash(reader as usize), minutes(1), at).await.unwrap());
    };
    for reader in &held[..3] {
        leave(*reader).await;
    }
    come_back(held[0], minutes(2)).await;
    assert_eq!(send_due(&w.store, &me, minutes(3)).await.len(), 0, "back where they were");
    for reader in under(&drawn, Arm::B).iter().take(10) {
        vote(&w.store, *reader, "a", minutes(5)).await;
    }
    // A reader of B who leaves takes the vote along.
    w.store.unsubscribe(SubscriberId(under(&drawn, Arm::B)[0]), &hash(900), minutes(6)).await.unwrap();
    vote(&w.store, under(&drawn, Arm::B)[10], "b", minutes(7)).await;
    let test = w.store.decide_subject_test(later(WAIT)).await.unwrap().unwrap();
    assert_eq!(test.figures[1], ArmFigures { sent: 25, voted: 10 });
    assert_eq!(test.decided.map(|one| one.winner), Some(Arm::B));
    come_back(held[1], minutes(250)).await;
    let rest = send_due(&w.store, &me, minutes(250)).await;
    assert_eq!(rest.len(), 49, "all but the one who stayed away");
    assert!(!rest.contains_key(&held[2]) && rest.values().all(|of| *of == variant(Arm::B, 0)));
    let cancelled = w.store.deliveries(ONE, DeliveryState::Cancelled, SubscriberId(0), 9).await.unwrap();
    assert_eq!(cancelled.len(), 1);
}

async fn topics_and_hours_are_heard_in_a_test(w: World) {
    w.with_readers(200).await;
    let topics = Topics::new(["Agents"]).unwrap();
    // Every fourth reader chose topics; every fifth an hour that begins before the decision or after it.
    for n in 1..=200_i64 {
        let (of_topics, hour) = (
            n % 4 == 0,
            match n % 10 {
                0 => Some(16),
                5 => Some(22),
                _ => None,
            },
        );
        let chosen = of_topics.then_some(&topics);
        w.store.set_letter(SubscriberId(n), None, Some("Europe/Berlin"), chosen, hour).await.unwrap();
    }
    let hour = |hour| ChosenHour { zone: "Europe/Berlin".to_owned(), hour };
    // 14:00 UTC is 15:00 in Berlin.
    let choices = Choices {
        variants: vec![letter(Arm::A, 1)],
        topics: vec![(topics.to_text(), Served::Letter(NonZeroU32::MIN))],
        hours: Some(vec![(hour(16), minutes(60)), (hour(22), minutes(7 * 60))]),
    };
    enqueue(&w.store, "40%", &choices).await;
    let me = w.store.enlist(NOW).await.unwrap().unwrap();
    let drawn = send_due(&w.store, &me, NOW).await;
    assert_eq!(drawn.len(), 80);
    assert_eq!(under(&drawn, Arm::B).len(), 40);
    for (reader, variant) in &drawn {
        assert!(reader % 5 != 0, "who waits for an hour is not drawn");
        let own = (reader % 4 == 0).then_some(NonZeroU32::MIN);
        assert_eq!(variant.letter, own, "{reader} has the topics of another");
    }
    assert!(drawn.iter().any(|(_, of)| *of == variant(Arm::B, 1)));
    assert_eq!(
        send_due(&w.store, &me, minutes(120)).await.len(),
        0,
        "an hour that begins before waits as well"
    );
    for reader in under(&drawn, Arm::B).iter().take(10) {
        vote(&w.store, *reader, "a", minutes(5)).await;
    }
    let test = w.store.decide_subject_test(later(WAIT)).await.unwrap().unwrap();
    assert_eq!(test.figures.map(|arm| (arm.sent, arm.voted)), [(40, 0), (40, 10)]);
    let waiting = w.store.waiting_for_hour(ONE, later(WAIT)).await.unwrap().unwrap();
    assert_eq!((waiting.letters, waiting.next), (20, minutes(7 * 60)), "the later hour is still heard");
    let rest = send_due(&w.store, &me, later(WAIT)).await;
    assert_eq!(rest.len(), 100);
    let at_their_hour = w.store.record_and_claim(&me, &[], 1000, minutes(7 * 60)).await.unwrap();
    assert_eq!(at_their_hour.len(), 20);
    assert!(at_their_hour.iter().all(|one| one.enqueued_at == minutes(7 * 60)));
    let rest = rest.into_iter().chain(at_their_hour.iter().map(|one| (one.subscriber.0, one.variant)));
    for (reader, of) in rest {
        assert_eq!(of, variant(Arm::B, u32::from(reader % 4 == 0)), "the winner, of their own topics");
    }
}

async fn many_who_ask_at_once_decide_once(w: World) {
    w.with_readers(400).await;
    enqueue(&w.store, "20%", &Choices::default()).await;
    let me = w.store.enlist(NOW).await.unwrap().unwrap();
    send_due(&w.store, &me, NOW).await;
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = w.another().await;
        asking.spawn(async move { store.decide_subject_test(later(WAIT)).await.unwrap() });
    }
    // A reader leaves meanwhile, and somebody delivers.
    w.store.unsubscribe(SubscriberId(1), &hash(1), minutes(1)).await.unwrap();
    let decided = asking.join_all().await.into_iter().flatten().count();
    assert_eq!(decided, 1);
    let tally = w.store.tally(ONE).await.unwrap();
    assert!(tally.balances());
    send_due(&w.store, &me, later(WAIT)).await;
    w.store.finish_done(later(WAIT)).await.unwrap();
    assert_eq!(w.store.issue(ONE).await.unwrap().unwrap().state, IssueState::Finished);
}

/// `cargo test --test store subject_test:: -- --ignored --nocapture`: what a test adds to the enqueueing, and what its decision takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a test"]
async fn what_a_test_costs() {
    for (engine, w) in [("sqlite", World::sqlite().await), ("postgres", World::postgres().await)] {
        w.with_readers(100_000).await;
        let begun = std::time::Instant::now();
        enqueue(&w.store, "20%", &Choices::default()).await;
        println!("{engine}: 100,000 enqueued with a test in {:?}", begun.elapsed());
        let me = w.store.enlist(NOW).await.unwrap().unwrap();
        assert_eq!(send_due(&w.store, &me, NOW).await.len(), 20_000);
        let begun = std::time::Instant::now();
        w.store.subject_test(ONE).await.unwrap();
        println!("{engine}: figures of 20,000 in {:?}", begun.elapsed());
        let begun = std::time::Instant::now();
        w.store.decide_subject_test(later(WAIT)).await.unwrap().unwrap();
        println!("{engine}: 80,000 released in {:?}", begun.elapsed());
    }
}

contract! {
    what_is_written_holds_for_the_next_issue_alone,
    a_share_goes_at_once_in_halves_and_the_rest_waits_for_the_winner,
    at_a_tie_and_without_votes_the_first_subject_goes_on,
    a_letter_that_is_tried_again_keeps_its_subject,
    too_few_readers_are_not_kept_waiting,
    a_pause_holds_the_decision_and_a_cancellation_ends_it,
    who_leaves_while_waiting_gets_nothing_and_who_comes_back_waits_on,
    topics_and_hours_are_heard_in_a_test,
    many_who_ask_at_once_decide_once,
}
