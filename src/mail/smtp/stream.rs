//! The line to a relay: what lettre needs around a TCP stream and does not have.
//!
//! - [`RelayStream`] counts the octets that have left us, so that a line that breaks in the
//!   middle of a letter is told from one that breaks after the final dot, whatever else went in
//!   the same write.
//! - Before STARTTLS it reads one octet at a time: what somebody slips into the plain text behind
//!   the relay's `220` then runs into the TLS handshake, which refuses it, and never passes for the
//!   relay's encrypted answer.
//! - [`TlsRelayStream`] is a line encrypted from the first octet, in the shape that lettre takes.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

#[expect(deprecated, reason = "lettre has no other way to an encrypted stream of one's own")]
use lettre::transport::smtp::client::AsyncNetworkStream;
use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The first octet of a TLS handshake record (RFC 8446 §5.1). No SMTP command begins with it.
const TLS_HANDSHAKE: u8 = 0x16;

#[derive(Debug)]
pub(super) struct RelayStream {
    stream: TcpStream,
    /// Reads go octet by octet until TLS begins.
    wary: bool,
    written: Written,
}

/// Octets that the system has taken from us. Under TLS they are more than those of the
/// conversation, so that by this count an octet may seem to have left that has not, and never the
/// other way round.
#[derive(Clone, Debug, Default)]
pub(super) struct Written(Arc<AtomicUsize>);

impl Written {
    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl RelayStream {
    pub(super) fn new(stream: TcpStream, before_starttls: bool) -> Self {
        Self { stream, wary: before_starttls, written: Written::default() }
    }

    pub(super) fn written(&self) -> Written {
        self.written.clone()
    }
}

impl AsyncTokioStream for RelayStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for RelayStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.wary {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let mut octet = [0; 1];
        let mut one = ReadBuf::new(&mut octet);
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut one);
        if let Poll::Ready(Ok(())) = polled {
            buf.put_slice(one.filled());
        }
        polled
    }
}

impl AsyncWrite for RelayStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if buf.first() == Some(&TLS_HANDSHAKE) {
            self.wary = false;
        }
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = polled {
            self.written.0.fetch_add(written, Ordering::Relaxed);
            crate::fault::written(&buf[..written]);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[expect(deprecated, reason = "as above")]
#[derive(Debug)]
pub(super) struct TlsRelayStream(pub(super) AsyncNetworkStream);

impl AsyncTokioStream for TlsRelayStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }
}

impl AsyncRead for TlsRelayStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let space = buf.initialize_unfilled();
        match futures_io::AsyncRead::poll_read(Pin::new(&mut self.0), cx, space) {
            Poll::Ready(Ok(read)) => {
                buf.advance(read);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncWrite for TlsRelayStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        futures_io::AsyncWrite::poll_write(Pin::new(&mut self.0), cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        futures_io::AsyncWrite::poll_flush(Pin::new(&mut self.0), cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        futures_io::AsyncWrite::poll_close(Pin::new(&mut self.0), cx)
    }
}
