//! How fast the pages are, against limits measured beside them in the same run.
//!
//! - `/compare/{slug}` against a file of the same octets, served by nginx. The two take turns; the median of the rounds'
//!   ratios counts.
//! - One-click POSTs on a long list, each committed and fsynced before its answer, against a transaction of its own for each:
//!   the same statements of the same store, one reader after the other, and the barest that there could be, one UPDATE and its
//!   fsync. Readers who come together share a commit, which is where the gain is.
//! - The same POSTs while a run is sending from the same database, with their 99th percentile.
//!
//! The clients are in here, on the same machine, and need about as much CPU as what they measure; so the CPU of the server
//! alone is printed, too.
//!
//!     apt-get install nginx-light        # or nginx; its own configuration is not used
//!     cargo bench --bench web
//!     READERS=20000 POSTS=2000 SECONDS=1 cargo bench --bench web        # a quick look

#![expect(clippy::cast_precision_loss, reason = "counts of requests")]

#[path = "wire/crowd.rs"]
mod clients;
#[path = "../tests/support/house.rs"]
mod house;
#[path = "wire/nginx.rs"]
mod nginx;
#[path = "../tests/support/sink.rs"]
mod sink;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use clients::{CLIENTS, For, Seen, crowd, fetch, runtime};
use house::{House, Running};
use nginx::Nginx;
use sink::Sink;
use sqlx::{Connection as _, Executor as _};
use verdicts::domain::UnixMillis;
use verdicts::domain::subscriber::SubscriberId;
use verdicts::domain::token::{Keyring, Purpose};
use verdicts::store::Store;

/// A figure, what it should be, and what it must be for the bench to pass on a busy machine.
struct Target {
    name: &'static str,
    figure: f64,
    goal: f64,
    must: f64,
    at_least: bool,
}

impl Target {
    fn holds(&self, limit: f64) -> bool {
        if self.at_least { self.figure >= limit } else { self.figure <= limit }
    }
}

