//! TCP connections with faults below HTTP: a reset, or one byte a second.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

const SLOW: u8 = 1;
const RESET: u8 = 2;

/// A handle on one connection: makes what is written to it from now on faulty.
#[derive(Clone, Debug, Default)]
pub(crate) struct StreamFault(Arc<AtomicU8>);

impl StreamFault {
    /// Writes one byte a second.
    pub(crate) fn slow_down(&self) {
        self.0.store(SLOW, Ordering::Relaxed);
    }

    /// Resets the connection instead of writing a response.
    pub(crate) fn reset(&self) {
        self.0.store(RESET, Ordering::Relaxed);
    }
}

/// A TCP listener whose connections can be made faulty.
pub(crate) struct FaultyListener(pub(crate) TcpListener);

impl Listener for FaultyListener {
    type Io = FaultyStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (FaultyStream, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        // Nagle's algorithm delays small responses until the client's delayed acknowledgment.
        let _ = stream.set_nodelay(true);
        (FaultyStream { stream, fault: StreamFault::default(), delay: None }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, FaultyListener>> for StreamFault {
    fn connect_info(stream: IncomingStream<'_, FaultyListener>) -> Self {
        stream.io().fault.clone()
    }
}

/// One connection.
pub(crate) struct FaultyStream {
    stream: TcpStream,
    fault: StreamFault,
    delay: Option<Pin<Box<Sleep>>>,
}

impl AsyncRead for FaultyStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for FaultyStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.fault.0.load(Ordering::Relaxed) {
            RESET => {
                let _ = self.stream.set_zero_linger();
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
            SLOW => {
                let delay = self.delay.get_or_insert_with(|| Box::pin(sleep(Duration::from_secs(1))));
                if delay.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.delay = None;
                let first = &buf[..buf.len().min(1)];
                Pin::new(&mut self.stream).poll_write(cx, first)
            }
            _ => Pin::new(&mut self.stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
