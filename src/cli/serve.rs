//! `verdicts serve` and `verdicts worker`.

use std::sync::Arc;

use super::{Exit, Failure, Outcome};
use crate::app::App;
use crate::web;

/// Runs until SIGTERM or SIGINT; with pages or without.
pub async fn run(app: &App, pages: bool) -> Outcome {
    let stop = super::send::stop_signal();
    let worker = app.worker(stop.clone())?;
    if !pages {
        tracing::info!(schedule = worker.schedule.text(), "working");
        worker.run().await;
        return Ok(Exit::Done);
    }
    let listen = app.settings.web.listen;
    let listener = tokio::net::TcpListener::bind(listen).await.map_err(|error| {
        Failure::Failed(format!(
            "web.listen = \"{listen}\" can't be listened on ({error}); choose another port"
        ))
    })?;
    let pages = Arc::new(app.web()?);
    tracing::info!(listen = %listener.local_addr()?, schedule = worker.schedule.text(), "serving");
    let (served, ()) = tokio::join!(web::serve(listener, pages, stop), worker.run());
    served?;
    Ok(Exit::Done)
}
