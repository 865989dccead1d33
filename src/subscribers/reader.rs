//! A CSV of people, row by row.

use std::io::{Cursor, ErrorKind, Read};

use super::columns::{self, Field};
use super::when::parse_when;
use crate::domain::subscriber::{NewSubscriber, SubscriberStatus};
use crate::domain::{EmailAddress, UnixMillis};

/// Longest name that is kept, in characters.
const MAX_NAME: usize = 200;
/// Beyond this many octets a row is a quote that nobody closed.
const MAX_ROW: usize = 64 * 1024;
/// How many octets are read on to find such a row's end, and with it the next row.
const MAX_READ: usize = 1 << 20;
/// How much of the file is looked at to find the delimiter.
const HEAD: usize = 64 * 1024;

/// What a file is read with.
#[derive(Clone, Debug)]
pub struct Options {
    /// For rows whose file names no status, or one that is not an end. A status that is an
    /// end always stays: no flag makes somebody who left active again. None: the file's
    /// word, else active.
    pub status: Option<SubscriberStatus>,
    /// For rows without a source of their own, for example `import:readers.csv`.
    pub source: String,
    /// For rows that don't say when the person joined.
    pub now: UnixMillis,
}

/// A row that stays out, or (as a remark) a field that does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowError {
    /// The line in the file that the row begins on, from 1.
    pub line: u64,
    /// `email`, `status`, … or `row`.
    pub field: &'static str,
    /// What is wrong and what would be right. Never an address.
    pub reason: String,
}

impl std::fmt::Display for RowError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}: {}", self.line, self.field, self.reason)
    }
}

/// What the header said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Columns {
    /// The columns that are read, by our names.
    pub known: Vec<&'static str>,
    /// The columns that are not, by the file's names.
    pub ignored: Vec<String>,
}

/// Why a file can't be read at all.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableFile {
    #[error("the file can't be read: {0}; check its path and rights")]
    Io(#[from] std::io::Error),
    #[error("the file is empty; its first line has to name the columns, and one of them email")]
    Empty,
    #[error("the file is UTF-16; save it as \"CSV UTF-8\"")]
    Utf16,
    #[error("the first line names no email column (it has {0}); add a header line such as email,name")]
    NoEmail(String),
    #[error("the first line is a person and not a header; add a line such as email,name above it")]
    NoHeader,
    #[error("the header can't be read: {0}; check its quotes and save it as UTF-8")]
    Header(String),
}

type BoundedInput = Bounded<std::io::Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>>;

const TOO_LONG: &str = "it is over 64 KB long; a quote is opened here and not closed";

/// Lets one row take so many more octets and then fails with `FileTooLarge`: a quote that nobody
/// closes would otherwise take the rest of the file into memory. Counted by whole reads, so a row
/// that is shorter never meets the end.
struct Bounded<R> {
    source: R,
    left: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            return Err(std::io::Error::new(ErrorKind::FileTooLarge, TOO_LONG));
        }
        let read = self.source.read(buffer)?;
        self.left = self.left.saturating_sub(read);
        Ok(read)
    }
}

/// Reads subscribers from a CSV; see `subscribers/README.md` for the format.
pub struct CsvReader {
    csv: csv::Reader<BoundedInput>,
    record: csv::ByteRecord,
    places: [Option<usize>; Field::COUNT],
    width: usize,
    columns: Columns,
    options: Options,
    remarks: Vec<RowError>,
    broken: bool,
}

