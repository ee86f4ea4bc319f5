//! Threads that serve connections. A connection stays with one of them: it is never moved while it waits,
//! and what one thread does wakes no other.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Threads at most; one for every two processors below that. One answers two hundred thousand requests a second, and half
/// the processors stay with the mill and what stands in front of it.
const MOST: usize = 4;
/// Threads of each of them that wait for disks. A service has a limit of threads in all.
const BLOCKING: usize = 4;

/// Serves connections until it is dropped.
#[derive(Debug)]
pub(super) struct Workers {
    all: Vec<Worker>,
    _stop: DropGuard,
}

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    connections: Arc<AtomicUsize>,
}

impl Workers {
    /// Starts them.
    pub(super) fn start() -> io::Result<Self> {
        let stop = CancellationToken::new();
        let count = thread::available_parallelism().map_or(1, usize::from).div_ceil(2).min(MOST);
        let all = (0..count).map(|_| Worker::start(stop.clone())).collect::<io::Result<_>>()?;
        Ok(Self { all, _stop: stop.drop_guard() })
    }

    /// Gives a connection to the one that has the fewest.
    pub(super) fn give<F>(&self, stream: TcpStream, serve: impl FnOnce(TcpStream) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        let least = self.all.iter().min_by_key(|worker| worker.connections.load(Ordering::Relaxed));
        // It waits for its socket in the thread that it is given to.
        let (Some(worker), Ok(stream)) = (least, stream.into_std()) else { return };
        let open = Open::new(&worker.connections);
        worker.runtime.spawn(async move {
            if let Ok(stream) = TcpStream::from_std(stream) {
                serve(stream).await;
            }
            drop(open);
        });
    }
}

/// Counts as a connection as long as it is there.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(connections: &Arc<AtomicUsize>) -> Self {
        connections.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(connections))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Worker {
    fn start(stop: CancellationToken) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(BLOCKING).build()?;
        let handle = runtime.handle().clone();
        thread::Builder::new().name("serve".to_owned()).spawn(move || runtime.block_on(stop.cancelled()))?;
        Ok(Self { runtime: handle, connections: Arc::default() })
    }
}
