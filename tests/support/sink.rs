//! An SMTP peer that takes everything, and keeps a ledger of its own: who got which Message-ID.
#![allow(dead_code, reason = "every user takes the part it needs")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Ledger {
    letters: Mutex<Vec<Letter>>,
    grown: Condvar,
}

/// Who got which Message-ID, and when.
type Letter = (String, String, Instant);

pub struct Sink {
    address: SocketAddr,
    ledger: Arc<Ledger>,
}

impl Sink {
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let ledger = Arc::new(Ledger::default());
        let theirs = ledger.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let ledger = theirs.clone();
                // A peer that hangs up in the middle (it was killed) ends this thread, and nothing else.
                std::thread::spawn(move || drop(talk(stream, &ledger)));
            }
        });
        Self { address, ledger }
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// (recipient, Message-ID) of every letter that was accepted.
    pub fn letters(&self) -> Vec<(String, String)> {
        self.ledger.letters.lock().unwrap().iter().map(|(to, id, _)| (to.clone(), id.clone())).collect()
    }

    /// How many letters were accepted.
    pub fn count(&self) -> usize {
        self.ledger.letters.lock().unwrap().len()
    }

    /// (recipient, moment) of every letter that was accepted.
    pub fn arrivals(&self) -> Vec<(String, Instant)> {
        self.ledger.letters.lock().unwrap().iter().map(|(to, _, at)| (to.clone(), *at)).collect()
    }

    /// Waits until `more` letters have arrived since now; false when that takes too long.
    pub fn wait_for_more(&self, more: usize, limit: Duration) -> bool {
        let letters = self.ledger.letters.lock().unwrap();
        let goal = letters.len() + more;
        let waited =
            self.ledger.grown.wait_timeout_while(letters, limit, |letters| letters.len() < goal).unwrap();
        !waited.1.timed_out()
    }
}

fn talk(stream: TcpStream, ledger: &Ledger) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream);
    out.write_all(b"220 sink.test ESMTP\r\n")?;
    let (mut line, mut to) = (String::new(), String::new());
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let command = line.trim_end().to_ascii_uppercase();
        if command.starts_with("EHLO") {
            out.write_all(b"250-sink.test\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n")?;
        } else if command.starts_with("RCPT TO:") {
            to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            out.write_all(b"250 2.1.5 Ok\r\n")?;
        } else if command == "DATA" {
            out.write_all(b"354 Go\r\n")?;
            let id = read_letter(&mut lines)?;
            // Into the ledger first: what the peer has said 250 to, it has.
            ledger.letters.lock().unwrap().push((to.clone(), id, Instant::now()));
            ledger.grown.notify_all();
            out.write_all(b"250 2.0.0 Ok\r\n")?;
        } else if command == "QUIT" {
            out.write_all(b"221 2.0.0 Bye\r\n")?;
            return Ok(());
        } else {
            out.write_all(b"250 2.0.0 Ok\r\n")?;
        }
    }
}

/// Reads to the final dot; gives the Message-ID.
fn read_letter(lines: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut id = String::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(id);
        }
        if id.is_empty() && line.to_ascii_lowercase().starts_with(b"message-id:") {
            id = String::from_utf8_lossy(&line[11..]).trim().to_owned();
        }
    }
}