impl CsvReader {
    /// Reads the header. The delimiter (comma, semicolon or tab) is found from it; a byte order
    /// mark is skipped.
    ///
    /// # Errors
    /// [`UnreadableFile`], when no row could ever be read.
    pub fn open(source: impl Read + Send + 'static, options: Options) -> Result<Self, UnreadableFile> {
        let mut source: Box<dyn Read + Send> = Box::new(source);
        let mut head = Vec::new();
        source.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        if head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]) {
            return Err(UnreadableFile::Utf16);
        }
        let delimiter = delimiter(&head);
        let mut csv = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .buffer_capacity(256 * 1024)
            .from_reader(Bounded { source: Cursor::new(head).chain(source), left: MAX_READ });
        let header = csv.headers().map_err(|error| UnreadableFile::Header(error.to_string()))?;
        let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        if header.iter().all(String::is_empty) {
            return Err(UnreadableFile::Empty);
        }
        let (places, ignored) = columns::assign(&header);
        if places[Field::Email as usize].is_none() {
            let is_person = header.iter().any(|name| EmailAddress::parse(name).is_ok());
            return Err(if is_person {
                UnreadableFile::NoHeader
            } else {
                UnreadableFile::NoEmail(header.join(", "))
            });
        }
        let known = ALL.iter().filter(|field| places[**field as usize].is_some()).map(|f| f.name()).collect();
        Ok(Self {
            csv,
            record: csv::ByteRecord::new(),
            places,
            width: header.len(),
            columns: Columns { known, ignored },
            options,
            remarks: Vec::new(),
            broken: false,
        })
    }

    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Octets read so far.
    pub fn position(&self) -> u64 {
        self.csv.position().byte()
    }

    /// The fields that were left out of rows that went in (an unknown time zone, a date nobody can
    /// read), since the last call.
    pub fn take_remarks(&mut self) -> Vec<RowError> {
        std::mem::take(&mut self.remarks)
    }

    fn row(&mut self) -> Result<NewSubscriber, RowError> {
        let line = self.record.position().map_or(0, csv::Position::line);
        let bad = |field: Field, reason: String| RowError { line, field: field.name(), reason };
        let whole = |reason: String| RowError { line, field: "row", reason };
        if self.record.as_slice().len() > MAX_ROW {
            return Err(whole(TOO_LONG.to_owned()));
        }
        if self.record.len() != self.width {
            return Err(whole(format!(
                "it has {} fields and the header {}; a delimiter inside a field needs \"quotes\" around it",
                self.record.len(),
                self.width
            )));
        }
        let email = self.text(Field::Email, line)?.unwrap_or("");
        let email = EmailAddress::from_public(email).map_err(|error| bad(Field::Email, error.to_string()))?;
        let status = self.status(line)?;
        let (name, mut remarks) = (self.name(line)?, Vec::new());
        let timezone =
            self.text(Field::Timezone, line)?.and_then(|text| match text.parse::<chrono_tz::Tz>() {
                Ok(zone) => Some(zone.name().to_owned()),
                Err(_) => {
                    let reason =
                        format!("{text:?} is not a time zone of the IANA list; the row goes in without it");
                    remarks.push(bad(Field::Timezone, reason));
                    None
                }
            });
        let created_at = self.text(Field::CreatedAt, line)?.and_then(|text| {
            let when = parse_when(text).filter(|&when| when.0 >= 0 && when <= self.options.now);
            if when.is_none() {
                let reason =
                    format!("{text:?} is not a moment in the past; the row goes in with today's date");
                remarks.push(bad(Field::CreatedAt, reason));
            }
            when
        });
        let source = self.text(Field::Source, line)?.map(one_line).filter(|source| !source.is_empty());
        self.remarks.append(&mut remarks);
        Ok(NewSubscriber {
            email,
            name,
            status,
            timezone,
            created_at: created_at.unwrap_or(self.options.now),
            source: source.unwrap_or_else(|| self.options.source.clone()),
        })
    }

    /// The field's text, None if it is absent or blank.
    fn text(&self, field: Field, line: u64) -> Result<Option<&str>, RowError> {
        let Some(bytes) = self.places[field as usize].and_then(|at| self.record.get(at)) else {
            return Ok(None);
        };
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
            Err(_) => {
                let reason = "it is not UTF-8; save the file as \"CSV UTF-8\"".to_owned();
                Err(RowError { line, field: field.name(), reason })
            }
        }
    }

    fn name(&self, line: u64) -> Result<Option<String>, RowError> {
        if let Some(name) = self.text(Field::Name, line)? {
            return Ok(clean_name(name));
        }
        let first = self.text(Field::FirstName, line)?.unwrap_or("");
        let last = self.text(Field::LastName, line)?.unwrap_or("");
        Ok(clean_name(&format!("{first} {last}")))
    }

    /// The most final thing that any column says.
    fn status(&self, line: u64) -> Result<SubscriberStatus, RowError> {
        let says = |field: Field, read: &dyn Fn(&str) -> Result<SubscriberStatus, String>| {
            let Some(text) = self.text(field, line)? else { return Ok(None) };
            read(text).map(Some).map_err(|reason| RowError { line, field: field.name(), reason })
        };
        let left = |left| if left { SubscriberStatus::Unsubscribed } else { SubscriberStatus::Active };
        let said = [
            says(Field::Status, &columns::status)?,
            says(Field::CleanedAt, &|_| Ok(SubscriberStatus::Bounced))?,
            says(Field::LeftAt, &|_| Ok(SubscriberStatus::Unsubscribed))?,
            says(Field::Disabled, &|text| columns::yes(text).map(left))?,
            says(Field::Subscribed, &|text| columns::yes(text).map(|yes| left(!yes)))?,
        ];
        let ended = said.into_iter().flatten().find(|status| status.is_ended());
        let mentioned = said.into_iter().flatten().next();
        Ok(ended.or(self.options.status).or(mentioned).unwrap_or(SubscriberStatus::Active))
    }
}

