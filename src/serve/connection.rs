//! One HTTP/1 connection, closed when the client is too slow.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::response::Body;
use super::timeouts::{Activity, CHECK_INTERVAL, Timeouts};

/// Longest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 32 << 10;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// One side closed it.
    Closed,
    /// The client was too slow.
    TimedOut,
}

/// Serves a connection until it closes or the client is too slow. Once `shutdown` is set, it closes after the
/// request that is in flight.
pub(super) async fn serve<R, F>(stream: TcpStream, shutdown: Arc<AtomicBool>, respond: R) -> Outcome
where
    R: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<Body>>,
{
    // A response is written at once, so Nagle's algorithm only delays it.
    let _ = stream.set_nodelay(true);
    let activity = Arc::new(Activity::default());
    let service = service_fn(|request| {
        activity.count_request();
        let response = respond(request);
        let activity = Arc::clone(&activity);
        async move {
            let response = response.await;
            activity.count_response();
            Ok::<_, Infallible>(response)
        }
    });
    let io = TokioIo::new(CountingStream { stream, activity: Arc::clone(&activity) });
    let connection = http1::Builder::new().max_buf_size(MAX_HEAD_BYTES).serve_connection(io, service);
    let mut connection = pin!(connection);
    // The first check waits an interval, so that a connection accepted during a shutdown can send its
    // request.
    let mut checks = interval_at(Instant::now() + CHECK_INTERVAL, CHECK_INTERVAL);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut timeouts = Timeouts::default();
    poll_fn(|context| {
        if connection.as_mut().poll(context).is_ready() {
            return Poll::Ready(Outcome::Closed);
        }
        while checks.poll_tick(context).is_ready() {
            if timeouts.check(&activity) {
                return Poll::Ready(Outcome::TimedOut);
            }
            if shutdown.load(Ordering::Relaxed) {
                connection.as_mut().graceful_shutdown();
                if connection.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Outcome::Closed);
                }
            }
        }
        Poll::Pending
    })
    .await
}

/// A TCP stream that counts its reads and writes.
struct CountingStream {
    stream: TcpStream,
    activity: Arc<Activity>,
}

impl CountingStream {
    fn count_write(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.activity.set_blocked(result.is_pending());
        if matches!(result, Poll::Ready(Ok(1..))) {
            self.activity.count_write();
        }
        result
    }
}

impl AsyncRead for CountingStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.count_read();
        }
        result
    }
}

impl AsyncWrite for CountingStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.count_write(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = match bufs {
            // `write` is cheaper than `writev` for one buffer.
            [one] => Pin::new(&mut self.stream).poll_write(cx, one),
            _ => Pin::new(&mut self.stream).poll_write_vectored(cx, bufs),
        };
        self.count_write(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
