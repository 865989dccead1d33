//! From a file to the store: rows are read and hashed on a thread of their own while the store
//! writes the batch before.
//!
//! A crash leaves whole batches behind. The same import again adds the rest, since a known address
//! is left as it is.

use tokio::sync::mpsc;

use super::reader::{CsvReader, RowError};
use crate::domain::subscriber::NewSubscriber;
use crate::domain::token::Keyring;
use crate::store::{Store, StoreError, SubscriberChange};

/// Rows a commit. Addresses fall anywhere in their index, so a commit writes most of its pages: few
/// commits write less. Nobody else writes meanwhile, so it stays well under a second.
const BATCH: usize = 10_000;
/// Batches that wait for the store; more would only hold memory.
const WAITING: usize = 1;

/// What an import did. Every row of the file is in exactly one of the four.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    pub added: u64,
    pub duplicates: u64,
    pub suppressed: u64,
    pub bad: u64,
    /// Fields left out of rows that went in.
    pub remarks: u64,
}

impl Summary {
    pub fn rows(&self) -> u64 {
        self.added + self.duplicates + self.suppressed + self.bad
    }
}

/// How far an import is, after each commit.
pub struct ImportProgress<'a> {
    pub summary: Summary,
    /// Octets of the file that are done.
    pub octets: u64,
    /// Rows of this step that stay out.
    pub bad: &'a [RowError],
    /// Fields of this step that stay out.
    pub remarks: &'a [RowError],
}

#[derive(Default)]
struct Batch {
    rows: Vec<NewSubscriber>,
    hashes: Vec<String>,
    bad: Vec<RowError>,
    remarks: Vec<RowError>,
    octets: u64,
}

/// Takes every row of `reader` to the store.
///
/// # Errors
/// The store's; what was committed before stays.
pub async fn import(
    reader: CsvReader,
    store: &Store,
    keyring: &Keyring,
    mut progress: impl FnMut(ImportProgress<'_>),
) -> Result<Summary, StoreError> {
    let (sender, mut batches) = mpsc::channel(WAITING);
    let keyring = keyring.clone();
    let reading = tokio::task::spawn_blocking(move || read(reader, &keyring, &sender));
    let mut summary = Summary::default();
    while let Some(batch) = batches.recv().await {
        let Batch { rows, hashes, bad, remarks, octets } = batch;
        for change in store.add_subscribers(&rows, &hashes).await? {
            match change {
                SubscriberChange::Added => summary.added += 1,
                SubscriberChange::Duplicate => summary.duplicates += 1,
                SubscriberChange::Suppressed => summary.suppressed += 1,
            }
        }
        summary.bad += bad.len() as u64;
        summary.remarks += remarks.len() as u64;
        progress(ImportProgress { summary, octets, bad: &bad, remarks: &remarks });
    }
    if let Err(error) = reading.await
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
    Ok(summary)
}

/// Fills batches until the file ends or nobody listens any more.
fn read(mut reader: CsvReader, keyring: &Keyring, sender: &mpsc::Sender<Batch>) {
    let mut batch = Batch::default();
    while let Some(row) = reader.next() {
        match row {
            Ok(row) => {
                batch.hashes.push(keyring.suppression_hash(&row.email));
                batch.rows.push(row);
            }
            Err(error) => batch.bad.push(error),
        }
        if batch.rows.len() + batch.bad.len() >= BATCH {
            batch.remarks = reader.take_remarks();
            batch.octets = reader.position();
            if sender.blocking_send(std::mem::take(&mut batch)).is_err() {
                return;
            }
        }
    }
    batch.remarks = reader.take_remarks();
    batch.octets = reader.position();
    if !batch.rows.is_empty() || !batch.bad.is_empty() {
        // Nobody listens: the import has failed already, with the store's error.
        let _ = sender.blocking_send(batch);
    }
}
