//! Work that blocks, run beside async code: the crate's one way to do it.
//!
//! Short work (a verb of the store, a page, a file) takes turns on few threads: the runtime's own threads for
//! blocking work are as many as ever were wanted at once, and each that works now and then keeps memory for
//! it: with 16 polls at a time 30 of them came to 70 MB. Work that may take minutes gets a thread of its own
//! ([`run_long`]), so that it keeps nothing else waiting. What may hang, such as looking up a name, does not
//! belong here.

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
    Builder::new_current_thread().max_blocking_threads(threads).thread_name("blocking").build()
});

/// Lets so many threads do the short work of this process; without effect once one has worked. For
/// a program that does one thing: one thread took 8 % less processor time and 20 MB less for a first round
/// over 1,000 feeds of 30 items than four (two cores, 2026-11), for what one thread takes from the allocator
/// another must not give back.
pub fn use_threads(most: usize) {
    WANTED.get_or_init(|| most);
}

/// Runs short `work` on one of the few threads, which keep its memory small.
///
/// # Errors
/// Where it panics.
pub async fn run<T, F>(work: F) -> Result<T, JoinError>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    spawn(work).await
}

/// As [`run`], for whoever does not wait for it, or not now.
pub fn spawn<T, F>(work: F) -> JoinHandle<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    match &*POOL {
        Ok(pool) => pool.spawn_blocking(work),
        // Where the system gives no threads for them, one of the runtime's own.
        Err(_) => own_thread(work),
    }
}

/// Runs `work` that may take minutes on a thread of its own.
///
/// # Errors
/// Where it panics.
pub async fn run_long<T, F>(work: F) -> Result<T, JoinError>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    own_thread(work).await
}

#[expect(clippy::disallowed_methods, reason = "this is where it is allowed")]
fn own_thread<T, F>(work: F) -> JoinHandle<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    tokio::task::spawn_blocking(work)
}
