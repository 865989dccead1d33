//! Notices: the queue on both engines, what the letters say in both languages, and what a crash leaves behind.

use std::sync::Arc;
use std::time::Duration;

use verdicts::domain::delivery::Transition;
use verdicts::domain::notice::{ClaimedNotice, NewNotice, NextNotice, NoticeId, NoticeKind};
use verdicts::domain::rate::Rate;
use verdicts::domain::site::{Mailbox, Site};
use verdicts::domain::subscriber::{SubscriberId, SubscriberStatus};
use verdicts::domain::token::Keyring;
use verdicts::domain::{EmailAddress, UnixMillis};
use verdicts::letter::{Latest, NoticeWriter};
use verdicts::mail::Signer;
use verdicts::store::{Store, WorkerLease};
use verdicts::texts::Texts;

use crate::support::house;
use crate::support::world::*;

const MINUTE: Duration = Duration::from_secs(60);

async fn enlist(store: &Store) -> WorkerLease {
    store.enlist_for_notices(NOW).await.unwrap().expect("nobody else sends notices")
}

fn confirm(n: usize) -> NewNotice {
    NewNotice::new(NoticeKind::Confirm, &email(n), SubscriberId(n as i64)).with("expires_at", "1795528800000")
}

async fn claim(store: &Store, me: &WorkerLease, now: UnixMillis) -> Option<ClaimedNotice> {
    match store.claim_notice(me, None, now).await.unwrap() {
        NextNotice::Due(notice) => Some(notice),
        NextNotice::At(_) | NextNotice::Nothing => None,
    }
}

// the queue

async fn a_notice_is_claimed_once_and_ends(w: World) {
    let first = w.store.add_notice(&confirm(1), NOW).await.unwrap();
    let second = w.store.add_notice(&confirm(2), NOW.plus(MINUTE)).await.unwrap();
    assert!(first < second);
    let me = enlist(&w.store).await;
    let claimed = claim(&w.store, &me, NOW).await.unwrap();
    assert_eq!((claimed.id, claimed.attempt, claimed.created_at), (first, 1, NOW));
    assert_eq!((claimed.kind, claimed.email.clone()), (NoticeKind::Confirm, email(1)));
    assert_eq!(claimed.data["expires_at"], "1795528800000");
    let next = w.store.claim_notice(&me, None, NOW).await.unwrap();
    assert_eq!(next, NextNotice::At(NOW.plus(MINUTE)), "the second is not due yet");
    let taken = Transition::Sent { reply: reply(250, "taken") };
    w.store.finish_notice(&me, first, &taken, NOW).await.unwrap();
    assert_eq!(w.store.count_notices().await.unwrap(), [("queued".to_owned(), 1), ("sent".to_owned(), 1)]);
    assert_eq!(w.store.forget_notices(NOW, 10).await.unwrap(), 1);
    assert_eq!(w.store.count_notices().await.unwrap(), [("queued".to_owned(), 1)]);
}

async fn a_refusal_for_now_comes_again_and_one_for_good_does_not(w: World) {
    let id = w.store.add_notice(&confirm(1), NOW).await.unwrap();
    let me = enlist(&w.store).await;
    claim(&w.store, &me, NOW).await.unwrap();
    let later = NOW.plus(MINUTE);
    let reply_451 = Some(reply(451, "later"));
    let deferred =
        Transition::Deferred { due_at: later, reply: reply_451, note: "busy".to_owned(), unknown: false };
    w.store.finish_notice(&me, id, &deferred, NOW).await.unwrap();
    assert_eq!(w.store.claim_notice(&me, None, NOW).await.unwrap(), NextNotice::At(later));
    assert_eq!(claim(&w.store, &me, later).await.unwrap().attempt, 2);
    let returned = Transition::Returned { due_at: later.plus(MINUTE), note: "no relay".to_owned() };
    w.store.finish_notice(&me, id, &returned, later).await.unwrap();
    let third = claim(&w.store, &me, later.plus(MINUTE)).await.unwrap();
    assert_eq!(third.attempt, 2, "what was not tried does not count");
    let failed = Transition::Failed { reply: Some(reply(550, "nobody here")), note: "hard".to_owned() };
    w.store.finish_notice(&me, id, &failed, later).await.unwrap();
    assert_eq!(w.store.claim_notice(&me, None, later.plus(MINUTE * 999)).await.unwrap(), NextNotice::Nothing);
    assert_eq!(w.store.count_notices().await.unwrap(), [("failed".to_owned(), 1)]);
}

