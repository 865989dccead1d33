//! SIGTERM and SIGINT, as a value that turns true.

use tokio::sync::watch;

/// Turns true at SIGTERM or SIGINT: what is in flight is finished, nothing new is started.
pub(in crate::cli) fn stop_signal() -> watch::Receiver<bool> {
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(async move {
        let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        else {
            return;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        tracing::info!("stopping: what is in flight is finished, nothing new is started");
        let _ = stop.send(true);
        // Kept alive, since a receiver reads a closed channel as a stop.
        std::future::pending::<()>().await;
    });
    stopping
}
