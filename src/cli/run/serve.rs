//! `verdicts serve` and `verdicts worker`.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::app::App;
use crate::cli::exit::{CommandError, CommandResult, Exit};
use crate::web;

/// Runs until SIGTERM or SIGINT; with pages or without.
pub async fn run(app: &App, pages: bool) -> CommandResult {
    let stop = super::stop::stop_signal();
    let worker = app.worker(stop.clone())?;
    let schedule = worker.scheduler.schedule.text();
    if !pages {
        tracing::info!(schedule, "working");
        worker.run().await;
        return Ok(Exit::Done);
    }
    let pages = Arc::new(app.web()?);
    // A run must not keep readers waiting, nor they the run.
    let threads = tokio::runtime::Builder::new_multi_thread().thread_name("pages").enable_all().build()?;
    let listen = app.settings.web.listen;
    let (sender, listening) = oneshot::channel();
    let served = threads.spawn(async move {
        let listener = TcpListener::bind(listen).await?;
        // Gone only if `run` is, and then nobody waits for it.
        let _ = sender.send(listener.local_addr());
        web::serve(listener, pages, stop).await;
        Ok::<_, std::io::Error>(())
    });
    let Ok(address) = listening.await else {
        let error = served.await.expect("binding does not panic").err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        return Err(CommandError::Failed(format!(
            "web.listen = \"{listen}\" can't be listened on ({error}); choose another port"
        )));
    };
    tracing::info!(listen = %address?, schedule, "serving");
    let (served, ()) = tokio::join!(served, worker.run());
    // Nothing runs there any more; to wait for its threads here is not allowed, and not needed.
    threads.shutdown_background();
    served.expect("the server does not panic")?;
    Ok(Exit::Done)
}
