//! Sign-up and confirmation as the store decides them, on both engines, with the time as an argument.

use std::net::IpAddr;
use std::time::Duration;

use verdicts::domain::notice::{NextNotice, NoticeKind};
use verdicts::domain::signup::{
    Allowance, Confirmation, Evidence, LINK_VALID, PENDING_KEPT, SignUp, SignedUp, SignupLimits, of_already,
    of_mailbox,
};
use verdicts::domain::subscriber::{NewSubscriber, Subscriber, SubscriberId, SubscriberStatus};
use verdicts::domain::token::{ConfirmLink, Keyring};
use verdicts::domain::{EmailAddress, UnixMillis};

use crate::support::world::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn keyring() -> Keyring {
    Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap()
}

fn parsed(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn limits(per_network: &str, total: &str) -> SignupLimits {
    SignupLimits { per_network: per_network.parse().unwrap(), total: total.parse().unwrap() }
}

fn ask(email: &str, of_asker: Vec<Allowance>) -> SignUp {
    let (ring, email) = (keyring(), parsed(email));
    SignUp {
        hash: ring.suppression_hash(&email),
        evidence: Evidence {
            form: "https://verdicts.example/".to_owned(),
            text_id: "join.consent".to_owned(),
            language: "en".to_owned(),
            text: "One letter a week.".to_owned(),
            ip: Some("192.0.2.0/24".to_owned()),
        },
        of_asker,
        of_mailbox: of_mailbox(&ring, &email),
        of_already: of_already(&ring, &email),
        email,
    }
}

/// Somebody asks whom no limit of the asker holds back.
async fn asks(w: &World, email: &str, now: UnixMillis) {
    assert_eq!(w.store.sign_up(&ask(email, Vec::new()), now).await.unwrap(), SignedUp::Heard);
}

/// The kinds of notices queued for an address, which are then gone.
async fn drain(w: &World, me: &verdicts::store::WorkerLease) -> Vec<(NoticeKind, String)> {
    let mut found = Vec::new();
    while let NextNotice::Due(notice) = w.store.claim_notice(me, None, NOW.plus(DAY * 400)).await.unwrap() {
        found.push((notice.kind, notice.email.expose().to_owned()));
    }
    found
}

async fn person(w: &World, email: &str) -> Option<Subscriber> {
    w.store.subscriber(&parsed(email)).await.unwrap()
}

/// The link of the wish that stands, as its notice has it; of one long done, if none stands.
async fn link(w: &World, id: SubscriberId) -> ConfirmLink {
    use sqlx::{Connection as _, Row as _};
    let mut connection = sqlx::AnyConnection::connect(&w.url).await.unwrap();
    let row = sqlx::query("SELECT request FROM pending WHERE subscriber = $1").bind(id.0);
    let row = row.fetch_optional(&mut connection).await.unwrap();
    let request = row.map_or(1, |row| row.get("request"));
    ConfirmLink { subscriber: id, wish: Some((request, "of no account here".to_owned())) }
}

async fn confirm(w: &World, email: &str, now: UnixMillis) -> Confirmation {
    let person = person(w, email).await.expect("they are known");
    press(w, &link(w, person.id).await, email, now).await
}

async fn press(w: &World, link: &ConfirmLink, email: &str, now: UnixMillis) -> Confirmation {
    w.store.confirm(link, &keyring().suppression_hash(&parsed(email)), now).await.unwrap()
}

async fn known(w: &World, email: &str, status: SubscriberStatus) {
    let row = NewSubscriber {
        email: parsed(email),
        name: None,
        status,
        timezone: None,
        created_at: NOW,
        source: "operator".to_owned(),
    };
    w.store.add_subscribers(&[row], &[keyring().suppression_hash(&parsed(email))]).await.unwrap();
}

async fn only_who_confirms_becomes_a_reader(w: World) {
    asks(&w, "ann@example.com", NOW).await;
    let ann = person(&w, "ann@example.com").await.unwrap();
    assert_eq!((ann.status, ann.source.as_str()), (SubscriberStatus::Pending, "https://verdicts.example/"));
    assert_eq!(w.store.confirmation(&link(&w, ann.id).await, NOW).await.unwrap(), Confirmation::Open);
    assert_eq!(
        w.store.confirmation(&link(&w, ann.id).await, NOW.plus(LINK_VALID)).await.unwrap(),
        Confirmation::Expired
    );
    let later = NOW.plus(HOUR);
    assert_eq!(confirm(&w, "ann@example.com", later).await, Confirmation::Done);
    assert_eq!(
        confirm(&w, "ann@example.com", later.plus(DAY * 9)).await,
        Confirmation::Done,
        "twice is kind"
    );
    let ann = person(&w, "ann@example.com").await.unwrap();
    assert_eq!((ann.status, ann.activated_at), (SubscriberStatus::Active, Some(later)));
    let consents = w.store.consents(ann.id).await.unwrap();
    assert_eq!(consents.len(), 1);
    assert_eq!((consents[0].asked_at, consents[0].confirmed_at), (NOW, Some(later)));
    assert_eq!(
        (consents[0].text.as_str(), consents[0].ip.as_deref()),
        ("One letter a week.", Some("192.0.2.0/24"))
    );
    let me = w.store.enlist_for_notices(NOW).await.unwrap().unwrap();
    let address = "ann@example.com".to_owned();
    assert_eq!(
        drain(&w, &me).await,
        [(NoticeKind::Confirm, address.clone()), (NoticeKind::Welcome, address)],
        "one of each, however often the button is pressed"
    );
}

async fn an_expired_link_confirms_nothing_and_a_new_wish_renews_it(w: World) {
    asks(&w, "ann@example.com", NOW).await;
    let id = person(&w, "ann@example.com").await.unwrap().id;
    let late = NOW.plus(LINK_VALID);
    assert_eq!(confirm(&w, "ann@example.com", late).await, Confirmation::Expired);
    assert_eq!(person(&w, "ann@example.com").await.unwrap().status, SubscriberStatus::Pending);
    let (ring, ann) = (keyring(), parsed("ann@example.com"));
    let again = w.store.ask_again(&link(&w, id).await, &[], &of_mailbox(&ring, &ann), late).await.unwrap();
    assert_eq!(again, SignedUp::Heard);
    assert_eq!(w.store.confirmation(&link(&w, id).await, late).await.unwrap(), Confirmation::Open);
    assert_eq!(confirm(&w, "ann@example.com", late.plus(LINK_VALID).minus(SECOND)).await, Confirmation::Done);
}

async fn a_mailbox_gets_one_notice_in_ten_minutes_and_three_a_day(w: World) {
    let me = w.store.enlist_for_notices(NOW).await.unwrap().unwrap();
    // Tags lead to the same mailbox, and everybody may be asking.
    for n in 0..30 {
        asks(&w, &format!("ann+{n}@example.com"), NOW.plus(SECOND * n)).await;
    }
    assert_eq!(drain(&w, &me).await.len(), 1);
    asks(&w, "ann@example.com", NOW.plus(MINUTE * 10).minus(SECOND)).await;
    assert_eq!(drain(&w, &me).await.len(), 0, "not yet");
    for n in 1..100 {
        asks(&w, "ann@example.com", NOW.plus(MINUTE * 10 * n)).await;
    }
    assert_eq!(drain(&w, &me).await.len(), 2, "three a day");
    asks(&w, "ann@example.com", NOW.plus(DAY)).await;
    assert_eq!(drain(&w, &me).await.len(), 1, "the next day");
    asks(&w, "bob@example.com", NOW).await;
    assert_eq!(drain(&w, &me).await.len(), 1, "others are not held back");
}

async fn a_reader_is_told_once_a_day(w: World) {
    known(&w, "ann@example.com", SubscriberStatus::Active).await;
    let me = w.store.enlist_for_notices(NOW).await.unwrap().unwrap();
    for n in 0..3 {
        asks(&w, "Ann@Example.com", NOW.plus(HOUR * n)).await;
    }
    let told = drain(&w, &me).await;
    assert_eq!(told, [(NoticeKind::AlreadySubscribed, "ann@example.com".to_owned())]);
    assert_eq!(w.store.count_subscribers().await.unwrap()["pending"], 0, "no second one in other letters");
    asks(&w, "ann@example.com", NOW.plus(DAY)).await;
    assert_eq!(drain(&w, &me).await.len(), 1);
}

async fn a_look_alike_gets_nothing_of_a_readers(w: World) {
    known(&w, "kim@example.com", SubscriberStatus::Active).await;
    known(&w, "kai@example.com", SubscriberStatus::Unsubscribed).await;
    let me = w.store.enlist_for_notices(NOW).await.unwrap().unwrap();
    // The Kelvin sign is another mailbox, and the same word once it is in small letters.
    for typed in ["\u{212a}im@example.com", "\u{212a}ai@example.com"] {
        asks(&w, typed, NOW).await;
    }
    let told = drain(&w, &me).await;
    let want = [(NoticeKind::AlreadySubscribed, "kim@example.com"), (NoticeKind::Confirm, "kai@example.com")];
    assert_eq!(told, want.map(|(kind, email)| (kind, email.to_owned())));
}

async fn a_link_confirms_the_wish_that_it_was_sent_for(w: World) {
    asks(&w, "ann@example.com", NOW).await;
    let ann = person(&w, "ann@example.com").await.unwrap().id;
    let first = link(&w, ann).await;
    asks(&w, "ann@example.com", NOW.plus(HOUR)).await;
    assert_eq!(link(&w, ann).await, first, "asking twice is one wish, and both links are good for it");
    assert_eq!(press(&w, &first, "ann@example.com", NOW.plus(HOUR)).await, Confirmation::Done);
    let hash = keyring().suppression_hash(&parsed("ann@example.com"));
    w.store.unsubscribe(ann, &hash, NOW.plus(DAY)).await.unwrap();
    asks(&w, "ann@example.com", NOW.plus(DAY * 2)).await;
    let late = NOW.plus(DAY * 2);
    assert_eq!(w.store.confirmation(&first, late).await.unwrap(), Confirmation::Gone);
    assert_eq!(press(&w, &first, "ann@example.com", late).await, Confirmation::Gone, "of the wish before");
    let again = w.store.ask_again(&first, &[], &[], late).await.unwrap();
    assert_eq!(again, SignedUp::Heard, "and nothing comes of it");
    assert_eq!(person(&w, "ann@example.com").await.unwrap().status, SubscriberStatus::Unsubscribed);
    assert_eq!(confirm(&w, "ann@example.com", late).await, Confirmation::Done);
}

async fn a_link_of_the_release_before_confirms_what_was_asked_then(w: World) {
    for email in ["ann@example.com", "bob@example.com"] {
        asks(&w, email, NOW).await;
    }
    known(&w, "cleo@example.com", SubscriberStatus::Unsubscribed).await;
    asks(&w, "cleo@example.com", NOW).await;
    let old = async |email: &str| {
        let subscriber = person(&w, email).await.unwrap().id;
        ConfirmLink { subscriber, wish: None }
    };
    let bob = old("bob@example.com").await;
    assert_eq!(press(&w, &bob, "bob@example.com", NOW).await, Confirmation::Gone, "asked for after it");
    w.raw("UPDATE pending SET request = 0").await.unwrap();
    let ann = old("ann@example.com").await;
    assert_eq!(press(&w, &ann, "ann@example.com", NOW).await, Confirmation::Done);
    let cleo = old("cleo@example.com").await;
    assert_eq!(
        press(&w, &cleo, "cleo@example.com", NOW).await,
        Confirmation::Gone,
        "had another life before"
    );
}

async fn the_loudest_network_is_refused_first(w: World) {
    let (ring, limits) = (keyring(), limits("20/h", "1000/h"));
    let mut next = 0;
    let mut heard = async |ip: &str| {
        next += 1;
        let asker = limits.of_asker(&ring, ip.parse::<IpAddr>().unwrap(), true);
        w.store.sign_up(&ask(&format!("r{next}@example.com"), asker), NOW).await.unwrap() == SignedUp::Heard
    };
    let mut of_one = 0;
    for net in 0..52 {
        for n in 0..20 {
            of_one += usize::from(heard(&format!("2001:db8:1:{net:x}::{n:x}")).await);
        }
    }
    assert_eq!(of_one, 80, "52 /64 of one /56");
    let mut of_many = 0;
    for net in 0..40 {
        for n in 0..21 {
            of_many += usize::from(heard(&format!("2001:db8:1:{net:x}00::{n:x}")).await);
        }
    }
    assert_eq!(of_one + of_many, 320, "40 /56 of one /48");
    // Whole /48s, one after the other: each gets what is left of a share that shrinks.
    for net in 2..6 {
        for n in 0..64 {
            for host in 0..10 {
                heard(&format!("2001:db8:{net:x}:{n:x}00::{host:x}")).await;
            }
        }
    }
    assert!(!heard("2001:db8:2:f00::1").await, "a loud one is refused, from another of its /56 too");
    for n in 0..5 {
        assert!(heard(&format!("203.0.{n}.7")).await, "and quiet ones are heard");
    }
}

async fn a_network_and_everybody_have_limits_that_hold_over_restarts(w: World) {
    let (ring, limits) = (keyring(), limits("3/h", "5/h"));
    let from = |ip: &str, stamped: bool| limits.of_asker(&ring, ip.parse::<IpAddr>().unwrap(), stamped);
    let heard = async |store: &verdicts::store::Store, n: usize, ip: &str, stamped: bool, now: UnixMillis| {
        let ask = ask(&format!("reader{n}@example.com"), from(ip, stamped));
        store.sign_up(&ask, now).await.unwrap()
    };
    let limited = SignedUp::Limited { until: NOW.plus(HOUR) };
    for n in 0..3 {
        assert_eq!(heard(&w.store, n, "2001:db8:0:1::1", true, NOW).await, SignedUp::Heard);
    }
    let neighbour = "2001:db8:0:1:ffff::2";
    assert_eq!(heard(&w.store, 3, neighbour, true, NOW.plus(MINUTE)).await, limited, "the same /64");
    let other = w.another().await;
    assert_eq!(heard(&other, 3, neighbour, true, NOW.plus(MINUTE)).await, limited, "after a restart");
    assert_eq!(person(&w, "reader3@example.com").await, None, "nothing was written");
    assert_eq!(heard(&w.store, 4, "192.0.2.1", false, NOW).await, SignedUp::Heard);
    let strict = heard(&w.store, 5, "192.0.2.1", false, NOW).await;
    assert_eq!(strict, limited, "a quarter of everything without a stamp, but at least one");
    assert_eq!(heard(&w.store, 5, "192.0.2.2", true, NOW).await, SignedUp::Heard);
    assert_eq!(heard(&w.store, 6, "192.0.2.3", true, NOW).await, limited, "five of everybody");
    assert_eq!(heard(&w.store, 6, "192.0.2.3", true, NOW.plus(HOUR)).await, SignedUp::Heard);
    assert!(w.store.forget_allowances(NOW.plus(DAY * 2), 1000).await.unwrap() > 5);
    assert_eq!(w.store.forget_allowances(NOW.plus(DAY * 2), 1000).await.unwrap(), 0);
}

async fn a_clock_set_back_holds_nobody_for_long(w: World) {
    let ring = keyring();
    let limits = limits("1/h", "100/h");
    let ip = "192.0.2.1".parse().unwrap();
    let ask = |n: usize| ask(&format!("reader{n}@example.com"), limits.of_asker(&ring, ip, true));
    assert_eq!(w.store.sign_up(&ask(1), NOW.plus(DAY * 30)).await.unwrap(), SignedUp::Heard);
    assert_eq!(w.store.sign_up(&ask(2), NOW).await.unwrap(), SignedUp::Heard);
}

async fn who_left_or_was_erased_comes_back_by_confirming(w: World) {
    let ring = keyring();
    for (email, erased) in [("ann@example.com", false), ("bob@example.com", true)] {
        known(&w, email, SubscriberStatus::Active).await;
        let (id, hash) = (person(&w, email).await.unwrap().id, ring.suppression_hash(&parsed(email)));
        match erased {
            true => assert!(w.store.erase(id, &hash, NOW).await.unwrap()),
            false => assert!(w.store.unsubscribe(id, &hash, NOW).await.unwrap().is_some()),
        }
        asks(&w, email, NOW.plus(HOUR)).await;
        let back = person(&w, email).await.unwrap();
        assert_ne!(back.status, SubscriberStatus::Active, "asking is not confirming");
        assert!(w.store.is_suppressed(&hash).await.unwrap(), "still");
        assert_eq!(confirm(&w, email, NOW.plus(HOUR * 2)).await, Confirmation::Done);
        let back = person(&w, email).await.unwrap();
        assert_eq!((back.status, back.ended_at), (SubscriberStatus::Active, None));
        assert!(!w.store.is_suppressed(&hash).await.unwrap(), "lifted");
        w.store.unsubscribe(back.id, &hash, NOW.plus(DAY)).await.unwrap();
        assert_eq!(
            confirm(&w, email, NOW.plus(DAY)).await,
            Confirmation::Gone,
            "an old link brings nobody back"
        );
    }
}

async fn who_complained_or_bounced_gets_no_mail(w: World) {
    let me = w.store.enlist_for_notices(NOW).await.unwrap().unwrap();
    for (email, status) in
        [("ann@example.com", SubscriberStatus::Complained), ("bob@example.com", SubscriberStatus::Bounced)]
    {
        known(&w, email, status).await;
        asks(&w, email, NOW).await;
        assert_eq!(person(&w, email).await.unwrap().status, status);
    }
    // Written in other letters it is nobody's row, and the suppression is the same.
    known(&w, "Eve@example.com", SubscriberStatus::Complained).await;
    asks(&w, "eve@example.com", NOW).await;
    assert_eq!(person(&w, "eve@example.com").await, None);
    asks(&w, "dan@example.com", NOW).await;
    assert_eq!(drain(&w, &me).await, [(NoticeKind::Confirm, "dan@example.com".to_owned())]);
}

async fn nobody_who_does_not_confirm_is_kept(w: World) {
    asks(&w, "ann@example.com", NOW).await;
    asks(&w, "bob@example.com", NOW.plus(DAY)).await;
    known(&w, "cleo@example.com", SubscriberStatus::Unsubscribed).await;
    asks(&w, "cleo@example.com", NOW).await;
    known(&w, "dan@example.com", SubscriberStatus::Pending).await;
    let ann = person(&w, "ann@example.com").await.unwrap().id;
    let cleo = person(&w, "cleo@example.com").await.unwrap().id;
    let before = NOW.plus(PENDING_KEPT).minus(PENDING_KEPT);
    assert_eq!(w.store.forget_pending(before.minus(SECOND), 100).await.unwrap(), 0);
    assert_eq!(w.store.forget_pending(before, 1).await.unwrap(), 1, "in batches");
    assert_eq!(w.store.forget_pending(before, 100).await.unwrap(), 1);
    assert_eq!(w.store.forget_pending(before, 100).await.unwrap(), 0);
    assert_eq!(person(&w, "ann@example.com").await, None);
    assert!(
        w.store.consents(ann).await.unwrap().is_empty() && w.store.consents(cleo).await.unwrap().is_empty()
    );
    assert_eq!(w.store.confirmation(&link(&w, ann).await, NOW).await.unwrap(), Confirmation::Gone);
    assert!(person(&w, "bob@example.com").await.is_some(), "asked later");
    assert_eq!(person(&w, "cleo@example.com").await.unwrap().status, SubscriberStatus::Unsubscribed);
    assert!(person(&w, "dan@example.com").await.is_some(), "an operator's waiting list is the operator's");
    let me = w.store.enlist_for_notices(NOW).await.unwrap().unwrap();
    assert_eq!(drain(&w, &me).await, [(NoticeKind::Confirm, "bob@example.com".to_owned())]);
}

async fn an_erasure_takes_the_proof_along(w: World) {
    asks(&w, "ann@example.com", NOW).await;
    assert_eq!(confirm(&w, "ann@example.com", NOW).await, Confirmation::Done);
    let ann = person(&w, "ann@example.com").await.unwrap().id;
    w.store.erase(ann, &keyring().suppression_hash(&parsed("ann@example.com")), NOW).await.unwrap();
    assert!(w.store.consents(ann).await.unwrap().is_empty());
    assert!(w.store.count_notices().await.unwrap().is_empty());
    assert_eq!(w.store.confirmation(&link(&w, ann).await, NOW).await.unwrap(), Confirmation::Gone);
}

async fn twenty_at_once_are_one_person_and_one_notice(w: World) {
    let asks: Vec<_> = (0..20)
        .map(|_| {
            let store = w.store.clone();
            tokio::spawn(
                async move { store.sign_up(&ask("ann@example.com", Vec::new()), NOW).await.unwrap() },
            )
        })
        .collect();
    for one in asks {
        assert_eq!(one.await.unwrap(), SignedUp::Heard);
    }
    let ann = person(&w, "ann@example.com").await.unwrap().id;
    let me = w.store.enlist_for_notices(NOW).await.unwrap().unwrap();
    assert_eq!(drain(&w, &me).await.len(), 1);
    let hash = keyring().suppression_hash(&parsed("ann@example.com"));
    let link = link(&w, ann).await;
    let presses: Vec<_> = (0..10)
        .map(|_| {
            let (store, hash, link) = (w.store.clone(), hash.clone(), link.clone());
            tokio::spawn(async move { store.confirm(&link, &hash, NOW).await.unwrap() })
        })
        .collect();
    for one in presses {
        assert_eq!(one.await.unwrap(), Confirmation::Done);
    }
    assert_eq!(drain(&w, &me).await, [(NoticeKind::Welcome, "ann@example.com".to_owned())]);
}

contract! {
    only_who_confirms_becomes_a_reader,
    an_expired_link_confirms_nothing_and_a_new_wish_renews_it,
    a_mailbox_gets_one_notice_in_ten_minutes_and_three_a_day,
    a_reader_is_told_once_a_day,
    a_look_alike_gets_nothing_of_a_readers,
    a_link_confirms_the_wish_that_it_was_sent_for,
    a_link_of_the_release_before_confirms_what_was_asked_then,
    the_loudest_network_is_refused_first,
    a_network_and_everybody_have_limits_that_hold_over_restarts,
    a_clock_set_back_holds_nobody_for_long,
    who_left_or_was_erased_comes_back_by_confirming,
    who_complained_or_bounced_gets_no_mail,
    nobody_who_does_not_confirm_is_kept,
    an_erasure_takes_the_proof_along,
    twenty_at_once_are_one_person_and_one_notice,
}
