//! `verdicts serve` and `verdicts worker`.

use std::io::ErrorKind;
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
        let ended = served.await.expect("binding does not panic");
        // To drop a runtime waits for its threads, and that panics inside another one.
        threads.shutdown_background();
        let error = ended.err().unwrap_or_else(|| ErrorKind::Interrupted.into());
        return Err(unbindable(&format!("web.listen = \"{listen}\""), &error));
    };
    tracing::info!(listen = %address?, schedule, "serving");
    let (served, ()) = tokio::join!(served, worker.run());
    // Nothing runs there any more; to wait for its threads here is not allowed, and not needed.
    threads.shutdown_background();
    served.expect("the server does not panic")?;
    Ok(Exit::Done)
}

/// Why an address can't be listened on, and what to do about it. `setting` names it as it was given.
pub(in crate::cli) fn unbindable(setting: &str, error: &std::io::Error) -> CommandError {
    CommandError::Usage(match error.kind() {
        ErrorKind::AddrInUse => format!("{setting} is in use; stop the other or choose a port"),
        ErrorKind::PermissionDenied => format!("{setting} needs rights of root; choose a port above 1023"),
        ErrorKind::AddrNotAvailable => {
            format!("{setting} is no address of this machine; choose one of its own, as 127.0.0.1")
        }
        _ => format!("{setting} can't be listened on ({error}); choose another address or port"),
    })
}
