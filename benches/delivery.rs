//! How fast a run is, against the limit of the wire measured in the same run.
//!
//! The limit is `smtp-source -d` talking to `smtp-sink`, both Postfix's: a sender that has nothing to look up, fill or
//! write down. Ours is the whole path: claim rows, fill each reader's letter, hand it over, record the reply. The two
//! take turns for several rounds; medians are compared. A relay that is 20 ms away is compared with itself: one command at
//! a time, and pipelined; `smtp-source` stands beside it. Growth is the time a letter takes, and the memory, as the readers become more.
//!
//! Signed letters are measured too, and the CPU that they cost beyond the bare signature of the same library, which is made in
//! the same rounds beside a sender and a sink at work: on a busy machine a signature takes longer than on an idle one.
//!
//!     cargo bench --bench delivery                                        # the whole of it, about a quarter of an hour
//!     READERS=5000 ROUNDS=1 GROWTH=10000 cargo bench --bench delivery     # a quick look

#![expect(clippy::cast_precision_loss, reason = "counts of letters")]

#[path = "wire/bare.rs"]
mod bare;
#[path = "wire/delay.rs"]
mod delay;
#[path = "../tests/support/house.rs"]
mod house;
#[path = "../tests/support/sink.rs"]
mod peer;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use house::House;
use verdicts::mail::dkim::KeyKind;

/// How late the far relay's replies are.
const FAR: Duration = Duration::from_millis(20);

/// One run of a sender.
#[derive(Clone, Copy, Default)]
struct Run {
    /// Letters a second.
    rate: f64,
    /// CPU milliseconds a letter.
    cpu: f64,
    /// Megabytes.
    peak: f64,
}

/// Every run of one row of the table, with what it is held against.
#[derive(Default)]
struct Row {
    name: String,
    connections: usize,
    /// Settings of ours for this row.
    more: String,
    /// The key that signs.
    key: Option<(KeyKind, String)>,
    /// What the bare signature costs, in milliseconds of CPU.
    bare: Vec<f64>,
    limit: Vec<Run>,
    ours: Vec<Run>,
}

/// A figure and its limit.
struct Target {
    name: &'static str,
    figure: f64,
    limit: f64,
    at_least: bool,
    /// Beyond this the bench fails.
    must: f64,
}

fn main() {
    let number =
        |name: &str, default: usize| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let (readers, rounds) = (number("READERS", 20_000), number("ROUNDS", 3));
    let growth = std::env::var("GROWTH").unwrap_or_else(|_| "10000,100000,1000000".to_owned());
    let sizes: Vec<usize> = growth.split(',').filter_map(|n| n.trim().parse().ok()).collect();
    let octets = letter_octets();
    println!(
        "{readers} readers, {rounds} rounds, letters of {:.1} KB, {}",
        octets as f64 / 1024.0,
        machine()
    );

    let keys = tempfile::tempdir().unwrap();
    let near = near(readers, rounds, octets, keys.path());
    let far = far(number("FAR_READERS", 1_500), rounds, octets, keys.path());
    let rsa = near[RSA].median(|r| r.cpu) - middle(near[RSA].bare.clone());
    let mut targets = vec![
        target("10 connections: letters against the limit", near[TEN].ratio(), 1.0, true, 0.5),
        target("10 connections: CPU ms a letter", near[TEN].median(|r| r.cpu), 0.15, false, 0.6),
        target("RSA-2048: letters against the limit", near[RSA].ratio(), 0.5, true, 0.25),
        target("RSA-2048: CPU ms a letter beyond the bare signature", rsa, 0.15, false, 0.6),
        target("20 ms away: pipelined against one at a time", far[TEN].ratio(), 3.5, true, 2.5),
    ];
    targets.extend(grow(&sizes));
    println!();
    for target in &targets {
        let Target { name, figure, limit, at_least, .. } = target;
        let (sign, word) =
            (if *at_least { "≥" } else { "≤" }, if target.holds(*limit) { "held" } else { "MISSED" });
        println!("{word:<6}  {name}: {figure:.2} ({sign} {limit})");
    }
    for target in &targets {
        assert!(
            target.holds(target.must),
            "{}: {:.2}, and {} at the worst",
            target.name,
            target.figure,
            target.must
        );
    }
}

fn target(name: &'static str, figure: f64, limit: f64, at_least: bool, must: f64) -> Target {
    Target { name, figure, limit, at_least, must }
}

impl Target {
    fn holds(&self, limit: f64) -> bool {
        if self.at_least { self.figure >= limit } else { self.figure <= limit }
    }
}

impl Row {
    fn median(&self, figure: fn(&Run) -> f64) -> f64 {
        middle(self.ours.iter().map(figure).collect())
    }

    /// The median of each round's ratio: what disturbs a round disturbs both.
    fn ratio(&self) -> f64 {
        middle(self.ours.iter().zip(&self.limit).map(|(ours, limit)| ours.rate / limit.rate).collect())
    }

