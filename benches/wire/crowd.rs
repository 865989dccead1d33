//! Clients of a web server, many at a time, each with a connection that it keeps.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Clients at the same time, each with a connection that it keeps.
pub const CLIENTS: usize = 64;

/// What a crowd of clients saw.
pub struct Seen {
    /// Answers a second.
    pub rate: f64,
    /// Each answer's time, sorted.
    pub times: Vec<Duration>,
    /// CPU microseconds of the server for each answer.
    pub cpu: f64,
}

impl Seen {
    /// The time that this part of all answers took at most, in milliseconds.
    pub fn percentile(&self, part: f64) -> f64 {
        let at = ((self.times.len() - 1) as f64 * part).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let at = at as usize;
        self.times[at].as_secs_f64() * 1000.0
    }
}

/// When a crowd goes home.
#[derive(Clone, Copy)]
pub enum For {
    Time(Duration),
    Count(usize),
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// [`CLIENTS`] clients ask, each one thing after the other on its own connection; the n-th request of all is `request(n)`.
pub fn crowd(
    address: SocketAddr,
    processes: &[u32],
    until: For,
    request: impl Fn(usize) -> String + Send + Sync + 'static,
) -> Seen {
    let (request, next) = (Arc::new(request), Arc::new(AtomicUsize::new(0)));
    let runtime = runtime();
    let (cpu, start) = (cpu_of(processes), Instant::now());
    let mut times = runtime.block_on(async {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (request, next) = (request.clone(), next.clone());
                tokio::spawn(async move {
                    let mut times = Vec::with_capacity(4096);
                    let mut client = Client::connect(address).await;
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        let over = match until {
                            For::Time(limit) => start.elapsed() >= limit,
                            For::Count(count) => n >= count,
                        };
                        if over {
                            return times;
                        }
                        let (text, asked) = (request(n), Instant::now());
                        client.ask(&text).await;
                        times.push(asked.elapsed());
                    }
                })
            })
            .collect();
        let mut all = Vec::new();
        for client in clients {
            all.extend(client.await.expect("every request is answered with 200"));
        }
        all
    });
    let took = start.elapsed().as_secs_f64();
    let cpu = (cpu_of(processes) - cpu).as_secs_f64() * 1e6 / times.len() as f64;
    times.sort_unstable();
    Seen { rate: times.len() as f64 / took, times, cpu }
}

/// One kept connection, and a buffer that is used again.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: vec![0; 256 * 1024] }
    }

    /// Sends a request and reads its whole answer: where the body begins, and the length of all.
    async fn ask(&mut self, request: &str) -> (usize, usize) {
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut filled = 0;
        let mut whole = None;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).await.unwrap();
            assert!(read > 0, "the server hung up");
            filled += read;
            if whole.is_none() {
                whole = head_and_length(&self.buffer[..filled]);
            }
            if let Some((head, length)) = whole.filter(|(head, length)| filled >= head + length) {
                return (head, length);
            }
        }
    }
}

/// Where the body begins, and its length; none while the head is not whole.
fn head_and_length(octets: &[u8]) -> Option<(usize, usize)> {
    let head = memchr::memmem::find(octets, b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&octets[..head]).expect("a head is text");
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().expect("a length"))
    });
    Some((head, length.expect("an answer with a length")))
}

/// The octets of a page.
pub fn fetch(address: SocketAddr, path: &str) -> Vec<u8> {
    runtime().block_on(async {
        let mut client = Client::connect(address).await;
        let (head, length) = client.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        client.buffer[head..head + length].to_vec()
    })
}

/// User and system time of processes so far.
fn cpu_of(processes: &[u32]) -> Duration {
    let ticks = |id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>()
    };
    // 100 ticks a second on every Linux there is.
    Duration::from_millis(processes.iter().map(ticks).sum::<u64>() * 10)
}
