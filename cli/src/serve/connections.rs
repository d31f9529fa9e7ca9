//! Connections: a listener and a service come in; each connection is answered until somebody asks to stop. Slow clients are
//! given up, and there are no more connections than a bound. Nothing is known here of what is asked.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};

/// So many connections at a time; further ones wait until one ends.
const CONNECTIONS: usize = 512;
/// So long the head of a request may take, and a connection may be idle.
const HEAD: Duration = Duration::from_secs(15);
/// So long a client may take none of what is written to it.
const STALLED: Duration = Duration::from_secs(20);
/// So long requests under way have to end when the server stops.
const LAST: Duration = Duration::from_secs(1);

/// Answers connections until `stop` is there, then those under way.
pub async fn answer(listener: TcpListener, service: Router, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let next = async {
            // The semaphore is never closed.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let Some((place, accepted)) = first(stop.as_mut(), next).await else { break };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(_) => {
                // Out of file descriptors, or a client that is gone already.
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Small answers go out at once.
        let _ = stream.set_nodelay(true);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_headers(64)
            .max_buf_size(64 << 10)
            .serve_connection(TokioIo::new(Patient::new(stream)), TowerToHyperService::new(service.clone()));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            // What goes wrong on a connection is told to its client, if it is still there.
            let _ = connection.await;
        });
    }
    let _ = timeout(LAST, graceful.shutdown()).await;
}

/// What the second gives, unless the first is there before.
async fn first<T>(mut stop: Pin<&mut impl Future<Output = ()>>, next: impl Future<Output = T>) -> Option<T> {
    let mut next = pin!(next);
    std::future::poll_fn(|context| {
        if stop.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        next.as_mut().poll(context).map(Some)
    })
    .await
}

/// A stream that fails when its client takes nothing for too long.
struct Patient {
    stream: TcpStream,
    until: Pin<Box<Sleep>>,
    /// Whether something waits to be taken.
    waits: bool,
}

impl Patient {
    fn new(stream: TcpStream) -> Patient {
        Patient { stream, until: Box::pin(sleep_until(Instant::now())), waits: false }
    }

    /// The outcome of a write, or an error where the client took nothing for too long.
    fn judged<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waits = false;
            return written;
        }
        if !self.waits {
            self.waits = true;
            self.until.as_mut().reset(Instant::now() + STALLED);
        }
        match self.until.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judged(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.judged(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.stream).poll_shutdown(context);
        self.judged(context, ended)
    }
}