async fn what_a_gone_worker_had_is_sent_again_and_a_late_sent_counts(w: World) {
    let id = w.store.add_notice(&confirm(1), NOW).await.unwrap();
    let gone = enlist(&w.store).await;
    claim(&w.store, &gone, NOW).await.unwrap();
    assert_eq!(w.store.reclaim_notices(&gone, NOW).await.unwrap(), 0, "a worker does not take its own");
    let number = gone.worker;
    drop(gone);
    let other = w.another().await;
    let me = enlist(&other).await;
    // A server needs a moment to see that a session is over.
    let mut back = 0;
    for _ in 0..200 {
        back = other.reclaim_notices(&me, NOW).await.unwrap();
        if back > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(back, 1);
    let again = claim(&other, &me, NOW).await.unwrap();
    assert_eq!((again.id, again.attempt), (id, 2));
    let taken = Transition::Sent { reply: reply(250, "taken") };
    let back_again = Transition::Returned { due_at: NOW, note: "x".to_owned() };
    other.finish_notice(&me, id, &back_again, NOW).await.unwrap();
    w.store.finish_notice(&WorkerLease::for_test(number), id, &taken, NOW).await.unwrap();
    assert_eq!(other.claim_notice(&me, None, NOW).await.unwrap(), NextNotice::Nothing);
}

async fn notices_keep_to_the_rate_and_go_ahead(w: World) {
    for n in 1..=5 {
        w.store.add_notice(&confirm(n), NOW).await.unwrap();
    }
    let me = enlist(&w.store).await;
    let rate = Some(Rate { letters: 1, per: MINUTE });
    let (mut now, mut sent) = (NOW, Vec::new());
    while sent.len() < 5 {
        match w.store.claim_notice(&me, rate, now).await.unwrap() {
            NextNotice::Due(_) => sent.push(now.since(NOW).as_secs()),
            NextNotice::At(at) => {
                assert!(at > now, "it is told to wait, not to spin");
                now = at;
            }
            NextNotice::Nothing => panic!("five were queued, {} came", sent.len()),
        }
    }
    assert!(sent[4] >= 120, "five in a row at one a minute: {sent:?}");
    assert!(sent[1] <= 60, "who goes ahead does not wait for more than one letter: {sent:?}");
}

async fn who_leaves_gets_no_welcome_and_who_is_erased_nothing(w: World) {
    w.with_readers(2).await;
    for n in [1, 2] {
        for kind in [NoticeKind::Welcome, NoticeKind::AddressChanged] {
            let notice = NewNotice::new(kind, &email(n), SubscriberId(n as i64)).with("address", "x***");
            w.store.add_notice(&notice, NOW).await.unwrap();
        }
    }
    w.store.unsubscribe(SubscriberId(1), &hash(1), NOW).await.unwrap();
    assert_eq!(w.store.count_notices().await.unwrap(), [("queued".to_owned(), 3)]);
    w.store.erase(SubscriberId(2), &hash(2), NOW).await.unwrap();
    assert_eq!(w.store.count_notices().await.unwrap(), [("queued".to_owned(), 1)]);
    assert_eq!(
        w.store.subscriber_by_id(SubscriberId(1)).await.unwrap().unwrap().status,
        SubscriberStatus::Unsubscribed
    );
}

contract! {
    a_notice_is_claimed_once_and_ends,
    a_refusal_for_now_comes_again_and_one_for_good_does_not,
    what_a_gone_worker_had_is_sent_again_and_a_late_sent_counts,
    notices_keep_to_the_rate_and_go_ahead,
    who_leaves_gets_no_welcome_and_who_is_erased_nothing,
}

// the letters

fn site(language: &str) -> Site {
    Site {
        name: "Weekly <Verdicts> & Co".to_owned(),
        base_url: "https://verdicts.example".to_owned(),
        from: Mailbox::parse("Wöchentliche Urteile <letters@verdicts.example>").unwrap(),
        reply_to: Some(Mailbox::parse("editors@verdicts.example").unwrap()),
        postal_address: "1 Sample Street, Exampleville".to_owned(),
        list_id: "weekly.verdicts.example".to_owned(),
        language: language.to_owned(),
    }
}

fn writer(language: &str) -> NoticeWriter {
    let texts = Arc::new(Texts::embedded(language).unwrap());
    let keyring = Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap();
    let signer = Arc::new(Signer::load(&[]).unwrap());
    NoticeWriter::new(texts, site(language), keyring, signer).unwrap()
}

fn notice(kind: NoticeKind) -> ClaimedNotice {
    let data = [("expires_at", "1795528800000"), ("change", "12"), ("address", "n***@e***.org")];
    ClaimedNotice {
        id: NoticeId(41),
        kind,
        email: EmailAddress::parse("ann@example.com").unwrap(),
        subscriber: Some(SubscriberId(7)),
        data: data.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect(),
        attempt: 1,
        created_at: NOW,
    }
}

fn latest() -> Latest {
    Latest {
        subject: "A <b> & B: which one ships?".to_owned(),
        url: "https://verdicts.example/issues/12".to_owned(),
    }
}

/// The headers, then the text part as a mail program shows it.
fn shown(letter: &[u8]) -> String {
    let head = String::from_utf8_lossy(letter);
    let head = head.split("\r\n\r\n").next().unwrap().replace("\r\n", "\n");
    let parsed = mail_parser::MessageParser::default().parse(letter).unwrap();
    format!("{head}\n\n{}", parsed.body_text(0).unwrap())
}

#[test]
fn the_letters_in_both_languages() {
    for language in ["en", "de"] {
        let writer = writer(language);
        let letters: Vec<_> = NoticeKind::ALL
            .into_iter()
            .map(|kind| shown(&writer.write(&notice(kind), Some(&latest())).unwrap()))
            .collect();
        insta::assert_snapshot!(format!("notices_{language}"), letters.join("\n=========================\n"));
    }
}

#[test]
fn every_notice_is_a_proper_letter() {
    for language in ["en", "de"] {
        let writer = writer(language);
        for kind in NoticeKind::ALL {
            for latest in [None, Some(latest())] {
                let letter = writer.write(&notice(kind), latest.as_ref()).unwrap();
                assert!(letter.is_ascii());
                let head = letter.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
                for (at, line) in letter.split(|octet| *octet == b'\n').scan(0, |at, line| {
                    let start = *at;
                    *at += line.len() + 1;
                    Some((start, line))
                }) {
                    assert!(line.is_empty() || line.ends_with(b"\r"), "CRLF only");
                    assert!(line.len() <= 77 || at < head, "{kind}: {}", String::from_utf8_lossy(line));
                    assert!(!line[..line.len().saturating_sub(1)].contains(&b'\r'));
                }
                let header = |name| house::header(&letter, name);
                assert_eq!(header("Auto-Submitted").as_deref(), Some("auto-generated"));
                assert_eq!(header("Content-Language").as_deref(), Some(language));
                let one_click = matches!(kind, NoticeKind::Welcome | NoticeKind::AlreadySubscribed);
                assert_eq!(header("List-Unsubscribe").is_some(), one_click, "{kind}");
                assert_eq!(letter, writer.write(&notice(kind), latest.as_ref()).unwrap(), "stable");
                let parsed = mail_parser::MessageParser::default().parse(&letter).unwrap();
                let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
                assert!(html.contains(&format!("lang=\"{language}\"")) && html.contains("<title>"), "{html}");
                assert!(!html.contains("<Verdicts>") && html.contains("&lt;Verdicts&gt;"), "escaped");
                for part in [&text, &html] {
                    assert!(part.contains("1 Sample Street"), "{kind}: the postal address");
                    assert!(!part.contains("{{") && !part.contains("join."), "{kind}: {part}");
                }
                assert!(text.contains("https://verdicts.example/"), "{kind}: {text}");
            }
        }
    }
}

#[test]
fn nothing_in_a_notice_becomes_a_header() {
    let mut hostile = site("en");
    hostile.name = "Verdicts\r\nBcc: all@example.com".to_owned();
    let texts = Arc::new(Texts::embedded("en").unwrap());
    let keyring = Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap();
    let writer = NoticeWriter::new(texts, hostile, keyring, Arc::new(Signer::load(&[]).unwrap())).unwrap();
    let letter = writer.write(&notice(NoticeKind::Confirm), None).unwrap();
    assert_eq!(house::header(&letter, "Bcc"), None);
    assert!(house::header(&letter, "Subject").unwrap().contains("Bcc"), "it stays in the subject");
}

#[test]
fn notices_are_signed_where_letters_are() {
    let house = house::House::new("outbox:outbox", "");
    house.must(&[
        "dkim",
        "generate",
        "--domain",
        "verdicts.example",
        "--selector",
        "s1",
        "--type",
        "ed25519",
    ]);
    let files = std::fs::read_dir(house.path("dkim")).unwrap().map(|entry| entry.unwrap().path());
    let key_file = files.into_iter().find(|path| path.extension().is_some_and(|e| e == "pem")).unwrap();
    let key = verdicts::config::DkimKey {
        domain: "verdicts.example".to_owned(),
        selector: "s1".to_owned(),
        key_file,
        setting: "dkim.key_file",
    };
    let signer = Arc::new(Signer::load(&[key]).unwrap());
    let keyring = Keyring::parse(&Keyring::file_text(1, &[7; 32])).unwrap();
    let texts = Arc::new(Texts::embedded("en").unwrap());
    let writer = NoticeWriter::new(texts, site("en"), keyring, signer).unwrap();
    let letter = writer.write(&notice(NoticeKind::Confirm), None).unwrap();
    let signature = house::header(&letter, "DKIM-Signature").expect("it is signed");
    assert!(signature.contains("d=verdicts.example") && signature.contains("s=s1"), "{signature}");
    assert_eq!(
        letter,
        writer.write(&notice(NoticeKind::Confirm), None).unwrap(),
        "the same at every attempt"
    );
}

// a crash

/// An SMTP server that takes letters and, for as long as it is told to, never answers the final dot.
struct SilentRelay {
    port: u16,
    letters: Arc<std::sync::Mutex<Vec<Vec<u8>>>>,
    answers: Arc<std::sync::atomic::AtomicBool>,
}

impl SilentRelay {
    fn start() -> Self {
        Self::start_at(0)
    }

    fn start_at(port: u16) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
        let relay = Self {
            port: listener.local_addr().unwrap().port(),
            letters: Arc::default(),
            answers: Arc::default(),
        };
        let (letters, answers) = (relay.letters.clone(), relay.answers.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (letters, answers) = (letters.clone(), answers.clone());
                std::thread::spawn(move || talk(stream, &letters, &answers));
            }
        });
        relay
    }

    fn wait_for(&self, count: usize) -> Vec<Vec<u8>> {
        let until = std::time::Instant::now() + Duration::from_secs(20);
        loop {
            let letters = self.letters.lock().unwrap().clone();
            if letters.len() >= count {
                return letters;
            }
            assert!(std::time::Instant::now() < until, "{} of {count} letters", letters.len());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn talk(
    stream: std::net::TcpStream,
    letters: &std::sync::Mutex<Vec<Vec<u8>>>,
    answers: &std::sync::atomic::AtomicBool,
) -> Option<()> {
    use std::io::{BufRead as _, BufReader, Write as _};
    let mut lines = BufReader::new(stream.try_clone().ok()?);
    let mut out = stream;
    let mut say = move |text: &str| out.write_all(format!("{text}\r\n").as_bytes()).ok();
    say("220 silent.example")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.get(..4).unwrap_or_default() {
            "DATA" => {
                say("354 go on")?;
                let mut letter = Vec::new();
                while !letter.ends_with(b"\r\n.\r\n") {
                    if lines.read_until(b'\n', &mut letter).ok()? == 0 {
                        return None;
                    }
                }
                letters.lock().unwrap().push(letter);
                if answers.load(std::sync::atomic::Ordering::SeqCst) {
                    say("250 taken")?;
                }
            }
            "QUIT" => return say("221 bye"),
            _ => say("250 fine")?,
        }
    }
}

#[test]
fn a_kill_in_the_middle_of_an_attempt_sends_it_again_under_the_same_message_id() {
    let relay = SilentRelay::start();
    let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let house = house::House::new(
        &format!("smtp://127.0.0.1:{}", relay.port),
        &format!("[web]\nlisten = \"{listen}\"\n"),
    );
    house.must(&["subscribers", "add", "ann@example.com"]);
    let url = format!("sqlite:{}", house.path("verdicts.db").display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let count = || {
        runtime.block_on(async {
            let store = Store::open(&url).await.unwrap();
            let counts = store.count_notices().await.unwrap();
            store.close().await;
            counts
        })
    };
    runtime.block_on(async {
        let store = Store::open(&url).await.unwrap();
        let notice = NewNotice::new(
            NoticeKind::Welcome,
            &EmailAddress::parse("ann@example.com").unwrap(),
            SubscriberId(1),
        );
        store.add_notice(&notice, UnixMillis::now()).await.unwrap();
        store.close().await;
    });
    let mut serving = house.start_logged(&["serve"], "serve.log");
    relay.wait_for(1);
    assert_eq!(
        count(),
        [("sending".to_owned(), 1)],
        "the attempt stands in the store while the relay thinks"
    );
    serving.0.kill().unwrap();
    serving.0.wait().unwrap();
    relay.answers.store(true, std::sync::atomic::Ordering::SeqCst);
    let _serving = house.start_logged(&["serve"], "again.log");
    let letters = relay.wait_for(2);
    assert_eq!(house::header(&letters[0], "Message-ID"), house::header(&letters[1], "Message-ID"));
    assert!(house::header(&letters[0], "Message-ID").is_some_and(|id| id.ends_with("@verdicts.example>")));
    assert!(house.wait_for_line("again.log", "a notice is sent", Duration::from_secs(20)));
    assert_eq!(count(), [("sent".to_owned(), 1)]);
    assert_eq!(relay.wait_for(2).len(), 2, "and not a third time");
}

#[test]
fn a_relay_that_is_down_or_refuses_us_marks_nobody_and_is_tried_again() {
    let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let more = format!("[web]\nlisten = \"{listen}\"\n[delivery]\nfirst_retry = \"1s\"\n");
    let house = house::House::new(&format!("smtp://127.0.0.1:{closed}"), &more);
    house.must(&["subscribers", "add", "ann@example.com"]);
    let url = format!("sqlite:{}", house.path("verdicts.db").display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(&url).await.unwrap();
        let ann = EmailAddress::parse("ann@example.com").unwrap();
        let notice = NewNotice::new(NoticeKind::Welcome, &ann, SubscriberId(1));
        store.add_notice(&notice, UnixMillis::now()).await.unwrap();
        store.close().await;
    });
    let _serving = house.start_logged(&["serve"], "serve.log");
    assert!(house.wait_for_line("serve.log", "tried again later", Duration::from_secs(20)));
    let shown = house.must(&["subscribers", "show", "ann@example.com"]).out;
    assert!(shown.contains("active") && shown.contains("can't be reached"), "the operator sees why: {shown}");
    let relay = SilentRelay::start_at(closed);
    relay.answers.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(house.wait_for_line("serve.log", "a notice is sent", Duration::from_secs(20)));
    assert_eq!(relay.wait_for(1).len(), 1);
}
