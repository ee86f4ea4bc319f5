//! The threads that work of the store runs on: few, whatever waits.
//!
//! The runtime's own threads for blocking work are as many as ever were wanted at once, and each that works
//! now and then keeps memory for it: with 16 polls at a time 30 of them came to 70 MB. These few take turns.
//! What may hang, such as looking up a name, does not belong here.

use std::io;
use std::sync::{LazyLock, OnceLock};
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, JoinHandle};

/// Threads at the least, so that one long work, a publish, holds up nothing.
const LEAST: usize = 4;
/// Threads at the most.
const MOST: usize = 16;

static WANTED: OnceLock<usize> = OnceLock::new();

/// Never dropped: a runtime must not end inside another.
static POOL: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    let usual = || available_parallelism().map_or(LEAST, |cores| (cores.get() * 2).clamp(LEAST, MOST));
    let threads = WANTED.get().map_or_else(usual, |wanted| (*wanted).max(1));
    Builder::new_current_thread().max_blocking_threads(threads).thread_name("store").build()
});

/// Lets so many threads do the work of all stores of this process; without effect once one has worked. For
/// a program that does one thing: one thread took 8 % less processor time and 20 MB less for a first round
/// over 1,000 feeds of 30 items than four (two cores, 2026-11), for what one thread takes from the allocator
/// another must not give back.
pub fn use_threads(most: usize) {
    WANTED.get_or_init(|| most);
}

/// Runs `work` that blocks and never hangs on these threads, which keep its memory small.
///
/// # Errors
/// Where it panics.
pub async fn aside<T, F>(work: F) -> Result<T, JoinError>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    spawn(work).await
}

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
