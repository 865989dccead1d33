//! `verdicts subscribers export`: the list as a file that `import` reads again.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::cli::exit::{CommandError, CommandResult, Exit};
use crate::domain::subscriber::{SubscriberId, SubscriberStatus};
use crate::private::{self, Existing};
use crate::store::Store;
use crate::subscribers::CsvWriter;

/// Subscribers an export reads at a time.
const PAGE: i64 = 1_000;

pub(super) async fn export(
    store: &Store,
    status: Option<SubscriberStatus>,
    out: Option<&Path>,
) -> CommandResult {
    let Some(path) = out else {
        write_all(store, status, BufWriter::new(std::io::stdout())).await?;
        return Ok(Exit::Done);
    };
    // Written beside and renamed, so that nobody takes half a list for the whole.
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let file =
        private::file(&partial, Existing::Replace).map_err(|error| CommandError::about(&partial, &error))?;
    let written = write_all(store, status, BufWriter::new(file)).await;
    let done = match written {
        Ok(count) => {
            std::fs::rename(&partial, path).map(|()| count).map_err(|error| CommandError::about(path, &error))
        }
        Err(error) => Err(error),
    };
    if done.is_err() {
        // What is left of it is people's addresses; the error that matters is the first one.
        let _ = std::fs::remove_file(&partial);
    }
    eprintln!("{} subscribers written to {}", done?, path.display());
    Ok(Exit::Done)
}

async fn write_all(
    store: &Store,
    status: Option<SubscriberStatus>,
    out: impl Write,
) -> Result<u64, CommandError> {
    let (mut writer, mut after, mut count) = (CsvWriter::new(out)?, SubscriberId(0), 0);
    loop {
        let page = store.subscribers_after(after, status, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        count += page.len() as u64;
        for person in &page {
            writer.write(person)?;
        }
    }
    writer.finish()?.flush()?;
    Ok(count)
}
