//! Promises P5 and P9 in a running house: a disk that fills up, a database that somebody else holds, and readers who
//! leave while the letters go out.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use sqlx::{AnyConnection, Connection as _};
use verdicts::domain::subscriber::SubscriberId;
use verdicts::domain::token::{Keyring, Purpose};

use crate::support::house::{House, reader};
use crate::support::sink::Sink;

const LONG: Duration = Duration::from_secs(60);

/// A disk of a few megabytes, gone with the test. Needs root, as `tests/run` does.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(at: PathBuf, size: &str) -> Self {
        fs::create_dir(&at).unwrap();
        let options = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&at).status();
        assert!(mounted.unwrap().success(), "this test mounts a small disk: run it as root");
        Self(at)
    }

    /// Takes every octet that is left.
    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("filler")).unwrap();
        for block in [64 * 1024, 512] {
            while file.write_all(&vec![0; block]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn on_a_small_disk(sink: &Sink, more: &str, readers: usize) -> (House, SmallDisk) {
    let mut house = House::new(&sink.url(), more);
    let disk = SmallDisk::new(house.path("disk"), "48m");
    house.set("VERDICTS__DATABASE__URL", "sqlite:disk/verdicts.db");
    house.furnish(readers);
    (house, disk)
}

/// P9: somebody else's lock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_writer_only_makes_the_run_wait() {
    const READERS: usize = 1500;
    let sink = Sink::start();
    let house = House::new(&sink.url(), "");
    house.furnish(READERS);
    sqlx::any::install_default_drivers();
    let url = format!("sqlite:{}", house.path("verdicts.db").display());
    let mut other = AnyConnection::connect(&url).await.unwrap();
    let mut send = house.start_logged(&["send"], "send.log");
    assert!(sink.wait_for_more(100, LONG));
    for _ in 0..3 {
        // As a backup script or a shell of somebody's would, and longer than any commit of ours.
        sqlx::raw_sql("PRAGMA busy_timeout = 30000; BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
        let held = sink.letters().len();
        let moved = sink.wait_for_more(READERS, Duration::from_millis(700));
        assert!(!moved && sink.letters().len() - held <= 10, "nothing is sent that can't be written down");
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
        assert!(sink.letters().len() == READERS || sink.wait_for_more(1, LONG), "it goes on");
    }
    let ended = send.0.wait().unwrap();
    assert!(ended.success(), "{}", fs::read_to_string(house.path("send.log")).unwrap());
    let status = house.status();
    assert_eq!((&status["sent"], &status["unknown"]), (&READERS.into(), &0.into()), "{status}");
    assert_eq!(sink.letters().len(), READERS, "nobody gets two");
}

fn post(address: SocketAddr, path: &str) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    let body = "List-Unsubscribe=One-Click";
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

fn keyring(house: &House) -> Keyring {
    Keyring::parse(&fs::read_to_string(house.path("verdicts.key")).unwrap()).unwrap()
}

/// P5: in a running house, by the one-click link.
#[test]
fn who_leaves_in_the_middle_of_a_run_gets_nothing_that_starts_after_the_answer() {
    const READERS: usize = 600;
    /// What is on the wire at the answer may still arrive; with the sink at the other end that takes no time.
    const ON_THE_WIRE: Duration = Duration::from_secs(2);
    let sink = Sink::start();
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let house = House::new(&sink.url(), &format!("rate = \"100/s\"\n[web]\nlisten = \"{address}\"\n"));
    house.furnish(READERS);
    let keyring = keyring(&house);
    let _serving = house.start_logged(&["serve"], "serve.log");
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(start.elapsed() < LONG, "serve does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut send = house.start(&["send", "--wait"]);
    assert!(sink.wait_for_more(20, LONG), "the run starts");

    // From all parts of the queue, the one at its front among them.
    let mut left = BTreeMap::new();
    for n in (0..READERS).step_by(7) {
        let token = keyring.link_token(Purpose::Unsubscribe, SubscriberId(n as i64 + 1));
        assert_eq!(post(address, &format!("/unsubscribe/{token}")), 200);
        left.insert(reader(n), Instant::now());
    }
    assert!(sink.letters().len() < READERS / 2, "they left while most letters were still to go");
    send.0.wait().unwrap();

    let status = house.status();
    assert_eq!(status["state"], "finished", "{status}");
    let arrivals = sink.arrivals();
    for (to, answered) in &left {
        for arrived in arrivals.iter().filter(|(who, _)| who == to).map(|(_, at)| *at) {
            assert!(
                arrived < *answered + ON_THE_WIRE,
                "a letter to {to} came {:?} late",
                arrived - *answered
            );
        }
    }
    let got = left.keys().filter(|to| arrivals.iter().any(|(who, _)| who == *to)).count();
    assert_eq!(status["cancelled"], left.len() - got, "who left and got nothing is cancelled: {status}");
    assert!(got < left.len() / 2, "most of those who left got nothing: {got}");
    assert_eq!(status["sent"].as_u64().unwrap() as usize, READERS - left.len() + got);
}

mod needs_root {
    use super::*;

    /// P9: a full disk, before the run.
    #[test]
    fn a_disk_that_is_full_before_a_run_sends_nothing() {
        let sink = Sink::start();
        let (house, disk) = on_a_small_disk(&sink, "", 2000);
        disk.fill();
        let ran = house.run(&["send"]);
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        let words = ran.err.to_lowercase();
        assert!(
            words.contains("full") || words.contains("cannot be written") || words.contains("cannot open"),
            "{words}"
        );
        assert!(sink.letters().is_empty(), "nothing was sent");

        disk.free();
        house.must(&["send"]);
        assert_eq!(house.status()["sent"], 2000);
        assert_eq!(sink.letters().len(), 2000, "and nobody gets two");
    }

    /// P9: a full disk, in the middle of the run; P3 bounds what goes twice.
    #[test]
    fn a_disk_that_fills_up_in_a_run_stops_it_and_the_run_goes_on_later() {
        const READERS: usize = 6000;
        let sink = Sink::start();
        let (house, disk) = on_a_small_disk(&sink, "connections = 5\n", READERS);
        let mut send = house.start_logged(&["send"], "send.log");
        assert!(sink.wait_for_more(200, LONG), "the run starts");
        disk.fill();
        assert_eq!(send.0.wait().unwrap().code(), Some(1));
        let words = fs::read_to_string(house.path("send.log")).unwrap();
        assert!(words.contains("full") || words.contains("cannot be written"), "{words}");
        let by_then = sink.letters().len();
        assert!(by_then < READERS, "it stopped in the middle");

        disk.free();
        let status = house.status();
        let recorded = status["sent"].as_u64().unwrap() as usize;
        assert!(by_then - recorded <= 5 + 5, "{by_then} taken, {recorded} recorded");
        house.must(&["send", "--wait"]);
        let status = house.status();
        assert_eq!(status["sent"], READERS, "{status}");
        let mut copies: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (to, id) in sink.letters() {
            copies.entry(to).or_default().push(id);
        }
        assert_eq!(copies.len(), READERS, "nobody is lost");
        assert!(copies.values().all(|ids| ids.iter().all(|id| *id == ids[0])));
        let twice = sink.letters().len() - READERS;
        assert!(twice as i64 <= status["unknown"].as_i64().unwrap(), "{twice} twice: {status}");
    }
}
