//! Debian's rspamd on loopback, in a temporary folder, with its own rules and scores. It asks no name server but ours, and what needs
//! others' data (block lists, fuzzy hashes, reputations, Redis) is off or finds nothing.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use verdicts::mail::dkim::Record;

use super::nameserver::{self, Known};

/// From where the letters seem to come (RFC 5737: an address for documentation).
const RELAY: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
pub const DOMAIN: &str = "verdicts.example.org";
const HOST: &str = "mail.verdicts.example.org";

/// Modules that ask others, or keep what they learn in Redis.
const OFF: [&str; 16] = [
    "antivirus",
    "asn",
    "bimi",
    "clickhouse",
    "dcc",
    "elastic",
    "fuzzy_check",
    "greylist",
    "history_redis",
    "neural",
    "ratelimit",
    "rbl",
    "replies",
    "reputation",
    "surbl",
    "url_redirector",
];

pub struct Rspamd {
    daemon: Child,
    port: u16,
    folder: tempfile::TempDir,
}

/// What one rule says of a mail.
#[derive(Debug)]
pub struct Symbol {
    pub name: String,
    pub score: f64,
    pub why: String,
}

impl Rspamd {
    /// Starts one that finds these keys, an SPF record that names the relay, and a strict DMARC policy.
    ///
    /// # Panics
    /// If it is not installed, or does not answer within 30 seconds.
    pub fn knowing<'a>(keys: impl Iterator<Item = &'a Record>) -> Self {
        let folder = tempfile::Builder::new().prefix("verdicts-rspamd-").tempdir().expect("a folder");
        let mut known: Vec<Known> = keys.map(|key| Known::txt(&key.name, &key.value)).collect();
        known.extend([
            Known::txt(DOMAIN, &format!("v=spf1 ip4:{RELAY} -all")),
            Known::txt(&format!("_dmarc.{DOMAIN}"), "v=DMARC1; p=reject; adkim=s; aspf=s"),
            Known::mx(DOMAIN, HOST),
            Known::a(DOMAIN, RELAY),
            Known::a(HOST, RELAY),
            Known::ptr(RELAY, HOST),
        ]);
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|one| one.local_addr())
            .expect("a port")
            .port();
        let settings = settings(folder.path(), port, nameserver::start(known));
        let daemon = Command::new("rspamd")
            .args(["--no-fork", "--insecure", "--config"])
            .arg(settings)
            .args(["DBDIR", "RUNDIR", "LOGDIR", "LOCAL_CONFDIR"].map(|name| format!("--var={name}={}", folder.path().display())))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("rspamd is missing; tests/run installs it, or: apt-get install --no-install-recommends rspamd");
        let started = Self { daemon, port, folder };
        started.wait();
        started
    }

    fn wait(&self) {
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(start.elapsed() < Duration::from_secs(30), "rspamd does not start:\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it says of a mail that the relay brings for Ann.
    pub fn judge(&self, mail: &[u8]) -> Vec<Symbol> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("it is a timeout");
        let head = format!(
            "POST /checkv2 HTTP/1.0\r\nContent-Length: {}\r\nFrom: letters@{DOMAIN}\r\nRcpt: ann@example.com\r\n\
             IP: {RELAY}\r\nHelo: {HOST}\r\nHostname: {HOST}\r\n\r\n",
            mail.len()
        );
        stream.write_all(&[head.as_bytes(), mail].concat()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let body = answer.split_once("\r\n\r\n").expect("it speaks HTTP").1;
        let said: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
        let symbols = said["symbols"].as_object().unwrap_or_else(|| panic!("no symbols: {answer}"));
        let symbol = |(name, one): (&String, &Value)| Symbol {
            name: name.clone(),
            score: one["score"].as_f64().unwrap_or_default(),
            why: format!("{} {}", one["description"].as_str().unwrap_or_default(), one["options"]),
        };
        symbols.iter().map(symbol).collect()
    }
}

impl Drop for Rspamd {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.daemon.id().to_string()]).status();
        let _ = self.daemon.wait();
    }
}

fn settings(folder: &Path, port: u16, nameserver: u16) -> std::path::PathBuf {
    let own = folder.join("override.d");
    fs::create_dir(&own).expect("the folder is new");
    for module in OFF {
        fs::write(own.join(format!("{module}.conf")), "enabled = false;\n").expect("the folder is ours");
    }
    // Reading the public list of 9,600 endings takes it a quarter of a minute.
    fs::write(folder.join("endings"), "com\nnet\norg\n").expect("the folder is ours");
    let options = format!(
        "filters = \"chartable,dkim,regexp\";\nurl_tld = \"{}/endings\";\n\
         dns {{ nameserver = [\"127.0.0.1:{nameserver}:1\"]; timeout = 1s; retransmits = 1; }}\n",
        folder.display()
    );
    fs::write(own.join("options.inc"), options).expect("the folder is ours");
    let file = folder.join("rspamd.conf");
    let text = format!(
        ".include \"$CONFDIR/common.conf\"\n\
         options {{\n  pidfile = \"{0}/pid\";\n  .include \"$CONFDIR/options.inc\"\n  .include(priority=10) \"{0}/override.d/options.inc\"\n}}\n\
         logging {{ type = \"file\"; filename = \"{0}/log\"; level = \"info\"; }}\n\
         worker \"normal\" {{ bind_socket = \"127.0.0.1:{port}\"; count = 1; }}\n",
        folder.display()
    );
    fs::write(&file, text).expect("the folder is ours");
    file
}