    fn print(&self) {
        println!(
            "| {:<38} | {:>7.0} | {:>7.0} | {:>5.2} | {:>6.3} | {:>6.3} | {:>4.0} |",
            self.name,
            middle(self.limit.iter().map(|r| r.rate).collect()),
            self.median(|r| r.rate),
            self.ratio(),
            middle(self.limit.iter().map(|r| r.cpu).collect()),
            self.median(|r| r.cpu),
            self.median(|r| r.peak),
        );
    }
}

fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let half = figures.len() / 2;
    match (figures.len() % 2, figures.get(half)) {
        (0, Some(upper)) => f64::midpoint(figures[half - 1], *upper),
        (_, middle) => middle.copied().unwrap_or(f64::NAN),
    }
}

fn head(limit: &str) {
    println!("\n| {:<38} | {limit:>7} | ours/s  | ratio | limit's and our CPU ms | peak MB |", "");
}

/// Which of [`rows`] the targets are about.
const TEN: usize = 1;
const RSA: usize = 7;

/// Over 1, 10 and 50 connections: unsigned, with Ed25519, with RSA-2048.
fn rows(keys: &Path) -> Vec<Row> {
    let mut rows = Vec::new();
    for (kind, what) in
        [(None, ""), (Some(KeyKind::Ed25519), ", Ed25519"), (Some(KeyKind::Rsa), ", RSA-2048")]
    {
        let key = kind.map(|kind| (kind, bare::key(kind, keys)));
        let more = key.as_ref().map_or_else(String::new, |(kind, _)| {
            let file = keys.join(kind.as_str());
            format!("[dkim]\ndomain = \"verdicts.example\"\nselector = \"s\"\nkey_file = {file:?}\n")
        });
        for connections in [1, 10, 50] {
            let (name, more, key) = (format!("{connections} connections{what}"), more.clone(), key.clone());
            rows.push(Row { name, connections, more, key, ..Row::default() });
        }
    }
    rows
}

/// On loopback.
fn near(readers: usize, rounds: usize, octets: usize, keys: &Path) -> Vec<Row> {
    let mut rows = rows(keys);
    for _ in 0..rounds {
        for row in &mut rows {
            // One connection is slow, and as steady with fewer.
            let letters = if row.connections == 1 { readers / 4 } else { readers };
            let sink = Sink::start();
            row.limit.push(smtp_source(sink.address, row.connections, letters, octets));
            drop(sink);
            let sink = Sink::start();
            row.ours.push(send(sink.address, row.connections, letters, &row.more));
            drop(sink);
            let key = row.key.as_ref().filter(|_| row.connections == 10);
            row.bare.extend(key.map(|(kind, pem)| beside(*kind, pem, octets)));
        }
    }
    for row in rows.iter().filter(|row| !row.bare.is_empty()) {
        println!("{}: the bare signature takes {:.3} ms of CPU", row.name, middle(row.bare.clone()));
    }
    head("limit/s");
    rows.into_iter().inspect(Row::print).collect()
}

/// What a bare signature costs beside a sender and a sink at work, as ours has them beside it: milliseconds of CPU.
fn beside(kind: KeyKind, pem: &str, octets: usize) -> f64 {
    let sink = Sink::start();
    let mut neighbour = start_smtp_source(sink.address, 10, 1_000_000, octets);
    let mut sign = bare::signature(kind, pem);
    let (begun, mut signatures, used) = (Instant::now(), 0.0, own_cpu());
    while begun.elapsed() < Duration::from_secs(2) {
        sign();
        signatures += 1.0;
    }
    let used = own_cpu() - used;
    neighbour.kill().expect("a sender that runs");
    neighbour.wait().expect("a sender that ran");
    used / signatures
}

/// Milliseconds of CPU that this thread has used.
fn own_cpu() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    let nanoseconds: f64 = stat.split(' ').next().and_then(|ns| ns.parse().ok()).expect("a number first");
    nanoseconds / 1e6
}

/// To a relay 20 ms away, one command at a time and pipelined. `letters` is for 10 connections; fewer take fewer.
fn far(letters: usize, rounds: usize, octets: usize, keys: &Path) -> Vec<Row> {
    let mut rows = rows(keys);
    let mut sources = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (at, connections) in [1, 10, 50].into_iter().enumerate() {
            let letters = if connections == 1 { letters / 15 } else { letters * connections / 10 };
            let away = |sink: &Sink, pipelining| delay::start(sink.address, FAR, pipelining);
            let sink = Sink::start();
            sources[at].push(smtp_source(away(&sink, false), connections, letters, octets).rate);
            let sink = Sink::start();
            let single = send(away(&sink, false), connections, letters, "");
            for row in rows.iter_mut().filter(|row| row.connections == connections) {
                let sink = Sink::start();
                row.limit.push(single);
                row.ours.push(send(away(&sink, true), connections, letters, &row.more));
            }
        }
    }
    head("single/s");
    for row in &mut rows {
        row.name = format!("{}, 20 ms", row.name);
        row.print();
    }
    let [one, ten, fifty] = sources.map(middle);
    println!("smtp-source, 20 ms: {one:.0}/s over 1 connection, {ten:.0}/s over 10, {fifty:.0}/s over 50");
    rows
}

