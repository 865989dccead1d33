//! `verdicts subscribers import`: what the operator sees while a file goes in, and what is left
//! of it afterwards.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::cli::exit::{CommandError, CommandResult, Exit};
use crate::domain::token::Keyring;
use crate::private::{self, Existing};
use crate::store::Store;
use crate::subscribers::{CsvReader, ImportProgress, Options, Refusals, RowError, Summary, import};

/// How many bad rows are printed in full.
const SHOWN: u64 = 20;

pub(super) async fn import_file(
    store: &Store,
    keyring: &Keyring,
    file: &Path,
    options: Options,
    report: Option<&Path>,
    json: bool,
) -> CommandResult {
    let (input, length): (Box<dyn Read + Send>, u64) = if file == Path::new("-") {
        (Box::new(std::io::stdin()), 0)
    } else {
        let input = File::open(file).map_err(|error| CommandError::about(file, &error))?;
        let length = input.metadata().map_or(0, |meta| meta.len());
        (Box::new(input), length)
    };
    let reader = CsvReader::open(input, options).map_err(|error| CommandError::about(file, &error))?;
    let columns = reader.columns().clone();
    if !columns.ignored.is_empty() {
        eprintln!("columns that are not read: {}", columns.ignored.join(", "));
    }
    let mut view = ImportView::new(length, report)?;
    let result = import(reader, store, keyring, |progress| view.step(&progress)).await;
    let summary = view.end(result)?;
    if json {
        let Summary { added, duplicates, suppressed, bad, remarks } = summary;
        println!(
            "{}",
            json!({"added": added, "duplicates": duplicates, "suppressed": suppressed, "bad": bad,
                   "remarks": remarks, "ignored_columns": columns.ignored})
        );
    } else {
        println!(
            "{} rows: {} added, {} known already, {} suppressed, {} bad",
            summary.rows(),
            summary.added,
            summary.duplicates,
            summary.suppressed,
            summary.bad
        );
    }
    Ok(if summary.bad > 0 { Exit::Incomplete } else { Exit::Done })
}

/// What the operator sees of an import: a bar on a terminal, plain lines elsewhere, the first bad
/// rows, the report.
struct ImportView {
    bar: Option<ProgressBar>,
    report: Option<Refusals<File>>,
    report_error: Option<String>,
    shown: u64,
    told: u64,
    last: Summary,
}

impl ImportView {
    fn new(length: u64, report: Option<&Path>) -> Result<Self, CommandError> {
        let style = "{bar:30} {binary_bytes}/{binary_total_bytes} {msg} · {elapsed} elapsed, {eta} left";
        let bar = (std::io::stderr().is_terminal() && length > 0).then(|| ProgressBar::new(length));
        if let (Some(bar), Ok(style)) = (&bar, ProgressStyle::with_template(style)) {
            bar.set_style(style);
        }
        let report = report
            .map(|path| {
                let file = private::file(path, Existing::Empty)
                    .map_err(|error| CommandError::about(path, &error))?;
                Refusals::new(file).map_err(|error| CommandError::about(path, &error))
            })
            .transpose()?;
        Ok(Self { bar, report, report_error: None, shown: 0, told: 0, last: Summary::default() })
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    fn step(&mut self, progress: &ImportProgress<'_>) {
        for (error, left_out) in
            progress.bad.iter().map(|e| (e, "")).chain(progress.remarks.iter().map(|e| (e, " (row kept)")))
        {
            self.row(error, left_out);
        }
        self.last = progress.summary;
        let rows = progress.summary.rows();
        if let Some(bar) = &self.bar {
            bar.set_position(progress.octets);
            let rate = rows as f64 / bar.elapsed().as_secs_f64().max(0.001);
            bar.set_message(format!("{rows} rows, {rate:.0}/s"));
        } else if rows / 100_000 > self.told {
            self.told = rows / 100_000;
            eprintln!("{rows} rows");
        }
    }

    fn row(&mut self, error: &RowError, left_out: &str) {
        if self.shown < SHOWN {
            self.say(&format!("{error}{left_out}"));
        }
        self.shown += 1;
        if let Some(report) = &mut self.report
            && let Err(error) = report.write(error)
        {
            self.report_error = Some(error.to_string());
        }
    }

    fn end(mut self, result: Result<Summary, crate::store::StoreError>) -> Result<Summary, CommandError> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if self.shown > SHOWN {
            let remedy = if self.report.is_some() { "" } else { "; --report FILE writes them all" };
            eprintln!("and {} more{remedy}", self.shown - SHOWN);
        }
        let flushed = self.report.as_mut().map_or(Ok(()), |report| report.flush());
        if let Some(error) = self.report_error.or_else(|| flushed.err().map(|error| error.to_string())) {
            eprintln!("the report is not complete: {error}");
        }
        result.map_err(|error| {
            let rows = self.last.rows();
            CommandError::Failed(format!(
                "{error}; {rows} rows are done, and the same import goes on after them"
            ))
        })
    }
}