fn main() {
    let number = |name: &str, default: usize| {
        std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    let (readers, posts) = (number("READERS", 1_000_000), number("POSTS", 20_000));
    let (seconds, rounds) = (number("SECONDS", 3), number("ROUNDS", 3));
    assert!(readers >= posts * 3, "READERS has to be three times POSTS, since everybody leaves once");
    println!("{readers} readers, {posts} one-click POSTs, {rounds} rounds of {seconds} s, {CLIENTS} clients");

    let sink = Sink::start();
    let address = free_address();
    let more = format!("connections = 10\n[web]\nlisten = \"{address}\"\nconnections = 1000\n");
    let mut house = House::new(&sink.url(), &more);
    house.set("VERDICTS__SITE__BASE_URL", &format!("http://{address}"));
    house.set("RUST_LOG", "warn");
    house.furnish(readers);
    let (bare, alone) = one_by_one(&house, readers, posts.min(2_000));

    let server = serve(&house, address);
    let mut targets = vec![compare(&house, &server, address, seconds, rounds)];
    targets.extend(leave(&house, &server, &sink, address, posts, bare.max(alone)));
    println!();
    for Target { name, figure, goal, at_least, .. } in &targets {
        println!("{name}: {figure:.2} (goal {} {goal})", if *at_least { "≥" } else { "≤" });
    }
    for target in &targets {
        let word = if target.holds(target.goal) { "held" } else { "MISSED" };
        println!("{word:<6}  {}", target.name);
        assert!(
            target.holds(target.must),
            "{}: {:.2}, and {} at the worst",
            target.name,
            target.figure,
            target.must
        );
    }
}

/// `serve` in the house, once it listens.
fn serve(house: &House, address: SocketAddr) -> Running {
    let server = house.start_logged(&["serve"], "serve.log");
    wait_for(address, "serve");
    server
}

fn wait_for(address: SocketAddr, who: &str) {
    let start = Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        assert!(start.elapsed() < Duration::from_secs(60), "{who} does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// The page against nginx, in turns.
fn compare(house: &House, server: &Running, address: SocketAddr, seconds: usize, rounds: usize) -> Target {
    let page = fetch(address, "/compare/lead");
    let nginx = Nginx::start(free_address(), &house.path(""), &page);
    wait_for(nginx.address, "nginx");
    let (limit, path) =
        (Duration::from_secs(seconds as u64), "GET /compare/lead HTTP/1.1\r\nHost: x\r\n\r\n");
    println!("\n/compare/lead, {} octets   ours/s   CPU µs    nginx/s   CPU µs    ratio", page.len());
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let ours = crowd(address, &[server.0.id()], For::Time(limit), |_| path.to_owned());
        let theirs = crowd(nginx.address, &nginx.processes(), For::Time(limit), |_| path.to_owned());
        println!(
            "                            {:>7.0}  {:>7.1}    {:>7.0}  {:>7.1}    {:>5.2}",
            ours.rate,
            ours.cpu,
            theirs.rate,
            theirs.cpu,
            ours.rate / theirs.rate
        );
        ratios.push(ours.rate / theirs.rate);
    }
    Target { name: "/compare against nginx", figure: middle(ratios), goal: 0.3, must: 0.15, at_least: true }
}

/// What readers a second one transaction for each would give, measured on the very same list: the barest, and our own
/// statements one reader after the other. The last readers of the list leave.
fn one_by_one(house: &House, readers: usize, count: usize) -> (f64, f64) {
    let runtime = runtime();
    let url = format!("sqlite:{}", house.path("verdicts.db").display());
    let ids =
        |part: usize| (0..count).map(move |n| i64::try_from(readers - part * count - n).expect("a count"));
    let bare = runtime.block_on(async {
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
        connection.execute("PRAGMA synchronous = FULL").await.unwrap();
        let start = Instant::now();
        for id in ids(0) {
            let leave =
                sqlx::query("UPDATE subscriber SET status = 'unsubscribed', ended_at = $2 WHERE id = $1");
            leave.bind(id).bind(1_i64).execute(&mut connection).await.unwrap();
        }
        count as f64 / start.elapsed().as_secs_f64()
    });
    let alone = runtime.block_on(async {
        let store = Store::open(&url).await.unwrap();
        let start = Instant::now();
        for id in ids(1) {
            store.unsubscribe(SubscriberId(id), &format!("hash {id}"), UnixMillis::now()).await.unwrap();
        }
        let rate = count as f64 / start.elapsed().as_secs_f64();
        store.close().await;
        rate
    });
    println!("\none transaction each: {bare:.0} readers/s with one UPDATE, {alone:.0} with the whole of it");
    (bare, alone)
}

/// Everybody leaves once: in a crowd, and in a crowd while a run is sending.
fn leave(
    house: &House,
    server: &Running,
    sink: &Sink,
    address: SocketAddr,
    posts: usize,
    limit: f64,
) -> Vec<Target> {
    let keyring = Keyring::parse(&fs::read_to_string(house.path("verdicts.key")).unwrap()).unwrap();
    let request = |from: usize| {
        let keyring = keyring.clone();
        move |n: usize| {
            let id = SubscriberId(i64::try_from(from + n + 1).expect("a count of readers"));
            let token = keyring.link_token(Purpose::Unsubscribe, id);
            format!(
                "POST /unsubscribe/{token} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                 Content-Length: 26\r\n\r\nList-Unsubscribe=One-Click"
            )
        }
    };
    println!("\none-click POSTs             a second     p50 ms     p99 ms    CPU µs");
    let say = |name: &str, seen: &Seen, more: &str| {
        let (p50, p99) = (seen.percentile(0.5), seen.percentile(0.99));
        println!("  {name:<24}  {:>8.0}   {p50:>8.1}   {p99:>8.1}  {:>8.1}{more}", seen.rate, seen.cpu);
    };
    let quiet = crowd(address, &[server.0.id()], For::Count(posts), request(0));
    say("on a quiet list", &quiet, "");

    let sender = house.start(&["send"]);
    assert!(sink.wait_for_more(1_000.min(posts), Duration::from_secs(300)), "no run begins");
    let (before, start) = (sink.count(), Instant::now());
    let busy = crowd(address, &[server.0.id()], For::Count(posts), request(posts));
    let letters = (sink.count() - before) as f64 / start.elapsed().as_secs_f64();
    say("while a run is sending", &busy, &format!("   beside {letters:.0} letters/s"));
    drop(sender);

    let stats = house.must(&["subscribers", "stats", "--json"]).out;
    let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
    let left = stats["unsubscribed"].as_u64().unwrap_or(0);
    assert!(left >= 2 * posts as u64, "everybody who was answered has left: {stats}");
    vec![
        Target {
            name: "unsubscribes/s against one transaction each",
            figure: quiet.rate / limit,
            goal: 2.0,
            must: 1.2,
            at_least: true,
        },
        Target {
            name: "p99 of a one-click POST while a run is sending, ms",
            figure: busy.percentile(0.99),
            goal: 250.0,
            must: 3_000.0,
            at_least: false,
        },
    ]
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
