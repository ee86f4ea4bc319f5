//! One connection: hyper over a socket that is watched, so that slow clients hold nothing up.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::answer::Sent;

/// Bytes of a request's head.
const MOST_HEAD: usize = 32 << 10;
/// Between two looks at a connection. One timer for all that may take too long costs less than one
/// for each request.
const LOOK: Duration = Duration::from_secs(1);
/// Looks that a request's head may take from its first byte on.
const HEAD: u32 = 15;
/// Looks that a connection may stay open without a request.
const IDLE: u32 = 75;
/// Looks in which a client takes nothing of an answer.
const STALL: u32 = 30;
/// Looks that a client may take for one answer, however slowly.
const ANSWER: u32 = 600;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// By itself.
    Done,
    /// It was too slow.
    CutOff,
}

/// Serves a connection until it ends, is too slow, or `stopping` is set and its last request answered.
pub(super) async fn serve<A, F>(stream: TcpStream, stopping: Arc<AtomicBool>, answer: A) -> End
where
    A: Fn(Request<Incoming>) -> F,
    F: Future<Output = Sent>,
{
    // Answers go out in one piece; waiting for more to send only costs time.
    let _ = stream.set_nodelay(true);
    let pulse = Arc::new(Pulse::default());
    let service = service_fn(|request| {
        pulse.asked.fetch_add(1, Ordering::Relaxed);
        let sent = answer(request);
        let pulse = Arc::clone(&pulse);
        async move {
            let sent = sent.await;
            pulse.answered.fetch_add(1, Ordering::Relaxed);
            pulse.read_before.store(pulse.read.load(Ordering::Relaxed), Ordering::Relaxed);
            Ok::<_, Infallible>(sent)
        }
    });
    let io = TokioIo::new(Watched { stream, pulse: Arc::clone(&pulse) });
    let connection = http1::Builder::new().max_buf_size(MOST_HEAD).serve_connection(io, service);
    let mut connection = pin!(connection);
    // None at once: a connection that came in the moment of a stop has time to be asked and answered.
    let mut looks = interval_at(Instant::now() + LOOK, LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watch = Watch::default();
    poll_fn(|context| {
        if connection.as_mut().poll(context).is_ready() {
            return Poll::Ready(End::Done);
        }
        while looks.poll_tick(context).is_ready() {
            if watch.look(&pulse) {
                return Poll::Ready(End::CutOff);
            }
            if stopping.load(Ordering::Relaxed) {
                connection.as_mut().graceful_shutdown();
                if connection.as_mut().poll(context).is_ready() {
                    return Poll::Ready(End::Done);
                }
            }
        }
        Poll::Pending
    })
    .await
}

/// What goes on in a connection.
#[derive(Debug, Default)]
struct Pulse {
    /// Requests whose heads are complete.
    asked: AtomicU32,
    /// Those whose answers are there.
    answered: AtomicU32,
    /// Reads that gave something, and how many there were at the last answer.
    read: AtomicU32,
    read_before: AtomicU32,
    /// Writes that took something.
    written: AtomicU32,
    /// The client takes nothing at the moment.
    blocked: AtomicBool,
}

/// What was seen at the last look.
#[derive(Debug, Default)]
struct Watch {
    asked: u32,
    written: u32,
    state: State,
    looks: u32,
    stalled: u32,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    Head,
    Ours,
    Sending,
}

impl Watch {
    /// Whether the connection takes too long.
    fn look(&mut self, pulse: &Pulse) -> bool {
        let load = |count: &AtomicU32| count.load(Ordering::Relaxed);
        let (asked, written) = (load(&pulse.asked), load(&pulse.written));
        let state = if asked != load(&pulse.answered) {
            State::Ours
        } else if pulse.blocked.load(Ordering::Relaxed) {
            State::Sending
        } else if load(&pulse.read) != load(&pulse.read_before) {
            State::Head
        } else {
            State::Idle
        };
        if state == self.state && asked == self.asked {
            self.looks += 1;
        } else {
            (self.looks, self.stalled) = (0, 0);
        }
        self.stalled = if written == self.written { self.stalled + 1 } else { 0 };
        (self.state, self.asked, self.written) = (state, asked, written);
        match state {
            // The answer has a limit of its own.
            State::Ours => false,
            State::Head => self.looks >= HEAD,
            State::Idle => self.looks >= IDLE,
            State::Sending => self.stalled >= STALL || self.looks >= ANSWER,
        }
    }
}

/// A socket that tells what goes on.
struct Watched {
    stream: TcpStream,
    pulse: Arc<Pulse>,
}

impl Watched {
    fn wrote(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.pulse.blocked.store(result.is_pending(), Ordering::Relaxed);
        if matches!(result, Poll::Ready(Ok(1..))) {
            self.pulse.written.fetch_add(1, Ordering::Relaxed);
        }
        result
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.pulse.read.fetch_add(1, Ordering::Relaxed);
        }
        result
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = match bufs {
            // A head alone: the kernel has less to look at.
            [one] => Pin::new(&mut self.stream).poll_write(cx, one),
            _ => Pin::new(&mut self.stream).poll_write_vectored(cx, bufs),
        };
        self.wrote(result)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks until the connection is cut off, at most `most`.
    fn looks(pulse: &Pulse, most: u32, mut between: impl FnMut(u32, &Pulse)) -> Option<u32> {
        let mut watch = Watch::default();
        (1..=most).find(|count| {
            between(*count, pulse);
            watch.look(pulse)
        })
    }

    #[test]
    fn slow_clients_are_cut_off_and_busy_ones_are_not() {
        let bump = |count: &AtomicU32| count.fetch_add(1, Ordering::Relaxed);
        let cut = looks(&Pulse::default(), 1_000, |_, _| {});
        assert_eq!(cut, Some(IDLE), "nothing is asked");
        let cut = looks(&Pulse::default(), 1_000, |_, pulse| _ = bump(&pulse.read));
        assert_eq!(cut, Some(HEAD + 1), "a head comes byte by byte");
        let asking = |_: u32, pulse: &Pulse| {
            bump(&pulse.asked);
            bump(&pulse.answered);
            bump(&pulse.written);
        };
        assert_eq!(looks(&Pulse::default(), 5_000, asking), None, "it asks on and on");
        let waiting = |count: u32, pulse: &Pulse| {
            if count == 1 {
                bump(&pulse.asked);
            }
        };
        assert_eq!(looks(&Pulse::default(), 5_000, waiting), None, "it waits for us");
        let stuck = Pulse { blocked: AtomicBool::new(true), ..Pulse::default() };
        assert_eq!(looks(&stuck, 1_000, |_, _| {}), Some(STALL), "it takes nothing");
        let slow = Pulse { blocked: AtomicBool::new(true), ..Pulse::default() };
        let cut = looks(&slow, 1_000, |_, pulse| _ = bump(&pulse.written));
        assert_eq!(cut, Some(ANSWER + 1), "it takes a byte at a time");
    }
}
