//! How long subscribers take from a CSV into the store, against the limit: the sqlite3 shell's own `.import` of the same
//! file into a table with the same unique index. Both are whole processes that take turns, so that a busy machine is
//! busy for both: three rounds of 200,000 rows and one of 1,000,000. `VERDICTS_BENCH_ROWS` asks for three rounds of
//! another size.
//!
//! The import does more than the shell: it validates every address, hashes it, asks the suppressions and reads dates.
//! Prints one line a round; exits 1 if the import takes over five times as long in the middle one of its rounds, has not
//! taken every row, or has had over 96 MB of memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// How many times the shell's time the import may take.
const LIMIT: f64 = 5.0;
/// The most memory it may have at any time, in KB, however long the file is.
const LIMIT_KB: u64 = 96 * 1024;

type Failure = Box<dyn std::error::Error>;

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

fn measure() -> Result<bool, Failure> {
    let sizes = match std::env::var("VERDICTS_BENCH_ROWS") {
        Ok(text) => {
            let rows = text
                .parse()
                .map_err(|_| format!("VERDICTS_BENCH_ROWS={text:?} is not a number of rows; use 100000"))?;
            vec![(rows, 3)]
        }
        Err(_) => vec![(200_000, 3), (1_000_000, 1)],
    };
    let mut within = true;
    for (rows, rounds) in sizes {
        let mut ratios = Vec::new();
        for _ in 0..rounds {
            let (ratio, peak) = round(rows)?;
            ratios.push(ratio);
            within = within && peak.is_none_or(|peak| peak <= LIMIT_KB);
        }
        ratios.sort_by(f64::total_cmp);
        within = within && ratios[ratios.len() / 2] <= LIMIT;
    }
    Ok(within)
}

/// Both imports of a new file of so many rows: how many times the shell's time ours took, and its most memory in KB.
fn round(rows: u64) -> Result<(f64, Option<u64>), Failure> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("people.csv");
    write_people(&file, rows)?;
    let shell = shell_import(folder.path(), &file, rows)?;
    let (ours, peak) = our_import(folder.path(), &file, rows)?;
    let ratio = ours / shell;
    println!(
        "import: {rows} rows in {ours:.2} s ({:.0}/s), sqlite3 .import {shell:.2} s, ratio {ratio:.2} (limit {LIMIT}), peak RSS {}",
        rows as f64 / ours,
        peak.map_or_else(|| "unknown".to_owned(), |kb| format!("{} MB", kb / 1024)),
    );
    Ok((ratio, peak))
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
    // What is still on its way to the disk would be the first import's to wait for.
    out.into_inner()?.sync_all()
}

fn shell_import(folder: &Path, file: &Path, rows: u64) -> Result<f64, Failure> {
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

fn our_import(folder: &Path, file: &Path, rows: u64) -> Result<(f64, Option<u64>), Failure> {
    let site = folder.join("site");
    let verdicts = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verdicts"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let made = verdicts().arg("init").arg(&site).output()?;
    if !made.status.success() {
        return Err(format!("init failed: {}", String::from_utf8_lossy(&made.stderr)).into());
    }
    let started = Instant::now();
    let mut import = verdicts();
    import.current_dir(&site).args(["subscribers", "import", "--json"]).arg(file);
    let mut child = import.spawn()?;
    let peak = watch(&mut child)?;
    let seconds = started.elapsed().as_secs_f64();
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || !said.contains(&format!("\"added\":{rows},")) {
        return Err(
            format!("verdicts import failed: {said} {}", String::from_utf8_lossy(&output.stderr)).into()
        );
    }
    Ok((seconds, peak))
}

/// Waits for its end. The most memory it ever had, in KB, where the system says (Linux): the mark only rises, so the last
/// look is good to what the last moments added.
fn watch(child: &mut Child) -> std::io::Result<Option<u64>> {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    while child.try_wait()?.is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|kb| kb.trim().trim_end_matches("kB").trim().parse().ok()).or(peak);
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(peak)
}
