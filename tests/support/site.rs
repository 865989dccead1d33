//! A house whose pages are served by the real binary, and a plain client that says exactly what a test wants said.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::house::{House, Running};

pub struct Site {
    pub house: House,
    pub address: SocketAddr,
    pub serving: Running,
}

pub struct Answer {
    pub status: u16,
    /// The status line and headers, as they came.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// What `header` has to be there for.
    pub fn must(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| panic!("no {name} in\n{}", self.head))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn parse(octets: &[u8]) -> Self {
        let end = octets.windows(4).position(|four| four == b"\r\n\r\n");
        let (head, body) = match end {
            Some(end) => (&octets[..end], &octets[end + 4..]),
            None => (octets, &[][..]),
        };
        let head = String::from_utf8_lossy(head).into_owned();
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
        Self { status, head, body: if chunked { unchunked(body) } else { body.to_vec() } }
    }
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&body[..end]).ok().and_then(|s| usize::from_str_radix(s, 16).ok());
        let Some(size) = size.filter(|size| *size > 0 && end + 2 + size <= body.len()) else { break };
        whole.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = body.get(end + 4 + size..).unwrap_or_default();
    }
    whole
}

/// An address that nobody listens on.
pub fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

impl Site {
    /// One issue sent to `readers`, and the pages served. `web` goes into the settings after `[web]`'s `listen`.
    pub fn open(readers: usize, web: &str) -> Self {
        Self::with(readers, web, |_| {})
    }

    /// As [`Site::open`], with the house prepared by `prepare` before anything runs in it.
    pub fn with(readers: usize, web: &str, prepare: impl FnOnce(&mut House)) -> Self {
        let address = free_address();
        let mut house = House::new("outbox:outbox", &format!("[web]\nlisten = \"{address}\"\n{web}\n"));
        house.set("VERDICTS__SITE__BASE_URL", &format!("http://{address}"));
        prepare(&mut house);
        house.furnish(readers);
        house.must(&["send"]);
        Self::serve(house, address)
    }

    /// The pages of a house whose settings name the address.
    pub fn serve(house: House, address: SocketAddr) -> Self {
        let serving = house.start_logged(&["serve"], "serve.log");
        let site = Self { house, address, serving };
        site.wait_until_it_listens();
        site
    }

    fn wait_until_it_listens(&self) {
        let start = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let waited = start.elapsed();
            assert!(
                waited < Duration::from_secs(30),
                "serve does not listen on {}: {}",
                self.address,
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills the server and starts it again.
    pub fn restart(&mut self) {
        self.serving.0.kill().unwrap();
        self.serving.0.wait().unwrap();
        self.serving = self.house.start_logged(&["serve"], "serve.log");
        self.wait_until_it_listens();
    }

    /// What the operator sees of somebody, in lower case.
    pub fn status_of(&self, email: &str) -> String {
        self.house.must(&["subscribers", "show", email]).out.to_lowercase()
    }

    /// One more comparison, and the letter about it.
    pub fn next_issue(&self) {
        let more = super::house::comparison("next", chrono::Utc::now());
        let more = more.replace("Stackforge", "Brickyard").replace("stackforge", "brickyard");
        let file = self.house.write("next.json", &more);
        self.house.must(&["comparisons", "import", file.to_str().unwrap()]);
        self.house.must(&["send"]);
    }

    /// The whole address of a page.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// Sends these octets and reads to the end of the connection.
    pub fn say(&self, octets: &[u8]) -> Answer {
        let mut stream = self.connect();
        // A body over the limit may be answered, and the line cut, before all of it is sent or read.
        let _ = stream.write_all(octets);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Answer::parse(&answer)
    }

    /// One request on a connection of its own. `headers` are whole lines with their ends.
    pub fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let mut octets = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        )
        .into_bytes();
        octets.extend_from_slice(body);
        self.say(&octets)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", b"")
    }

    /// A form as a browser posts it.
    pub fn post(&self, path: &str, form: &str) -> Answer {
        self.ask("POST", path, "Content-Type: application/x-www-form-urlencoded\r\n", form.as_bytes())
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.house.path("serve.log")).unwrap()
    }
}
