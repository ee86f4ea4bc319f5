//! Runs blocking work beside async code: the crate's one way to do it.
//!
//! Short work (an operation of the store, a page, a file) shares a few threads. The runtime's own pool for
//! blocking work grows to as many threads as were ever needed at once, and each that works now and then keeps
//! memory: with 16 concurrent polls 30 of them took 70 MB. Work that may take minutes gets a thread of its
//! own ([`run_long`]), so that it delays nothing else. Work that may hang, such as looking up a name, does
//! not belong here.

use std::io;
use std::sync::{LazyLock, OnceLock};
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, JoinHandle};

/// The fewest threads, so that one long job, such as a publish, delays nothing.
const LEAST: usize = 4;
/// The most threads.
const MOST: usize = 16;

static WANTED: OnceLock<usize> = OnceLock::new();

/// The pool; never dropped, since a runtime must not end inside another.
static POOL: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    let usual = || available_parallelism().map_or(LEAST, |cores| (cores.get() * 2).clamp(LEAST, MOST));
    let threads = WANTED.get().map_or_else(usual, |wanted| (*wanted).max(1));
    Builder::new_current_thread().max_blocking_threads(threads).thread_name("blocking").build()
});

/// Sets the number of threads for the short work of this process; without effect once the pool is in use. It is
/// for a program with a single task: for a first round over 1,000 feeds of 30 items, one thread took 8 % less
/// processor time and 20 MB less than four (two cores, 2026-11), since memory that one thread allocates is then
/// freed by the same thread.
pub fn use_threads(most: usize) {
    WANTED.get_or_init(|| most);
}

/// Runs short `work` on one of the few shared threads.
///
/// # Errors
/// If it panics.
pub async fn run<T, F>(work: F) -> Result<T, JoinError>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    spawn(work).await
}

/// Starts `work` as [`run`] does, without waiting for it.
pub fn spawn<T, F>(work: F) -> JoinHandle<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    match &*POOL {
        Ok(pool) => pool.spawn_blocking(work),
        // If the system cannot start the pool, a thread of the current runtime does the work.
        Err(_) => own_thread(work),
    }
}

/// Runs `work` that may take minutes on a thread of its own.
///
/// # Errors
/// If it panics.
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