/// Time a letter, peak memory, and the time to the first letter as the readers become more.
fn grow(sizes: &[usize]) -> Vec<Target> {
    println!("\n|   readers | µs a letter | peak MB | first letter on the wire after |");
    let mut grown: Vec<(f64, f64, f64)> = Vec::new();
    for &readers in sizes {
        let first = peer::Sink::start();
        let house = House::new(&first.url(), "connections = 10\n");
        house.furnish(readers);
        let begun = Instant::now();
        let mut send = house.start(&["send"]);
        assert!(first.wait_for_more(1, Duration::from_secs(60)), "no letter within a minute");
        let waited = begun.elapsed().as_secs_f64();
        send.signal("TERM");
        let early = watch(&mut send.0);
        let left = house.status()["queued"].as_u64().unwrap();
        // The rest goes to the sink that the limit is measured with.
        let sink = Sink::start();
        let file = house.path("verdicts.toml");
        let settings = fs::read_to_string(&file).unwrap();
        fs::write(file, settings.replace(&first.url(), &format!("smtp://{}", sink.address))).unwrap();
        let begun = Instant::now();
        let late = watch(&mut house.start(&["send"]).0);
        let each = begun.elapsed().as_secs_f64() * 1e6 / left as f64;
        assert_eq!(house.status()["sent"], readers, "every letter is in the ledger as sent");
        let peak = early.0.max(late.0);
        println!("| {readers:>9} | {each:>11.0} | {peak:>7.0} | {waited:>28.2} s |");
        grown.push((each, peak, waited));
    }
    let (Some(few), Some(many), true) = (grown.first(), grown.last(), sizes.len() > 1) else {
        return Vec::new();
    };
    vec![
        target("most readers against fewest: time a letter", many.0 / few.0, 1.1, false, 1.6),
        target("most readers: peak MB", many.1, 96.0, false, 150.0),
        target("most readers against fewest: peak memory", many.1 / few.1, 1.2, false, 4.0),
        target("most readers: seconds to the first letter", many.2, 3.0, false, 30.0),
    ]
}

/// The size of the letter that ours will send, so that the limit sends as many octets.
fn letter_octets() -> usize {
    let house = House::new("outbox:outbox", "");
    house.furnish(1);
    house.must(&["send"]);
    house::outbox(&house.path("outbox"))[0].len()
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    format!("{cores} cores of {}", model.unwrap_or("an unknown kind"))
}

fn smtp_source(to: SocketAddr, connections: usize, letters: usize, octets: usize) -> Run {
    let begun = Instant::now();
    let used = watch(&mut start_smtp_source(to, connections, letters, octets));
    run(letters, begun.elapsed(), used)
}

fn start_smtp_source(to: SocketAddr, connections: usize, letters: usize, octets: usize) -> Child {
    Command::new("smtp-source")
        .args(["-d", "-s", &connections.to_string(), "-m", &letters.to_string(), "-l", &octets.to_string()])
        .args(["-f", "letters@verdicts.example", "-t", "reader@example.com", &to.to_string()])
        .spawn()
        .expect("smtp-source is Postfix's: apt-get install --no-install-recommends postfix")
}

/// One `send`, enqueueing included.
fn send(to: SocketAddr, connections: usize, readers: usize, more: &str) -> Run {
    let house = House::new(&format!("smtp://{to}"), &format!("connections = {connections}\n{more}"));
    house.furnish(readers);
    let begun = Instant::now();
    let used = watch(&mut house.start(&["send"]).0);
    let elapsed = begun.elapsed();
    assert_eq!(house.status()["sent"], readers, "every letter is in the ledger as sent");
    run(readers, elapsed, used)
}

fn run(letters: usize, elapsed: Duration, (peak, cpu): (f64, f64)) -> Run {
    let letters = letters as f64;
    Run { rate: letters / elapsed.as_secs_f64(), cpu: cpu * 1000.0 / letters, peak }
}

/// Waits for the end of a process that has to succeed; its peak resident memory in MB and its CPU seconds.
fn watch(child: &mut Child) -> (f64, f64) {
    let mut used = (0.0, 0.0);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return used;
        }
        used = usage(child.id()).unwrap_or(used);
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn usage(id: u32) -> Option<(f64, f64)> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = peak.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let times = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(2);
    let ticks: f64 = times.filter_map(|time| time.parse::<f64>().ok()).sum();
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
