//! Notices on their way: what a crash leaves behind, and a relay that is down.

use std::sync::Arc;
use std::time::Duration;

use verdicts::domain::notice::{NewNotice, NoticeKind};
use verdicts::domain::subscriber::SubscriberId;
use verdicts::domain::{EmailAddress, UnixMillis};
use verdicts::store::Store;

use crate::support::house;

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
