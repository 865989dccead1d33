//! Connections: how many there are at a time, how long one may take, and how they end.
//!
//! Every wait has an end. A client that is slow with its head, or idle between two requests, is
//! dropped by hyper's timer; one that is slow with its body runs into the time limit of the request
//! ([`super::guard::time_limit`]); one that is slow to take the answer is dropped by
//! [`StallLimit`]. A connection beyond the cap waits in the system's queue until another ends.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Sleep};

use crate::web::router::router;
use crate::web::state::Web;

/// What open requests get to end in, once the process is told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// After an accept that failed for want of file descriptors or memory, so that some can be given
/// back.
const AFTER_ERROR: Duration = Duration::from_millis(100);
/// A head of ours is well under this; hyper answers a longer one with 431.
const HEAD_OCTETS: usize = 32 * 1024;
/// What a client has to take of an answer within the time limit, to be given as much time again.
const PROGRESS: usize = 16 * 1024;

/// Serves until `stop` turns true, then lets open requests end, ten seconds at most.
pub async fn serve(listener: TcpListener, web: Arc<Web>, mut stop: watch::Receiver<bool>) {
    let bounds = web.bounds;
    let router = router(web);
    let free = Arc::new(Semaphore::new(bounds.connections));
    let open = GracefulShutdown::new();
    loop {
        let (stream, peer, permit) = tokio::select! {
            // An error means that the sender is gone, which is a stop as well.
            _ = stop.wait_for(|stopping| *stopping) => break,
            accepted = accept(&listener, &free) => accepted,
        };
        tokio::spawn(serve_connection(stream, peer, router.clone(), bounds.timeout, open.watcher(), permit));
    }
    drop(listener);
    let left = open.count();
    if tokio::time::timeout(DRAIN, open.shutdown()).await.is_err() {
        tracing::warn!(connections = left, "open requests were cut off, they took too long to end");
    }
}

async fn accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    // The semaphore is never closed, so there is always a permit in the end.
    let permit = free.clone().acquire_owned().await.expect("nobody closes the semaphore");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, permit),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(AFTER_ERROR).await;
            }
        }
    }
}

/// All requests of one connection, one after the other.
async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    timeout: Duration,
    open: Watcher,
    _permit: OwnedSemaphorePermit,
) {
    // An answer is one small write; waiting for more to send with it would cost 40 ms against a
    // delayed ACK.
    let _ = stream.set_nodelay(true);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = router.call(request);
        async move { answer.await as Result<Response, Infallible> }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timeout)
        .max_buf_size(HEAD_OCTETS)
        .serve_connection(TokioIo::new(StallLimit::new(stream, timeout)), service);
    if let Err(error) = open.watch(connection).await {
        // A client went away or does not talk HTTP: no fault of ours.
        tracing::debug!(%error, "a connection ended early");
    }
}

/// A stream whose reader has to keep up: at least [`PROGRESS`] octets, or all there is, in each
/// time limit.
struct StallLimit {
    stream: TcpStream,
    limit: Duration,
    /// Runs while something waits to be written.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Octets written since the deadline was set.
    written: usize,
}

impl StallLimit {
    fn new(stream: TcpStream, limit: Duration) -> Self {
        Self { stream, limit, deadline: None, written: 0 }
    }

    fn progress(&mut self, done: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = done {
            self.written += result.as_ref().copied().unwrap_or(0);
            if self.written >= PROGRESS {
                self.stop_clock();
            }
            return Poll::Ready(result);
        }
        let limit = self.limit;
        let deadline =
            self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + limit)));
        match deadline.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    fn stop_clock(&mut self) {
        self.deadline = None;
        self.written = 0;
    }
}

impl AsyncRead for StallLimit {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for StallLimit {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.progress(done, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.progress(done, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when it has written all it had.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stop_clock();
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
