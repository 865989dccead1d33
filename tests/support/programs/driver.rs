//! Debian's chromedriver, spoken to directly: its language (W3C WebDriver) is a dozen small JSON requests, and a client library
//! would bring an HTTP stack along.

use std::io::{BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// The driver and what it has started, which all end with it.
pub struct Driver {
    child: Child,
    port: u16,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-9", "--", &format!("-{}", self.child.id())]).status();
        let _ = self.child.wait();
    }
}

impl Driver {
    /// Starts one on a port that it chooses, in a process group of its own.
    pub fn start() -> Self {
        let child = Command::new("chromedriver")
            .arg("--port=0")
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is missing; tests/run installs it, or: apt-get install chromium-driver");
        let mut driver = Self { child, port: 0 };
        let mut said = BufReader::new(driver.child.stdout.take().unwrap());
        driver.port = port(&mut said);
        // It goes on talking, and must not meet a closed pipe.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        driver
    }

    /// One request to the driver, and the value of its answer.
    pub fn request(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let port = self.port;
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream =
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(Duration::from_secs(120))).map_err(|error| error.to_string())?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body.as_bytes()))
            .map_err(|error| error.to_string())?;
        let answer = answer(BufReader::new(stream)).map_err(|error| error.to_string())?;
        let mut value: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        let value = value["value"].take();
        match value["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", value["message"])),
            None => Ok(value),
        }
    }
}

/// The body of an answer; the driver keeps its connections open, so the length says where it ends.
fn answer(mut stream: impl BufRead) -> std::io::Result<Vec<u8>> {
    let (mut line, mut length) = (String::new(), 0);
    while stream.read_line(&mut line)? > 2 {
        if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(body)
}

/// The port that the driver chose, from its own words.
fn port(said: &mut impl BufRead) -> u16 {
    let mut line = String::new();
    while said.read_line(&mut line).unwrap() > 0 {
        if let Some((_, port)) = line.trim_end().trim_end_matches('.').rsplit_once("successfully on port ") {
            return port.parse().unwrap();
        }
        line.clear();
    }
    panic!("chromedriver ended without a port");
}