impl Iterator for CsvReader {
    type Item = Result<NewSubscriber, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken {
            return None;
        }
        self.csv.get_mut().left = MAX_READ;
        match self.csv.read_byte_record(&mut self.record) {
            Ok(false) => None,
            Ok(true) => Some(self.row()),
            Err(error) => {
                // Byte records of any width only fail when the file itself does: there is
                // no next row.
                self.broken = true;
                let line = self.record.position().map_or(0, csv::Position::line);
                let reason = match error.kind() {
                    csv::ErrorKind::Io(error) if error.kind() == ErrorKind::FileTooLarge => {
                        format!("{TOO_LONG}; nothing after it is read")
                    }
                    _ => format!(
                        "the file can't be read further: {error}; import it again, known rows are kept"
                    ),
                };
                Some(Err(RowError { line, field: "row", reason }))
            }
        }
    }
}

const ALL: [Field; Field::COUNT] = [
    Field::Email,
    Field::Name,
    Field::FirstName,
    Field::LastName,
    Field::Status,
    Field::Subscribed,
    Field::Disabled,
    Field::LeftAt,
    Field::CleanedAt,
    Field::Timezone,
    Field::CreatedAt,
    Field::Source,
];

/// A name in one line: breaks, control characters and runs of blanks become one blank; 200
/// characters at most. None if nothing is left.
pub fn clean_name(text: &str) -> Option<String> {
    let name = one_line(text);
    if name.is_empty() {
        return None;
    }
    let end = name.char_indices().nth(MAX_NAME).map_or(name.len(), |(at, _)| at);
    Some(name[..end].trim_end().to_owned())
}

fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// The one of comma, semicolon and tab that the first line has most of, outside quotes.
fn delimiter(head: &[u8]) -> u8 {
    let (mut counts, mut quoted, mut begun) = ([0_u32; 3], false, false);
    for &byte in head {
        match byte {
            // Blank lines above the header are none of it.
            b'\n' | b'\r' if !quoted && begun => break,
            b'"' => quoted = !quoted,
            b',' if !quoted => counts[0] += 1,
            b';' if !quoted => counts[1] += 1,
            b'\t' if !quoted => counts[2] += 1,
            _ => {}
        }
        begun |= !matches!(byte, b'\n' | b'\r');
    }
    match counts {
        [comma, semicolon, tab] if semicolon > comma && semicolon >= tab => b';',
        [comma, _, tab] if tab > comma => b'\t',
        _ => b',',
    }
}
