//! Files of people: CSV in, CSV out, and the import that takes one to the store. Memory stays flat
//! however long a file is.
//!
//! A row that can't be used is reported with its line, field and reason, and the rest goes in. No
//! report repeats an address: a bad row's text may be a person's.

mod columns;
mod import;
mod reader;
#[cfg(test)]
mod tests;
mod when;
mod writer;

pub use import::{ImportProgress, Summary, import};
pub use reader::{Columns, CsvReader, Options, RowError, UnreadableFile, clean_name};
pub use when::parse_when;
pub use writer::{CsvWriter, Refusals};
