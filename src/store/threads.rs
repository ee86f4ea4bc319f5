//! The threads that work of the store runs on: few, whatever waits.
//!
//! The runtime's own threads for blocking work are as many as ever were wanted at once, and each that works
//! now and then keeps memory for it: with 16 polls at a time 30 of them came to 70 MB. These few take turns.
//! What may hang, such as looking up a name, does not belong here.

use std::io;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Threads at the least, so that one long work, a publish, holds up nothing.
const LEAST: usize = 4;
/// Threads at the most.
const MOST: usize = 16;

/// Never dropped: a runtime must not end inside another.
static POOL: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    let threads = available_parallelism().map_or(LEAST, |cores| (cores.get() * 2).clamp(LEAST, MOST));
    Builder::new_current_thread().max_blocking_threads(threads).thread_name("store").build()
});

/// Runs `work` on one of the threads; where there are none, on one of the runtime's own.
pub(super) fn spawn<T, F>(work: F) -> JoinHandle<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    match &*POOL {
        Ok(pool) => pool.spawn_blocking(work),
        Err(_) => tokio::task::spawn_blocking(work),
    }
}
