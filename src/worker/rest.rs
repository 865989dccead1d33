//! How long the loops rest between two looks at the store.

use std::time::Duration;

use tokio::sync::watch;

/// How often the store is asked whether something is due: an operator's `send` from another process
/// starts within this.
pub(super) const POLL: Duration = Duration::from_secs(1);
/// After an error, so that a full disk or a locked database is not asked a thousand times a second.
pub(super) const AFTER_ERROR: Duration = Duration::from_secs(10);

/// Rests for `span`, or until `stop` turns true.
pub(super) async fn rest(span: Duration, stop: &watch::Receiver<bool>) {
    let mut stop = stop.clone();
    tokio::select! {
        () = tokio::time::sleep(span) => {}
        _ = stop.wait_for(|stopping| *stopping) => {}
    }
}
