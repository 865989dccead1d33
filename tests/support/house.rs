//! What the story tests share: a house in a temporary folder, and the real binary run in it.
#![allow(dead_code, reason = "every user takes the part it needs")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

pub const BINARY: &str = env!("CARGO_BIN_EXE_verdicts");

/// A site in a temporary folder: settings, key, database.
pub struct House {
    folder: tempfile::TempDir,
    /// The environment of every command.
    environment: BTreeMap<String, String>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl House {
    /// `relay` is a relay URL; `more` is appended to the settings, for further sections.
    pub fn new(relay: &str, more: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("verdicts-site-").tempdir().unwrap();
        let house = Self { folder, environment: BTreeMap::new() };
        let settings = format!(
            "[site]\nname = \"Weekly Verdicts\"\nbase_url = \"http://127.0.0.1:8080\"\n\
             from = \"Weekly Verdicts <letters@verdicts.example>\"\npostal_address = \"1 Sample Street, Exampleville\"\n\
             [database]\nurl = \"sqlite:verdicts.db\"\n[secret]\nkey_file = \"verdicts.key\"\n\
             [relay]\nurl = \"{relay}\"\n{more}"
        );
        fs::write(house.path("verdicts.toml"), settings).unwrap();
        let key = verdicts::domain::token::Keyring::file_text(1, &[7; 32]);
        fs::write(house.path("verdicts.key"), key).unwrap();
        house
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Sets a variable of the environment for all that follows.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    pub fn unset(&mut self, name: &str) {
        self.environment.remove(name);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Path::new(BINARY), arguments)
    }

    fn command_of(&self, binary: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary);
        command.current_dir(self.folder.path()).args(arguments).env_remove("RUST_LOG").stdin(Stdio::null());
        command.envs(&self.environment);
        command
    }

    /// Runs a command of another binary to its end.
    pub fn run_as(&self, binary: &Path, arguments: &[&str]) -> Ran {
        Ran::from(self.command_of(binary, arguments).output().unwrap())
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    /// Runs a command that has to succeed.
    pub fn must(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "verdicts {arguments:?} said {}{}", ran.out, ran.err);
        ran
    }

    /// Starts a command and leaves it running; it dies with the test.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(arguments);
        Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// As [`House::start`], with its stderr in a file of the house.
    pub fn start_logged(&self, arguments: &[&str], log: &str) -> Running {
        let mut command = self.command(arguments);
        let log = fs::File::create(self.path(log)).unwrap();
        Running(command.stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    /// Waits until a line of a file of the house has `text` in it; false when that takes too long.
    pub fn wait_for_line(&self, file: &str, text: &str, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        while Instant::now() < until {
            if fs::read_to_string(self.path(file)).is_ok_and(|all| all.contains(text)) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// The newest issue's status, checked for balance (promise P4).
    pub fn status(&self) -> serde_json::Value {
        let ran = self.must(&["status", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let count = |name: &str| status[name].as_i64().unwrap();
        let parts: i64 =
            ["queued", "sending", "deferred", "sent", "failed", "cancelled"].into_iter().map(count).sum();
        assert_eq!(count("audience"), parts, "the status does not balance: {status}");
        status
    }

    /// Imports one comparison, published a day ago, and `readers` readers.
    pub fn furnish(&self, readers: usize) {
        let file = self.write("lead.json", &comparison("lead", Utc::now() - chrono::TimeDelta::days(1)));
        self.must(&["comparisons", "import", file.to_str().unwrap()]);
        let file = self.write("readers.csv", &readers_csv(readers));
        self.must(&["subscribers", "import", file.to_str().unwrap()]);
    }
}

impl Ran {
    /// Whether a signal ended it.
    pub fn was_killed(&self) -> bool {
        self.code == -1
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A command that runs beside the test.
pub struct Running(pub Child);

impl Running {
    pub fn signal(&self, name: &str) {
        let _ = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `reader0@example.com`, `reader1@example.org`, … with and without names.
pub fn readers_csv(count: usize) -> String {
    let mut csv = String::from("email,name\n");
    for n in 0..count {
        let _ =
            writeln!(csv, "{},{}", reader(n), if n % 3 == 0 { String::new() } else { format!("Reader {n}") });
    }
    csv
}

pub fn reader(n: usize) -> String {
    format!("reader{n}@example.{}", if n.is_multiple_of(2) { "com" } else { "org" })
}

/// The quotes of [`comparison`], each with something that has to be escaped or encoded on its way.
pub const QUOTES: [&str; 8] = [
    "Runs where you deploy it, and the error messages tell you what to do next.",
    "I tried to break it with 40 MB of bad input & it simply said \"no\".",
    "Small models on small machines is where the next five years go.",
    "Free is a price that a team of two can defend.",
    "Five minutes from nothing to something that answers; the last mile is yours.",
    "It is fast <until> the second tenant arrives.",
    "The invoice grows exactly when you do, and that's fair.",
    "Day two is missing: no jobs, no hooks, no plan for either.",
];

/// A comparison file: one tool shipped by all four, the other by three of four; "Free" and "$19/mo".
pub fn comparison(slug: &str, published: DateTime<Utc>) -> String {
    let review = |reviewer: &str, verdict: &str, quote: usize| serde_json::json!({ "reviewer": reviewer, "verdict": verdict, "quote": QUOTES[quote] });
    let tool = |slug: &str,
                name: &str,
                entry: &str,
                community: serde_json::Value,
                reviews: [serde_json::Value; 4]| {
        serde_json::json!({
            "slug": slug, "name": name, "category": "Developer Tools", "tagline": format!("{name} in one line"),
            "description": format!("What {name} does, in a sentence."), "pricing": { "entry": entry },
            "community": community, "reviews": reviews,
        })
    };
    serde_json::to_string_pretty(&serde_json::json!({
        "slug": slug, "title": "Pocketbase Nano vs Stackforge", "question": "Which one should you ship with?",
        "published_at": published.to_rfc3339(), "url": format!("https://verdicts.example/compare/{slug}"),
        "tools": [
            tool("pocketbase-nano", "Pocketbase Nano", "Free", serde_json::Value::Null, [
                review("Builder", "ship", 0), review("Skeptic", "ship", 1),
                review("Futurist", "ship", 2), review("Founder", "ship", 3),
            ]),
            tool("stackforge", "Stackforge", "$19/mo", serde_json::json!({ "ship": 41, "skip": 23 }), [
                review("Builder", "ship", 4), review("Skeptic", "ship", 5),
                review("Founder", "ship", 6), review("Product manager", "skip", 7),
            ]),
        ],
    }))
    .unwrap()
}

/// The value of a header in a letter, unfolded; the first one.
pub fn header(letter: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(letter).replace("\r\n", "\n");
    let head = text.split("\n\n").next()?.replace("\n ", " ").replace("\n\t", " ");
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// The .eml files of an outbox.
pub fn outbox(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "eml"))
        .map(|path| fs::read(path).unwrap())
        .collect()
}
