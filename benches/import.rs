//! How long a million subscribers take from a CSV into the store, against the limit: the sqlite3 shell's own `.import` of the
//! same file into a table with the same unique index, in the same run. `VERDICTS_BENCH_ROWS` makes it shorter.
//!
//! The import does more than the shell: it validates every address, hashes it, asks the suppressions and reads dates.
//! Prints one line of figures; exits 1 if the import takes over five times as long, or does not take every row.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use verdicts::domain::UnixMillis;
use verdicts::domain::token::{KEY_OCTETS, Keyring};
use verdicts::store::Store;
use verdicts::subscribers::{Options, Reader, Summary, import};

/// How many times the shell's time the import may take.
const LIMIT: f64 = 5.0;

fn main() -> ExitCode {
    match measure() {
        Ok(within) if within => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench import: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<bool, Box<dyn std::error::Error>> {
    let rows: u64 = match std::env::var("VERDICTS_BENCH_ROWS") {
        Ok(text) => text
            .parse()
            .map_err(|_| format!("VERDICTS_BENCH_ROWS={text:?} is not a number of rows; use 100000"))?,
        Err(_) => 1_000_000,
    };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("people.csv");
    write_people(&file, rows)?;

    let shell = shell_import(folder.path(), &file, rows)?;
    let started = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let summary = runtime.block_on(our_import(folder.path(), &file))?;
    let ours = started.elapsed().as_secs_f64();
    if summary.added != rows {
        return Err(format!("{} of {rows} rows were added: {summary:?}", summary.added).into());
    }
    let ratio = ours / shell;
    println!(
        "import: {rows} rows in {ours:.2} s ({:.0}/s), sqlite3 .import {shell:.2} s, ratio {ratio:.2} (limit {LIMIT}), peak RSS {}",
        rows as f64 / ours,
        peak_rss()
    );
    Ok(ratio <= LIMIT)
}

fn write_people(file: &Path, rows: u64) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    writeln!(out, "email,name,status,timezone,created_at,source")?;
    for n in 0..rows {
        // Spread over the index as real addresses are, and not in its order.
        let key = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        writeln!(
            out,
            "{key:016x}.{n}@example.com,\"Reader {n}, of many\",active,Europe/Berlin,2026-03-01T10:20:30Z,signup"
        )?;
    }
    out.flush()
}

fn shell_import(folder: &Path, file: &Path, rows: u64) -> Result<f64, Box<dyn std::error::Error>> {
    let script = format!(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;
CREATE TABLE subscriber (email TEXT NOT NULL UNIQUE, name TEXT, status TEXT, timezone TEXT, created_at TEXT, source TEXT);
.import --csv --skip 1 \"{}\" subscriber
SELECT count(*) FROM subscriber;
",
        file.display()
    );
    let commands = folder.join("import.sql");
    std::fs::write(&commands, script)?;
    let started = Instant::now();
    let output = Command::new("sqlite3")
        .arg("-batch")
        .arg(folder.join("shell.db"))
        .stdin(File::open(&commands)?)
        .output()
        .map_err(|error| {
            format!("sqlite3 can't be run ({error}); install it, on Debian: apt-get install sqlite3")
        })?;
    let seconds = started.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || said.lines().last() != Some(&rows.to_string()) {
        return Err(
            format!("sqlite3 .import failed: {said} {}", String::from_utf8_lossy(&output.stderr)).into()
        );
    }
    Ok(seconds)
}

async fn our_import(folder: &Path, file: &Path) -> Result<Summary, Box<dyn std::error::Error>> {
    let store = Store::open(&format!("sqlite:{}", folder.join("ours.db").display())).await?;
    let keyring = Keyring::parse(&Keyring::file_text(1, &[7; KEY_OCTETS]))?;
    let options = Options { status: None, source: "import:bench".to_owned(), now: UnixMillis::now() };
    let reader = Reader::open(File::open(file)?, options)?;
    let summary = import(reader, &store, &keyring, |_| {}).await?;
    store.close().await;
    Ok(summary)
}

/// The most memory this process ever had (Linux). The file was written and read in streams, so it is the import's.
fn peak_rss() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |kb| kb.trim().to_owned())
}
