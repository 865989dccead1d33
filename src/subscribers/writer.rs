//! Subscribers as CSV, in the columns that [`super::CsvReader`] knows: what goes out comes in
//! again the same.
//!
//! Names are written as they are, also those that begin with `=`, `+`, `-` or `@`: to mark them
//! for the sake of spreadsheets would change the data. Whoever opens an export in one should
//! import it as text.

use std::io::Write;

use super::reader::RowError;
use crate::domain::subscriber::Subscriber;

/// Writes an export.
pub struct CsvWriter<W: Write> {
    csv: csv::Writer<W>,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header.
    pub fn new(out: W) -> std::io::Result<Self> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(["email", "name", "status", "timezone", "created_at", "source"])?;
        Ok(Self { csv })
    }

    pub fn write(&mut self, subscriber: &Subscriber) -> std::io::Result<()> {
        let created = subscriber.created_at.utc().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        self.csv.write_record([
            // The export is the operator's own list, asked for by name.
            subscriber.email.expose(),
            subscriber.name.as_deref().unwrap_or(""),
            subscriber.status.as_str(),
            subscriber.timezone.as_deref().unwrap_or(""),
            &created,
            &subscriber.source,
        ])?;
        Ok(())
    }

    /// Flushes, and hands the file back.
    pub fn finish(self) -> std::io::Result<W> {
        self.csv.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// Writes the rows that an import did not take, as CSV: line, field, reason.
pub struct Refusals<W: Write> {
    csv: csv::Writer<W>,
}

impl<W: Write> Refusals<W> {
    /// Writes the header.
    pub fn new(out: W) -> std::io::Result<Self> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(["line", "field", "reason"])?;
        Ok(Self { csv })
    }

    pub fn write(&mut self, refused: &RowError) -> std::io::Result<()> {
        Ok(self.csv.write_record([&refused.line.to_string(), refused.field, &refused.reason])?)
    }

    pub fn flush(&mut self) -> std::io::Result<()> {
        self.csv.flush()
    }
}
