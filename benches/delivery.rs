//! How fast a run is, against the limit of the wire measured in the same run.
//!
//! The limit is `smtp-source -d` talking to `smtp-sink`, both Postfix's: a sender that has nothing to look up, fill or
//! write down. Ours is the whole path: claim rows, fill each reader's letter, hand it over, record the reply. The two
//! take turns for several rounds; medians are compared. Asserts the ratio and the memory, and prints the rest.
//!
//!     cargo bench --bench delivery                            # 100,000 readers, three rounds
//!     READERS=10000 ROUNDS=1 cargo bench --bench delivery     # a quick look

#[path = "../tests/support/house.rs"]
mod house;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use house::{House, Running};

/// As many as the limit's sender opens.
const CONNECTIONS: usize = 10;
const LEAST_RATIO: f64 = 0.5;
const MOST_MEMORY_MB: f64 = 150.0;

struct Round {
    limit: f64,
    ours: f64,
    peak_mb: f64,
    cpu_ms: f64,
}

fn main() {
    let number =
        |name: &str, default: usize| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let (readers, rounds) = (number("READERS", 100_000), number("ROUNDS", 3));
    let letter = letter_octets();
    println!(
        "{readers} readers, {rounds} rounds, {CONNECTIONS} connections, letters of {} KB",
        letter / 1024
    );
    let measured: Vec<Round> = (1..=rounds).map(|n| round(n, readers, letter)).collect();
    let median = |figure: fn(&Round) -> f64| {
        let mut figures: Vec<f64> = measured.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let ratio = median(|r| r.ours / r.limit);
    println!(
        "median: limit {:.0}/s, ours {:.0}/s, ratio {ratio:.2} (at least {LEAST_RATIO}), peak memory {:.0} MB (at most {MOST_MEMORY_MB:.0}), \
         CPU {:.2} ms a letter",
        median(|r| r.limit),
        median(|r| r.ours),
        median(|r| r.peak_mb),
        median(|r| r.cpu_ms),
    );
    assert!(ratio >= LEAST_RATIO, "ratio {ratio:.2} is below {LEAST_RATIO}");
    assert!(median(|r| r.peak_mb) <= MOST_MEMORY_MB, "memory is above {MOST_MEMORY_MB} MB");
}

/// The size of the letter that ours will send, so that the limit sends as many octets.
fn letter_octets() -> usize {
    let house = House::new("outbox:outbox", "");
    house.furnish(1);
    house.must(&["send"]);
    house::outbox(&house.path("outbox"))[0].len()
}

fn round(number: usize, readers: usize, octets: usize) -> Round {
    let sink = Sink::start();
    let limit = smtp_source(sink.address, readers, octets);
    drop(sink);
    let sink = Sink::start();
    let (ours, peak_mb, cpu_ms) = our_run(sink.address, readers);
    println!(
        "round {number}: limit {limit:.0}/s, ours {ours:.0}/s, ratio {:.2}, peak memory {peak_mb:.0} MB, CPU {cpu_ms:.2} ms a letter",
        ours / limit
    );
    Round { limit, ours, peak_mb, cpu_ms }
}

#[expect(clippy::cast_precision_loss, reason = "counts of letters")]
fn smtp_source(to: SocketAddr, letters: usize, octets: usize) -> f64 {
    let start = Instant::now();
    let status = Command::new("smtp-source")
        .args(["-d", "-s", &CONNECTIONS.to_string(), "-m", &letters.to_string(), "-l", &octets.to_string()])
        .args(["-f", "letters@verdicts.example", "-t", "reader@example.com", &to.to_string()])
        .status()
        .expect("smtp-source is Postfix's: apt-get install --no-install-recommends postfix");
    assert!(status.success(), "smtp-source failed");
    letters as f64 / start.elapsed().as_secs_f64()
}

/// Letters a second, peak memory in MB, and CPU milliseconds a letter of one `send`, enqueueing included.
#[expect(clippy::cast_precision_loss, reason = "counts of letters")]
fn our_run(to: SocketAddr, readers: usize) -> (f64, f64, f64) {
    let house = House::new(&format!("smtp://{to}"), &format!("connections = {CONNECTIONS}\n"));
    house.furnish(readers);
    let start = Instant::now();
    let mut send = house.start(&["send"]);
    let (mut peak_mb, mut cpu_seconds) = (0.0, 0.0);
    let elapsed = loop {
        if let Some(status) = send.0.try_wait().unwrap() {
            assert!(status.success(), "send failed: {status}");
            break start.elapsed();
        }
        (peak_mb, cpu_seconds) = usage(&send).unwrap_or((peak_mb, cpu_seconds));
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(house.status()["sent"], readers, "every letter is in the ledger as sent");
    (readers as f64 / elapsed.as_secs_f64(), peak_mb, cpu_seconds * 1000.0 / readers as f64)
}

/// Peak resident memory in MB and CPU seconds so far, from /proc.
fn usage(process: &Running) -> Option<(f64, f64)> {
    let id = process.0.id();
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = peak.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let ticks: f64 = stat
        .rsplit_once(')')?
        .1
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|t| t.parse::<f64>().ok())
        .sum();
    // Linux counts in hundredths of a second.
    Some((kilobytes / 1024.0, ticks / 100.0))
}

struct Sink {
    child: Child,
    address: SocketAddr,
}

impl Sink {
    fn start() -> Self {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let child = Command::new("smtp-sink")
            // As root, smtp-sink wants to be told whom to become; the backlog is the second argument.
            .args(["-u", "nobody", &address.to_string(), "1000"])
            .stdin(Stdio::null())
            .spawn()
            .expect("smtp-sink is Postfix's: apt-get install --no-install-recommends postfix");
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(start.elapsed() < Duration::from_secs(10), "smtp-sink does not answer on {address}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, address }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
